"""What is free and what is not; numbers are those of known ways to get slots wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from flows.effects import FindTimes
from flows.events import SlotHeld, SlotTaken
from storage.pool import Connection, Pool, connection
from tests.support.shop import MONDAY, NOW, Shop, open_shop, set_hours


async def test_free_times_are_what_hours_leave_between_claims(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "12:00", "work")])
    await shop.block(conn, shop.at(MONDAY, "10:00"), shop.at(MONDAY, "10:30"))
    assert await shop.times(conn, MONDAY) == ["09:00", "10:30", "10:45", "11:00"]


async def test_all_kinds_of_claims_block(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "12:00", "work")])
    later = NOW + timedelta(minutes=5)
    await shop.block(conn, shop.at(MONDAY, "09:00"), shop.at(MONDAY, "10:00"), kind="time_off")
    await shop.block(
        conn,
        shop.at(MONDAY, "10:00"),
        shop.at(MONDAY, "10:30"),
        kind="offer",
        expires_at=later,
    )
    assert await shop.times(conn, MONDAY) == ["10:30", "10:45", "11:00"]


@pytest.mark.parametrize("kind", ["hold", "offer"])
async def test_34_what_has_lapsed_blocks_nobody(conn: Connection, kind: str) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "10:00", "work")])
    low, high = shop.at(MONDAY, "09:00"), shop.at(MONDAY, "10:00")
    await shop.block(conn, low, high, kind=kind, expires_at=NOW)
    assert await shop.times(conn, MONDAY) == ["09:00"]


async def test_34_ones_own_hold_is_free_for_oneself_and_nobody_else(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "10:00", "work")])
    mine, other = await shop.guest(conn), await shop.guest(conn)
    await shop.hold(conn, mine, shop.at(MONDAY, "09:00"))
    assert await shop.times(conn, MONDAY, guest=mine) == ["09:00"]
    assert await shop.times(conn, MONDAY, guest=other) == []


async def test_35_the_visit_that_is_moved_does_not_block_its_new_time(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "11:00", "work")])
    guest = await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "09:15"))
    assert await shop.times(conn, MONDAY, guest=guest) == []
    moving = await shop.times(conn, MONDAY, guest=guest, moving=visit.id)
    assert moving == ["09:00", "09:15", "09:30", "09:45", "10:00"]


async def test_15_a_claim_that_began_before_the_search_still_blocks(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "00:00", "03:00", "work")])
    sunday = MONDAY - timedelta(1)
    await shop.block(conn, shop.at(sunday, "20:00"), shop.at(MONDAY, "01:30"))
    assert (await shop.times(conn, MONDAY))[0] == "01:30"


async def test_16_a_claim_just_after_local_midnight_is_seen(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "00:00", "02:00", "work")])
    await shop.block(conn, shop.at(MONDAY, "00:15"), shop.at(MONDAY, "00:45"))
    assert await shop.times(conn, MONDAY) == ["00:45", "01:00"]


async def test_21_a_buffer_reaches_over_the_border_of_a_search(conn: Connection) -> None:
    shop = await open_shop(
        conn,
        services=[{"buffer_before_minutes": 30, "buffer_after_minutes": 30}],
        hours=[(7, "22:00", "00:00", "work"), (1, "00:00", "02:00", "work")],
    )
    sunday = MONDAY - timedelta(1)
    await shop.booked(conn, await shop.guest(conn), shop.at(sunday, "23:00"))
    assert await shop.times(conn, MONDAY) == ["00:30", "00:45", "01:00"]
    await shop.block(conn, shop.at(sunday, "21:00"), shop.at(sunday, "22:15"))
    assert await shop.times(conn, sunday) == []


async def test_23_24_the_buffer_of_one_service_keeps_another_away(conn: Connection) -> None:
    shop = await open_shop(
        conn,
        services=[{}, {"name": "Colour", "buffer_after_minutes": 15}],
        hours=[(1, "09:00", "12:00", "work")],
    )
    cut, colour = shop.service_ids
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"), service_id=colour)
    assert (await shop.times(conn, MONDAY, service_id=cut))[0] == "10:15"
    stale = await shop.hold(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"), service_id=cut)
    assert stale == SlotTaken()


async def test_09_a_day_is_the_day_of_the_business(conn: Connection) -> None:
    shop = await open_shop(conn, timezone="Pacific/Auckland", hours=[(1, "09:00", "10:00", "work")])
    found = await shop.ask(conn, FindTimes(shop.service_ids[0], None, MONDAY))
    assert [slot.start for slot in found.slots] == [datetime(2026, 11, 22, 20, tzinfo=UTC)]


async def test_10_people_in_another_zone_are_shown_by_the_clock_of_the_business(
    conn: Connection,
) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "10:00", "work")])
    await conn.execute("UPDATE staff SET timezone = 'Europe/London'")
    await shop.refresh(conn)
    assert await shop.times(conn, MONDAY) == ["10:00"]


async def test_03_05_the_month_around_a_change_of_clocks_keeps_its_wall_times(
    conn: Connection,
) -> None:
    shop = await open_shop(
        conn, timezone="America/New_York", services=[{"minutes": 30, "grid_minutes": 30}]
    )
    await set_hours(conn, shop.company_id, shop.staff_ids[0], [(7, "01:00", "04:00", "work")])
    await shop.refresh(conn)
    now = datetime(2027, 2, 25, tzinfo=UTC)
    walls = ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]
    assert await shop.times(conn, date(2027, 3, 7), now=now) == walls
    assert await shop.times(conn, date(2027, 3, 14), now=now) == [
        "01:00",
        "01:30",
        "03:00",
        "03:30",
    ]
    assert await shop.times(conn, date(2027, 3, 21), now=now) == walls


async def test_04_a_repeated_hour_is_offered_once_and_a_visit_runs_on_through_it(
    conn: Connection,
) -> None:
    shop = await open_shop(
        conn,
        timezone="America/New_York",
        services=[{"grid_minutes": 30}],
        hours=[(7, "00:30", "03:00", "work")],
        settings={"lead_minutes": 0},
    )
    now, night = datetime(2026, 10, 30, tzinfo=UTC), date(2026, 11, 1)
    found = await shop.ask(conn, FindTimes(shop.service_ids[0], None, night), now=now)
    assert [shop.wall(slot.start) for slot in found.slots] == ["00:30", "01:00", "01:30", "02:00"]
    half_past = found.slots[2]
    assert half_past.end - half_past.start == timedelta(hours=1)
    assert shop.wall(half_past.end) == "01:30"


async def test_30_another_company_s_claims_are_not_ours(conn: Connection) -> None:
    ours, theirs = await open_shop(conn), await open_shop(conn)
    await theirs.block(conn, ours.at(MONDAY, "09:00"), ours.at(MONDAY, "18:00"))
    assert len(await ours.times(conn, MONDAY)) == 33
    assert await theirs.times(conn, MONDAY) == []


async def test_43_all_that_is_listed_can_be_held_and_nothing_else(pool: Pool) -> None:
    rng = Random(43)  # noqa: S311
    async with connection(pool) as conn:
        for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
            shop = await _random_shop(conn, rng, zone)
            day = NOW.date() + timedelta(days=rng.randint(1, 6))
            guest = await shop.guest(conn)
            for service_id in shop.service_ids:
                found = await shop.ask(conn, FindTimes(service_id, None, day), guest=guest)
                listed = {slot.start for slot in found.slots}
                midnight = shop.at(day, "00:00").astimezone(UTC)
                for step in range(0, 24 * 60, 5):
                    start = midnight + timedelta(minutes=step)
                    held = await shop.hold(conn, guest, start, service_id=service_id)
                    assert isinstance(held, SlotHeld) == (start in listed), (zone, start)


async def _random_shop(conn: Connection, rng: Random, zone: str) -> Shop:
    grid = rng.choice([5, 15, 20, 30])
    services = [
        {
            "minutes": rng.choice([20, 45, 60]),
            "buffer_before_minutes": rng.choice([0, 10]),
            "buffer_after_minutes": rng.choice([0, 15]),
        }
        for _ in range(2)
    ]
    shop = await open_shop(
        conn,
        timezone=zone,
        services=services,
        staff=("Becky", "Kelly"),
        settings={"grid_minutes": grid, "lead_minutes": rng.choice([0, 60])},
    )
    for staff_id in shop.staff_ids:
        starts = rng.randint(6, 22)
        hours = [
            (weekday, f"{starts:02}:00", f"{(starts + rng.randint(3, 12)) % 24:02}:30", "work")
            for weekday in range(1, 8)
        ]
        await set_hours(conn, shop.company_id, staff_id, hours)
    await shop.refresh(conn)
    for _ in range(30):
        start = NOW + timedelta(minutes=5 * rng.randint(0, 2000))
        guest = await shop.guest(conn)
        await shop.hold(
            conn,
            guest,
            start.replace(second=0),
            service_id=rng.choice(shop.service_ids),
            minutes=9_999,
        )
    return shop
