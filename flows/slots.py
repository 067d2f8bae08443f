"""Free times: which starts are left between what people work and what is booked.

One rule serves search, hold and waitlist alike. It knows numbers only: epoch seconds, half-open,
and masks of cells (`flows.cells`). What it answers are `range`s of starts, one for each free gap: a
month of free times is a handful of them, and nobody makes an object of a time that nobody looks at.

- A visit lies inside working time; the buffers around it may reach beyond.
- A visit meets nothing of others. A buffer may meet others' buffers: of two that meet, the larger
  counts, not their sum.
- Starts lie on a grid. It is counted from where work begins and anew after each break, from the
  next full five minutes where the grid has such steps: a busy time in between never shifts it.
- Who takes a visit for anyone: whoever has the fewest visits that day, then whoever was booked
  longest ago, then in the order of the catalogue.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from math import gcd
from types import MappingProxyType
from typing import Final, NamedTuple

from flows.cells import (
    Packed,
    Window,
    after,
    before,
    covered,
    every,
    numbers,
    starting,
    window_of,
)
from flows.hours import Calendar, DayBounds, Interval, Stretch, epoch, epoch_after, merged
from flows.model import PARTS, Policy, Service, StaffOffer

_ROUND: Final = 300
CALENDARS_KEPT: Final = 256
"""Of so many people and rooms it is remembered what was free: a full month weighs 100 kB."""
_SCARCE: Final = 1 / 3
_NEVER: Final = -1


class Need(NamedTuple):
    """What a visit takes of one person's time, in seconds from its start.

    `work` may have gaps: then the person is free for others while the customer waits (colour that
    sets), though at work all the while. `offset` is how long after work begins the grid does.
    """

    length: int
    grid: int
    work: tuple[Interval, ...]
    buffers: tuple[Interval, ...] = ()
    offset: int = 0

    @property
    def begin(self) -> int:
        """Where the first of its parts begins: zero, or a buffer before it."""
        return min(low for low, _ in self.work + self.buffers)

    @property
    def end(self) -> int:
        """Where the last of its parts ends."""
        return max(high for _, high in self.work + self.buffers)

    def parts(self, start: int) -> list[tuple[int, int, str]]:
        """What it takes when it starts then: (from, to, "visit" or "buffer"), in order of time."""
        parts = [(start + low, start + high, "visit") for low, high in self.work]
        parts += [(start + low, start + high, "buffer") for low, high in self.buffers]
        return sorted(parts)


class Busy(NamedTuple):
    """When a person is taken already: visits, and the buffers around them."""

    visits: Iterable[Interval]
    buffers: Iterable[Interval]

    def meets(self, need: Need, at: int) -> bool:
        """Tell whether a visit that starts then would meet any of it."""
        return any(
            at + low < end and start < at + high
            for taken, parts in ((self.visits, need.work + need.buffers), (self.buffers, need.work))
            for start, end in taken
            for low, high in parts
        )


FREE: Final = Busy((), ())


class Hours(NamedTuple):
    """The starts that somebody's hours have for a visit, as masks."""

    anywhere: int
    on_grid: int
    goes_on: int  # of those on the grid, the ones that follow another without a break


def need_of(service: Service, offer: StaffOffer, policy: Policy) -> Need:
    """What a service takes when done by whoever made this offer."""
    length = offer.minutes * 60
    before, after = service.buffer_before_minutes * 60, service.buffer_after_minutes * 60
    around = ((-before, 0), (length, length + after))
    work: tuple[Interval, ...] = ((0, length),)
    if service.processing is not None:
        idle, again = (minute * 60 for minute in service.processing)
        if again < length:
            work = ((0, idle), (again, length))
    return Need(
        length=length,
        grid=(service.grid_minutes or policy.grid_minutes) * 60,
        work=work,
        buffers=tuple((low, high) for low, high in around if low < high),
        offset=service.grid_offset_minutes * 60,
    )


def offered_between(
    service: Service, policy: Policy, calendar: Calendar, now: datetime
) -> Interval:
    """The first and the last second at which a visit may start: lead time and horizon.

    The horizon ends with a day: the last one is `horizon_days` after today.
    """
    lead = policy.lead_minutes if service.lead_minutes is None else service.lead_minutes
    today = calendar.day_of(epoch(now))
    last_day = calendar.bounds(today + (service.horizon_days or policy.horizon_days))
    return epoch_after(now) + lead * 60, last_day.end - 1


def free_starts(
    calendar: Calendar, staff_id: int, need: Need, busy: Busy, low: int, high: int
) -> list[range]:
    """All starts in [low, high] at which somebody is free for a visit.

    This is the one rule: what it does not list is neither shown nor held.
    """
    if low > high:
        return []
    window = window_of(low + need.begin, high + need.end, cell_of([need]))
    hours = hours_of(calendar, staff_id, need, window)
    return listed(window, hours, met(window, need, busy), need, starting(window, low, high + 1))


