"""Values are what frozen dataclasses are, but for what it costs to make one."""

from dataclasses import fields, replace

import pytest

from flows.values import valueclass


@valueclass(frozen=True, slots=True)
class Place:
    street: str
    number: int = 1


@valueclass(frozen=True, slots=True)
class Spot:
    x: int

    def __hash__(self) -> int:
        return 7


def test_values_are_equal_and_hashed_by_what_they_hold() -> None:
    assert Place("Elm") == Place("Elm", 1) != Place("Elm", 2)
    assert len({Place("Elm"), Place("Elm", 1), Place("Oak")}) == 2
    assert replace(Place("Elm"), number=3) == Place("Elm", 3)
    assert [one.name for one in fields(Place)] == ["street", "number"]


def test_values_have_no_room_for_more() -> None:
    with pytest.raises(AttributeError):
        Place("Elm").town = "Arezzo"  # type: ignore[attr-defined]


def test_a_class_may_say_itself_how_it_is_hashed() -> None:
    assert hash(Spot(1)) == 7


def test_what_may_change_is_no_value() -> None:
    with pytest.raises(TypeError, match="frozen"):
        valueclass(frozen=False, slots=True)(Place)
