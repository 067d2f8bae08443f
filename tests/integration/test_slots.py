"""Answers to what flows ask about free times."""

from __future__ import annotations

from datetime import UTC, date, time, timedelta
from itertools import pairwise

from flows.effects import FindDays, FindEarliest, FindNearest, FindTimes
from flows.events import SlotTaken
from flows.model import EVENING, Wish
from storage.clock import uuid7
from storage.pool import Connection, RoundTrips, connection, open_pool
from tests.support.shop import MONDAY, NOW, held, open_shop, set_hours


async def test_whoever_is_not_wanted_is_left_out_for_anyone(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly", "Maria"))
    becky, kelly, maria = shop.staff_ids
    service, ten = shop.service_ids[0], shop.at(MONDAY, "10:00")
    for ask in (
        FindEarliest(service, but=becky),
        FindTimes(service, None, MONDAY, but=becky),
        FindNearest(service, None, Wish(MONDAY, time(10)), but=becky),
    ):
        found = await shop.ask(conn, ask)
        assert {slot.staff_id for slot in found.slots} <= {kelly, maria}, ask
    for other in (kelly, maria):
        await shop.block(conn, ten, shop.at(MONDAY, "11:00"), person=other)
    guest = await shop.guest(conn)
    assert await shop.hold(conn, guest, ten, but=becky) == SlotTaken()
    assert held(await shop.hold(conn, guest, ten)).slot.staff_id == becky


async def test_people_have_their_own_prices_and_lengths(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"), hours=[(1, "09:00", "10:00", "work")])
    becky, kelly = shop.staff_ids
    await conn.execute(
        "UPDATE staff_services SET minutes = 30, price_minor = 9900 WHERE staff_id = $1", kelly
    )
    await shop.refresh(conn)
    service = shop.service_ids[0]
    found = await shop.ask(conn, FindTimes(service, kelly, MONDAY))
    assert [(shop.wall(s.start), shop.wall(s.end), s.price_minor) for s in found.slots] == [
        ("09:00", "09:30", 9900),
        ("09:15", "09:45", 9900),
        ("09:30", "10:00", 9900),
    ]
    anyone = await shop.ask(conn, FindTimes(service, None, MONDAY))
    assert [(shop.wall(s.start), s.staff_id) for s in anyone.slots] == [
        ("09:00", becky),
        ("09:15", kelly),
        ("09:30", kelly),
    ]


async def test_29_anyone_means_the_least_booked_and_the_list_says_who(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly", "Ana"))
    becky, kelly, ana = shop.staff_ids
    ask = FindTimes(shop.service_ids[0], None, MONDAY)
    assert (await shop.ask(conn, ask)).slots[0].staff_id == becky
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "17:00"), staff_id=becky)
    assert (await shop.ask(conn, ask)).slots[0].staff_id == kelly
    # On another day all have none: whoever was booked longest ago comes first.
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "17:00"), staff_id=kelly)
    tuesday = FindTimes(shop.service_ids[0], None, MONDAY + timedelta(1))
    assert (await shop.ask(conn, tuesday)).slots[0].staff_id == ana
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "17:00"), staff_id=ana)
    assert (await shop.ask(conn, tuesday)).slots[0].staff_id == becky


async def test_visits_that_are_over_count_for_whose_turn_it_is(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"))
    becky, kelly = shop.staff_ids
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "09:00"), staff_id=becky)
    afternoon = shop.at(MONDAY, "14:00")
    found = await shop.ask(
        conn, FindTimes(shop.service_ids[0], None, MONDAY), now=afternoon.astimezone(UTC)
    )
    assert found.slots[0].staff_id == kelly


