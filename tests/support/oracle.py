"""A slow second opinion on free times: it walks every minute and shares no code with `flows`.

A wall time means the first minute at which the clocks show it or have passed it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from math import gcd
from zoneinfo import ZoneInfo

from flows.model import Catalog, Staff

Minutes = tuple[int, int]
"""From and to, in minutes since 1970 (UTC)."""


class Clock:
    """What the clocks of a zone show in every minute from `low` to `high`."""

    def __init__(self, zone: ZoneInfo, low: int, high: int) -> None:
        self.low = low
        locals_ = [datetime.fromtimestamp(m * 60, zone) for m in range(low, high)]
        self.shown = [_naive(local) for local in locals_]
        self.second_time = [local.fold == 1 for local in locals_]
        self._latest = list(accumulate(self.shown, max))

    def first(self, wall: int) -> int:
        """The first minute at which the clocks show a wall minute or have passed it."""
        return self.low + bisect_left(self._latest, wall)

    def at(self, minute: int) -> int:
        """The wall minute shown."""
        return self.shown[minute - self.low]

    def again(self, minute: int) -> bool:
        """Whether the clocks show that minute for the second time."""
        return self.second_time[minute - self.low]


@dataclass(frozen=True)
class Question:
    """May a visit of this length, with these buffers, start then?"""

    minutes: int
    before: int
    after: int
    grid: int
    visits: Sequence[Minutes] = ()
    buffers: Sequence[Minutes] = ()


def free_minutes(
    catalog: Catalog, person: Staff, question: Question, low: int, high: int
) -> list[int]:
    """Every minute in [low, high] at which the visit may start."""
    first, last = low - 3 * 1440, high + 4 * 1440
    own = Clock(ZoneInfo(person.timezone or catalog.company.timezone), first, last)
    reads = catalog.company if catalog.area is None else catalog.area
    told = Clock(ZoneInfo(reads.timezone), first, last)
    spans = list(_spans(catalog, person, own))
    working = {m for start, end, _ in spans for m in range(start, end)}
    for span in person.time_off:
        away = range(_minute(span.start), -(-int(span.end.timestamp()) // 60))
        working.difference_update(away)
    grid_of: dict[int, int] = {}
    for start, end, anchor in spans:  # in the order of days: the later day's grid takes over
        grid_of.update(dict.fromkeys(range(start, end), anchor))
    visits = {m for start, end in question.visits for m in range(start, end)}
    taken = visits | {m for start, end in question.buffers for m in range(start, end)}
    found = []
    for minute in range(low, high + 1):
        end = minute + question.minutes
        if minute not in grid_of or told.again(minute):
            continue
        if (own.at(minute) - _rounded(grid_of[minute], question.grid)) % question.grid:
            continue
        if any(m not in working or m in taken for m in range(minute, end)):
            continue
        around = (*range(minute - question.before, minute), *range(end, end + question.after))
        if not any(m in visits for m in around):
            found.append(minute)
    return found


def _spans(catalog: Catalog, person: Staff, clock: Clock) -> Iterable[tuple[int, int, int]]:
    """Working time as (from, to, wall minute that the grid is counted from)."""
    first, last = clock.shown[0] // 1440 + 1, clock.shown[-1] // 1440 - 2
    for day in range(first, last):
        work, _ = _pattern(catalog, person, day)
        for near in (day - 1, day, day + 1):
            own, breaks = _pattern(catalog, person, near)
            for start, end in breaks:
                missed = not own & set(range(start, end))
                for shift in (0, 1440) if missed else (0,):
                    at = (near - day) * 1440 + shift
                    work = work - set(range(start + at, end + at))
        for start, end in _runs(work):
            begin, over = clock.first(day * 1440 + start), clock.first(day * 1440 + end)
            if begin < over:
                yield begin, over, clock.at(begin)


def _pattern(catalog: Catalog, person: Staff, day: int) -> tuple[set[int], list[Minutes]]:
    that = date(1970, 1, 1) + timedelta(days=day)
    rows = [row for row in person.dated_shifts if row.day == that]
    shifts = [(s.kind, s.starts, s.ends) for s in person.shifts if s.weekday == that.isoweekday()]
    if that in catalog.holidays or any(row.kind == "replace" for row in rows):
        shifts = []
    shifts += [(row.kind, row.starts, row.ends) for row in rows if row.starts and row.ends]
    spans = [(kind, *_wall(starts, ends)) for kind, starts, ends in shifts]
    work = {m for kind, start, end in spans if kind != "break" for m in range(start, end)}
    return work, [(start, end) for kind, start, end in spans if kind == "break"]


def _wall(starts: time, ends: time) -> Minutes:
    start = starts.hour * 60 + starts.minute
    end = 1440 if ends >= time(23, 59) else ends.hour * 60 + ends.minute
    return start, end if end > start else end + 1440


def _runs(minutes: set[int]) -> Iterable[Minutes]:
    start = end = None
    for minute in sorted(minutes):
        if minute != end:
            if start is not None and end is not None:
                yield start, end
            start = minute
        end = minute + 1
    if start is not None and end is not None:
        yield start, end


def _rounded(wall: int, grid: int) -> int:
    return wall + -wall % gcd(grid, 5)


def _naive(local: datetime) -> int:
    return int(local.replace(tzinfo=UTC).timestamp()) // 60


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60
