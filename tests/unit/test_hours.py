"""Working hours on the wall and in time; numbers are those of known ways to get slots wrong."""

from __future__ import annotations

from datetime import date, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from flows.hours import Calendar, calendar_of, cut, merged, moment
from flows.model import Catalog, Company, DatedShift, Shift, Span, Staff

BERLIN, NEW_YORK, CAIRO = "Europe/Berlin", "America/New_York", "Africa/Cairo"
MONDAY = date(2026, 11, 23)
EVERY_DAY = range(1, 8)


def shift(weekday: int, starts: str, ends: str, kind: str = "work") -> Shift:
    return Shift(weekday, time.fromisoformat(starts), time.fromisoformat(ends), kind)


def daily(starts: str, ends: str, kind: str = "work") -> tuple[Shift, ...]:
    return tuple(shift(weekday, starts, ends, kind) for weekday in EVERY_DAY)


def dated(day: date, kind: str, starts: str | None = None, ends: str | None = None) -> DatedShift:
    return DatedShift(
        day,
        kind,
        time.fromisoformat(starts) if starts else None,
        time.fromisoformat(ends) if ends else None,
    )


def calendar(
    *shifts: Shift,
    zone: str = BERLIN,
    staff_zone: str | None = None,
    dated_shifts: tuple[DatedShift, ...] = (),
    holidays: frozenset[date] = frozenset(),
) -> Calendar:
    company = Company(1, "Salon", "salon", zone, "en", "USD", "US", "1")
    person = Staff(7, "Becky", staff_zone, {}, shifts, dated_shifts)
    return Calendar(Catalog(company, (), (person,), holidays))


def hours(of: Calendar, day: date, days: int = 1) -> list[str]:
    """What somebody works on the days of the company, as its clocks show it; +1 is the next day."""
    low = of.bounds(day.toordinal()).start
    high = of.bounds(day.toordinal() + days).start
    shown = []
    for stretch in of.stretches(7, low, high - 1):
        if low <= stretch.start < high:
            start, end = (moment(at).astimezone(of.zone) for at in (stretch.start, stretch.stop))
            later = (end.date() - start.date()).days
            shown.append(f"{start:%H:%M}-{end:%H:%M}" + f"+{later}" * bool(later))
    return shown


def length(of: Calendar, day: date) -> timedelta:
    """How long somebody works in the 36 hours from a midnight on."""
    low = of.bounds(day.toordinal()).start
    stretches = of.stretches(7, low, low + 36 * 3600)
    inside = [s for s in stretches if low <= s.start < low + 36 * 3600]
    return timedelta(seconds=sum(s.stop - s.start for s in inside))


def test_a_weekly_shift_is_worked_on_its_weekday() -> None:
    tuesdays = calendar(shift(2, "09:00", "18:00"))
    assert hours(tuesdays, MONDAY) == []
    assert hours(tuesdays, MONDAY + timedelta(1)) == ["09:00-18:00"]


def test_01_an_afternoon_shift_stays_where_it_is_on_the_day_the_clocks_change() -> None:
    afternoons = calendar(*daily("14:00", "22:00"), zone=NEW_YORK)
    for day in (date(2026, 3, 8), date(2026, 11, 1)):
        assert hours(afternoons, day) == ["14:00-22:00"]


def test_02_a_shift_through_the_long_night_keeps_its_first_hour_and_has_one_more() -> None:
    nights = calendar(*daily("00:00", "06:00"))
    assert length(nights, date(2026, 10, 25) + timedelta(7)) == timedelta(hours=12)
    assert nights.stretches(7, *_day(nights, date(2026, 10, 25)))
    autumn = calendar(shift(7, "00:00", "06:00"))
    assert length(autumn, date(2026, 10, 25)) == timedelta(hours=7)


def test_03_hours_that_the_clocks_skip_shrink_and_do_not_shift() -> None:
    spring = date(2026, 3, 29)  # 02:00 becomes 03:00
    assert hours(calendar(*daily("02:30", "03:30")), spring) == ["03:00-03:30"]
    assert hours(calendar(*daily("01:00", "02:30")), spring) == ["01:00-03:00"]
    assert hours(calendar(*daily("02:15", "02:45")), spring) == []


def test_04_a_time_that_comes_twice_means_its_first_coming() -> None:
    autumn = date(2026, 10, 25)  # 03:00 becomes 02:00
    until = calendar(shift(7, "00:00", "02:30"))
    assert length(until, autumn) == timedelta(hours=2, minutes=30)
    since = calendar(shift(7, "02:30", "04:00"))
    assert length(since, autumn) == timedelta(hours=2, minutes=30)
    (again,) = until.repeated(*_day(until, autumn))
    assert [moment(at + 1).isoformat()[:16] for at in (again[0], again[1] - 1)] == [
        "2026-10-25T01:00",
        "2026-10-25T02:00",
    ]


