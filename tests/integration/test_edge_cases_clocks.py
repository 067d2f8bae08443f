"""The known ways to get slots wrong, each by its number: clocks, zones, day borders and shifts.

Two of the 43 cannot arise here. 39: there are no series of visits, so that none can be half booked.
12 and 30 can only as far as claims are instants of one company's staff, which their tests show.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import pytest

from flows.effects import FindDays, FindTimes
from flows.events import SlotHeld, SlotTaken
from flows.hours import calendar_of
from flows.model import Catalog, Company, Shift, Staff
from flows.wording import speak
from storage import checks
from storage.pool import Connection
from tests.support.shop import MONDAY, NOW, Shop, add_service, open_shop, set_hours

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
FALL, SPRING = date(2026, 11, 1), date(2027, 3, 14)  # the clocks of New York change
YEAR = {"horizon_days": 365, "lead_minutes": 0}
OCTOBER = datetime(2026, 10, 20, tzinfo=UTC)
DAILY = range(1, 8)


async def shop_with(
    conn: Connection, starts: str, ends: str, *, zone: str = NEW_YORK, **service: object
) -> Shop:
    """A shop open every day at these hours, for visits of half an hour unless told otherwise."""
    return await open_shop(
        conn,
        timezone=zone,
        hours=[(day, starts, ends, "work") for day in DAILY],
        services=[{"minutes": 30, "grid_minutes": 30} | service],
        settings=YEAR,
    )


async def test_case_01_afternoon_shift_on_the_day_the_clocks_change(conn: Connection) -> None:
    shop = await shop_with(conn, "14:00", "22:00")
    for day in (FALL, SPRING):
        times = await shop.times(conn, day, now=OCTOBER)
        assert (times[0], times[-1], len(times)) == ("14:00", "21:30", 16)


async def test_case_02_fall_back_keeps_the_first_hour_and_every_day_once(conn: Connection) -> None:
    shop = await shop_with(conn, "00:00", "06:00")
    times = await shop.times(conn, FALL, now=OCTOBER)
    assert times[:3] == ["00:00", "00:30", "01:00"]
    found = await shop.ask(conn, FindDays(shop.service_ids[0], None, FALL, limit=20), now=OCTOBER)
    assert [day.day for day in found.days] == [FALL + timedelta(n) for n in range(20)]


async def test_case_03_times_that_do_not_exist_are_not_offered(conn: Connection) -> None:
    shop = await shop_with(conn, "01:00", "04:00")
    assert await shop.times(conn, SPRING) == ["01:00", "01:30", "03:00", "03:30"]
    guest = await shop.guest(conn)
    no_such_time = datetime(2027, 3, 14, 7, tzinfo=UTC) - timedelta(minutes=15)
    assert await shop.hold(conn, guest, no_such_time) == SlotTaken()
    shrunk = await shop_with(conn, "02:30", "03:30")
    assert await shrunk.times(conn, SPRING) == ["03:00"]


async def test_case_04_a_time_that_comes_twice_is_offered_once_and_said_which(
    conn: Connection,
) -> None:
    shop = await shop_with(conn, "00:30", "03:00", minutes=60)
    found = await shop.ask(conn, FindTimes(shop.service_ids[0], None, FALL), now=OCTOBER)
    assert [shop.wall(slot.start) for slot in found.slots] == ["00:30", "01:00", "01:30", "02:00"]
    guest, other = await shop.guest(conn), await shop.guest(conn)
    first = found.slots[2]
    visit = await shop.booked(conn, guest, first.start, now=OCTOBER)
    assert (shop.wall(visit.start), shop.wall(visit.end)) == ("01:30", "01:30")
    assert visit.end - visit.start == timedelta(hours=1)
    second = first.start + timedelta(hours=1)
    assert await shop.hold(conn, other, second, now=OCTOBER) == SlotTaken()
    told = visit.start.astimezone(shop.catalog.zone)
    assert speak("en_US").moment(told, FALL).endswith("AM (before the clocks change)")
    assert speak("ru").moment(told, FALL).endswith("01:30 (до перевода часов)")
    later = second.astimezone(shop.catalog.zone)
    assert speak("en_US").moment(later, FALL).endswith("AM (after the clocks change)")
    noon = datetime(2026, 11, 1, 12, tzinfo=shop.catalog.zone)
    assert speak("en_US").moment(noon, FALL).endswith("PM")


async def test_case_05_before_and_after_the_change_the_same_month_has_the_same_times(
    conn: Connection,
) -> None:
    shop = await shop_with(conn, "09:00", "11:00")
    for day in (FALL, SPRING):
        for by in (-7, -1, 0, 1, 7):
            times = await shop.times(conn, day + timedelta(by), now=OCTOBER)
            assert times == ["09:00", "09:30", "10:00", "10:30"]


async def test_case_06_the_lead_time_may_end_on_the_day_of_the_change(conn: Connection) -> None:
    shop = await shop_with(conn, "00:00", "06:00", lead_minutes=180)
    now = shop.at(FALL, "00:10").astimezone(UTC)
    # Three hours of real time later the clocks show 02:10.
    assert (await shop.times(conn, FALL, now=now))[0] == "02:30"


async def test_case_07_days_that_begin_at_one_and_half_hours_that_are_skipped(
    conn: Connection,
) -> None:
    cairo = await shop_with(conn, "00:00", "02:00", zone="Africa/Cairo")
    assert await cairo.times(conn, date(2027, 4, 30)) == ["01:00", "01:30"]
    assert (await cairo.times(conn, date(2027, 5, 1)))[0] == "00:00"
    lord_howe = await shop_with(conn, "01:00", "04:00", zone="Australia/Lord_Howe")
    spring, autumn = date(2026, 10, 4), date(2027, 4, 4)
    september = datetime(2026, 9, 20, tzinfo=UTC)
    assert await lord_howe.times(conn, spring, now=september) == [
        "01:00",
        "01:30",
        "02:30",
        "03:00",
        "03:30",
    ]
    times = await lord_howe.times(conn, autumn)
    assert times == ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]


async def test_case_08_half_hour_zones_have_full_hours(conn: Connection) -> None:
    for zone in ("Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"):
        shop = await shop_with(conn, "09:00", "12:00", zone=zone, grid_minutes=60)
        assert await shop.times(conn, MONDAY) == ["09:00", "10:00", "11:00"]


async def test_case_09_friday_is_the_friday_of_the_business(conn: Connection) -> None:
    shop = await shop_with(conn, "06:00", "07:00", zone="Pacific/Auckland")
    friday = date(2026, 11, 27)
    found = await shop.ask(conn, FindTimes(shop.service_ids[0], None, friday))
    assert [slot.start.isoformat() for slot in found.slots] == [
        "2026-11-26T17:00:00+00:00",  # still Thursday in Greenwich
        "2026-11-26T17:30:00+00:00",
    ]
    days = await shop.ask(conn, FindDays(shop.service_ids[0], None, friday, limit=1))
    assert days.days[0].day == friday


async def test_case_10_staff_and_business_in_different_zones(conn: Connection) -> None:
    shop = await open_shop(conn, staff=("Becky", "Kelly"), hours=[(1, "09:00", "10:00", "work")])
    kelly = shop.staff_ids[1]
    await conn.execute("UPDATE staff SET timezone = 'Europe/London' WHERE id = $1", kelly)
    await shop.refresh(conn)
    found = await shop.ask(conn, FindTimes(shop.service_ids[0], None, MONDAY))
    assert [(shop.wall(slot.start), slot.staff_id) for slot in found.slots] == [
        ("09:00", shop.staff_ids[0]),
        ("10:00", kelly),
    ]
    visit = await shop.booked(conn, await shop.guest(conn), found.slots[1].start, staff_id=kelly)
    assert visit.timezone == BERLIN


async def test_case_11_a_change_of_the_zone_s_rules_can_be_found(conn: Connection) -> None:
    shop = await open_shop(conn)
    visit = await shop.booked(conn, await shop.guest(conn), shop.at(MONDAY, "10:00"))
    stored = await conn.fetchrow("SELECT timezone, utc_offset_seconds FROM bookings")
    assert stored is not None
    assert (visit.timezone, tuple(stored)) == (BERLIN, (BERLIN, 3600))
    await conn.execute("UPDATE bookings SET utc_offset_seconds = 7200")  # the rule of that day
    (changed,) = await checks.times(conn, company_id=shop.company_id, now=NOW)
    assert (f"{changed.told:%H:%M}", f"{changed.now:%H:%M}") == ("11:00", "10:00")


async def test_case_12_a_wrong_zone_does_not_let_two_bookings_on_one_time(
    conn: Connection,
) -> None:
    shop = await open_shop(conn)
    ten = shop.at(MONDAY, "10:00")
    await shop.booked(conn, await shop.guest(conn), ten)
    await conn.execute("UPDATE companies SET timezone = 'Asia/Tokyo'")
    await conn.execute("UPDATE staff_hours SET starts = '00:00', ends = '23:59'")
    await shop.refresh(conn)
    assert await shop.hold(conn, await shop.guest(conn), ten) == SlotTaken()
    assert shop.wall(ten) not in await shop.times(conn, MONDAY)


async def test_case_13_shift_over_midnight(conn: Connection) -> None:
    shop = await open_shop(
        conn, hours=[(1, "22:00", "02:00", "work")], services=[{"grid_minutes": 30}]
    )
    tuesday = MONDAY + timedelta(1)
    assert await shop.times(conn, MONDAY) == ["22:00", "22:30", "23:00", "23:30"]
    assert await shop.times(conn, tuesday) == ["00:00", "00:30", "01:00"]
    guest, other = await shop.guest(conn), await shop.guest(conn)
    visit = await shop.booked(conn, guest, shop.at(MONDAY, "23:30"))
    assert shop.wall(visit.end) == "00:30"
    assert await shop.hold(conn, other, shop.at(tuesday, "00:00")) == SlotTaken()
    assert isinstance(await shop.hold(conn, other, shop.at(tuesday, "00:30")), SlotHeld)


async def test_case_14_an_end_of_23_59_means_midnight_and_does_not_leak(conn: Connection) -> None:
    shop = await open_shop(
        conn,
        hours=[(1, "20:00", "23:59", "work"), (2, "00:00", "01:00", "work")],
        services=[{"grid_minutes": 60}],
    )
    assert await shop.times(conn, MONDAY) == ["20:00", "21:00", "22:00", "23:00"]
    assert await shop.times(conn, MONDAY + timedelta(1)) == ["00:00"]
    await conn.execute(
        "INSERT INTO staff_schedules (company_id, staff_id, day, starts, ends)"
        " VALUES ($1, $2, $3, '21:00', '23:59')",
        shop.company_id,
        shop.staff_ids[0],
        MONDAY + timedelta(3),
    )
    await shop.refresh(conn)
    assert await shop.times(conn, MONDAY + timedelta(3)) == ["21:00", "22:00", "23:00"]
    assert await shop.times(conn, MONDAY + timedelta(4)) == []


async def test_case_15_a_booking_that_began_before_the_search_still_blocks(
    conn: Connection,
) -> None:
    shop = await open_shop(
        conn,
        services=[{"minutes": 240, "grid_minutes": 60}, {}],
        hours=[(5, "08:00", "18:00", "work")],
        settings={"lead_minutes": 60},
    )
    friday, long = NOW.date(), shop.service_ids[0]
    early = datetime(2026, 11, 19, tzinfo=UTC)
    await shop.booked(
        conn, await shop.guest(conn), shop.at(friday, "09:00"), service_id=long, now=early
    )
    # It is ten o'clock: the visit began before what the search looks at.
    now = shop.at(friday, "10:00").astimezone(UTC)
    cut = shop.service_ids[1]
    assert (await shop.times(conn, friday, service_id=cut, now=now))[0] == "13:00"


async def test_case_16_a_claim_just_after_local_midnight_is_seen(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "00:00", "02:00", "work")])
    guest = await shop.guest(conn)
    await shop.booked(conn, guest, shop.at(MONDAY, "00:15"))
    assert await shop.times(conn, MONDAY) == []
    assert await shop.times(conn, MONDAY, guest=await shop.guest(conn)) == []
    assert (await shop.claims(conn))[0][:2] == ("00:15", "01:15")


async def test_case_17_a_second_window_begins_where_it_begins(conn: Connection) -> None:
    shop = await open_shop(
        conn,
        hours=[(1, "08:00", "12:00", "work"), (1, "12:30", "15:00", "work")],
        services=[{"grid_minutes": 60}],
    )
    assert await shop.times(conn, MONDAY) == ["08:00", "09:00", "10:00", "11:00", "12:30", "13:30"]


async def test_case_18_adjacent_rules_are_one_and_overlapping_ones_are_refused(
    conn: Connection,
) -> None:
    shop = await open_shop(
        conn,
        hours=[(1, "06:00", "08:00", "work"), (1, "08:00", "10:00", "work")],
        services=[{"minutes": 240}],
    )
    assert await shop.times(conn, MONDAY) == ["06:00"]
    with pytest.raises(asyncpg.ExclusionViolationError):
        await set_hours(
            conn,
            shop.company_id,
            shop.staff_ids[0],
            [(1, "06:00", "10:00", "work"), (1, "08:00", "10:00", "work")],
        )
    # Such as were entered before they were refused lose nothing.
    ten = time(10)
    shifts = (Shift(1, time(8), ten), Shift(1, time(6), ten))
    company = Company(1, "S", "salon", BERLIN, "en", "EUR", "DE", "1")
    calendar = calendar_of(Catalog(company, (), (Staff(7, "Becky", shifts=shifts),)))
    low = calendar.bounds(MONDAY.toordinal()).start
    stretch = next(one for one in calendar.stretches(7, low, low) if one.start >= low)
    assert stretch.stop - stretch.start == 4 * 3600


@pytest.mark.parametrize(
    ("pause", "left"),
    [
        (("09:00", "10:00"), ["10:00", "11:00"]),
        (("11:00", "12:00"), ["09:00", "10:00"]),
        (("09:00", "12:00"), []),
    ],
)
async def test_case_19_breaks_at_the_ends_and_of_all_the_shift(
    conn: Connection, pause: tuple[str, str], left: list[str]
) -> None:
    hours = [(1, "09:00", "12:00", "work"), (2, "09:00", "12:00", "work"), (1, *pause, "break")]
    shop = await open_shop(conn, hours=hours, services=[{"grid_minutes": 60}])
    assert await shop.times(conn, MONDAY) == left


async def test_case_19_a_date_without_hours_is_closed(conn: Connection) -> None:
    shop = await open_shop(conn, hours=[(1, "09:00", "12:00", "work")])
    await add_service(conn, shop.company_id, name="Other")
    await conn.execute(
        "INSERT INTO staff_schedules (company_id, staff_id, day) VALUES ($1, $2, $3)",
        shop.company_id,
        shop.staff_ids[0],
        MONDAY,
    )
    await shop.refresh(conn)
    assert await shop.times(conn, MONDAY) == []
    assert await shop.times(conn, MONDAY + timedelta(7)) != []