async def test_the_earliest_of_everybody_is_found_however_far_it_is(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly", "Ana"))
    becky, kelly, ana = shop.staff_ids
    await set_hours(conn, shop.company_id, kelly, [])
    far = NOW.date() + timedelta(days=25)
    await conn.execute(
        "INSERT INTO staff_schedules (company_id, staff_id, day, starts, ends)"
        " VALUES ($1, $2, $3, '10:00', '12:00')",
        shop.company_id,
        kelly,
        far,
    )
    await set_hours(conn, shop.company_id, ana, [])
    await shop.refresh(conn)
    found = await shop.ask(conn, FindEarliest(shop.service_ids[0]))
    assert [(slot.staff_id, slot.start) for slot in found.slots] == [
        (becky, shop.at(NOW.date(), "10:00")),
        (kelly, shop.at(far, "10:00")),
    ]


async def test_days_say_how_many_times_and_which_part_is_nearly_full(conn: Connection) -> None:
    shop = await open_shop(conn, services=[{"grid_minutes": 60}])
    tuesday = MONDAY + timedelta(1)
    await shop.block(conn, shop.at(tuesday, "13:00"), shop.at(tuesday, "17:00"))
    await shop.block(conn, shop.at(MONDAY, "08:00"), shop.at(MONDAY, "18:00"))
    found = await shop.ask(conn, FindDays(shop.service_ids[0], None, MONDAY, limit=3))
    assert [(day.day, day.times, day.busy_part) for day in found.days] == [
        (tuesday, 5, "afternoon"),
        (tuesday + timedelta(1), 9, None),
        (tuesday + timedelta(2), 9, None),
    ]
    assert found.more


async def test_days_are_found_up_to_the_horizon_and_not_beyond(conn: Connection) -> None:
    shop = await open_shop(
        conn, settings={"horizon_days": 60}, hours=[(3, "09:00", "10:00", "work")]
    )
    service = shop.service_ids[0]
    found = await shop.ask(conn, FindDays(service, None, NOW.date(), limit=9))
    wednesdays = [date(2026, 11, 25) + timedelta(weeks=n) for n in range(8)]
    assert [day.day for day in found.days] == wednesdays
    assert not found.more
    first = await shop.ask(conn, FindDays(service, None, NOW.date(), limit=7))
    assert (len(first.days), first.more) == (7, True)
    rest = await shop.ask(conn, FindDays(service, None, wednesdays[6] + timedelta(1), limit=7))
    assert ([day.day for day in rest.days], rest.more) == (wednesdays[7:], False)
    beyond = await shop.ask(conn, FindTimes(service, None, wednesdays[7] + timedelta(7)))
    assert beyond.slots == ()


async def test_a_time_taken_is_answered_by_the_nearest(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"), services=[{"grid_minutes": 60}])
    becky, kelly = shop.staff_ids
    await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "15:00"), staff_id=becky)
    ask = FindNearest(shop.service_ids[0], becky, Wish(day=MONDAY, at=time(15)), limit=5)
    found = await shop.ask(conn, ask)
    tuesday = MONDAY + timedelta(1)
    assert [(slot.start, slot.staff_id) for slot in found.slots[:4]] == [
        (shop.at(MONDAY, "14:00"), becky),
        (shop.at(tuesday, "15:00"), becky),
        (shop.at(MONDAY, "15:00"), kelly),
        (shop.at(MONDAY - timedelta(1), "15:00"), becky),
    ]


async def test_a_wish_for_a_full_month_finds_what_there_is(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[])
    far = NOW.date() + timedelta(days=29)
    await conn.execute(
        "INSERT INTO staff_schedules (company_id, staff_id, day, starts, ends)"
        " VALUES ($1, $2, $3, '10:00', '11:00')",
        shop.company_id,
        shop.staff_ids[0],
        far,
    )
    await shop.refresh(conn)
    ask = FindNearest(shop.service_ids[0], None, Wish(day=MONDAY, part=EVENING))
    found = await shop.ask(conn, ask)
    assert [slot.start for slot in found.slots] == [shop.at(far, "10:00")]


async def test_a_wish_without_a_day_is_meant_for_today_while_it_can_be(conn: Connection) -> None:
    shop = await open_shop(conn)
    service = shop.service_ids[0]
    three = FindNearest(service, None, Wish(at=time(15)), limit=1)
    assert (await shop.ask(conn, three)).slots[0].start == shop.at(NOW.date(), "15:00")
    late = shop.at(NOW.date(), "14:30").astimezone(UTC)
    tomorrow = NOW.date() + timedelta(1)
    assert (await shop.ask(conn, three, now=late)).slots[0].start == shop.at(tomorrow, "15:00")


