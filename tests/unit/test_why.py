"""Why a time is not offered: nothing is said where it is offered, and something where it is not."""

from __future__ import annotations

from datetime import date, datetime, time
from random import Random
from zoneinfo import ZoneInfo

import pytest

from flows.hours import calendar_of, epoch, moment
from flows.model import (
    Catalog,
    Company,
    DatedShift,
    Policy,
    Service,
    Shift,
    Span,
    Staff,
    StaffOffer,
)
from flows.slots import Busy, Need, free_starts, need_of
from flows.why import Claimed, Reason, in_the_way, not_at_work, skipped, untimely
from tests.support.random_rules import ZONES, business, changes, question

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)
HOUR = 3600


def salon(*shifts: Shift, rows: tuple[DatedShift, ...] = (), off: tuple[Span, ...] = ()) -> Catalog:
    company = Company(1, "Salon", "salon", "Europe/Berlin", "en", "EUR", "DE", "1")
    person = Staff(7, "Becky", None, {}, shifts, rows, off)
    return Catalog(company, (), (person,), frozenset({date(2026, 11, 30)}))


def at(wall: str, day: date = MONDAY) -> int:
    return epoch(datetime.combine(day, time.fromisoformat(wall), BERLIN))


def hour(offset: int = 0) -> Need:
    return Need(HOUR, 900, ((0, HOUR),), (), offset)


def said(catalog: Catalog, wall: str, day: date = MONDAY) -> list[tuple[str, str, str]]:
    """The rules that stand against a start, each with the times that come with it."""
    found = not_at_work(calendar_of(catalog), 7, hour(), at(wall, day))
    return [(one.rule, shown(one.start), shown(one.end)) for one in found]


def shown(second: int | None) -> str:
    return "" if second is None else f"{moment(second).astimezone(BERLIN):%H:%M}"


NINE_TO_SIX = Shift(1, time(9), time(18))
LUNCH = Shift(1, time(13), time(14), "break")


def test_a_free_time_has_nothing_against_it() -> None:
    assert said(salon(NINE_TO_SIX, LUNCH), "10:15") == []


@pytest.mark.parametrize(
    ("wall", "reason"),
    [
        ("08:00", ("closed", "", "09:00")),
        ("18:00", ("closed", "18:00", "")),
        ("17:30", ("too_long", "18:00", "")),
        ("13:30", ("break", "13:00", "14:00")),
        ("12:30", ("break", "13:00", "14:00")),
        ("10:10", ("grid", "09:00", "")),
    ],
)
def test_hours_and_grid_are_named(wall: str, reason: tuple[str, str, str]) -> None:
    assert said(salon(NINE_TO_SIX, LUNCH), wall) == [reason]


def test_a_holiday_a_closed_date_and_time_off_are_named() -> None:
    assert said(salon(NINE_TO_SIX), "10:00", date(2026, 11, 30))[0][0] == "holiday"
    closed = salon(NINE_TO_SIX, rows=(DatedShift(MONDAY, "replace"),))
    assert said(closed, "10:00") == [("closed", "", "")]
    away = salon(NINE_TO_SIX, off=(Span(moment(at("11:00")), moment(at("12:00"))),))
    assert said(away, "10:30") == [("time_off", "11:00", "12:00")]


def test_a_break_after_midnight_is_a_break() -> None:
    night = salon(Shift(1, time(22), time(6)), Shift(1, time(2), time(2, 30), "break"))
    assert said(night, "02:15", date(2026, 11, 24)) == [("break", "02:00", "02:30")]


def test_lead_horizon_and_what_is_over_are_named() -> None:
    calendar = calendar_of(salon())
    now, soon, far = at("10:00"), at("11:00"), at("20:00")

    def rules(wall: str) -> list[str]:
        found = untimely(calendar, at(wall), now=now, earliest=soon, latest=far)
        return [reason.rule for reason in found]

    walls = ("09:00", "10:30", "11:00", "20:00", "20:15")
    assert [rules(wall) for wall in walls] == [["past"], ["lead"], [], [], ["horizon"]]


def test_the_second_coming_of_an_hour_is_named() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    calendar = calendar_of(salon())
    bounds = {"now": 0, "earliest": 0, "latest": 1 << 40}
    assert list(untimely(calendar, epoch(first), **bounds)) == []
    second = epoch(first.replace(fold=1))
    assert [one.rule for one in untimely(calendar, second, **bounds)] == ["second_coming"]


def test_a_time_that_the_clocks_skip_is_known() -> None:
    assert skipped(datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN))
    assert not skipped(datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN))
    assert not skipped(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1))


@pytest.mark.parametrize(
    ("part", "kind", "rule"),
    [
        ("visit", "booking", "booked"),
        ("visit", "hold", "held"),
        ("visit", "offer", "on_offer"),
        ("visit", "external", "external"),
        ("visit", "time_off", "time_off"),
        ("buffer", "booking", "buffer"),
    ],
)
def test_each_kind_of_claim_has_its_rule(part: str, kind: str, rule: str) -> None:
    claim = Claimed(at("10:30"), at("11:30"), part, kind)
    expected = [Reason(rule, claim.start, claim.end)]
    assert list(in_the_way(hour(), [claim], at("10:00"))) == expected
    assert list(in_the_way(hour(), [claim], at("09:30"))) == []


def test_ones_own_buffer_may_be_what_meets_a_visit() -> None:
    need = Need(HOUR, 900, ((0, HOUR),), ((HOUR, HOUR + 900),))
    visit = Claimed(at("11:00"), at("12:00"), "visit", "booking")
    assert [one.rule for one in in_the_way(need, [visit], at("10:00"))] == ["buffer"]
    other = visit._replace(part="buffer")
    assert list(in_the_way(need, [other], at("10:00"))) == []


@pytest.mark.parametrize("zone", ZONES)
def test_43_a_start_is_listed_exactly_where_nothing_is_said_against_it(zone: str) -> None:
    rng = Random(zone)  # noqa: S311
    listed = refused = 0
    for day in changes(zone, 4):
        catalog = business(rng, zone, day)
        calendar = calendar_of(catalog)
        low = calendar.bounds(day.toordinal()).start - 3 * HOUR
        asked = question(rng, low // 60, low // 60 + 1860)
        service = Service(
            1,
            "Cut",
            asked.minutes,
            0,
            buffer_before_minutes=asked.before,
            buffer_after_minutes=asked.after,
            grid_minutes=asked.grid,
        )
        need = need_of(service, StaffOffer(asked.minutes, 0), Policy())
        busy = Busy(*([(a * 60, b * 60) for a, b in x] for x in (asked.visits, asked.buffers)))
        claims = [Claimed(a, b, "visit", "booking") for a, b in busy.visits]
        claims += [Claimed(a, b, "buffer", "booking") for a, b in busy.buffers]
        high = low + 31 * HOUR
        found = {
            start for times in free_starts(calendar, 7, need, busy, low, high) for start in times
        }
        for start in range(low, high + 1, 60):
            reasons = [
                *untimely(calendar, start, now=low - 1, earliest=low, latest=high),
                *not_at_work(calendar, 7, need, start),
                *in_the_way(need, claims, start),
            ]
            assert (not reasons) == (start in found), (zone, day, start, reasons)
            listed, refused = listed + (not reasons), refused + bool(reasons)
    assert refused > listed
