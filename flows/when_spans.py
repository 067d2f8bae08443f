"""Stretches of time: "between 2 and 4", "2-4pm", "с 14 до 16", "before noon"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flows.when_found import Clock, Found, Moment
from flows.when_tokens import MONTHS, Token, has

_TO: Final = frozenset({"and", "to", "till", "until", "и", "до", "по"})
_BEFORE: Final = frozenset({"before", "до"})
_LAST_HOUR: Final = 24


def between(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Between 2 and 4, from 2 to 4, 2-4pm, с 14 до 16."""
    start, opened = at, has(tokens, at, "BETWEEN", "FROM", "ON", "AT")
    first = at + opened
    last = first + 1
    joint = last < len(tokens) and tokens[last].text in _TO
    last += joint
    if last >= len(tokens) or not (_is_hour(tokens[first]) and _is_hour(tokens[last])):
        return 0
    half = has(tokens, last + 1, "AM", "PM")
    oclock = has(tokens, last + 1, "OCLOCK") and tokens[first].number < tokens[last].number
    if not (opened or half or joint) or (opened and not joint and not half and not oclock):
        return 0
    if not joint and has(tokens, last + 1, *MONTHS, "DAY_NUMBER"):
        return 0
    low, high = _clock(tokens[first]), _clock(tokens[last])
    if half:
        late = has(tokens, last + 1, "PM")
        high = Clock(high.hour % 12 + 12 * late, high.minute, sure=True)
        same = low.hour % 12 < high.hour % 12 or not late
        low = Clock(low.hour % 12 + 12 * (late and same), low.minute, sure=True)
    found.span = (low, high)
    return last + 1 + (half or oclock) - start


def before(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Before noon, before 3 pm, до 15: some time earlier than that."""
    if tokens[at].text not in _BEFORE or has(tokens, at - 1, "NOT"):
        return 0
    if has(tokens, at + 1, "NOON"):
        found.before = Clock(12, sure=True)
        return 2
    if at + 1 >= len(tokens) or not _is_hour(tokens[at + 1]):
        return 0
    half = has(tokens, at + 2, "AM", "PM")
    clock = _clock(tokens[at + 1])
    if half:
        clock = Clock(clock.hour % 12 + 12 * has(tokens, at + 2, "PM"), clock.minute, sure=True)
    found.before = clock
    return 2 + half


def _is_hour(token: Token) -> bool:
    return token.kind in ("number", "clock") and 0 <= token.number <= _LAST_HOUR


def _clock(token: Token) -> Clock:
    minute = token.minute if token.kind == "clock" else 0
    return Clock(token.number % _LAST_HOUR, minute, sure=token.number > 12)
