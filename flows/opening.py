"""When the business is open, as customers ask it: the usual week, and the days that differ.

The business is open while anybody works there by the rules; somebody's time off closes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from itertools import groupby
from typing import Final

from flows import wording as t
from flows import wording_waitlist as spans
from flows.asking import local, today, words
from flows.formats import capitalised, fit, place_text, weekday_text
from flows.hours import DAY, Interval, calendar_of, cut, merged, second_of
from flows.machine import Context
from flows.model import Shift, Staff
from flows.wording import NAME
from flows.wording_areas import OUR_HOURS

_AHEAD: Final = 14
"""For so many days what differs from the usual week is told."""
_MOST: Final = 5
_WEEK: Final = range(1, 8)
_ANY_MONDAY: Final = date(2024, 1, 1)

Hours = tuple[Interval, ...]
"""When it is open on a day, in seconds from midnight; none: it is closed."""


def hours_text(ctx: Context, asked: date | None = None) -> str | None:
    """Say when it is open: on the day asked about, in the usual week, and where that differs.

    None where nobody has hours.
    """
    week = {weekday: _usual(ctx, weekday) for weekday in _WEEK}
    if not any(week.values()):
        return None
    w, now = words(ctx), today(ctx)
    lines = [_title(ctx), *_week_lines(ctx, week)]
    if asked is not None:
        hours = _on(ctx, asked)
        message = t.OPEN_ON if hours else t.CLOSED_ON
        lines.insert(0, w(message, day=w.day(asked, now), hours=_text(ctx, hours)))
        lines[0] = capitalised(lines[0])
    days = (now + timedelta(days=n) for n in range(_AHEAD))
    others = [day for day in days if _on(ctx, day) != week[day.isoweekday()]][:_MOST]
    for day in others:
        named = capitalised(w.dated(day, now))
        lines.append(w(t.DAY_HOURS, day=named, hours=_text(ctx, _on(ctx, day))))
    return "\n".join(lines)


def hours_of(ctx: Context, person: Staff, asked: date | None) -> str:
    """Say when somebody works: on the day asked about, or else in a usual week."""
    w, now = words(ctx), today(ctx)
    name = fit(person.name, NAME)
    if asked is None:
        week = {weekday: _usual(ctx, weekday, (person,)) for weekday in _WEEK}
        return "\n".join((f"{name}:", *_week_lines(ctx, week, t.DAY_OFF)))
    hours = _on(ctx, asked, (person,))
    message = t.WORKS_ON if hours else t.NOT_IN_ON
    return w(message, staff=name, day=w.day(asked, now), hours=_text(ctx, hours))


def works_on(ctx: Context, person: Staff, day: date) -> bool:
    """Tell whether somebody works on a date."""
    return bool(_on(ctx, day, (person,)))


def _title(ctx: Context) -> str:
    """Say that these are the hours, and by whose clock where the customer's is another one."""
    w, company = words(ctx), ctx.catalog.company
    if ctx.now.astimezone(company.zone).utcoffset() == local(ctx, ctx.now).utcoffset():
        return w(t.OUR_HOURS)
    return w(OUR_HOURS, place=place_text(w.tag, company.timezone))


def _week_lines(ctx: Context, week: dict[int, Hours], none: t.Message = t.CLOSED) -> Iterator[str]:
    """Name days in a row that have the same hours together."""
    w = words(ctx)
    for hours, group in groupby(_WEEK, key=lambda weekday: week[weekday]):
        days = list(group)
        first, last = (
            weekday_text(w.tag, _ANY_MONDAY + timedelta(days=n - 1)) for n in (days[0], days[-1])
        )
        named = capitalised(first if len(days) == 1 else w(spans.DAYS_SPAN, first=first, last=last))
        yield w(t.DAY_HOURS, day=named, hours=_text(ctx, hours, none))


def _text(ctx: Context, hours: Hours, none: t.Message = t.CLOSED) -> str:
    w = words(ctx)
    if not hours:
        return w(none)
    parts = (
        w(spans.DAYS_SPAN, first=w.time(_wall(start)), last=w.time(_wall(end)))
        for start, end in hours
    )
    return ", ".join(parts)


def _wall(second: int) -> time:
    hour, rest = divmod(second % DAY, 3_600)
    return time(hour, rest // 60)


def _usual(ctx: Context, weekday: int, people: Sequence[Staff] = ()) -> Hours:
    """Return when somebody works on a day of the week, whatever the date."""
    work: list[Interval] = []
    for person in people or ctx.catalog.staff:
        of_day = [shift for shift in person.shifts if shift.weekday == weekday]
        shifts = [_span(shift) for shift in of_day if shift.kind != "break"]
        breaks = [_span(shift) for shift in of_day if shift.kind == "break"]
        work += cut(merged(shifts), breaks)
    return tuple(merged(work))


def _on(ctx: Context, day: date, people: Sequence[Staff] = ()) -> Hours:
    """Return when anybody works on a date; of people who are named, without their time off."""
    calendar, work = calendar_of(ctx.catalog), list[Interval]()
    for person in people or ctx.catalog.staff:
        shifts, breaks = calendar.pattern(person.id, day.toordinal())
        work += cut(merged(shifts), breaks)
    if people:
        start = calendar.bounds(day.toordinal()).start
        away = [span for person in people for span in calendar.away(person.id)]
        work = cut(merged(work), [(low - start, high - start) for low, high in away])
    return tuple(merged(work))


def _span(shift: Shift) -> Interval:
    start, end = second_of(shift.starts), second_of(shift.ends)
    if end >= DAY - 60:
        end = DAY
    return start, end if end > start else end + DAY
