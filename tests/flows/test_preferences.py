"""What is usual is learned from what somebody came to, the latest above all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.preferences import Past, learned

LAST = datetime(2026, 11, 24, 23, tzinfo=UTC)  # Tuesday, 18:00 in New York


def past(days_ago: int = 0, service: int = 1, staff: int = 1, hours: int = 0) -> Past:
    start = LAST - timedelta(days=days_ago, hours=hours)
    return Past(service, staff, start, "America/New_York")


def test_nobody_has_a_usual_without_visits() -> None:
    assert learned([]) is None


def test_two_visits_alike_are_the_usual() -> None:
    known = learned([past(), past(35)])
    assert known is not None
    assert (known.favorite_service_id, known.favorite_staff_id) == (1, 1)
    assert (known.preferred_weekday, known.time_of_day) == (2, "evening")
    assert known.preferred_hour == 18
    assert (known.average_gap_days, known.next_suggested_on) == (35.0, date(2026, 12, 29))
    assert known.confidence == 1.0


def test_one_visit_has_no_gap() -> None:
    known = learned([past()])
    assert known is not None
    assert (known.average_gap_days, known.next_suggested_on) == (None, None)


def test_of_two_different_visits_the_latest_is_the_favourite_but_nobody_is_sure() -> None:
    known = learned([past(service=2, staff=3), past(20)])
    assert known is not None
    assert (known.favorite_service_id, known.favorite_staff_id) == (2, 3)
    assert known.confidence < 0.6


def test_a_habit_outweighs_one_exception_and_a_new_one_takes_over() -> None:
    habit = [past(30 * n) for n in range(1, 5)]
    once = learned([past(service=2, staff=3), *habit])
    assert once is not None
    assert once.favorite_service_id == 1
    new = learned([past(5 * n, service=2, staff=3) for n in range(4)] + habit)
    assert new is not None
    assert new.favorite_service_id == 2


def test_the_gap_is_that_of_the_favourite_service_alone() -> None:
    known = learned([past(), past(2, service=2), past(28), past(30, service=2), past(56)])
    assert known is not None
    assert (known.favorite_service_id, known.average_gap_days) == (1, 28.0)


@pytest.mark.parametrize(("days", "gap"), [((0, 3), 3.0), ((0, 30, 900), 30.0), ((0, 0), None)])
def test_long_absences_count_for_nothing_and_short_gaps_suggest_nothing(
    days: tuple[int, ...], gap: float | None
) -> None:
    known = learned([past(n, hours=n == 0 and 0) for n in days])
    assert known is not None
    assert known.average_gap_days == gap
    assert (known.next_suggested_on is None) == (gap is None or gap < 7)


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 4), st.integers(1, 3)), min_size=1))
def test_whatever_the_visits_are_what_is_learned_can_be_stored(
    visits: list[tuple[int, int, int]],
) -> None:
    known = learned([past(*one) for one in sorted(visits)])
    assert known is not None
    assert 0 < known.confidence <= 1
    assert 0 <= known.preferred_hour <= 23
    assert 1 <= known.preferred_weekday <= 7
    assert known.average_gap_days is None or 0 < known.average_gap_days < 1000
