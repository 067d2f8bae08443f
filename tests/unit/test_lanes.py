"""Who waits for an answer goes before what a clock began."""

from __future__ import annotations

from bot.lanes import Lanes

A, B, C = (1, 1), (1, 2), (1, 3)


def everybody(lanes: Lanes) -> list[tuple[tuple[int, int], bool]]:
    """All in the order in which they are taken; gaps left out."""
    count = lanes.length(later=False) + lanes.length(later=True)
    return [taken for taken in (lanes.take() for _ in range(count)) if taken is not None]


def test_the_faster_lane_goes_first_and_each_lane_in_order() -> None:
    lanes = Lanes()
    lanes.add(A, later=True)
    lanes.add(B, later=False)
    lanes.add(C, later=False)
    assert everybody(lanes) == [(B, False), (C, False), (A, True)]


def test_who_stands_in_the_faster_lane_needs_no_place_in_the_other() -> None:
    lanes = Lanes()
    assert not lanes.has(A, later=True)
    lanes.add(A, later=True)
    assert lanes.has(A, later=True)
    assert not lanes.has(A, later=False)
    lanes.add(B, later=False)
    assert lanes.has(B, later=False)
    assert lanes.has(B, later=True)


def test_who_changes_to_the_faster_lane_is_taken_once() -> None:
    lanes = Lanes()
    lanes.add(A, later=True)
    lanes.add(B, later=True)
    lanes.add(B, later=False)
    assert everybody(lanes) == [(B, False), (A, True)]


def test_who_was_taken_may_stand_behind_its_own_gap() -> None:
    lanes = Lanes()
    lanes.add(A, later=True)
    lanes.add(A, later=False)
    assert lanes.take() == (A, False)
    lanes.add(A, later=True)
    assert everybody(lanes) == [(A, True)]


def test_the_lanes_can_be_cleared() -> None:
    lanes = Lanes()
    lanes.add(A, later=True)
    lanes.clear()
    assert lanes.length(later=True) == 0
    assert not lanes.has(A, later=True)
