"""Which of what was offered last is meant by a number, a place in the list, or a title."""

from __future__ import annotations

import re
from typing import Final

from flows import keywords as k
from flows.asking import Asking
from flows.machine import State
from flows.plain import alike, plain, plain_name

number = re.compile(r"\W*(\d{1,2})\W*").fullmatch
_LEAST: Final = 3
"""Letters that the beginning of a title must have to be taken for it."""


def picked(state: State, raw: str) -> str | None:
    """Return the id of what was offered last and is meant by a number or a title."""
    if not isinstance(state, Asking) or not state.offered:
        return None
    said = number(raw)
    if said:
        at = int(said[1]) - 1
        return state.offered[at][0] if 0 <= at < len(state.offered) else None
    text = plain(raw)
    for at, place in enumerate((k.FIRST_ONE, k.SECOND_ONE, k.THIRD_ONE)):
        if place.has(text) and at < len(state.offered):
            return state.offered[at][0]
    titles = [(id_, plain_name(title)) for id_, title in state.offered]
    for same in (_equal, _begins, _nearly):
        meant = [id_ for id_, title in titles if same(text, title)]
        if meant:
            return meant[0] if len(meant) == 1 else None
    return None


def _equal(text: str, title: str) -> bool:
    return text == title


def _begins(text: str, title: str) -> bool:
    return len(text) >= _LEAST and title.startswith(text + " ")


def _nearly(text: str, title: str) -> bool:
    ones, others = text.split(), title.split()
    return len(ones) == len(others) and all(map(alike, ones, others))
