"""The known ways to get slots wrong, once more for businesses that come to other zones.

Numbered as in the other files of this name. What is said of an area's clock stands in flows.areas.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from flows.areas import seen_from
from flows.effects import FindDays, FindNearest, FindTimes
from flows.events import SlotHeld, SlotTaken, VisitMoved
from flows.model import Wish
from storage import checks
from storage.pool import Connection
from tests.support.random_rules import ZONES, changes
from tests.support.shop import MONDAY, NOW, Shop, add_area, held, open_shop, row

CHICAGO, INDIANA, NEW_YORK, BERLIN, AUCKLAND = (
    "America/Chicago",
    "America/Indiana/Indianapolis",
    "America/New_York",
    "Europe/Berlin",
    "Pacific/Auckland",
)
FALL, SPRING = date(2026, 11, 1), date(2027, 3, 14)  # the clocks of America change
OCTOBER = datetime(2026, 10, 20, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(1)


async def shop_in(
    conn: Connection, zone: str, starts: str = "00:00", ends: str = "23:59", **service: object
) -> Shop:
    """A shop open every day at these hours, for visits of half an hour unless told otherwise."""
    return await open_shop(
        conn,
        timezone=zone,
        hours=[(day, starts, ends, "work") for day in range(1, 8)],
        services=[{"minutes": 30, "grid_minutes": 30} | service],
        settings={"horizon_days": 365, "lead_minutes": 0},
    )


async def test_case_10_an_area_is_told_its_own_clock_and_the_team_works_by_theirs(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, CHICAGO, "08:00", "10:00")
    area = await add_area(conn, shop, INDIANA)
    assert await shop.times(conn, MONDAY) == ["08:00", "08:30", "09:00", "09:30"]
    assert await area.times(conn, MONDAY) == ["09:00", "09:30", "10:00", "10:30"]
    near = FindNearest(shop.service_ids[0], None, Wish(MONDAY, shop.at(MONDAY, "10:00").time()))
    found = await area.ask(conn, near)
    assert area.wall(found.slots[0].start) == "10:00"


async def test_case_10_a_team_with_a_zone_of_its_own_keeps_it(conn: Connection) -> None:
    shop = await shop_in(conn, CHICAGO, "08:00", "09:00")
    await conn.execute("UPDATE staff SET timezone = 'America/Denver'")
    await shop.refresh(conn)
    area = await add_area(conn, shop, INDIANA)
    assert await shop.times(conn, MONDAY) == ["09:00", "09:30"]
    assert await area.times(conn, MONDAY) == ["10:00", "10:30"]


async def test_case_11_a_visit_in_an_area_has_its_zone_and_a_change_of_it_is_found(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, CHICAGO, "08:00", "10:00")
    area = await add_area(conn, shop, INDIANA)
    guest = await area.guest(conn)
    visit = await area.booked(conn, guest, area.at(MONDAY, "09:30"))
    stored = await row(conn, "SELECT area_id, timezone, utc_offset_seconds FROM bookings")
    assert area.catalog.area is not None
    assert tuple(stored) == (area.catalog.area.id, INDIANA, -5 * 3600)
    assert (visit.area_id, visit.timezone) == (area.catalog.area.id, INDIANA)
    assert await checks.times(conn, company_id=shop.company_id, now=NOW) == []
    await conn.execute("UPDATE bookings SET utc_offset_seconds = -6 * 3600")  # the rule of that day
    (changed,) = await checks.times(conn, company_id=shop.company_id, now=NOW)
    assert (f"{changed.told:%H:%M}", f"{changed.now:%H:%M}") == ("08:30", "09:30")


async def test_case_11_a_visit_that_is_moved_has_the_zone_in_which_its_new_time_was_told(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, CHICAGO, "08:00", "10:00")
    area = await add_area(conn, shop, INDIANA)
    guest = await area.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "08:00"))
    assert visit.area_id is None
    kept = held(await area.hold(conn, guest, area.at(MONDAY, "10:00"), moving=visit.id))
    moved = await area.move(conn, guest, visit, kept)
    assert isinstance(moved, VisitMoved)
    stored = await row(conn, "SELECT area_id, timezone FROM bookings")
    assert tuple(stored) == (moved.visit.area_id, INDIANA)
    kept = held(await shop.hold(conn, guest, shop.at(MONDAY, "09:30"), moving=visit.id))
    await shop.move(conn, guest, visit, kept)
    stored = await row(conn, "SELECT area_id, timezone FROM bookings")
    assert tuple(stored) == (moved.visit.area_id, CHICAGO), "where it is, nobody has taken back"


async def test_case_09_friday_is_the_friday_of_the_area(conn: Connection) -> None:
    shop = await shop_in(conn, BERLIN, "18:00", "20:00")
    area = await add_area(conn, shop, AUCKLAND)
    friday = date(2026, 11, 27)
    found = await area.ask(conn, FindTimes(shop.service_ids[0], None, friday))
    assert [slot.start.isoformat() for slot in found.slots][:2] == [
        "2026-11-26T17:00:00+00:00",  # Thursday evening in Berlin, Friday at six in the morning
        "2026-11-26T17:30:00+00:00",
    ]
    now = datetime(2026, 11, 26, 16, tzinfo=UTC)
    days = await area.ask(conn, FindDays(shop.service_ids[0], None, friday, limit=2), now=now)
    assert [(day.day, day.times) for day in days.days] == [
        (friday, 4),
        (friday + timedelta(1), 4),
    ]


async def test_case_09_how_far_ahead_can_be_booked_ends_with_a_day_of_the_area(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, BERLIN)
    await conn.execute("""UPDATE companies SET settings = '{"horizon_days": 3}'""")
    await shop.refresh(conn)
    area = await add_area(conn, shop, AUCKLAND)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)  # already Tuesday there
    last = await area.times(conn, date(2026, 11, 27), now=now)
    assert (last[0], last[-1], len(last)) == ("00:00", "23:30", 48)
    assert await area.times(conn, date(2026, 11, 28), now=now) == []


async def test_case_08_half_hour_zones_see_the_team_s_full_hours_at_half_past(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, NEW_YORK, "09:00", "12:00", grid_minutes=60)
    for zone, first in (("America/St_Johns", "10:30"), ("Asia/Kathmandu", "19:45")):
        area = await add_area(conn, shop, zone, code=zone)
        assert (await area.times(conn, MONDAY))[0] == first


async def test_case_04_a_time_that_comes_twice_in_the_area_is_offered_once(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, "Asia/Kolkata")
    area = await add_area(conn, shop, NEW_YORK)
    times = await area.times(conn, FALL, now=OCTOBER)
    assert (times[:5], len(times)) == (["00:00", "00:30", "01:00", "01:30", "02:00"], 48)
    guest = await area.guest(conn)
    again = area.at(FALL, "01:30").astimezone(UTC) + timedelta(hours=1)
    assert await area.hold(conn, guest, again, now=OCTOBER) == SlotTaken()
    # The same hour comes once for everybody else.
    assert isinstance(await shop.hold(conn, guest, again, now=OCTOBER), SlotHeld)


async def test_case_04_a_time_that_comes_twice_to_the_team_comes_once_in_the_area(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, NEW_YORK)
    area = await add_area(conn, shop, "America/Phoenix")
    assert len(await shop.times(conn, FALL, now=OCTOBER)) == 48
    for day in (FALL - timedelta(1), FALL):  # it is eleven there when the clocks of the team change
        times = await area.times(conn, day, now=OCTOBER)
        assert (times[-3:], len(times)) == (["22:30", "23:00", "23:30"], 48)


async def test_case_03_times_that_do_not_exist_in_the_area_are_not_offered(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, "Asia/Kolkata")
    area = await add_area(conn, shop, NEW_YORK)
    assert (await area.times(conn, SPRING))[3:6] == ["01:30", "03:00", "03:30"]
    # And what the team's clocks skip is no gap there.
    team = await shop_in(conn, NEW_YORK)
    phoenix = await add_area(conn, team, "America/Phoenix")
    assert len(await phoenix.times(conn, SPRING)) == 48


async def test_case_07_an_area_whose_day_begins_at_one(conn: Connection) -> None:
    shop = await shop_in(conn, BERLIN)
    cairo = await add_area(conn, shop, "Africa/Cairo", code="1")
    assert (await cairo.times(conn, date(2027, 4, 30)))[:2] == ["01:00", "01:30"]
    assert (await cairo.times(conn, date(2027, 5, 1)))[0] == "00:00"
    lord_howe = await add_area(conn, shop, "Australia/Lord_Howe", code="2")
    spring = await lord_howe.times(conn, date(2026, 10, 4), now=datetime(2026, 9, 20, tzinfo=UTC))
    assert spring[3:6] == ["01:30", "02:30", "03:00"]


async def test_case_15_as_many_visits_a_day_as_somebody_may_have_are_counted_by_their_own_clock(
    conn: Connection,
) -> None:
    shop = await shop_in(conn, BERLIN)
    await conn.execute("UPDATE staff SET most_visits_a_day = 1")
    await shop.refresh(conn)
    area = await add_area(conn, shop, AUCKLAND)  # twelve hours ahead
    guest, other = await area.guest(conn), await area.guest(conn)
    await area.booked(conn, guest, area.at(TUESDAY, "10:00"))  # Monday at ten in the evening
    assert await area.hold(conn, other, area.at(TUESDAY, "11:00")) == SlotTaken()
    assert await shop.hold(conn, other, shop.at(MONDAY, "09:00")) == SlotTaken()
    times = await area.times(conn, TUESDAY)
    assert (times[0], times[-1], len(times)) == ("12:00", "23:30", 24), "from their midnight on"
    assert isinstance(await area.hold(conn, other, area.at(TUESDAY, "12:00")), SlotHeld)
    assert await shop.times(conn, MONDAY) == []


async def test_case_31_customers_of_two_areas_cannot_have_one_time(conn: Connection) -> None:
    shop = await shop_in(conn, CHICAGO, "08:00", "10:00")
    near, far = [await add_area(conn, shop, zone, code=zone) for zone in (CHICAGO, INDIANA)]
    await near.booked(conn, await near.guest(conn), near.at(MONDAY, "08:00"))
    assert await far.hold(conn, await far.guest(conn), far.at(MONDAY, "09:00")) == SlotTaken()
    assert await far.times(conn, MONDAY) == ["09:30", "10:00", "10:30"]


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "Africa/Cairo", NEW_YORK, "Asia/Beirut"])
async def test_43_what_is_listed_in_an_area_can_be_held_and_nothing_else(
    conn: Connection, zone: str
) -> None:
    rng = Random(zone)  # noqa: S311
    company_zone = rng.choice([other for other in ZONES if other != zone])
    shop = await shop_in(conn, company_zone, "19:00", "07:00", minutes=45, grid_minutes=15)
    area = await add_area(conn, shop, zone)
    guest = await area.guest(conn)
    for day in changes(zone, 2):
        now = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
        found = await area.ask(conn, FindTimes(shop.service_ids[0], None, day), now=now)
        listed = {slot.start for slot in found.slots}
        assert listed
        start = area.at(day, "00:00").astimezone(UTC)
        for step in range(0, 25 * 60, 15):
            at = start + timedelta(minutes=step)
            if at.astimezone(area.catalog.zone).date() == day:
                kept = await area.hold(conn, guest, at, now=now)
                assert isinstance(kept, SlotHeld) == (at in listed), (zone, company_zone, at)


async def test_areas_with_one_clock_share_what_was_worked_out(conn: Connection) -> None:
    shop = await shop_in(conn, CHICAGO, "08:00", "10:00")
    home = await add_area(conn, shop, CHICAGO, code="1")
    one = await add_area(conn, shop, INDIANA, code="2")
    other = await add_area(conn, shop, INDIANA, code="3")
    assert other.catalog.area is not None
    base = other.catalog.memo["clocks"][CHICAGO]
    assert one.catalog.area is not None
    again = seen_from(other.catalog, one.catalog.area.id)
    assert again.memo is other.catalog.memo
    assert home.catalog.area is not None
    assert seen_from(again, home.catalog.area.id).memo is base
    assert seen_from(again, None).area is None
    assert seen_from(again, None).memo is base
    assert seen_from(again, one.catalog.area.id) is again
    unknown = seen_from(replace(shop.catalog), 12345)
    assert unknown.area is None