def test_07_a_day_may_begin_at_one_o_clock() -> None:
    spring = date(2026, 4, 24)  # in Cairo, 00:00 becomes 01:00
    cairo = calendar(*daily("00:00", "02:00"), zone=CAIRO)
    assert hours(cairo, spring) == ["01:00-02:00"]
    start, *_, end = cairo.bounds(spring.toordinal())
    assert end - start == 23 * 3600


def test_07_half_an_hour_may_be_skipped_or_repeated() -> None:
    lord_howe = calendar(*daily("01:00", "04:00"), zone="Australia/Lord_Howe")
    assert length(lord_howe, date(2026, 10, 4)) == timedelta(hours=5, minutes=30)
    assert length(lord_howe, date(2026, 4, 5)) == timedelta(hours=6, minutes=30)
    (again,) = lord_howe.repeated(*_day(lord_howe, date(2026, 4, 5)))
    assert again[1] - again[0] - 1 == 1800


def test_07_a_date_that_a_country_skipped_has_no_hours() -> None:
    apia = calendar(*daily("09:00", "17:00"), zone="Pacific/Apia")
    assert hours(apia, date(2011, 12, 30)) == []
    assert hours(apia, date(2011, 12, 31)) == ["09:00-17:00"]


def test_08_half_hour_zones_keep_full_hours() -> None:
    assert hours(calendar(*daily("09:00", "17:00"), zone="Asia/Kolkata"), MONDAY) == ["09:00-17:00"]


def test_10_somebody_in_another_zone_works_by_their_own_clock() -> None:
    abroad = calendar(*daily("09:00", "17:00"), zone=BERLIN, staff_zone=NEW_YORK)
    assert hours(abroad, MONDAY) == ["15:00-23:00"]


def test_13_a_shift_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    late = calendar(shift(1, "22:00", "02:00"))
    assert hours(late, MONDAY) == ["22:00-02:00+1"]
    assert hours(late, MONDAY + timedelta(1)) == []


def test_13_shifts_that_meet_at_midnight_are_one() -> None:
    around = calendar(shift(1, "12:00", "00:00"), shift(2, "00:00", "12:00"))
    first, second = around.stretches(7, *_day(around, MONDAY))[:2]
    assert first.stop == second.start
    assert first.end == second.end == second.stop


def test_14_an_end_typed_as_23_59_means_midnight() -> None:
    assert hours(calendar(*daily("18:00", "23:59")), MONDAY) == ["18:00-00:00+1"]
    leaks = calendar(dated_shifts=(dated(MONDAY, "replace", "20:00", "23:59"),))
    assert hours(leaks, MONDAY, 2) == ["20:00-00:00+1"]


def test_18_overlapping_and_touching_rules_lose_nothing() -> None:
    assert hours(calendar(shift(1, "08:00", "10:00"), shift(1, "06:00", "10:00")), MONDAY) == [
        "06:00-10:00"
    ]
    assert hours(calendar(shift(1, "08:00", "12:00"), shift(1, "12:00", "16:00")), MONDAY) == [
        "08:00-16:00"
    ]


@pytest.mark.parametrize(
    ("pause", "left"),
    [
        (("09:00", "10:00"), ["10:00-18:00"]),
        (("17:00", "18:00"), ["09:00-17:00"]),
        (("09:00", "18:00"), []),
        (("13:00", "13:30"), ["09:00-13:00", "13:30-18:00"]),
        (("07:00", "09:00"), ["09:00-18:00"]),
    ],
)
def test_19_breaks_cut_shifts(pause: tuple[str, str], left: list[str]) -> None:
    assert hours(calendar(*daily("09:00", "18:00"), *daily(*pause, "break")), MONDAY) == left


def test_19_a_dated_day_without_times_is_closed() -> None:
    closed = calendar(*daily("09:00", "18:00"), dated_shifts=(dated(MONDAY, "replace"),))
    assert hours(closed, MONDAY, 2) == ["09:00-18:00"]


