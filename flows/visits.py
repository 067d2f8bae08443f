"""Free times of whole visits: who does each service, and what else must be free.

`flows.slots` knows one person and one service. A visit may have several services, back to back, by
one person or by several; it may take a room, a chair or a bay; people may have had enough visits
for a day; and a group may have a place left. All of that becomes starts that are impossible, or
possible, for the one sweep over the first service.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from flows.hours import Calendar, Interval, merged
from flows.slots import FREE, Busy, Need, blocked, starts

UNITS: Final = 1000
"""How many units a resource has at most, and one more: what tells their claimants apart."""


def unit_of(resource_id: int, unit: int) -> int:
    """The claimant that a unit of a resource is: below zero, where staff members are above."""
    return -(resource_id * UNITS + unit)


def resource_unit(claimant: int) -> tuple[int | None, int | None]:
    """Which resource and unit a claimant is; nothing for a staff member."""
    return divmod(-claimant, UNITS) if claimant < 0 else (None, None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken of a period, by claimant: a staff member, or a unit of a resource.

    `begins` are the starts of people's visits on whole days, where that was asked for. `sessions`
    are the groups that the searched service has, by staff member and start, with their seats taken.
    """

    busy: Mapping[int, Busy] = field(default_factory=dict)
    begins: Mapping[int, Sequence[int]] = field(default_factory=dict)
    sessions: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    last_booked: Mapping[int, int] = field(default_factory=dict)


NOTHING: Final = Taken()


@dataclass(frozen=True, slots=True)
class Stage:
    """One service of a visit: what it takes of whoever may do it, and the units it may take.

    `units` has the claimants of each resource that it needs, of which one must be free.
    """

    needs: Mapping[int, Need]
    units: tuple[tuple[int, ...], ...] = ()


_Rooms: TypeAlias = dict[tuple[tuple[int, ...], int, tuple[Interval, ...]], list[Interval]]
"""When all units of a resource are taken for visits of a length: the same for many people."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A visit to find a time for."""

    calendar: Calendar
    stages: tuple[Stage, ...]
    limits: Mapping[int, int] = field(default_factory=dict)  # visits a day, by staff member
    capacity: int = 1

    @property
    def reach(self) -> Interval:
        """How far before and after its start a visit takes time of anybody, at most."""
        low = high = since = 0
        for stage in self.stages:
            needs = stage.needs.values()
            low = min([low, *(since + need.begin for need in needs)])
            high = max([high, *(since + need.end for need in needs)])
            since += max((need.length for need in needs), default=0)
        return low, high

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
        rooms: _Rooms = {}
        after = self._after(taken, low, high, rooms)
        first, repeated = self.stages[0], self.calendar.repeated(low, high)
        found = {}
        for staff_id in staff_ids:
            need = first.needs[staff_id]
            blocks = self._blocks(first, staff_id, taken, low, high, rooms)
            if after is not None:
                blocks += shut(_shifted(after, -need.length), low, high)
            blocks += repeated
            blocks.sort()
            stretches = self.calendar.stretches(staff_id, low, high)
            times = starts(stretches, blocks, need, low, high)
            found[staff_id] = times
            if self.capacity > 1:
                places = self._places(staff_id, need, taken, low, high)
                left = [one for one in places if not any(one[0] in some for some in times)]
                found[staff_id] = sorted([*times, *left], key=lambda some: some[0])
        return found

    def doers(self, taken: Taken, at: int, staff_id: int, order: Sequence[int]) -> list[int] | None:
        """Who does each service of a visit that starts then and that somebody begins.

        Whoever did the one before goes on where they can, else the first in `order` who can. None
        when it cannot be done.
        """
        begins = at + self.stages[0].needs[staff_id].length
        return self._followed([staff_id], taken, begins, order)

    def _followed(
        self, chosen: list[int], taken: Taken, at: int, order: Sequence[int]
    ) -> list[int] | None:
        if len(chosen) == len(self.stages):
            return chosen
        stage = self.stages[len(chosen)]
        for id_ in dict.fromkeys((chosen[-1], *order, *stage.needs)):
            if id_ in stage.needs and self._open(stage, id_, taken, at, at, {}):
                ends = at + stage.needs[id_].length
                found = self._followed([*chosen, id_], taken, ends, order)
                if found is not None:
                    return found
        return None

    def free_units(self, number: int, need: Need, taken: Taken, at: int) -> list[int] | None:
        """A unit of each resource that a service takes when it starts then; None if all are taken.

        Those with the lowest numbers: the others stay together for longer visits.
        """
        wanted = of_things(need)
        chosen = []
        for units in self.stages[number].units:
            for claimant in units:
                blocks = blocked(wanted, taken.busy.get(claimant, FREE))
                if not any(low < at < high for low, high in blocks):
                    chosen.append(claimant)
                    break
            else:
                return None
        return chosen

    def _after(self, taken: Taken, low: int, high: int, rooms: _Rooms) -> list[Interval] | None:
        """When the second service can start so that all that follow can; None if there is none."""
        if len(self.stages) == 1:
            return None
        return self._possible(1, taken, low, high + self.reach[1], rooms)

    def _possible(
        self, number: int, taken: Taken, low: int, high: int, rooms: _Rooms
    ) -> list[Interval]:
        """When a service and all that follow it can be done, as sorted, closed intervals."""
        stage = self.stages[number]
        after = None
        if number + 1 < len(self.stages):
            after = self._possible(number + 1, taken, low, high, rooms)
        found: list[Interval] = []
        for staff_id, need in stage.needs.items():
            open_ = self._open(stage, staff_id, taken, low, high, rooms)
            found += open_ if after is None else both(open_, _shifted(after, -need.length))
        return _closed((low, high + 1) for low, high in found)

    def _open(
        self, stage: Stage, staff_id: int, taken: Taken, low: int, high: int, rooms: _Rooms
    ) -> list[Interval]:
        """When somebody can start a service that is not the first, as sorted, closed intervals."""
        blocks = self._blocks(stage, staff_id, taken, low, high, rooms)
        blocks.sort()
        anywhere = replace(stage.needs[staff_id], grid=1, offset=0)
        stretches = self.calendar.stretches(staff_id, low, high)
        return [(some[0], some[-1]) for some in starts(stretches, blocks, anywhere, low, high)]

    def _blocks(
        self, stage: Stage, staff_id: int, taken: Taken, low: int, high: int, rooms: _Rooms
    ) -> list[Interval]:
        """The starts of a service that are impossible by somebody, as pairs (slots.blocked)."""
        need = stage.needs[staff_id]
        busy = taken.busy.get(staff_id, FREE)
        blocks = blocked(need, busy, self.calendar.away(staff_id))
        for units in stage.units:
            key = (units, need.length, need.buffers)
            shut_ = rooms.get(key)
            if shut_ is None:
                shut_ = rooms[key] = _all_taken(units, of_things(need), taken)
            blocks += shut_
        if staff_id in self.limits:
            blocks += self.full_days(staff_id, taken, low, high)
        return blocks

    def full_days(self, staff_id: int, taken: Taken, low: int, high: int) -> list[Interval]:
        """The days on which somebody has as many visits as they may have, as pairs."""
        begins, most = taken.begins.get(staff_id, ()), self.limits[staff_id]
        if len(begins) < most:
            return []
        found, calendar = [], self.calendar
        ordered, first = sorted(begins), calendar.day_of(low)
        for day in range(first, calendar.day_of(high) + 1):
            start, *_, end = calendar.bounds(day)
            if bisect_left(ordered, end) - bisect_left(ordered, start) >= most:
                found.append((start - 1, end))
        return found

    def _places(
        self, staff_id: int, need: Need, taken: Taken, low: int, high: int
    ) -> Iterator[range]:
        """The groups in [low, high] that somebody has and that have a place left."""
        away = blocked(need, FREE, self.calendar.away(staff_id))
        anywhere = replace(need, grid=1, offset=0)
        for at, seats in taken.sessions.get(staff_id, {}).items():
            if low <= at <= high and seats < self.capacity:
                stretches = self.calendar.stretches(staff_id, at, at)
                if starts(stretches, away, anywhere, at, at):
                    yield range(at, at + 1, need.grid)


