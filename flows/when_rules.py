"""The rules by which flows.when reads tokens.

Each rule looks at the tokens from `at` on, notes what it finds, and says how many tokens it used;
zero where it makes nothing of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from flows import when_seasons as seasons
from flows import when_spans as spans
from flows.model import AFTERNOON, EVENING, MORNING
from flows.when_found import PARTS_SAID, Clock, Found, Moment
from flows.when_tokens import (
    BRIEF,
    HALVES,
    MONTHS,
    ONES,
    WEEKDAYS,
    Token,
    half_of,
    has,
    month_of,
    number_at,
    weekday_of,
)

_NEAR: Final = ("TODAY", "TONIGHT", "TOMORROW", "AFTER_TOMORROW")
_THEN: Final = frozenset(
    [
        "with",
        "for",
        "please",
        "pls",
        "and",
        "to",
        "if",
        "у",
        "к",
        "ко",
        "с",
        "на",
        "пожалуйста",
        "если",
    ]
)
"""Words that may follow an hour."""
_MINUTES: Final = {"MINUTES15": 15, "MINUTES20": 20, "MINUTES25": 25}
_DAY = timedelta(days=1)


def _excluded(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Not monday, except tomorrow: nobody means the day that they name so."""
    if not has(tokens, at, "NOT"):
        return 0
    named = at + 1 + has(tokens, at + 1, "AT", "ON", "THE", "NEXT", "THIS")
    if has(tokens, named, *PARTS_SAID):  # "not in the morning" is after it
        found.parts |= {AFTERNOON} if has(tokens, named, MORNING) else set()
        return named + 1 - at
    return named + 1 - at if has(tokens, named, *WEEKDAYS, *_NEAR) else 0


