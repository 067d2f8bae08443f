"""Working hours: rules in local wall time become stretches of absolute time.

Wall time is read here and nowhere else; what comes out are epoch seconds. The rules:

- A shift belongs to the day it starts on; one that ends no later than it starts runs over midnight.
  An end of 23:59 means midnight.
- Shifts of a day that overlap or touch are one. Breaks cut them. Dated `replace` rows stand instead
  of the weekly pattern and its breaks; `add` and `break` rows come on top of either. A holiday
  takes the weekly pattern away: hours entered for that very date still count.
- A break cuts its wall time. Where it meets no shift of its own day, it also means the small hours
  after it, in a shift that runs over midnight.
- A wall time that the clocks skip means the moment they change: hours shrink, they never shift. One
  that comes twice means its first coming, and no visit begins in the second.
- The grid is counted from where a day's work begins and anew after every break, in wall time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from flows.model import EVENING_BEGINS, NOON, Catalog, DatedShift, Shift, Staff

DAY: Final = 86_400

_EPOCH: Final = date(1970, 1, 1).toordinal()
_END_OF_DAY: Final = DAY - 60  # what people type who cannot type 24:00
_MOST_KEPT: Final = 20_000
_MOST_CELLS: Final = 20_000_000

Interval = tuple[int, int]


class Stretch(NamedTuple):
    """Working time with one grid, in epoch seconds.

    A visit may begin in [start, stop), a whole number of grid steps from `anchor`, and must be over
    by `end`: later than `stop` where work goes on under another grid.
    """

    start: int
    stop: int
    end: int
    anchor: int


class DayBounds(NamedTuple):
    """A local date in epoch seconds; it is over where the next one starts."""

    start: int
    noon: int
    evening: int
    end: int


def epoch(moment: datetime) -> int:
    """The last whole second not after a moment."""
    return int(moment.timestamp() // 1)


def epoch_after(moment: datetime) -> int:
    """The first whole second not before a moment."""
    return -int(-moment.timestamp() // 1)


@lru_cache(maxsize=8192)
def moment(at: int) -> datetime:
    """The moment of an epoch second, in UTC; kept, for nearly all are quarters of coming hours."""
    return datetime.fromtimestamp(at, UTC)


def second_of(at: time) -> int:
    """The second of the day of a wall time."""
    return at.hour * 3_600 + at.minute * 60 + at.second


def instant(day: int, second: int, zone: ZoneInfo) -> int:
    """When a wall time comes: `second` of the local date with ordinal `day`, or of a later one."""
    local = datetime.combine(date.fromordinal(day), time(), zone) + timedelta(seconds=second)
    offset = _seconds(local)
    at = (day - _EPOCH) * DAY + second - offset
    found = offset_at(at, zone)
    if found == offset:
        return at
    return change_in(at - (found - offset), at, zone)  # skipped: `offset` is the one before


def offset_at(at: int, zone: ZoneInfo) -> int:
    """How far a zone's wall time is ahead of UTC at a moment, in seconds."""
    return _seconds(datetime.fromtimestamp(at, zone))


