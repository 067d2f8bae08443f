"""How what somebody waits for is told: `this week, evenings`."""

from __future__ import annotations

from datetime import date, timedelta

from flows import wording_waitlist as t
from flows.asking import today, words
from flows.formats import fit
from flows.machine import Context
from flows.model import Wish
from flows.model_waitlist import Wanted
from flows.replies_waitlist import StartWaiting, WaitFor, WaitOn, part_number
from flows.wording import NAME


def this_week(day: date) -> tuple[date, date]:
    """Return what is left of a day's week."""
    return day, day + timedelta(days=6 - day.weekday())


def next_week(day: date) -> tuple[date, date]:
    """Return the week after a day's."""
    first = day + timedelta(days=7 - day.weekday())
    return first, first + timedelta(days=6)


def stretch_from(first: date, now: date) -> tuple[date, date]:
    """Return the days that are meant from a day on: the rest of its week, or of its month."""
    if first <= next_week(now)[1] or (first.weekday() == 0 and first.day > 1):
        return this_week(first)
    return first, (first.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def days_text(ctx: Context, first: date, last: date) -> str:
    """Name a stretch of days within a sentence: `this week`, `tomorrow`, `Nov 21 – Dec 3`."""
    w, now = words(ctx), today(ctx)
    if first == last:
        return w.day(first, now)
    week = now - timedelta(days=now.weekday())
    if last == week + timedelta(days=6) and first >= week:
        return w(t.DAYS_THIS_WEEK)
    if (first, last) == next_week(now):
        return w(t.DAYS_NEXT_WEEK)
    return w(t.DAYS_SPAN, first=w.dated(first, now), last=w.dated(last, now))


def wanted_text(ctx: Context, wanted: Wanted, *, staff: bool = False) -> str:
    """Say for when somebody waits; with `staff` also for whom."""
    w = words(ctx)
    text = days_text(ctx, wanted.first, wanted.last)
    if wanted.part is not None:
        parts = t.PARTS_OF_A_DAY if wanted.first == wanted.last else t.PARTS_OF_DAYS
        text = w(t.DAYS_AND_PART, days=text, part=w(parts[wanted.part]))
    person = ctx.catalog.staff_by_id.get(wanted.staff_id or 0)
    if staff and person is not None:
        text = w(t.AND_WITH, when=text, staff=fit(person.name, NAME))
    unwanted = ctx.catalog.staff_by_id.get(wanted.but or 0)
    if unwanted is not None:
        text = w(t.AND_NOT_WITH, when=text, staff=fit(unwanted.name, NAME))
    return text


def waiting_for(
    service_id: int, staff_id: int | None, wish: Wish, but: int | None = None
) -> StartWaiting | WaitOn | WaitFor:
    """Return the reply that begins to wait for a wish that cannot come true now."""
    if wish.day is None:
        return StartWaiting(service_id, staff_id, but)
    part = wish.part_of_day
    if part is None:
        return WaitOn(service_id, staff_id, wish.day, wish.day, but)
    return WaitFor(service_id, staff_id, wish.day, wish.day, part_number(part), but)


def wish_to_wait_for(ctx: Context, wish: Wish) -> str:
    """Say what somebody would wait for whose wish cannot come true now."""
    if wish.day is None:
        return ""
    part = wish.part_of_day
    return wanted_text(ctx, Wanted(wish.day, wish.day, part))
