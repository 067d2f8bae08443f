"""Parts of weeks and months, and feasts: "end of the week", "the week of the 14th", "christmas"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from flows.when_found import Found, Moment
from flows.when_tokens import MONTHS, Token, has, month_of

_DAY: Final = timedelta(days=1)
_WEEK: Final = 7 * _DAY
_PARTS: Final = {"START": 0, "MIDDLE": 2, "END": 3}
"""The weekday that a part of a week begins with; what begins so counts as the rest of the week."""
_OF_MONTHS: Final = {"START": 1, "MIDDLE": 11, "END": 21}
_BEFORE: Final = frozenset({"before", "by", "until", "till", "до", "перед", "накануне"})
_AFTER: Final = frozenset({"after", "from", "since", "после", "с"})
_OF: Final = frozenset({"of", "the", "beginning", "commencing", "starting", "from", "с", "от"})
_FEASTS: Final = {
    "CHRISTMAS_EVE": (12, 24),
    "CHRISTMAS": (12, 25),
    "BOXING_DAY": (12, 26),
    "LAST_DAY": (12, 31),
    "NEW_YEAR": (1, 1),
    "IN_NEW_YEAR": (1, 1),
    "CHRISTMAS_EAST": (1, 7),
    "VALENTINE": (2, 14),
    "WOMENS_DAY": (3, 8),
    "HALLOWEEN": (10, 31),
}
"""Feasts that have one date each year."""

DayRule = Callable[[Sequence[Token], int, Moment, Found], int]


def part_of_a_week(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Read the end of the week, early next week, в начале недели, в конце декабря."""
    part = next((code for code in _PARTS if has(tokens, at, code)), None)
    if part is None:
        return 0
    named = at + 1 + has(tokens, at + 1, "THE")
    following = has(tokens, named, "NEXT")
    named += following or has(tokens, named, "THIS")
    today = moment.today
    if has(tokens, named, "WEEK"):
        monday = today - today.weekday() * _DAY
        first = monday + _PARTS[part] * _DAY + (_WEEK if following else timedelta())
        over = first + (2 * _DAY if part != "END" else 4 * _DAY) <= today
        found.since = max(first + _WEEK if over else first, today)
    elif has(tokens, named, "MONTH", *MONTHS):
        month = today.replace(day=1)
        while has(tokens, named, *MONTHS) and month.month != month_of(tokens[named]):
            month = _following(month)
        found.since = max((_following(month) if following else month), today)
        found.since = max(found.since, found.since.replace(day=_OF_MONTHS[part]))
    else:
        return 0
    return named + 1 - at


def week_of(*rules: DayRule) -> DayRule:
    """Return the rule that reads the week of the 14th, with those that read its date."""

    def rule(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
        """Read the week of the 14th, на неделе с 14 декабря."""
        if not has(tokens, at, "WEEK"):
            return 0
        named = at + 1
        while named < len(tokens) and tokens[named].text in _OF:
            named += 1
        if named == at + 1 or named >= len(tokens):
            return 0
        dated = Found()
        for one in rules:
            taken = one(tokens, named, moment, dated)
            if taken:
                day = next(iter(dated.days))
                found.since = max(day - day.weekday() * _DAY, moment.today)
                return named + taken - at
        return 0

    return rule


def feast(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Read christmas eve, after new year, before christmas, between christmas and new year."""
    start = at
    said = tokens[at].text
    ahead = said in _BEFORE or said in _AFTER or has(tokens, at, "BETWEEN")
    at += ahead
    at += has(tokens, at, "THE")
    day = _feast_at(tokens, at, moment)
    if day is None:
        return 0
    at += 1
    if has(tokens, start, "BETWEEN") and _feast_at(tokens, at + 1, moment) is not None:
        found.since = max(day + _DAY, moment.today)
        return at + 2 - start
    if said in _BEFORE:
        found.since = max(day - _WEEK, moment.today)
    elif said in _AFTER:
        found.since = day + _DAY
    elif has(tokens, at - 1, "IN_NEW_YEAR"):
        found.since = day
    else:
        found.days.add(day)
    return at - start


def _feast_at(tokens: Sequence[Token], at: int, moment: Moment) -> date | None:
    """Return when the feast that is named is next."""
    name = next((code for code in _FEASTS if has(tokens, at, code)), None)
    if name is None:
        return None
    day = moment.today.replace(month=_FEASTS[name][0], day=_FEASTS[name][1])
    return day if day >= moment.today else day.replace(year=day.year + 1)


def _following(month: date) -> date:
    """Return the first of the next month."""
    return (month + 31 * _DAY).replace(day=1)
