"""By how much something is to be later or earlier: "an hour later", "позже на 30 минут"."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from flows.when_tokens import Token, has, number_at

_MUCH: Final = 1_000
_SAME: Final = frozenset({"same", "this", "that", "the", "тот", "этот", "самый"})
_WEEK: Final = timedelta(days=7)


def shift_in(tokens: Sequence[Token]) -> timedelta | None:
    """Read by how much something is to be later: "an hour later", "позже на 30 минут"."""
    for at in range(len(tokens)):
        if has(tokens, at, "LATER", "EARLIER"):
            found = amount(tokens, at - 1) or _amount_after(tokens, at + 1)
            if found is not None:
                return found if has(tokens, at, "LATER") else -found
    return None


def _amount_after(tokens: Sequence[Token], at: int) -> timedelta | None:
    ends = range(at, min(at + 4, len(tokens)))
    return next((found for end in ends if (found := amount(tokens, end))), None)


def amount(tokens: Sequence[Token], at: int) -> timedelta | None:
    """Read the stretch of time that ends with this token."""
    if has(tokens, at, "HALF_HOUR"):
        return timedelta(minutes=30)
    if at > 0 and tokens[at - 1].text in _SAME:
        return None
    number = number_at(tokens, at - 1)
    n = min(1 if number is None else number, _MUCH)
    for code, unit in (
        ("MINUTE", timedelta(minutes=1)),
        ("HOUR", timedelta(hours=1)),
        ("DAY", timedelta(days=1)),
        ("WEEK", _WEEK),
    ):
        if has(tokens, at, code):
            return n * unit
    return None


def pushed_by(tokens: Sequence[Token]) -> timedelta | None:
    """Read by how much something is to be pushed: "back half an hour", "на полчаса"."""
    if any(has(tokens, at, "LATER", "EARLIER", "IN") for at in range(len(tokens))):
        return None
    found = [at for at in range(len(tokens)) if has(tokens, at, "HOUR", "MINUTE", "HALF_HOUR")]
    return amount(tokens, found[0]) if len(found) == 1 else None