def cell_of(needs: Iterable[Need]) -> int:
    """The longest cell, in seconds, with which all starts and parts of these visits line up."""
    return gcd(_ROUND, *(number for need in needs for number in _numbers(need)))


def _numbers(need: Need) -> Iterable[int]:
    return need.grid, need.offset, need.length, *chain.from_iterable(need.work + need.buffers)


def hours_of(calendar: Calendar, staff_id: int, need: Need, window: Window) -> Hours:
    """The starts that somebody's hours have; they follow from the catalogue, and are kept."""
    key = (staff_id, need, window)
    found = calendar.kept.get(key)
    if not isinstance(found, Hours):
        stretches = calendar.stretches(staff_id, window.start, window.end)
        shut = before(covered(window, calendar.away(staff_id)), 0, need.length // window.unit)
        again = 0
        for low, high in calendar.repeated(window.start, window.end - 1):
            again |= starting(window, low + 1, high)
        found = placed(window, stretches, need, shut, again)
        calendar.keep(key, found, window.cells)
    return found


def placed(
    window: Window, stretches: Iterable[Stretch], need: Need, shut: int = 0, again: int = 0
) -> Hours:
    """The starts that working time has; none of those that are `shut`, on the grid none `again`."""
    anywhere = on_grid = goes_on = 0
    origin, unit, _ = window
    step = need.grid // unit
    for start, stop, end, anchor in stretches:
        low, last = max(start, origin), min(stop - 1, end - need.length, window.end - 1)
        if low <= last:
            anywhere |= starting(window, low, last + 1)
            first = low + (first_on_grid(anchor, need) - low) % need.grid
            points = (first - origin) // unit, (last - origin) // unit
            on_grid |= every(step, *points)
            goes_on |= every(step, points[0] + step, points[1])
    closed = shut | again
    on_grid &= ~closed
    return Hours(
        anywhere & ~shut, on_grid, goes_on & on_grid & on_grid << step & ~after(closed, step)
    )


def met(window: Window, need: Need, busy: Busy) -> int:
    """The starts at which a visit would meet what somebody, or something, is busy with."""
    find = met_packed if isinstance(busy.visits, Packed) else _met
    return find(window, need, busy)


def _met(window: Window, need: Need, busy: Busy) -> int:
    return shut_by(window, need, covered(window, busy.visits), covered(window, busy.buffers))


met_packed = lru_cache(maxsize=CALENDARS_KEPT)(_met)
"""Kept, for most calendars are as they were when somebody looked last."""


def shut_by(window: Window, need: Need, visits: int, buffers: int) -> int:
    """The starts at which a visit would meet these cells that are visits, or buffers."""
    around, within_ = _in_cells(need, window.unit)
    found = 0
    if visits:
        for low, high in around:
            found |= before(visits, low, high)
    if buffers:
        for low, high in within_:
            found |= before(buffers, low, high)
    return found


@lru_cache(maxsize=1024)
def _in_cells(need: Need, unit: int) -> tuple[list[Interval], list[Interval]]:
    """The parts of a visit that meet no visit, and those that meet no buffer either, in cells."""
    around, work = merged(need.work + need.buffers), merged(need.work)
    return (
        [(low // unit, high // unit) for low, high in around],
        [(low // unit, high // unit) for low, high in work],
    )


def listed(window: Window, hours: Hours, shut: int, need: Need, asked: int) -> list[range]:
    """The starts among those asked for that are not shut, as sorted, disjoint, non-empty ranges.

    One that follows another at a step of the grid, with nothing shut in between, is in its range.
    """
    step = need.grid // window.unit
    free = hours.on_grid & asked & ~shut
    goes_on = free & hours.goes_on & free << step & ~after(shut, step)
    return list(ranges_of(window, need.grid, free & ~goes_on, free & ~(goes_on >> step)))


@lru_cache(maxsize=CALENDARS_KEPT)
def ranges_of(window: Window, grid: int, begins: int, ends: int) -> tuple[range, ...]:
    """What begins at cells and ends at others; kept too, for it takes longer than all before it."""
    origin, unit, _ = window
    return tuple(
        range(origin + first * unit, origin + last * unit + 1, grid)
        for first, last in zip(numbers(begins), numbers(ends), strict=True)
    )


def first_on_grid(anchor: int, need: Need) -> int:
    """The first point of the grid of work that begins at `anchor`."""
    return anchor + -anchor % gcd(need.grid, _ROUND) + need.offset


def within(ranges: Iterable[range], low: int, high: int) -> list[range]:
    """The starts in [low, high)."""
    found = []
    for times in ranges:
        if times[0] >= low and times[-1] < high:
            found.append(times)
        elif times[0] < high and times[-1] >= low:
            step = times.step
            skipped = max(0, -((times[0] - low) // step))
            part = times[skipped : max(0, -((times[0] - high) // step))]
            if part:
                found.append(part)
    return found


def by_day(ranges: Iterable[range], days: Mapping[int, DayBounds]) -> dict[int, list[range]]:
    """Put starts under their days; days without any are left out. `days` follow each other."""
    found: dict[int, list[range]] = {day: [] for day in days}
    ends = [bounds.end for bounds in days.values()]
    lists = list(found.values())
    for times in ranges:
        i = bisect_right(ends, times[0])
        if times[-1] < ends[i]:
            lists[i].append(times)
            continue
        for j in range(i, bisect_right(ends, times[-1]) + 1):
            lists[j] += within([times], ends[j - 1] if j > i else times[0], ends[j])
    return {day: of_day for day, of_day in found.items() if of_day}


def visited(busy: Mapping[int, Busy], days: Mapping[int, DayBounds]) -> dict[int, set[int]]:
    """Who has a visit on which of these days, which follow each other."""
    found: dict[int, set[int]] = {day: set() for day in days}
    people, ends = list(found.values()), [bounds.end for bounds in days.values()]
    begins = min((bounds.start for bounds in days.values()), default=0)
    for staff_id, taken in busy.items():
        for start, end in taken.visits:
            if end <= begins:
                continue
            for of_day in people[bisect_right(ends, start) : bisect_right(ends, end - 1) + 1]:
                of_day.add(staff_id)
    return found


def snug(free: Mapping[int, Sequence[range]], visited_: Container[int]) -> set[tuple[int, int]]:
    """People and starts of a day that leave no gap: the first and the last of each free gap.

    On a day on which somebody has no visit yet, they are all the same.
    """
    found = set()
    for staff_id, ranges in free.items():
        for times in ranges:
            tight = (times[0], times[-1]) if staff_id in visited_ else times
            found |= {(staff_id, at) for at in tight}
    return found


def count(ranges: Sequence[range]) -> int:
    """How many different starts there are in ranges."""
    # On days that nobody has booked, many people have the same.
    return len(ranges[0]) if len(ranges) == 1 else len(set[int]().union(*set(ranges)))


def split(ranges: Sequence[range], bounds: DayBounds) -> tuple[int, int, int]:
    """How many different starts there are in each part of a day."""
    start, noon, evening, end = bounds
    return (
        count(within(ranges, start, noon)),
        count(within(ranges, noon, evening)),
        count(within(ranges, evening, end)),
    )


def plenty(left: int, possible: Sequence[int]) -> bool:
    """Whether so many different starts are left of a day that no part of it can stand out."""
    most = min(filter(None, possible), default=0)
    return left > sum(possible) - most * (1 - _SCARCE)


def busy_part(left: Sequence[int], possible: Sequence[int]) -> str | None:
    """The part of day that has the fewest times left of those it could have, if one stands out.

    It does when at most a third are left there, and of the rest of the day more and twice as much.
    """
    shares = {part: left[i] / possible[i] for i, part in enumerate(PARTS) if possible[i]}
    if len(shares) < 2:
        return None
    busiest = min(shares, key=lambda part: shares[part])
    i = PARTS.index(busiest)
    rest = (sum(left) - left[i]) / (sum(possible) - possible[i])
    stands_out = shares[busiest] <= _SCARCE < rest and rest >= 2 * shares[busiest]
    return busiest if stands_out else None


def by_turns(
    staff_ids: Iterable[int],
    visits: Mapping[int, int],
    last_booked: Mapping[int, int],
    weights: Mapping[int, int] = MappingProxyType({}),
) -> list[int]:
    """Put people in the order in which they get a visit for anyone.

    They come in the order of the catalogue. `visits` counts those of the day, and for whoever has
    a weight so many count as one; `last_booked` grows with time, and who is not in it was booked
    longest ago.
    """

    def turn(id_: int) -> tuple[float, int]:
        return visits.get(id_, 0) / weights.get(id_, 1), last_booked.get(id_, _NEVER)

    return sorted(staff_ids, key=turn)


def whose_turn(
    candidates: Sequence[int],
    visits: Mapping[int, int],
    last_booked: Mapping[int, int],
    weights: Mapping[int, int],
) -> str:
    """Why the first of those who could have taken a visit got it (by_turns): in a word."""
    if len(candidates) == 1:
        return "only_one_free"
    ones, others = candidates[:2]
    if visits.get(ones, 0) * weights.get(others, 1) < visits.get(others, 0) * weights.get(ones, 1):
        return "least_booked"
    if last_booked.get(ones, _NEVER) < last_booked.get(others, _NEVER):
        return "booked_longest_ago"
    return "first_in_order"


def assigned(free: Mapping[int, Sequence[range]], order: Sequence[int]) -> dict[int, int]:
    """Give each start, in order, to the first in `order` who is free then."""
    chosen: dict[int, int] = {}
    for staff_id in reversed(order):
        for times in free.get(staff_id, ()):
            chosen.update(dict.fromkeys(times, staff_id))
    return dict(sorted(chosen.items()))
