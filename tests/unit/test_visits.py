"""Whole visits: several services, rooms, limits; random ones against a walk over every minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from itertools import pairwise
from random import Random

import pytest

from flows.hours import Calendar, Interval, calendar_of
from flows.model import Catalog, Company, Shift, Staff
from flows.slots import Busy, Need
from flows.visits import Board, Plan, Stage, Taken, resource_unit, unit_of

MONDAY = date(2026, 11, 23)
MINUTE = 60
GRID = 15


def business(rng: Random, staff: int) -> Calendar:
    people = tuple(
        Staff(
            id_,
            f"P{id_}",
            shifts=(
                Shift(1, time(9 + rng.randint(0, 1)), time(12 + rng.randint(0, 2))),
                Shift(1, time(10, 30), time(10, 30 + 15 * rng.randint(1, 1)), "break"),
            ),
        )
        for id_ in range(1, staff + 1)
    )
    company = Company(1, "S", "salon", "UTC", "en", "EUR", "DE", "1")
    return calendar_of(Catalog(company, (), people))


@dataclass
class Minutes:
    """A plan as a set of minutes: who works, and who is taken by what."""

    calendar: Calendar
    taken: Taken
    low: int

    def works(self, staff_id: int, start: int, end: int) -> bool:
        stretches = self.calendar.stretches(staff_id, self.low, self.low)
        return any(one.start <= start and end <= one.end for one in stretches)

    def is_free(self, claimant: int, need: Need, at: int, *, whole: bool = False) -> bool:
        busy = self.taken.busy.get(claimant, Busy((), ()))
        work = [(0, need.length)] if whole else list(need.work)
        for low, high in work:
            if any(at + low < e and s < at + high for s, e in (*busy.visits, *busy.buffers)):
                return False
        return not any(
            at + low < e and s < at + high for low, high in need.buffers for s, e in busy.visits
        )


def possible(plan: Plan, minutes: Minutes, number: int, at: int, staff_id: int) -> bool:
    """Whether somebody can do a service then, and others all that follow."""
    stage = plan.stages[number]
    need = stage.needs[staff_id]
    day = len(minutes.taken.begins.get(staff_id, ()))
    if not minutes.works(staff_id, at, at + need.length) or not minutes.is_free(staff_id, need, at):
        return False
    if staff_id in plan.limits and day >= plan.limits[staff_id]:
        return False
    for units in stage.units:
        if not any(minutes.is_free(unit, need, at, whole=True) for unit in units):
            return False
    if number + 1 == len(plan.stages):
        return True
    after = at + need.length
    return any(
        possible(plan, minutes, number + 1, after, id_) for id_ in plan.stages[number + 1].needs
    )


def on_grid(calendar: Calendar, staff_id: int, at: int, offset: int) -> bool:
    for one in calendar.stretches(staff_id, at, at):
        if one.start <= at < one.stop:
            return (at - one.anchor - offset) % (GRID * MINUTE) == 0
    return False


def need(rng: Random, offset: int) -> Need:
    length = rng.choice([30, 45, 60, 90]) * MINUTE
    work: tuple[Interval, ...] = ((0, length),)
    if rng.random() < 0.3:
        work = ((0, 15 * MINUTE), (20 * MINUTE, length))
    buffers = tuple(
        span
        for span in ((-rng.choice([0, 5, 10]) * MINUTE, 0), (length, length + 10 * MINUTE))
        if span[0] < span[1] and rng.random() < 0.6
    )
    return Need(length, GRID * MINUTE, work, buffers, offset)


def spans(rng: Random, low: int, most: int) -> list[Interval]:
    """Some busy time of a morning, sorted."""
    starts = [low + rng.randint(9 * 12, 14 * 12) * 5 * MINUTE for _ in range(rng.randint(0, most))]
    return sorted((at, at + rng.randint(1, 9) * 5 * MINUTE) for at in starts)


def random_plan(rng: Random) -> tuple[Plan, Minutes, int]:
    team = rng.randint(1, 3)
    calendar = business(rng, team)
    low = calendar.bounds(MONDAY.toordinal()).start
    offset = rng.choice([0, 0, 5]) * MINUTE
    rooms = tuple(unit_of(1, unit) for unit in range(1, rng.randint(1, 2) + 1))
    stages = []
    for _ in range(rng.choice([1, 2, 2, 3])):
        doers = rng.sample(range(1, team + 1), rng.randint(1, team))
        units = (rooms,) if rng.random() < 0.6 else ()
        stages.append(Stage({id_: need(rng, offset) for id_ in doers}, units))
    busy = {id_: Busy(spans(rng, low, 3), spans(rng, low, 1)) for id_ in range(1, team + 1)}
    busy |= {unit: Busy(spans(rng, low, 4), ()) for unit in rooms}
    begins = {id_: sorted(start for start, _ in busy[id_].visits) for id_ in range(1, team + 1)}
    limits = {1: 2} if rng.random() < 0.3 else {}
    taken = Taken(busy, begins)
    return Plan(calendar, tuple(stages), limits), Minutes(calendar, taken, low), offset


@pytest.mark.parametrize("seed", range(60))
def test_43_any_visit_agrees_with_a_walk_over_every_minute(seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    plan, minutes, offset = random_plan(rng)
    low, high = minutes.low, minutes.low + 24 * 3600 - 1
    first = plan.stages[0].needs
    found = plan.free(first, minutes.taken, low, high)
    for staff_id in first:
        listed = {at for times in found[staff_id] for at in times}
        for at in range(low, high, 5 * MINUTE):
            can = on_grid(plan.calendar, staff_id, at, offset) and possible(
                plan, minutes, 0, at, staff_id
            )
            assert (at in listed) == can, (seed, staff_id, at - low)
            if can:
                doers = Board(plan, minutes.taken, at, at).doers(at, staff_id, [])
                assert doers is not None
                assert doers[0] == staff_id


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("seats", [1, 4])
def test_what_is_counted_and_assigned_is_what_is_listed(seed: int, seats: int) -> None:
    rng = Random(seed)  # noqa: S311
    plan, minutes, _ = random_plan(rng)
    days = {MONDAY.toordinal() + n: plan.calendar.bounds(MONDAY.toordinal() + n) for n in range(2)}
    monday = days[MONDAY.toordinal()]
    low, high = monday.start + rng.randint(0, 11) * 3600 + rng.randint(0, 3600), monday.end + 3600
    sessions = {1: {monday.start + 10 * 3600 + 7 * MINUTE: 1}} if seats > 1 else {}
    taken = replace(minutes.taken, sessions=sessions)
    board = Board(replace(plan, capacity=seats), taken, low, high)
    order = rng.sample(list(plan.stages[0].needs), len(plan.stages[0].needs))
    listed = {id_: [at for times in board.free(id_) for at in times] for id_ in order}
    assert [board.first(id_) for id_ in order] == [min(listed[id_], default=None) for id_ in order]
    assert list(board.assigned(order, low, high).items()) == sorted(
        {at: id_ for id_ in reversed(order) for at in listed[id_]}.items()
    )
    starts = {at for some in listed.values() for at in some}
    tried = {*starts, *(at + MINUTE for at in starts), *range(low, high, 900)}
    assert all(board.has(id_, at) == (at in listed[id_]) for id_ in order for at in tried)
    parts = {
        day: tuple(sum(a <= at < b for at in starts) for a, b in pairwise(bounds))
        for day, bounds in days.items()
    }
    assert dict(board.counts(order, days)) == {
        day: all_ for day, all_ in parts.items() if any(all_)
    }


def test_a_unit_is_known_by_its_number() -> None:
    assert resource_unit(unit_of(12, 7)) == (12, 7)
    assert resource_unit(5) == (None, None)