def change_in(low: int, high: int, zone: ZoneInfo) -> int:
    """The moment in (low, high] from which a zone has the offset that it has at `high`."""
    offset = offset_at(high, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(middle, zone) == offset:
            high = middle
        else:
            low = middle
    return high


def _seconds(local: datetime) -> int:
    offset = local.utcoffset() or timedelta()
    return offset.days * DAY + offset.seconds


@dataclass(slots=True)
class _Rules:
    """One person's rules, sorted so that a day's are found at once."""

    zone: ZoneInfo
    shifts: dict[int, list[Interval]] = field(default_factory=dict)  # by ISO weekday
    breaks: dict[int, list[Interval]] = field(default_factory=dict)
    dated: dict[int, list[DatedShift]] = field(default_factory=dict)  # by ordinal
    away: list[Interval] = field(default_factory=list)


class Calendar:
    """The hours of everybody at one company: expanded when first asked for, then kept.

    Days are ordinals of local dates, on the clock that customers are told: the company's, or that
    of their area (flows.areas). People work by their own clocks, or by the company's. What it keeps
    follows from the catalogue alone.
    """

    def __init__(self, catalog: Catalog) -> None:
        self.zone: Final = catalog.zone
        self.holidays: Final = frozenset(day.toordinal() for day in catalog.holidays)
        company_zone = catalog.company.zone
        self._rules = {person.id: _rules(person, company_zone) for person in catalog.staff}
        self._days: dict[tuple[int, int], tuple[Stretch, ...]] = {}
        self._ranges: dict[tuple[int, int, int], list[Stretch]] = {}
        self._bounds: dict[int, DayBounds] = {}
        self._edges: dict[tuple[str, int, int], list[int]] = {}
        self._repeated: dict[Interval, list[Interval]] = {}
        self.kept: Final[dict[object, object]] = {}
        self._cells_kept = 0

    def keep(self, key: object, found: object, cells: int) -> None:
        """Keep what follows from these hours too; as many cells as make some megabytes in all."""
        self._cells_kept += cells
        if self._cells_kept > _MOST_CELLS:
            self.kept.clear()
            self._cells_kept = cells
        self.kept[key] = found

    def day_of(self, at: int) -> int:
        """The local date at a moment."""
        return datetime.fromtimestamp(at, self.zone).toordinal()

    def bounds(self, day: int) -> DayBounds:
        """When a local date and its parts begin, and when it ends."""
        found = self._bounds.get(day)
        if found is None:
            borders = (0, second_of(NOON), second_of(EVENING_BEGINS), DAY)
            found = DayBounds(*(instant(day, second, self.zone) for second in borders))
            self._bounds[day] = found
        return found

    def edges(self, zone: ZoneInfo, low: int, high: int) -> Sequence[int]:
        """Where a zone's days of [low, high] begin, in order, and where the last of them ends."""
        first, last = (datetime.fromtimestamp(at, zone).toordinal() for at in (low, high))
        found = self._edges.get((zone.key, first, last))
        if found is None:
            if len(self._edges) * 30 > _MOST_KEPT:
                self._edges.clear()
            found = [instant(day, 0, zone) for day in range(first, last + 2)]
            self._edges[zone.key, first, last] = found
        return found

    def second_of(self, at: int, bounds: DayBounds) -> int:
        """What the clock shows at a moment of a day, in seconds."""
        if bounds.end - bounds.start == DAY:
            return at - bounds.start
        return (at + offset_at(at, self.zone)) % DAY

    def repeated(self, low: int, high: int) -> Sequence[Interval]:
        """When on the days of [low, high] the clock shows times for the second time.

        Each pair holds the second before and the second after.
        """
        first, last = self.day_of(low), self.day_of(high)
        found = self._repeated.get((first, last))
        if found is None:
            if len(self._repeated) > _MOST_KEPT:
                self._repeated.clear()
            days = range(first, last + 1)
            found = [pair for day in days for pair in self._repeated_on(self.bounds(day))]
            self._repeated[first, last] = found
        return found

    def _repeated_on(self, bounds: DayBounds) -> Iterator[Interval]:
        if bounds.end - bounds.start > DAY:
            change = change_in(bounds.start, bounds.end, self.zone)
            back = offset_at(bounds.start, self.zone) - offset_at(change, self.zone)
            yield change - 1, change + back

    def away(self, staff_id: int) -> Sequence[Interval]:
        """Somebody's time off, sorted."""
        return self._rules[staff_id].away

    def zone_of(self, staff_id: int) -> ZoneInfo:
        """The zone by whose clocks somebody works."""
        return self._rules[staff_id].zone

    def pattern(self, staff_id: int, day: int) -> tuple[list[Interval], list[Interval]]:
        """What the rules say of somebody's day, in seconds from its midnight: shifts and breaks."""
        return self._pattern(self._rules[staff_id], day)

    def stretches(self, staff_id: int, low: int, high: int) -> Sequence[Stretch]:
        """Somebody's working time, sorted and disjoint: what touches [low, high], and some more."""
        # Two days more on either side: zones are up to a day off UTC, shifts run over midnight.
        first, last = low // DAY + _EPOCH - 2, high // DAY + _EPOCH + 2
        found = self._ranges.get((staff_id, first, last))
        if found is None:
            if len(self._ranges) * 30 > _MOST_KEPT:
                self._ranges.clear()
            rules = self._rules[staff_id]
            days = (self._day(staff_id, rules, day) for day in range(first, last + 1))
            found = self._ranges[staff_id, first, last] = _joined(days)
        return found

    def _day(self, staff_id: int, rules: _Rules, day: int) -> tuple[Stretch, ...]:
        found = self._days.get((staff_id, day))
        if found is None:
            if len(self._days) > _MOST_KEPT:
                self._days.clear()
            placed = _placed(day, self._wall(rules, day), rules)
            found = self._days[staff_id, day] = tuple(placed)
        return found

    def _wall(self, rules: _Rules, day: int) -> list[Interval]:
        """The work of a day in seconds from its midnight, sorted and disjoint."""
        work, breaks = self._pattern(rules, day)
        if not work:
            return []
        # Shifts and breaks may run over midnight, so those of the days around matter too.
        for by in (-1, 1):
            _, around = self._pattern(rules, day + by)
            breaks += [(start + by * DAY, end + by * DAY) for start, end in around]
        return cut(merged(work), breaks)

    def _pattern(self, rules: _Rules, day: int) -> tuple[list[Interval], list[Interval]]:
        """What the rules say of a day, unsorted: shifts, and breaks as they cut."""
        dated = rules.dated.get(day, ())
        weekday = (day - 1) % 7 + 1  # ordinal 1 was a Monday
        if day in self.holidays or any(row.kind == "replace" for row in dated):
            work, breaks = [], []
        else:
            work = list(rules.shifts.get(weekday, ()))
            breaks = list(rules.breaks.get(weekday, ()))
        for row in dated:
            if row.starts is not None and row.ends is not None:
                (breaks if row.kind == "break" else work).append(_wall_span(row.starts, row.ends))
        for low, high in tuple(breaks):
            if not any(low < end and start < high for start, end in work):
                breaks.append((low + DAY, high + DAY))
        return work, breaks


def calendar_of(catalog: Catalog) -> Calendar:
    """The calendar of a catalogue: made once, kept with it."""
    kept = catalog.memo.get("calendar")
    if not isinstance(kept, Calendar):
        kept = catalog.memo["calendar"] = Calendar(catalog)
    return kept


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as sorted intervals that neither overlap nor touch."""
    result: list[Interval] = []
    for start, end in sorted(intervals):
        if result and start <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result


def cut(intervals: Sequence[Interval], cuts: Iterable[Interval]) -> list[Interval]:
    """What is left of sorted, disjoint intervals; `cuts` may be in any order and overlap."""
    left = list(intervals)
    for low, high in cuts:
        left = [
            (start, end)
            for lower, upper in left
            for start, end in ((lower, min(upper, low)), (max(lower, high), upper))
            if start < end
        ]
    return left


def _rules(person: Staff, company_zone: ZoneInfo) -> _Rules:
    rules = _Rules(ZoneInfo(person.timezone) if person.timezone else company_zone)
    for shift in person.shifts:
        _kept_for(rules, shift).setdefault(shift.weekday, []).append(
            _wall_span(shift.starts, shift.ends)
        )
    for row in person.dated_shifts:
        rules.dated.setdefault(row.day.toordinal(), []).append(row)
    rules.away = merged((epoch(span.start), epoch_after(span.end)) for span in person.time_off)
    return rules


def _kept_for(rules: _Rules, shift: Shift) -> dict[int, list[Interval]]:
    return rules.breaks if shift.kind == "break" else rules.shifts


def _wall_span(starts: time, ends: time) -> Interval:
    start, end = second_of(starts), second_of(ends)
    if end >= _END_OF_DAY:
        end = DAY
    return start, end if end > start else end + DAY


def _placed(day: int, spans: Sequence[Interval], rules: _Rules) -> Iterable[Stretch]:
    """The spans of a day where they lie in time."""
    if not spans:
        return ()
    zone, first, last = rules.zone, spans[0][0], spans[-1][1]
    begin = instant(day, first, zone)
    if instant(day, last, zone) - begin == last - first:  # no change of the clocks: nearly always
        by = begin - first
        return [Stretch(start + by, end + by, end + by, start + by) for start, end in spans]
    placed = ((instant(day, start, zone), instant(day, end, zone)) for start, end in spans)
    pieces = (_split_at_change(low, high, zone) for low, high in placed if low < high)
    return _untangled(chain.from_iterable(pieces))


def _split_at_change(low: int, high: int, zone: ZoneInfo) -> Iterator[Stretch]:
    """Working time in which the clocks may change: the grid follows the clocks."""
    before, after = offset_at(low, zone), offset_at(high - 1, zone)
    if before == after:
        yield Stretch(low, high, high, low)
        return
    change = change_in(low, high - 1, zone)
    yield Stretch(low, change, high, low)
    yield Stretch(change, high, high, low + before - after)


def _joined(days: Iterable[tuple[Stretch, ...]]) -> list[Stretch]:
    """The stretches of days in a row; where a day runs into the next, the later grid takes over."""
    result: list[Stretch] = []
    overlap = False
    for stretches in days:
        if result and stretches and stretches[0].start <= result[-1].end:
            overlap = True
        result += stretches
    return _untangled(result) if overlap else result


def _untangled(stretches: Iterable[Stretch]) -> list[Stretch]:
    pieces: list[Stretch] = []  # sorted and disjoint all the while
    for later in stretches:
        rest: list[Stretch] = []
        while pieces and pieces[-1].stop > later.start:
            piece = pieces.pop()
            for start, stop in cut([(piece.start, piece.stop)], [(later.start, later.stop)]):
                rest.append(Stretch(start, stop, stop, piece.anchor))
        pieces += sorted([*rest, later])
    for i in range(len(pieces) - 2, -1, -1):
        if pieces[i].stop >= pieces[i + 1].start:
            pieces[i] = pieces[i]._replace(end=pieces[i + 1].end)
    return pieces
