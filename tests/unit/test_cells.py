"""Time in cells: what a mask says is what one would find by looking at every cell."""

from __future__ import annotations

from random import Random
from struct import Struct

import pytest

from flows.cells import (
    Packed,
    Window,
    after,
    before,
    between,
    covered,
    every,
    numbers,
    starting,
    window_of,
)
from flows.hours import DAY, Interval

MIDNIGHT = 20_000 * DAY
RANGE = Struct(">qq")


def cells_of(mask: int) -> set[int]:
    return set(numbers(mask))


def met(window: Window, intervals: list[Interval]) -> set[int]:
    """The cells that intervals touch, one cell after the other."""
    return {
        k
        for k in range(window.cells)
        if any(
            low < window.start + (k + 1) * window.unit and window.start + k * window.unit < high
            for low, high in intervals
        )
    }


def spans(rng: Random, window: Window) -> list[Interval]:
    """Some time in a window and around it: seconds, hours and days of it."""
    starts = [rng.randint(window.start - DAY, window.end + DAY) for _ in range(rng.randint(0, 12))]
    return [(at, at + rng.choice([1, 59, 300, 2700, 90_000, 400_000])) for at in starts]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_taken_is_every_cell_that_it_touches(seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    window = window_of(MIDNIGHT + 7, MIDNIGHT + 2 * DAY, rng.choice([60, 300]))
    assert (window.start, window.end) == (MIDNIGHT, MIDNIGHT + 3 * DAY)
    intervals = spans(rng, window)
    assert cells_of(covered(window, intervals)) == met(window, intervals)


@pytest.mark.parametrize("ticks", [1, 1_000_000])
def test_what_is_packed_is_the_same(ticks: int) -> None:
    rng, zero = Random(ticks), 100 * DAY  # noqa: S311
    window = window_of(MIDNIGHT, MIDNIGHT + DAY, 300)
    intervals = [(low, high) for low, high in spans(rng, window) for _ in range(2)]
    data = b"".join(RANGE.pack((a - zero) * ticks, (b - zero) * ticks) for a, b in intervals)
    packed = Packed(data, RANGE, zero, ticks)
    assert list(packed) == intervals
    assert covered(window, packed) == covered(window, intervals)


def test_a_moment_between_seconds_is_rounded_outwards() -> None:
    packed = Packed(RANGE.pack(1_500_000, 2_500_001), RANGE, 0, 1_000_000)
    assert list(packed) == [(1, 3)]


@pytest.mark.parametrize(("low", "high"), [(0, 3), (-2, 1), (2, 9), (-1, 0)])
def test_a_start_is_shut_when_its_part_meets_a_cell(low: int, high: int) -> None:
    taken = {5, 6, 17}
    mask = sum(1 << k for k in taken)
    expected = {k for k in range(30) if any(k + j in taken for j in range(low, high))}
    assert cells_of(before(mask, low, high)) == expected


def test_cells_after_others_those_in_a_row_and_those_that_begin_in_time() -> None:
    assert cells_of(after(1 << 3 | 1 << 10, 3)) == {3, 4, 5, 10, 11, 12}
    assert after(1 << 3, 1) == 1 << 3
    assert (cells_of(between(2, 5)), between(5, 2)) == ({2, 3, 4}, 0)
    assert (cells_of(every(3, 1, 8)), every(3, 9, 8), every(1, 0, 2)) == ({1, 4, 7}, 0, 7)
    window = Window(MIDNIGHT, 300, 288)
    assert cells_of(starting(window, MIDNIGHT + 1, MIDNIGHT + 901)) == {1, 2, 3}
    assert starting(window, MIDNIGHT - DAY, MIDNIGHT + 2 * DAY) == window.all
    assert starting(window, MIDNIGHT + DAY, MIDNIGHT + 2 * DAY) == 0
    assert numbers(0) == []
