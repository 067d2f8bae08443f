"""Who is offered what: the desk's rules, policy by policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.areas import Area
from flows.hours import epoch
from flows.matching import Free, answer_by, fitting, plan, quiet_until
from flows.model import Catalog, Policy, Service, Span
from flows.model_waitlist import Offer, Waiter, Wanted
from tests.support.lumi import LUMI, SERVICES, STAFF

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # Friday, 10:00 in New York
TUESDAY = date(2026, 11, 24)
ANY = Wanted(TUESDAY, TUESDAY)
BECKY, KELLY = 1, 2
CUT, SHORT, LONG = 1, 2, 3  # 60, 30 and 90 minutes


def salon(policy: str = "first_come", **rules: Any) -> Catalog:
    """The salon with a policy."""
    known = Policy.model_validate({"grid_minutes": 30, "waitlist_policy": policy, **rules})
    return Catalog(replace(LUMI, policy=known), SERVICES, STAFF)


def at(hour: int, minute: int = 0) -> int:
    """A time on Tuesday, in epoch seconds."""
    return epoch(datetime.combine(TUESDAY, time(hour, minute), LUMI.zone))


def waiter(number: int, service_id: int = CUT, *wanted: Wanted, **more: Any) -> Waiter:
    """Somebody who joined as the `number`th."""
    joined = NOW - timedelta(days=1) + timedelta(minutes=number)
    return Waiter(number, number, number, service_id, wanted or (ANY,), joined, **more)


def gap(*services: int, staff: int = BECKY, begin: int = 0, end: int = 0) -> Free:
    """A stretch in which somebody is free: the starts that each service has in it."""
    minutes = {service.id: service.minutes * 60 for service in SERVICES}
    return {
        id_: {staff: [range(begin, end - minutes[id_] + 1, 1800)]}
        for id_ in services
        if end - begin >= minutes[id_]
    }


def told(offers: Sequence[Offer]) -> list[tuple[list[int], str]]:
    """Offers in short: to whom, and when."""
    return [
        ([one.id for one in offer.waiters], f"{offer.slot.start.astimezone(LUMI.zone):%H:%M}")
        for offer in offers
    ]


def test_whoever_waits_longest_is_asked_first_and_the_rest_serves_the_next() -> None:
    waiters = [waiter(2), waiter(1), waiter(3)]
    made = plan(salon(), waiters, gap(CUT, begin=at(10), end=at(12)), now=NOW)
    assert told(made.offers) == [([1], "10:00"), ([2], "11:00")]


def test_a_long_stretch_serves_visits_of_different_lengths() -> None:
    waiters = [waiter(1, SHORT), waiter(2, LONG), waiter(3, CUT)]
    free = gap(CUT, SHORT, LONG, begin=at(10), end=at(12))
    assert told(plan(salon(), waiters, free, now=NOW).offers) == [([1], "10:00"), ([2], "10:30")]


def test_only_what_is_wished_for_is_offered() -> None:
    evening = Wanted(TUESDAY, TUESDAY, "evening")
    with_kelly = Wanted(TUESDAY, TUESDAY, staff_id=KELLY)
    monday = Wanted(TUESDAY - timedelta(days=1), TUESDAY - timedelta(days=1))
    waiters = [waiter(1, CUT, evening), waiter(2, CUT, with_kelly), waiter(3, CUT, monday)]
    assert plan(salon(), waiters, gap(CUT, begin=at(10), end=at(12)), now=NOW).offers == ()
    several = [waiter(1, CUT, monday, evening, ANY)]
    made = plan(salon(), several, gap(CUT, begin=at(10), end=at(11)), now=NOW)
    assert told(made.offers) == [([1], "10:00")]


def test_nobody_is_offered_times_of_whom_they_do_not_want() -> None:
    free = gap(CUT, begin=at(10), end=at(11))
    assert plan(salon(), [waiter(1, CUT, replace(ANY, but=BECKY))], free, now=NOW).offers == ()
    made = plan(salon(), [waiter(1, CUT, replace(ANY, but=KELLY))], free, now=NOW)
    assert told(made.offers) == [([1], "10:00")]


def test_whoever_has_left_counts_as_anyone() -> None:
    gone = Wanted(TUESDAY, TUESDAY, staff_id=77)
    made = plan(salon(), [waiter(1, CUT, gone)], gap(CUT, begin=at(10), end=at(11)), now=NOW)
    assert len(made.offers) == 1


def test_what_was_declined_is_not_offered_again() -> None:
    once = waiter(1, declined=((BECKY, at(9) + 1, at(11) - 1),))
    made = plan(salon(), [once], gap(CUT, begin=at(10), end=at(12)), now=NOW)
    assert told(made.offers) == [([1], "11:00")]


def test_nobody_is_offered_two_times_that_overlap() -> None:
    twice = [waiter(1, CUT), replace(waiter(2, SHORT), customer_id=1)]
    free = {**gap(CUT, begin=at(10), end=at(11))}
    free |= gap(SHORT, staff=KELLY, begin=at(10), end=at(11, 30))
    assert told(plan(salon(), twice, free, now=NOW).offers) == [([1], "10:00"), ([2], "11:00")]
    start = datetime.combine(TUESDAY, time(10, 30), LUMI.zone)
    busy = waiter(1, engaged=(Span(start, start + timedelta(hours=1)),))
    assert plan(salon(), [busy], gap(CUT, begin=at(10), end=at(12)), now=NOW).offers == ()


def test_who_cannot_be_asked_is_passed_over_and_looked_at_again() -> None:
    until = NOW + timedelta(hours=2)
    waiters = [
        waiter(1, silent=True),
        waiter(2, person_until=until),
        waiter(3, offered=True),
        waiter(4),
    ]
    made = plan(salon(), waiters, gap(CUT, begin=at(10), end=at(11)), now=NOW)
    assert told(made.offers) == [([4], "10:00")]
    assert made.look_at == until


def test_best_fit_fills_the_gap_with_the_visit_that_fits_it_best() -> None:
    waiters = [waiter(1, SHORT), waiter(2, CUT), waiter(3, LONG)]
    free = gap(SHORT, CUT, LONG, begin=at(10), end=at(11, 30))
    assert told(plan(salon("best_fit"), waiters, free, now=NOW).offers) == [([3], "10:00")]


def test_best_fit_prefers_who_is_harder_to_please() -> None:
    picky = Wanted(TUESDAY, TUESDAY, "morning", BECKY)
    waiters = [waiter(1, CUT, flexible=True), waiter(2, CUT, picky)]
    made = plan(salon("best_fit"), waiters, gap(CUT, begin=at(10), end=at(11)), now=NOW)
    assert told(made.offers) == [([2], "10:00")]


def test_highest_value_asks_for_the_dearest_visit_first() -> None:
    waiters = [waiter(1, SHORT), waiter(2, CUT), waiter(3, LONG)]
    free = gap(SHORT, CUT, LONG, begin=at(10), end=at(12))
    made = plan(salon("highest_value"), waiters, free, now=NOW)
    assert told(made.offers) == [([3], "10:00"), ([1], "11:30")]


def test_everyone_at_once_is_one_offer_to_all_whom_the_time_fits() -> None:
    evening = Wanted(TUESDAY, TUESDAY, "evening")
    waiters = [waiter(1), waiter(2, CUT, evening), waiter(3), waiter(4, SHORT)]
    free = gap(CUT, SHORT, begin=at(10), end=at(11))
    made = plan(salon("everyone_at_once"), waiters, free, now=NOW)
    assert told(made.offers) == [([1, 3], "10:00")]


def test_whom_somebody_picks_is_asked_before_all_others_and_at_night() -> None:
    night = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)  # 23:30 in New York
    waiters = [waiter(1), waiter(2)]
    free = gap(CUT, begin=at(10), end=at(11))
    assert told(plan(salon("staff_picks"), waiters, free, now=night, only=2).offers) == [
        ([2], "10:00")
    ]
    assert [one.id for one, _ in fitting(salon("staff_picks"), waiters, free, now=NOW)] == [1, 2]


def test_at_night_only_what_cannot_wait_is_offered() -> None:
    night = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)  # Monday, 23:30 in New York
    morning = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
    early, late = gap(CUT, begin=at(9), end=at(10)), gap(CUT, begin=at(15), end=at(16))
    assert told(plan(salon(), [waiter(1)], early, now=night).offers) == [([1], "09:00")]
    waits = plan(salon(), [waiter(1)], late, now=night)
    assert (waits.offers, waits.look_at) == ((), morning)
    assert plan(salon(), [waiter(1)], late, now=morning).offers


@pytest.mark.parametrize(
    ("now", "rules", "over"),
    [
        ("2026-11-20T22:00-05:00", {}, "2026-11-21T09:00-05:00"),
        ("2026-11-20T08:59-05:00", {}, "2026-11-20T09:00-05:00"),
        ("2026-11-20T09:00-05:00", {}, None),
        ("2026-11-20T20:59-05:00", {}, None),
        ("2026-11-20T13:30-05:00", {"quiet_from": time(13), "quiet_until": time(14)}, "14"),
        ("2026-11-20T12:30-05:00", {"quiet_from": time(13), "quiet_until": time(14)}, None),
        ("2026-11-20T03:00-05:00", {"quiet_from": time(9), "quiet_until": time(9)}, None),
    ],
)
def test_the_night_is_as_long_as_the_company_says(
    now: str, rules: Mapping[str, Any], over: str | None
) -> None:
    catalog, moment = salon(**rules), datetime.fromisoformat(now)
    found = quiet_until(moment, catalog.company.policy, catalog)
    if over == "14":
        over = "2026-11-20T14:00-05:00"
    assert found == (datetime.fromisoformat(over) if over else None)


@pytest.mark.parametrize(
    ("minutes_ahead", "window"), [(300, 15), (25, 15), (24, 14), (13, 3), (12, 2), (11, None)]
)
def test_the_time_to_answer_shrinks_when_the_visit_starts_soon(
    minutes_ahead: int, window: int | None
) -> None:
    until = answer_by(NOW + timedelta(minutes=minutes_ahead), NOW, Policy())
    assert until == (None if window is None else NOW + timedelta(minutes=window))


WISHES = st.builds(
    lambda first, days, part, who: Wanted(
        TUESDAY + timedelta(days=first), TUESDAY + timedelta(days=first + days), part, who
    ),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([None, "morning", "afternoon", "evening"]),
    st.sampled_from([None, BECKY, KELLY]),
)
WAITERS = st.lists(
    st.tuples(
        st.sampled_from([CUT, SHORT, LONG]),
        st.lists(WISHES, min_size=1, max_size=3),
        st.integers(1, 6),
        st.booleans(),
    ),
    max_size=12,
)
GAPS = st.lists(
    st.tuples(
        st.sampled_from([BECKY, KELLY]), st.integers(0, 5), st.integers(18, 34), st.integers(1, 6)
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(
    WAITERS,
    GAPS,
    st.sampled_from(["first_come", "best_fit", "highest_value", "everyone_at_once"]),
)
def test_nothing_is_given_twice_and_nothing_that_fits_is_left(
    people: list[tuple[int, list[Wanted], int, bool]],
    gaps: list[tuple[int, int, int, int]],
    policy: str,
) -> None:
    catalog = salon(policy, quiet_from=time(0), quiet_until=time(0))
    waiters = [
        replace(waiter(n, service_id, *wishes), customer_id=customer, offered=offered)
        for n, (service_id, wishes, customer, offered) in enumerate(people, 1)
    ]
    free = _free(catalog.services, gaps)
    made = plan(catalog, waiters, free, now=NOW).offers
    for one, other in combinations(made, 2):
        apart = one.slot.end <= other.slot.start or other.slot.end <= one.slot.start
        assert apart or one.slot.staff_id != other.slot.staff_id, "a time is given twice"
        shared = {w.customer_id for w in one.waiters} & {w.customer_id for w in other.waiters}
        assert apart or not shared, "somebody is offered two times at once"
    asked = [one.id for offer in made for one in offer.waiters]
    assert len(asked) == len(set(asked))
    assert not {one.id for one in waiters if one.offered} & set(asked)
    left = [one for one in waiters if one.id not in asked]
    for who, slot in fitting(catalog, left, free, now=NOW):
        around = [offer.slot for offer in made]
        blocked = any(given.start < slot.end and slot.start < given.end for given in around)
        assert blocked, f"{slot} is left, and {who.id} waits for it"


def _free(services: Sequence[Service], gaps: list[tuple[int, int, int, int]]) -> Free:
    """Free time by service, from half hours of days that are free."""
    halves: dict[int, set[int]] = {BECKY: set(), KELLY: set()}
    for staff_id, day, first, count in gaps:
        begins = at(0) + day * 86_400
        halves[staff_id] |= {begins + 1800 * n for n in range(first, first + count)}
    found: dict[int, dict[int, list[range]]] = {}
    for service in services:
        need = service.minutes // 30
        found[service.id] = {
            staff_id: [
                range(half, half + 1)
                for half in sorted(free)
                if all(half + 1800 * n in free for n in range(need))
            ]
            for staff_id, free in halves.items()
        }
    return found


EVANSVILLE = Area(5, "47708", "Evansville", "IN", "America/Chicago")


def test_the_days_and_parts_of_days_of_an_area_are_those_of_its_clock() -> None:
    known = replace(salon(), areas=(EVANSVILLE,))
    morning = Wanted(TUESDAY, TUESDAY, "morning")
    free = gap(CUT, begin=at(12), end=at(13))  # noon in New York, eleven in Evansville
    assert plan(known, [waiter(1, CUT, morning)], free, now=NOW).offers == ()
    there = waiter(2, CUT, morning, area_id=EVANSVILLE.id)
    assert told(plan(known, [waiter(1, CUT, morning), there], free, now=NOW).offers) == [
        ([2], "12:00")
    ]
    monday = TUESDAY - timedelta(days=1)
    late = waiter(1, CUT, Wanted(monday, monday), area_id=EVANSVILLE.id)
    midnight = gap(CUT, begin=at(0, 30), end=at(1, 30))
    assert told(plan(known, [late], midnight, now=NOW).offers) == [([1], "00:30")]


def test_it_is_night_where_whoever_waits_is() -> None:
    known = replace(salon(), areas=(EVANSVILLE,))
    now = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)  # 9:30 in New York, 8:30 in Evansville
    free = gap(CUT, begin=at(10), end=at(11))
    there = waiter(1, area_id=EVANSVILLE.id)
    assert plan(known, [waiter(2)], free, now=now).offers
    waits = plan(known, [there], free, now=now)
    assert (waits.offers, waits.look_at) == ((), now + timedelta(minutes=30))


def test_a_time_that_comes_twice_in_an_area_is_offered_there_once() -> None:
    day = date(2026, 11, 1)
    phoenix = replace(salon(), company=replace(LUMI, timezone="America/Phoenix"))
    known = replace(phoenix, areas=(EVANSVILLE,))
    change = epoch(datetime(2026, 11, 1, 7, tzinfo=UTC))  # two in the morning, and one again
    free: Free = {CUT: {BECKY: [range(change, change + 3600 * 2, 1800)]}}
    there = waiter(1, CUT, Wanted(day, day), area_id=EVANSVILLE.id)
    now = datetime(2026, 10, 30, 18, tzinfo=UTC)
    (offer,) = plan(known, [there], free, now=now).offers
    assert epoch(offer.slot.start) == change + 3600