def test_dated_rows_replace_add_and_cut() -> None:
    rules = daily("09:00", "18:00"), daily("13:00", "14:00", "break")
    replaced = calendar(*rules[0], *rules[1], dated_shifts=(dated(MONDAY, "replace", "12", "20"),))
    assert hours(replaced, MONDAY) == ["12:00-20:00"]
    added = calendar(*rules[0], *rules[1], dated_shifts=(dated(MONDAY, "add", "19:00", "21:00"),))
    assert hours(added, MONDAY) == ["09:00-13:00", "14:00-18:00", "19:00-21:00"]
    paused = calendar(
        *rules[0], *rules[1], dated_shifts=(dated(MONDAY, "break", "16:00", "19:00"),)
    )
    assert hours(paused, MONDAY) == ["09:00-13:00", "14:00-16:00"]


def test_a_holiday_closes_the_weekly_pattern_but_not_hours_entered_for_that_date() -> None:
    holidays = frozenset({MONDAY})
    assert hours(calendar(*daily("09:00", "18:00"), holidays=holidays), MONDAY) == []
    extra = (dated(MONDAY, "add", "10:00", "12:00"),)
    open_anyway = calendar(*daily("09:00", "18:00"), holidays=holidays, dated_shifts=extra)
    assert hours(open_anyway, MONDAY) == ["10:00-12:00"]


def test_a_break_after_midnight_cuts_the_shift_that_runs_over_it() -> None:
    night, pause = shift(1, "22:00", "06:00"), ("02:00", "02:30", "break")
    cut_up = ["22:00-02:00+1", "02:30-06:00"]
    assert hours(calendar(night, shift(1, *pause)), MONDAY, 2) == cut_up
    assert hours(calendar(night, shift(2, *pause)), MONDAY, 2) == cut_up


def test_a_break_over_midnight_cuts_both_days() -> None:
    rules = (
        shift(1, "12:00", "00:00"),
        shift(2, "00:00", "08:00"),
        shift(1, "23:30", "00:30", "break"),
    )
    assert hours(calendar(*rules), MONDAY, 2) == ["12:00-23:30", "00:30-08:00"]


def test_where_a_day_runs_into_the_next_the_later_grid_takes_over() -> None:
    mixed = calendar(shift(1, "20:10", "08:00"), shift(2, "02:00", "04:00"))
    assert hours(mixed, MONDAY, 2) == ["20:10-02:00+1", "02:00-04:00", "04:00-08:00"]
    stretches = mixed.stretches(7, *_day(mixed, MONDAY))[:3]
    assert len({stretch.end for stretch in stretches}) == 1
    assert stretches[0].anchor == stretches[2].anchor != stretches[1].anchor


def test_days_follow_each_other_on_any_clock() -> None:
    there = calendar()
    low = there.bounds(date(2026, 10, 24).toordinal()).start
    for zone, hours_of_day in (
        (BERLIN, [24, 25]),
        ("Australia/Lord_Howe", [24, 24, 24]),  # in Berlin it is still the day before
        ("America/New_York", [24, 24, 24]),
    ):
        edges = there.edges(ZoneInfo(zone), low, low + 49 * 3600 - 1)
        assert [(end - start) / 3600 for start, end in pairwise(edges)] == hours_of_day
        assert edges[0] <= low < edges[1]
        assert edges[-2] < low + 49 * 3600 <= edges[-1]
        assert there.edges(ZoneInfo(zone), low + 1, low + 49 * 3600 - 1) is edges
    days = [there.bounds(date(2026, 10, 24).toordinal() + more) for more in (0, 1)]
    assert [*days[0][::3], days[1].end] == there.edges(there.zone, low, days[1].start)


def test_time_off_is_told_apart_from_hours() -> None:
    company = Company(1, "Salon", "salon", BERLIN, "en", "USD", "US", "1")
    away = (Span(moment(1_000), moment(2_000)), Span(moment(1_500), moment(3_000)))
    catalog = Catalog(company, (), (Staff(7, "Becky", time_off=away),))
    assert calendar_of(catalog).away(7) == [(1_000, 3_000)]


def test_a_catalogue_has_one_calendar() -> None:
    catalog = Catalog(Company(1, "Salon", "salon", BERLIN, "en", "USD", "US", "1"), (), ())
    assert calendar_of(catalog) is calendar_of(catalog)


def test_merging_and_cutting() -> None:
    assert merged([(5, 6), (1, 3), (3, 4), (2, 3)]) == [(1, 4), (5, 6)]
    assert cut([(0, 10)], [(2, 3), (8, 12), (-1, 1)]) == [(1, 2), (3, 8)]


def _day(of: Calendar, day: date) -> tuple[int, int]:
    bounds = of.bounds(day.toordinal())
    return bounds.start, bounds.end - 1
