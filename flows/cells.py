"""Time in cells: what holds of a month of somebody's time is one whole number.

A window of time is cut into cells of one length. Bit after bit, the earliest lowest, a number says
of each cell whether it is taken, or whether a visit may start where it begins. So a question about
all of a month costs as much as one about an hour: it is one instruction.

What is taken is rounded up to whole cells. Nothing is lost by that where starts, and all parts of
visits, begin and end where cells do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final, NamedTuple

from flows.hours import DAY, Interval
from flows.values import valueclass

_RUNS: Final = [(1 << cells) - 1 for cells in range(512)]
"""So many bits in a row: most of what is taken is shorter than this."""
_PART: Final = 512


@valueclass(frozen=True, slots=True)
class Packed:
    """Intervals as a database sends them: unpacked only when somebody has to look.

    `layout` holds one, in ticks from the second `zero`, of which a second has so many.
    """

    data: bytes
    layout: Struct
    zero: int
    ticks: int

    def __hash__(self) -> int:
        return hash(self.data)

    def __iter__(self) -> Iterator[Interval]:
        """Each in whole seconds since 1970, outwards."""
        for low, high in self.layout.iter_unpack(self.data):
            yield self.zero + low // self.ticks, self.zero - -high // self.ticks


class Window(NamedTuple):
    """So many cells of `unit` seconds from `start`, a midnight of UTC; units divide the day."""

    start: int
    unit: int
    cells: int

    @property
    def end(self) -> int:
        """Where the last cell ends."""
        return self.start + self.unit * self.cells

    @property
    def all(self) -> int:
        """Every cell."""
        return (1 << self.cells) - 1


def window_of(low: int, high: int, unit: int) -> Window:
    """The days of UTC that [low, high] touches."""
    start = low // DAY * DAY
    return Window(start, unit, (high // DAY * DAY + DAY - start) // unit)


def covered(window: Window, intervals: Iterable[Interval]) -> int:
    """The cells that half-open intervals touch."""
    if isinstance(intervals, Packed):
        unit, first = window.unit * intervals.ticks, (window.start - intervals.zero) // window.unit
        return _covered(first, unit, window.cells, intervals.layout.iter_unpack(intervals.data))
    return _covered(window.start // window.unit, window.unit, window.cells, intervals)


def _covered(first: int, unit: int, last: int, intervals: Iterable[Interval]) -> int:
    runs, short, up = _RUNS, len(_RUNS), unit - 1
    # Short numbers, put together in the end, cost less than one long one that grows.
    parts = [0] * (last // _PART + 1)
    for low, high in intervals:
        at = low // unit - first
        cells = (high + up) // unit - first - at
        if 0 <= at < last and cells < short:
            parts[at // _PART] |= runs[cells] << at % _PART
        elif at < last and at + cells > 0:
            parts[0] |= between(max(at, 0), min(at + cells, last))
    found = 0
    for number, part in enumerate(parts):
        found |= part << number * _PART
    return found & between(0, last)


def starting(window: Window, low: int, high: int) -> int:
    """The cells that begin in [low, high)."""
    start, unit, cells = window
    return between(
        max(-(-(low - start) // unit), 0),
        min(-(-(high - start) // unit), cells),
    )


def between(first: int, end: int) -> int:
    """The cells from the number `first` on to before the number `end`."""
    return ((1 << (end - first)) - 1) << first if first < end else 0


def before(mask: int, low: int, high: int) -> int:
    """The starts whose part from `low` to `high`, in cells from the start, meets a cell of these.

    The part has a length; a start before the window is forgotten.
    """
    done, length = 1, high - low
    while done < length:
        by = min(done, length - done)
        mask |= mask >> by
        done += by
    return mask >> low if low >= 0 else mask << -low


def after(mask: int, cells: int) -> int:
    """These cells and as many after each, less one."""
    done = 1
    while done < cells:
        by = min(done, cells - done)
        mask |= mask << by
        done += by
    return mask


def every(step: int, first: int, last: int) -> int:
    """The cells with the numbers first, first + step, … up to `last`; none when that is earlier."""
    if first > last:
        return 0
    count = (last - first) // step + 1
    return ((1 << count * step) - 1) // ((1 << step) - 1) << first


def numbers(mask: int) -> list[int]:
    """The numbers of the cells, in order."""
    bits, found = f"{mask:b}", list[int]()
    last, at = len(bits) - 1, bits.rfind("1")
    while at >= 0:
        found.append(last - at)
        at = bits.rfind("1", 0, at)
    return found