def both(ones: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """What is in both of two lists of sorted, disjoint, closed intervals."""
    found, i, j = [], 0, 0
    while i < len(ones) and j < len(others):
        low, high = max(ones[i][0], others[j][0]), min(ones[i][1], others[j][1])
        if low <= high:
            found.append((low, high))
        if ones[i][1] < others[j][1]:
            i += 1
        else:
            j += 1
    return found


def shut(open_: Sequence[Interval], low: int, high: int) -> list[Interval]:
    """What is not in sorted, closed intervals, from low to high, as pairs (slots.blocked)."""
    ends = [low - 1, *(end for _, end in open_)]
    begins = [*(start for start, _ in open_), high + 1]
    return [(end, start) for end, start in zip(ends, begins, strict=True) if start - end > 1]


def _shifted(intervals: Sequence[Interval], by: int) -> list[Interval]:
    return [(low + by, high + by) for low, high in intervals]


def of_things(need: Need) -> Need:
    """What a room is needed for: all of the visit, also while the staff member is free."""
    return replace(need, work=((0, need.length),))


def _all_taken(units: Sequence[int], need: Need, taken: Taken) -> list[Interval]:
    """The starts at which every one of these units is taken, as pairs."""
    busy = [taken.busy[unit] for unit in units if unit in taken.busy]
    if len(busy) < len(units):
        return []
    left: list[Interval] | None = None
    for one in sorted(busy, key=lambda one: len(one.visits)):
        taken_then = _closed((after + 1, before) for after, before in blocked(need, one))
        left = taken_then if left is None else both(left, taken_then)
        if not left:
            return []
    return [(start - 1, end + 1) for start, end in left or ()]


def _closed(intervals: Iterable[Interval]) -> list[Interval]:
    """Half-open intervals of whole seconds, as sorted, disjoint, closed ones."""
    return [(start, end - 1) for start, end in merged(intervals) if start < end]