async def test_popular_times_carry_a_star_once_there_is_history(conn: Connection) -> None:
    shop = await open_shop(conn)
    service, ask = shop.service_ids[0], FindTimes(shop.service_ids[0], None, MONDAY)
    assert not any(slot.popular for slot in (await shop.ask(conn, ask)).slots)
    guest = await shop.guest(conn)
    for days in range(10):
        made = NOW - timedelta(days=days, minutes=1)
        wall = "11:30" if days % 2 else f"{10 + days}:00"
        await conn.execute(
            """
            INSERT INTO bookings (company_id, id, code, customer_id, service_id, staff_id,
                starts_at, ends_at, timezone, price_minor, currency, source, created_at)
            VALUES ($1, $2, 'A', $3, $4, $5, $6, $7, 'UTC', 0, 'EUR', 'quick', $8)
            """,
            shop.company_id,
            uuid7(made),
            guest.customer_id,
            service,
            shop.staff_ids[0],
            shop.at(NOW.date() - timedelta(days), wall),
            shop.at(NOW.date() - timedelta(days), "23:00"),
            made,
        )
    await shop.refresh(conn)
    found = await shop.ask(conn, ask)
    assert [shop.wall(slot.start) for slot in found.slots if slot.popular] == ["11:30"]
    anytime = await shop.ask(conn, FindNearest(service, None, Wish(), limit=3))
    assert [shop.wall(slot.start) for slot in anytime.slots] == ["11:30"] * 3
    next_ones = await shop.ask(conn, FindNearest(service, None, Wish(), limit=5, soonest=True))
    starts = [slot.start for slot in next_ones.slots]
    assert starts == sorted(starts)
    assert starts[0] < anytime.slots[0].start
    assert all(later - one > timedelta(minutes=30) for one, later in pairwise(starts))


async def test_what_is_not_offered_any_more_finds_nothing(conn: Connection) -> None:
    shop = await open_shop(conn, services=[{}, {"name": "Gone", "active": False}])
    for service_id in (shop.service_ids[1], 987_654):
        assert await shop.times(conn, MONDAY, service_id=service_id) == []
        assert (await shop.ask(conn, FindEarliest(service_id))).slots == ()
        assert (await shop.ask(conn, FindDays(service_id, None, MONDAY))).days == ()
        assert (await shop.ask(conn, FindNearest(service_id, None, Wish()))).slots == ()
    assert await shop.times(conn, MONDAY, staff_id=987_654) == []


async def test_a_day_at_the_end_of_the_calendar_has_no_times(conn: Connection) -> None:
    shop = await open_shop(conn)
    service = shop.service_ids[0]
    for day in (date.min, date.max):
        assert await shop.times(conn, day) == []
        near = FindNearest(service, None, Wish(day=day, at=time(15)), limit=2)
        assert len((await shop.ask(conn, near)).slots) == 2
    assert (await shop.ask(conn, FindDays(service, None, date.max))).days == ()
    assert (await shop.ask(conn, FindDays(service, None, date.min))).days


async def test_a_search_asks_postgresql_once(database_url: str) -> None:
    trips = RoundTrips()
    pool = await open_pool(database_url, size=1, on_statement=trips)
    try:
        async with connection(pool) as conn:
            shop = await open_shop(conn, staff=("Becky", "Kelly"))
            service = shop.service_ids[0]
            await shop.times(conn, MONDAY)  # popular times are read once in a while
            for ask in (
                FindEarliest(service),
                FindDays(service, None, MONDAY),
                FindTimes(service, None, MONDAY),
                FindNearest(service, None, Wish(day=MONDAY, at=time(15))),
            ):
                await trips.taken()
                await shop.ask(conn, ask)
                assert len(await trips.taken()) == 1
    finally:
        await pool.close()
