"""Days and times as people type them: "tomorrow at 3", "в пятницу вечером", "the 28th".

The text becomes tokens, each with the codes that its word has in the language's vocabulary; rules
read tokens from left to right and find days, times and parts of the day. The parser prefers to
understand nothing: a number that no rule used, two different days, or two different times, and the
answer is None. What it understood is always shown to the customer before anything is booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from flows.formats import month_first
from flows.model import AFTERNOON, EVENING, MORNING, Wish, part_of
from flows.when_found import PARTS_SAID, Clock, Found, Moment
from flows.when_rules import RULES
from flows.when_tokens import Token, has, read

_DAY = timedelta(days=1)


class Heard(NamedTuple):
    """What a text says about time; `from_day` where it names a stretch of days (next week)."""

    wish: Wish
    from_day: date | None = None


def when(
    text: str, *, now: datetime, language: str, locale: str, opening: tuple[time, time]
) -> Heard | None:
    """Read a day, time or part of the day out of a text; None when it has none or is unclear.

    `now` is local. Hours from 1 to 12 without am or pm are those within the opening hours.
    """
    return when_in(read(text, language), now=now, locale=locale, opening=opening)


def when_in(
    tokens: Sequence[Token], *, now: datetime, locale: str, opening: tuple[time, time]
) -> Heard | None:
    """Read a day, time or part of the day out of a text's tokens."""
    moment = Moment(now, opening, month_first(locale))
    heard = _heard(tokens, moment)
    ors = [at for at in range(len(tokens)) if has(tokens, at, "OR")]
    if heard is None and ors:  # "3pm or 4pm": what is named first is shown first
        first = _heard(tokens[: ors[0]], moment) or _heard(tokens[ors[0] + 1 :], moment)
        if first is not None and first.wish.part is not None and first.wish.day is not None:
            return Heard(Wish(first.wish.day))  # "tomorrow morning or evening"
        return first
    return heard


def _heard(tokens: Sequence[Token], moment: Moment) -> Heard | None:
    found = Found()
    at = 0
    while at < len(tokens):
        unknown = tokens[at].kind == "word" and not tokens[at].codes
        taken = 0 if unknown else _apply(tokens, at, moment, found)
        if not taken and tokens[at].kind != "word":
            return None  # a number that means something else
        at += taken or 1
    try:
        return _conclude(found, moment)
    except (ValueError, OverflowError):
        return None


def _apply(tokens: Sequence[Token], at: int, moment: Moment, found: Found) -> int:
    """Use the first rule that makes something of the tokens from here on."""
    for rule in RULES:
        taken = rule(tokens, at, moment, found)
        if taken:
            return taken
    return 0


def _conclude(found: Found, moment: Moment) -> Heard | None:
    if max(len(found.days), len(found.weekdays), len(found.clocks), len(found.parts)) > 1:
        return None
    if found.exact is not None:
        if found.days or found.weekdays or found.clocks:
            return None
        at = found.exact.time().replace(second=0, microsecond=0)
        return Heard(Wish(found.exact.date(), at))
    part = next(iter(found.parts), None)
    clock = next(iter(found.clocks), None)
    at_time = _time(clock, part, moment) if clock else None
    if clock is None and part is None:
        part, at_time = _stretch(found, moment)
    day = _day(found, at_time, moment)
    from_day = None
    if found.next_week and day is None:
        from_day = moment.today + (7 - moment.today.weekday()) * _DAY
    if day is None and from_day is None:
        from_day = found.since
    if day is None and at_time is None and part is None and from_day is None:
        return None
    return Heard(Wish(day, at_time, None if at_time else PARTS_SAID.get(part or "")), from_day)


def _stretch(found: Found, moment: Moment) -> tuple[str | None, time | None]:
    """Return the part of the day that a stretch lies in, or else the time that it begins at."""
    if found.span is not None:
        low, high = (_time(clock, None, moment) for clock in found.span)
        same = low < high and part_of(low) == part_of(_just_before(high))
        return (part_of(low), None) if same else (None, low)
    if found.before is not None:
        return part_of(_just_before(_time(found.before, None, moment))), None
    return None, None


def _just_before(at: time) -> time:
    return (datetime.combine(date.min + _DAY, at) - timedelta(minutes=1)).time()


def _day(found: Found, at: time | None, moment: Moment) -> date | None:
    today = moment.today
    named = next(iter(found.days), None)
    if not found.weekdays:
        return named
    weekday = next(iter(found.weekdays))
    if named is not None:  # "Saturday, the 28th": only if they agree
        if named.weekday() != weekday:
            raise ValueError
        return named
    ahead = (weekday - today.weekday()) % 7
    if found.next_week:
        return today + (7 - today.weekday() + weekday) * _DAY
    if ahead <= 1 and found.next_weekday:  # nobody calls tomorrow "next friday"
        ahead += 7
    if ahead == 0 and at is not None and at <= moment.now.time():
        ahead = 7
    return today + ahead * _DAY


def _time(clock: Clock, part: str | None, moment: Moment) -> time:
    hour, minute = clock.hour, clock.minute
    if clock.sure or hour > 12 or hour == 0:
        return time(hour, minute)
    if part == "night" and (hour < 6 or hour == 12):
        return time(hour % 12, minute)
    if part == MORNING:
        return time(hour, minute)
    if part in (AFTERNOON, EVENING, "night"):
        return time(hour % 12 + 12, minute)
    early, late = time(hour % 12, minute), time(hour % 12 + 12, minute)
    opens, closes = moment.opening
    fits = [at for at in (early, late) if opens <= at < closes]
    if len(fits) == 1:
        return fits[0]
    return late if hour <= 7 or hour == 12 else early
