"""Free times of whole visits: who does each service, and what else must be free.

`flows.slots` knows one person and one service. A visit may have several services, back to back, by
one person or by several; it may take a room, a chair or a bay; people may have had enough visits
for a day; and a group may have a place left. All of that becomes starts that are impossible, or
possible, for the one rule that lists the first service's.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property, partial
from itertools import chain, pairwise
from operator import sub
from typing import Final

from flows.cells import Window, starting, window_of
from flows.hours import Calendar, DayBounds, Interval
from flows.slots import (
    FREE,
    Busy,
    Hours,
    Need,
    assigned,
    by_day,
    cell_of,
    hours_of,
    listed,
    met,
    split,
    within,
)
from flows.values import valueclass

UNITS: Final = 1000
"""How many units a resource has at most, and one more: what tells their claimants apart."""
_WINDOWS_KEPT: Final = 16


def unit_of(resource_id: int, unit: int) -> int:
    """The claimant that a unit of a resource is: below zero, where staff members are above."""
    return -(resource_id * UNITS + unit)


def resource_unit(claimant: int) -> tuple[int | None, int | None]:
    """Which resource and unit a claimant is; nothing for a staff member."""
    return divmod(-claimant, UNITS) if claimant < 0 else (None, None)


@valueclass(frozen=True, slots=True)
class Taken:
    """What is taken of a period, by claimant: a staff member, or a unit of a resource.

    `begins` are the starts of people's visits on whole days, in order, where that was asked for.
    `sessions` are the groups that the searched service has, by staff member and start, with their
    seats taken.
    """

    busy: Mapping[int, Busy] = field(default_factory=dict)
    begins: Mapping[int, Sequence[int]] = field(default_factory=dict)
    sessions: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    last_booked: Mapping[int, int] = field(default_factory=dict)


NOTHING: Final = Taken()


@valueclass(frozen=True, slots=True)
class Stage:
    """One service of a visit: what it takes of whoever may do it, and the units it may take.

    `units` has the claimants of each resource that it needs, of which one must be free.
    """

    needs: Mapping[int, Need]
    units: tuple[tuple[int, ...], ...] = ()


@valueclass(frozen=True)
class Plan:
    """A visit to find a time for."""

    calendar: Calendar
    stages: tuple[Stage, ...]
    limits: Mapping[int, int] = field(default_factory=dict)  # visits a day, by staff member
    capacity: int = 1
    _anybody: dict[Window, int] = field(default_factory=dict, init=False, compare=False)

    def anybody(self, window: Window) -> int:
        """The starts on the grid of all who do the first service, if nothing is taken; kept."""
        found = self._anybody.get(window)
        if found is None:
            if len(self._anybody) >= _WINDOWS_KEPT:
                self._anybody.clear()
            found = 0
            for staff_id, need in self.stages[0].needs.items():
                found |= hours_of(self.calendar, staff_id, need, window).on_grid
            self._anybody[window] = found
        return found

    @cached_property
    def reach(self) -> Interval:
        """How far before and after its start a visit takes time of anybody, at most."""
        low = high = since = 0
        for stage in self.stages:
            needs = set(stage.needs.values())
            low = min([low, *(since + need.begin for need in needs)])
            high = max([high, *(since + need.end for need in needs)])
            since += max((need.length for need in needs), default=0)
        return low, high

    @cached_property
    def unit(self) -> int:
        """The cell with which all that may be a part of the visit lines up, in seconds."""
        return cell_of({need for stage in self.stages for need in stage.needs.values()})

    def claimants(self, staff_ids: Iterable[int]) -> list[int]:
        """Everybody whose time matters, when one of these does the first service."""
        found = dict.fromkeys(staff_ids)
        for stage in self.stages[1:]:
            found |= dict.fromkeys(stage.needs)
        for stage in self.stages:
            for units in stage.units:
                found |= dict.fromkeys(units)
        return list(found)

    def free(
        self, staff_ids: Iterable[int], taken: Taken, low: int, high: int
    ) -> dict[int, list[range]]:
        """All starts in [low, high] at which the visit can be, by who does the first service."""
        board = Board(self, taken, low, high)
        return {staff_id: board.free(staff_id) for staff_id in staff_ids}

    def free_units(self, number: int, need: Need, taken: Taken, at: int) -> list[int] | None:
        """A unit of each resource that a service takes when it starts then; None if all are taken.

        Those with the lowest numbers: the others stay together for longer visits.
        """
        wanted = of_things(need)
        chosen = []
        for units in self.stages[number].units:
            for claimant in units:
                if not taken.busy.get(claimant, FREE).meets(wanted, at):
                    chosen.append(claimant)
                    break
            else:
                return None
        return chosen

    def full_days(self, staff_id: int, taken: Taken, low: int, high: int) -> list[Interval]:
        """The days on which somebody has as many visits as they may have, by their own clock."""
        begins, most = taken.begins.get(staff_id, ()), self.limits[staff_id]
        if len(begins) < most:
            return []
        edges = self.calendar.edges(self.calendar.zone_of(staff_id), low, high)
        before = list(map(partial(bisect_left, begins), edges))
        visits = map(sub, before[1:], before)
        return [day for day, number in zip(pairwise(edges), visits, strict=True) if number >= most]

    def whole_days(self, low: int, high: int) -> Interval:
        """What [low, high] is part of, in whole days: customers', and theirs who have a limit."""
        calendar = self.calendar
        clocks = {calendar.zone, *map(calendar.zone_of, self.limits)}
        begins = min(calendar.edges(zone, low, low)[0] for zone in clocks)
        return begins, max(calendar.edges(zone, high, high)[-1] for zone in clocks)


