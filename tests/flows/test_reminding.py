"""When customers are reminded: by the clock of the visit's place, and never at night."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import effects as fx
from flows.model import Company, Policy, Visit
from flows.reminding import ATTENDANCE, FIRST, REVIEW, SECOND, awake, forget, planned, remind
from tests.support.lumi import LUMI
from tests.support.salon import Salon

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 16, 15, tzinfo=UTC)


def visit(wall: str, *, zone: str = "America/New_York", moves: int = 0) -> Visit:
    start = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    made = Salon().book(1, 1, 1, start)
    return replace(made, timezone=zone, moves=moves)


def walls(found: Visit, now: datetime = MONDAY, company: Company = LUMI) -> dict[str, str]:
    zone = ZoneInfo(found.timezone)
    dues = planned(company, found, now)
    return {kind: f"{due.astimezone(zone):%d %b %H:%M}" for kind, due in dues.items()}


def with_policy(**rules: object) -> Company:
    return replace(LUMI, policy=Policy.model_validate(rules))


def test_a_day_and_two_hours_before_and_the_day_after() -> None:
    assert walls(visit("2026-11-24T14:00")) == {
        FIRST: "23 Nov 14:00",
        SECOND: "24 Nov 12:00",
        REVIEW: "25 Nov 11:00",
    }


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (timedelta(hours=25), {FIRST, SECOND, REVIEW}),
        (timedelta(hours=24), {SECOND, REVIEW}),
        (timedelta(hours=23), {SECOND, REVIEW}),
        (timedelta(hours=2), {REVIEW}),
        (timedelta(minutes=30), {REVIEW}),
    ],
)
def test_what_is_booked_closer_than_a_reminder_has_none(before: timedelta, kinds: set[str]) -> None:
    booked = visit("2026-11-24T14:00")
    assert set(planned(LUMI, booked, booked.start - before)) == kinds


def test_the_company_decides_how_long_before() -> None:
    company = with_policy(first_reminder_minutes=3 * 24 * 60, second_reminder_minutes=0)
    assert walls(visit("2026-11-24T14:00"), company=company) == {
        FIRST: "21 Nov 14:00",
        REVIEW: "25 Nov 11:00",
    }


def test_nobody_is_asked_where_the_company_wants_to_know_nothing() -> None:
    company = with_policy(ask_rating=False, suggest_usual=False)
    assert REVIEW not in walls(visit("2026-11-24T14:00"), company=company)
    assert REVIEW in walls(visit("2026-11-24T14:00"), company=with_policy(ask_rating=False))


@pytest.mark.parametrize(
    ("wall", "due"),
    [
        # The clocks go back on 1 November at 2:00, and forward on 8 March.
        ("2026-11-01T12:00", "31 Oct 12:00"),
        ("2026-11-01T14:00", "31 Oct 14:00"),
        ("2026-11-02T12:00", "01 Nov 12:00"),
        ("2027-03-14T14:00", "13 Mar 14:00"),
    ],
)
def test_a_day_before_is_the_same_time_of_day_when_the_clocks_change(wall: str, due: str) -> None:
    found = walls(visit(wall), now=datetime(2026, 10, 1, tzinfo=UTC))
    assert found[FIRST] == due


def test_hours_are_hours_even_when_the_clocks_change() -> None:
    company = with_policy(
        second_reminder_minutes=120,
        quiet_from=time(0),
        quiet_until=time(0),
        first_reminder_minutes=0,
    )
    found = planned(company, visit("2026-11-01T03:00"), datetime(2026, 10, 1, tzinfo=UTC))
    assert visit("2026-11-01T03:00").start - found[SECOND] == timedelta(hours=2)


def test_the_clock_is_that_of_the_visit_and_not_of_the_company() -> None:
    assert walls(visit("2026-11-24T14:00", zone="Asia/Tokyo"))[FIRST] == "23 Nov 14:00"
    lost = replace(visit("2026-11-24T14:00"), timezone="Nowhere/Atlantis")
    assert planned(LUMI, lost, MONDAY)[FIRST].astimezone(NEW_YORK).hour == 14


@pytest.mark.parametrize(
    ("wall", "first", "second"),
    [
        ("2026-11-24T09:00", "23 Nov 09:00", "23 Nov 20:00"),  # 7:00 is too early
        ("2026-11-24T10:59", "23 Nov 10:59", "23 Nov 20:00"),
        ("2026-11-24T11:00", "23 Nov 11:00", "24 Nov 09:00"),
        ("2026-11-24T23:30", "23 Nov 20:00", "24 Nov 20:00"),  # 21:30 is too late
        ("2026-11-24T07:00", "22 Nov 20:00", "23 Nov 20:00"),
    ],
)
def test_what_would_come_at_night_comes_the_evening_before(
    wall: str, first: str, second: str
) -> None:
    found = walls(visit(wall))
    assert (found[FIRST], found[SECOND]) == (first, second)


def test_two_that_fall_into_one_evening_are_one() -> None:
    company = with_policy(first_reminder_minutes=180)
    found = walls(visit("2026-11-24T09:00"), company=company)
    assert found == {SECOND: "23 Nov 20:00", REVIEW: "25 Nov 11:00"}


@pytest.mark.parametrize(
    ("booked", "kinds"),
    [
        ("2026-11-23T08:00", {FIRST, SECOND, REVIEW}),
        ("2026-11-23T15:59", {SECOND, REVIEW}),
        ("2026-11-23T16:01", {REVIEW}),  # 20:00 would be for nothing
        ("2026-11-23T20:30", {REVIEW}),
    ],
)
def test_whoever_books_an_early_visit_in_the_evening_is_not_reminded_that_evening(
    booked: str, kinds: set[str]
) -> None:
    now = datetime.fromisoformat(booked).replace(tzinfo=NEW_YORK).astimezone(UTC)
    assert set(planned(LUMI, visit("2026-11-24T09:30"), now)) == kinds


def test_two_that_the_quiet_hours_put_close_together_are_one() -> None:
    company = with_policy(first_reminder_minutes=16 * 60)
    found = walls(visit("2026-11-24T10:00"), company=company)  # 18:00 and, for 8:00, 20:00
    assert found == {SECOND: "23 Nov 20:00", REVIEW: "25 Nov 11:00"}
    by_day = walls(visit("2026-11-24T20:00"), company=with_policy(first_reminder_minutes=300))
    assert (by_day[FIRST], by_day[SECOND]) == ("24 Nov 15:00", "24 Nov 18:00")


@given(
    st.integers(0, 2 * 366 * 24 * 60),
    st.times(),
    st.times(),
    st.sampled_from(["America/New_York", "Europe/Moscow", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_nothing_is_ever_due_later_for_the_quiet(
    minutes: int, quiet_from: time, quiet_until: time, zone: str
) -> None:
    policy = Policy(quiet_from=quiet_from, quiet_until=quiet_until)
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    moved = awake(moment, ZoneInfo(zone), policy)
    assert moment - timedelta(hours=28) < moved <= moment
    if moved != moment:
        at = moment.astimezone(ZoneInfo(zone)).time()
        quiet = quiet_from <= at or at < quiet_until
        assert quiet if quiet_from > quiet_until else quiet_from <= at < quiet_until


def test_a_plan_arms_a_timer_for_each_and_notes_it() -> None:
    booked = visit("2026-11-24T14:00")
    effects = remind(LUMI, booked, MONDAY)
    armed = {one.key: one for one in effects if isinstance(one, fx.ArmTimer)}
    assert list(armed) == [f"reminder:{booked.id}:{kind}" for kind in (FIRST, SECOND, REVIEW)]
    first = armed[f"reminder:{booked.id}:24h"]
    assert first.payload == {
        "booking": str(booked.id),
        "kind": FIRST,
        "start": booked.start.isoformat(),
    }
    noted = [one for one in effects if isinstance(one, fx.PlanReminder)]
    assert {one.kind: one.due for one in noted} == planned(LUMI, booked, MONDAY)
    assert not [one for one in effects if isinstance(one, fx.CancelTimer)]


def test_a_visit_that_was_moved_near_loses_what_it_is_too_late_for() -> None:
    moved = visit("2026-11-24T14:00", moves=1)
    effects = remind(LUMI, moved, moved.start - timedelta(hours=3))
    cancelled = {one.key for one in effects if isinstance(one, fx.CancelTimer)}
    assert cancelled == {f"reminder:{moved.id}:24h"}
    assert fx.DropReminder(moved.id, FIRST) in effects


def test_of_a_cancelled_visit_nothing_is_left() -> None:
    gone = visit("2026-11-24T14:00")
    effects = forget(LUMI, gone)
    cancelled = {one.key for one in effects if isinstance(one, fx.CancelTimer)}
    assert cancelled == {f"reminder:{gone.id}:{kind}" for kind in (FIRST, SECOND, REVIEW)}


ABSENT = {"no_show_rule": "unconfirmed", "no_show_minutes": 90}


def attendance(effects: Iterable[fx.Effect]) -> list[datetime]:
    return [
        one.due
        for one in effects
        if isinstance(one, fx.ArmTimer) and one.payload["kind"] == ATTENDANCE
    ]


def test_with_a_rule_a_timer_says_whether_anybody_came_and_follows_the_visit() -> None:
    company, booked = with_policy(**ABSENT), visit("2026-11-24T14:00")
    ninety = timedelta(minutes=90)
    assert attendance(remind(LUMI, booked, MONDAY)) == []
    assert attendance(remind(company, booked, MONDAY)) == [booked.end + ninety]
    moved = visit("2026-11-26T10:00", moves=1)
    assert attendance(remind(company, moved, MONDAY)) == [moved.end + ninety]
    key = f"reminder:{booked.id}:{ATTENDANCE}"
    assert fx.CancelTimer(key) in forget(company, booked)
    assert fx.CancelTimer(key) not in forget(LUMI, booked)


def test_nobody_is_asked_how_it_was_before_it_is_known_who_came() -> None:
    company = with_policy(no_show_rule="unattended", no_show_minutes=24 * 60)
    assert walls(visit("2026-11-24T14:00"), company=company)[REVIEW] == "26 Nov 11:00"
    assert walls(visit("2026-11-24T09:00"), company=company)[REVIEW] == "25 Nov 11:00"


def test_whoever_moves_a_visit_has_answered_what_they_were_asked_about_it() -> None:
    moved = visit("2026-11-24T14:00", moves=1)
    effects = remind(LUMI, moved, moved.start - timedelta(hours=3))
    assert fx.NoteReminder(moved.id, FIRST, "moved") in effects
    assert fx.NoteReminder(moved.id, SECOND, "moved") not in effects  # that is asked anew