def _relative(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """In two days, in an hour, через неделю, a week from monday, 3 days from now."""
    start, ahead = at, has(tokens, at, "IN")
    at += ahead
    if ahead and has(tokens, at, "HALF_HOUR"):
        found.exact = moment.now + timedelta(minutes=30)
        return at + 1 - start
    soon = at + has(tokens, at, "THE") + 1
    if ahead and has(tokens, soon - 1, "NEXT") and not has(tokens, soon, "WEEK", "MONTH"):
        at = soon  # "in the next two hours"
    n = number_at(tokens, at)
    counted = n is not None or has(tokens, at, "ONE")
    at += counted
    if not has(tokens, at, "DAY", "WEEK", "HOUR", "MINUTE"):
        return 0
    unit, at = tokens[at].codes, at + 1
    named = has(tokens, at, "AT", "ON") and has(tokens, at + 1, *WEEKDAYS)
    if ahead and "WEEK" in unit and not counted and named:  # через неделю во вторник
        day = 7 + (weekday_of(tokens[at + 1]) - moment.today.weekday()) % 7
        found.days.add(moment.today + day * _DAY)
        return at + 2 - start
    if "WEEK" in unit and has(tokens, at, "FROM") and has(tokens, at + 1, *WEEKDAYS):
        day = (weekday_of(tokens[at + 1]) - moment.today.weekday()) % 7 + 7 * (n or 1)
        found.days.add(moment.today + day * _DAY)
        return at + 2 - start
    if not ahead:
        if not counted or not has(tokens, at, "FROM_NOW"):
            return 0
        at += 1
    _add(unit, 1 if n is None else n, moment, found)
    return at - start


def _add(unit: frozenset[str], n: int, moment: Moment, found: Found) -> None:
    if n > 1000:
        found.days |= {date.min, date.max}  # nobody means that: unclear
    elif "HOUR" in unit or "MINUTE" in unit:
        found.exact = moment.now + (timedelta(hours=n) if "HOUR" in unit else timedelta(minutes=n))
    elif "WEEK" in unit and n == 1:
        found.days.add(moment.today + 7 * _DAY)
    else:
        found.days.add(moment.today + n * (7 if "WEEK" in unit else 1) * _DAY)


def _month(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """25 november, Dec 3rd, 3rd of December 2026."""
    start, n = at, number_at(tokens, at)
    if n is not None:
        at += 1 + (at + 1 < len(tokens) and tokens[at + 1].text == "of")
        if not has(tokens, at, *MONTHS):
            return 0
        month, at = month_of(tokens[at]), at + 1
    elif has(tokens, at, *MONTHS) and (n := number_at(tokens, at + 1)) is not None:
        month, at = month_of(tokens[at]), at + 2
    else:
        return 0
    year = number_at(tokens, at)
    if year is not None and moment.today.year <= year <= moment.today.year + 2:
        return at + 1 - start if _note_date(found, moment, n, month, year) else 0
    return at - start if _note_date(found, moment, n, month, None) else 0


def _month_alone(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """In december, next month, в декабре: any day of it."""
    if not has(tokens, at, "IN", "AT", "NEXT", "ON"):
        return 0
    following = (moment.today.replace(day=1) + 31 * _DAY).replace(day=1)
    named = at + 1 + has(tokens, at + 1, "NEXT")
    if has(tokens, named, "MONTH"):
        found.since = following
    elif has(tokens, named, *MONTHS) and number_at(tokens, named + 1) is None:
        month = month_of(tokens[named])
        year = moment.today.year + (month < moment.today.month)
        found.since = max(date(year, month, 1), moment.today)
    else:
        return 0
    return named + 1 - at


def _numeric_date(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """2026-11-28, 28.11., 28/11/26, 11/28 where the month comes first."""
    if tokens[at].kind != "date":
        return 0
    numbers = [int(n) for n in re.split(r"[-./]", tokens[at].text)]
    if len(numbers) == 3 and numbers[0] > 31:
        year, month, day = numbers
        return int(_note_date(found, moment, day, month, year))
    day, month = numbers[:2]
    if "/" in tokens[at].text and (moment.month_first or month > 12) and day <= 12:
        day, month = month, day
    year = numbers[2] if len(numbers) == 3 else 0
    return int(_note_date(found, moment, day, month, year + 2000 if 0 < year < 100 else year))


def _note_date(found: Found, moment: Moment, day: int, month: int, year: int | None) -> bool:
    try:
        named = date(year or moment.today.year, month, day)
        if not year and named < moment.today:
            named = date(moment.today.year + 1, month, day)
    except ValueError:
        return False
    found.days.add(named)
    return True


def _day_of_month(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """The 28th, 28 числа."""
    n = number_at(tokens, at)
    if n is None or not 1 <= n <= 31:
        return 0
    if tokens[at].kind == "ordinal":
        used = 2 if has(tokens, at + 1, "DAY_NUMBER") else 1
    elif has(tokens, at + 1, "DAY_NUMBER"):
        used = 2
    elif n > 12 and has(tokens, at - 1, *WEEKDAYS, *BRIEF):  # "tuesday 24"
        used = 1
    else:
        return 0
    month = moment.today.replace(day=1)
    for _ in range(3):
        try:
            day = month.replace(day=n)
        except ValueError:
            day = date.min
        if day >= moment.today:
            found.days.add(day)
            return used
        month = (month + 31 * _DAY).replace(day=1)
    return 0


def _weekdays(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Friday, next friday, this weekend, next week."""
    following, used = has(tokens, at, "NEXT"), 0
    if following or has(tokens, at, "THIS"):
        used = 1
    if has(tokens, at + used, "WEEK") and used:
        found.next_week |= following
        return 2
    if has(tokens, at + used, "WEEKEND"):
        found.weekdays.add(5)
    elif has(tokens, at + used, *WEEKDAYS) or (
        has(tokens, at + used, *BRIEF) and (used or len(tokens) <= 2 or _means_a_day(tokens, at))
    ):
        found.weekdays.add(weekday_of(tokens[at + used]))
    else:
        return 0
    found.next_weekday |= following
    return used + 1 + _other_weekdays(tokens, at + used + 1)


def _other_weekdays(tokens: Sequence[Token], at: int) -> int:
    """Count the tokens of "or thursday": of several days, the one named first is shown first."""
    used = 0
    while True:
        joint = has(tokens, at + used, "OR")
        if not has(tokens, at + used + joint, *WEEKDAYS):
            return used
        used += joint + 1


def _means_a_day(tokens: Sequence[Token], at: int) -> bool:
    """Tell "on sat" and "sun 10am" from "I sat down" and "the sun is out"."""
    if has(tokens, at - 1, "ON", "AT"):
        return True
    return at + 1 < len(tokens) and (tokens[at + 1].kind != "word" or bool(tokens[at + 1].codes))


def _near_days(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Today, tonight, tomorrow, послезавтра."""
    for code, ahead in (("TODAY", 0), ("TONIGHT", 0), ("TOMORROW", 1), ("AFTER_TOMORROW", 2)):
        if has(tokens, at, code):
            found.days.add(moment.today + ahead * _DAY)
            if code == "TONIGHT":
                found.parts.add(EVENING)
            return 1
    return 0


def _fractions(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Half past four, quarter to five, в половине пятого, noon."""
    if has(tokens, at, "NOON"):
        found.clocks.add(Clock(12, sure=True))
        return 1
    if has(tokens, at, *HALVES):
        found.clocks.add(Clock((half_of(tokens[at]) - 1) or 12, 30))
        return 1
    hour = number_at(tokens, at + 1)
    if hour is None or not 1 <= hour <= 12:
        return 0
    for code, back, minute in (
        ("HALF_PAST", 0, 30),
        ("QUARTER_PAST", 0, 15),
        ("QUARTER_TO", 1, 45),
        ("QUARTER_OF", 1, 15),
        ("HALF_TO", 1, 30),
    ):
        if has(tokens, at, code):
            found.clocks.add(Clock((hour - back) or 12, minute))
            return 2
    return 0


def _minutes(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Ten to four, twenty past three, без десяти пять: minutes in words, and an hour."""
    less = has(tokens, at, "LESS")
    first = at + less
    minutes = _minutes_at(tokens, first, digits=less)
    hour_at = first + 1 + (not less) + (less and has(tokens, first + 1, "MINUTE"))
    hour = number_at(tokens, hour_at)
    if minutes is None or hour is None or not 1 <= hour <= 12:
        return 0
    if less or has(tokens, first + 1, "TO"):
        found.clocks.add(Clock((hour - 1) or 12, 60 - minutes))
    elif has(tokens, first + 1, "PAST"):
        found.clocks.add(Clock(hour, minutes))
    else:
        return 0
    return hour_at + 1 - at


def _minutes_at(tokens: Sequence[Token], at: int, *, digits: bool) -> int | None:
    """Return the minutes that are named in words, or with `digits` also in figures."""
    for code, minutes in _MINUTES.items():
        if has(tokens, at, code):
            return minutes
    n = number_at(tokens, at)
    figures = n is not None and tokens[at].text.isdecimal()
    return (
        n if n is not None and 0 < n < 60 and (digits or (n in (5, 10) and not figures)) else None
    )


def _hours(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """15:30, 3pm, at 3, в 6 вечера, 10 o'clock."""
    said_at = has(tokens, at, "AT")
    number = at + said_at
    beside = not said_at and _is_beside_a_day(tokens, at, moment)
    if number >= len(tokens):
        return 0
    token, used = tokens[number], said_at + 1
    if said_at and "HOUR" in token.codes and "OCLOCK" in token.codes:
        token = Token("number", "1", number=1)  # "в час"
    clock = token.kind == "clock"
    if not clock and (token.kind != "number" or not 0 <= token.number <= 24):
        return 0
    named = has(tokens, number + 1, "DAY_NUMBER", "DAY", "WEEK", "MINUTE", "PEOPLE", *MONTHS)
    if named and not clock and not has(tokens, number + 1, *PARTS_SAID):
        return 0  # "на 15 ноября"
    hour, minute = token.number, token.minute if clock else 0
    oclock = has(tokens, at + used, "OCLOCK")
    used += oclock
    half = has(tokens, at + used, "AM", "PM")
    part = has(tokens, at + used, *PARTS_SAID)
    if not (said_at or beside or clock or oclock or half or part) or hour > 24 or minute > 59:
        return 0
    sure = token.text.startswith("0") or hour > 12
    if half and 1 <= hour <= 12:
        hour, sure = hour % 12 + (12 if has(tokens, at + used, "PM") else 0), True
        used += 1
    found.clocks.add(Clock(hour % 24, minute, sure=sure))
    return used


def _is_beside_a_day(tokens: Sequence[Token], at: int, moment: Moment) -> bool:
    """Tell whether a bare number is an hour: "tuesday 11", "завтра 15", but not "tuesday 24"."""
    if not has(tokens, at - 1, *WEEKDAYS, *BRIEF, "TODAY", "TOMORROW", "AFTER_TOMORROW"):
        return False
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if following is not None and not following.codes and following.text not in _THEN:
        return False
    n = tokens[at].number
    if not has(tokens, at - 1, *WEEKDAYS, *BRIEF) or not 13 <= n <= 31:
        return 0 < n <= 24
    ahead = (moment.today + k * _DAY for k in range(62))
    named = next((day for day in ahead if day.day == n), moment.today)
    return named.weekday() != weekday_of(tokens[at - 1]) and n <= 24


def _parts(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Morning, вечером."""
    for code in PARTS_SAID:
        if has(tokens, at, code):
            found.parts.add(code)
            if has(tokens, at - 1, "THIS") and code != "night":  # "this afternoon" is today's
                found.days.add(moment.today)
            return 1
    return 0


def _harmless(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """One, as in "one haircut"; so many people, minutes or times."""
    if tokens[at].kind != "number":
        return 0
    if has(tokens, at + 1, "PEOPLE"):
        return 2
    return int(tokens[at].text in ONES)


Rule = Callable[[Sequence[Token], int, Moment, Found], int]
RULES: Final[tuple[Rule, ...]] = (
    _excluded,
    seasons.part_of_a_week,
    seasons.week_of(_month, _numeric_date, _day_of_month),
    seasons.feast,
    _relative,
    _month,
    _month_alone,
    _numeric_date,
    _near_days,
    _weekdays,
    _minutes,
    _fractions,
    spans.between,
    spans.before,
    _hours,
    _day_of_month,
    _parts,
    _harmless,
)