class Board:
    """What is free for a visit that starts in [low, high], and by whom: every cell, looked at once.

    Masks of starts (`flows.cells`) are kept for all who are asked about.
    """

    def __init__(self, plan: Plan, taken: Taken, low: int, high: int) -> None:
        self._plan, self._taken, self._low, self._high = plan, taken, low, high
        since, until = plan.reach
        self._window = window_of(low + since, high + until, plan.unit)
        self._asked = starting(self._window, low, high + 1)
        self._begun: dict[int, tuple[Hours, int]] = {}
        self._rooms: dict[tuple[int, Need], int] = {}
        self._open: dict[tuple[int, int], int] = {}
        self._after: dict[int, int] = {}

    def free(self, staff_id: int) -> list[range]:
        """All starts in [low, high] by somebody who does the first service."""
        need = self._plan.stages[0].needs[staff_id]
        times = listed(self._window, *self._begins(staff_id, need), need, self._asked)
        if self._plan.capacity > 1:
            places = self._places(staff_id, need)
            left = [one for one in places if not any(one[0] in some for some in times)]
            return sorted([*times, *left], key=lambda some: some[0])
        return times

    def first(self, staff_id: int) -> int | None:
        """The first start of all that are free by somebody."""
        if self._plan.capacity > 1:
            return next((times[0] for times in self.free(staff_id)), None)
        cells, (start, unit, _) = self._cells(staff_id), self._window
        return start + ((cells & -cells).bit_length() - 1) * unit if cells else None

    def has(self, staff_id: int, at: int) -> bool:
        """Tell whether a start in [low, high] is free by somebody."""
        if self._plan.capacity > 1:
            return any(at in times for times in self.free(staff_id))
        cell, rest = divmod(at - self._window.start, self._window.unit)
        return not rest and bool(self._cells(staff_id) >> cell & 1)

    def counts(
        self, staff_ids: Iterable[int], days: Mapping[int, DayBounds]
    ) -> Iterator[tuple[int, tuple[int, int, int]]]:
        """How many different starts, by any of these, the parts of days have; of days with some.

        `days` follow each other. Nobody lists the starts for it: they are counted as bits.
        """
        if self._plan.capacity > 1:
            ranges = chain.from_iterable(map(self.free, staff_ids))
            yield from ((day, split(some, days[day])) for day, some in by_day(ranges, days).items())
            return
        cells, (origin, unit, _) = 0, self._window
        possible = self._plan.anybody(self._window) & self._asked
        for staff_id in staff_ids:
            cells |= self._cells(staff_id)
            if cells == possible:
                break
        for day, bounds in days.items():
            start, noon, evening, end = (max(-((origin - at) // unit), 0) for at in bounds)
            left = (
                (cells >> start & (1 << noon - start) - 1).bit_count(),
                (cells >> noon & (1 << evening - noon) - 1).bit_count(),
                (cells >> evening & (1 << end - evening) - 1).bit_count(),
            )
            if any(left):
                yield day, left

    def assigned(self, order: Sequence[int], low: int, high: int) -> dict[int, int]:
        """Give each start in [low, high), in order, to the first in `order` who is free then."""
        if self._plan.capacity > 1:
            return assigned({id_: within(self.free(id_), low, high) for id_ in order}, order)
        chosen: dict[int, int] = {}
        needs, window = self._plan.stages[0].needs, self._window
        left = self._plan.anybody(window) & self._asked & starting(window, low, high)
        for staff_id in order:
            need = needs[staff_id]
            hours, shut = self._begins(staff_id, need)
            for times in listed(window, hours, shut, need, left):
                chosen |= dict.fromkeys(times, staff_id)
            left &= ~hours.on_grid | shut
            if not left:  # nor has anybody else another
                break
        return chosen if len(order) == 1 else dict(sorted(chosen.items()))

    def _cells(self, staff_id: int) -> int:
        """The starts by somebody as cells, but those of groups."""
        hours, shut = self._begins(staff_id, self._plan.stages[0].needs[staff_id])
        return hours.on_grid & self._asked & ~shut

    def _begins(self, staff_id: int, need: Need) -> tuple[Hours, int]:
        """The starts that somebody's hours have for a visit, and those that are shut."""
        found = self._begun.get(staff_id)
        if found is None:
            plan, window = self._plan, self._window
            shut = self._shut(0, staff_id)
            if len(plan.stages) > 1:
                shut |= window.all ^ self._possible(1) >> need.length // window.unit
            found = hours_of(plan.calendar, staff_id, need, window), shut
            self._begun[staff_id] = found
        return found

    def doers(self, at: int, staff_id: int, order: Sequence[int]) -> list[int] | None:
        """Who does each service of a visit that starts then and that somebody begins.

        Whoever did the one before goes on where they can, else the first in `order` who can. None
        when it cannot be done.
        """
        begins = at + self._plan.stages[0].needs[staff_id].length
        return self._followed([staff_id], begins, order)

    def _followed(self, chosen: list[int], at: int, order: Sequence[int]) -> list[int] | None:
        if len(chosen) == len(self._plan.stages):
            return chosen
        needs = self._plan.stages[len(chosen)].needs
        cell, rest = divmod(at - self._window.start, self._window.unit)
        for id_ in () if rest else dict.fromkeys((chosen[-1], *order, *needs)):
            if id_ in needs and self._anywhere(len(chosen), id_) >> cell & 1:
                found = self._followed([*chosen, id_], at + needs[id_].length, order)
                if found is not None:
                    return found
        return None

    def _possible(self, number: int) -> int:
        """When a service and all that follow it can be done, by anybody."""
        found = self._after.get(number)
        if found is None:
            found, last = 0, number + 1 == len(self._plan.stages)
            for staff_id, need in self._plan.stages[number].needs.items():
                can = self._anywhere(number, staff_id)
                found |= (
                    can
                    if last
                    else can & self._possible(number + 1) >> need.length // self._window.unit
                )
            self._after[number] = found
        return found

    def _anywhere(self, number: int, staff_id: int) -> int:
        """When somebody can start a service that is not the first: on no grid."""
        found = self._open.get((number, staff_id))
        if found is None:
            need = self._plan.stages[number].needs[staff_id]
            hours = hours_of(self._plan.calendar, staff_id, need, self._window)
            found = hours.anywhere & ~self._shut(number, staff_id)
            self._open[number, staff_id] = found
        return found

    def _shut(self, number: int, staff_id: int) -> int:
        """The starts of a service that are impossible by somebody who has hours then."""
        stage, window = self._plan.stages[number], self._window
        need = stage.needs[staff_id]
        shut = met(window, need, self._taken.busy.get(staff_id, FREE))
        if stage.units:
            shut |= self._without_room(number, need)
        if staff_id in self._plan.limits:
            until = self._high + self._plan.reach[1] if number else self._high
            for day in self._plan.full_days(staff_id, self._taken, self._low, until):
                shut |= starting(window, *day)
        return shut

    def _without_room(self, number: int, need: Need) -> int:
        """The starts at which every unit of something that a service needs is taken."""
        found = self._rooms.get((number, need))
        if found is None:
            wanted, found = of_things(need), 0
            for units in self._plan.stages[number].units:
                found |= self._all_taken(units, wanted)
            self._rooms[number, need] = found
        return found

    def _all_taken(self, units: Sequence[int], wanted: Need) -> int:
        busy, found = self._taken.busy, self._window.all
        for unit in units:
            found &= met(self._window, wanted, busy[unit]) if unit in busy else 0
            if not found:
                break
        return found

    def _places(self, staff_id: int, need: Need) -> Iterator[range]:
        """The groups in [low, high] that somebody has and that have a place left."""
        calendar = self._plan.calendar
        for at, seats in self._taken.sessions.get(staff_id, {}).items():
            if self._low <= at <= self._high and seats < self._plan.capacity:
                ends = at + need.length
                works = any(
                    one.start <= at < one.stop and ends <= one.end
                    for one in calendar.stretches(staff_id, at, at)
                )
                if works and not any(
                    start < ends and at < end for start, end in calendar.away(staff_id)
                ):
                    yield range(at, at + 1, need.grid)


def of_things(need: Need) -> Need:
    """What a room is needed for: all of the visit, also while the staff member is free."""
    return need._replace(work=((0, need.length),))
