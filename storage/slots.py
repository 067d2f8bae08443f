"""Answers to what flows ask about free times.

A search begins with the days in which the answer nearly always lies, and looks at more only when
it does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from flows.effects import FindDays, FindEarliest, FindNearest, FindTimes
from flows.events import DaysFound, EarliestFound, NearestFound, TimesFound
from flows.hours import Interval, epoch, second_of
from flows.model import AFTERNOON, MORNING, Catalog, FreeDay, Slot, Wish
from flows.nearest import Option, anytime, nearest, soonest
from flows.slots import busy_part, by_day, plenty, snug, visited
from storage.pool import Connection
from storage.popular import popular_times
from storage.search import Free, Search
from storage.taken import Looker, looker

Find: TypeAlias = FindEarliest | FindDays | FindTimes | FindNearest
Found: TypeAlias = EarliestFound | DaysFound | TimesFound | NearestFound

_EARLIEST_WITHIN: Final = 2
"""Days in which nearly everybody has a free time."""
_BEFORE_WISH, _AFTER_WISH = 3, 7
"""How many days around the one wished for are worth offering instead of it."""


class Sight(NamedTuple):
    """How free times are looked for: `sight` of a connection, or together with others."""

    look: Looker
    popular: Callable[[Catalog, datetime], Awaitable[frozenset[int]]]


def sight(conn: Connection) -> Sight:
    """The sight of whoever has a connection."""
    return Sight(looker(conn), partial(popular_times, conn))


async def answer(
    sees: Sight, catalog: Catalog, ask: Find, *, now: datetime, conversation_id: int | None
) -> Found:
    """Find free times; what the asking conversation holds itself counts as free."""
    moving = None if isinstance(ask, FindEarliest) else ask.moving
    # For a wish, whoever else does it is better than nobody.
    staff_id = None if isinstance(ask, FindEarliest | FindNearest) else ask.staff_id
    search = Search(
        sees.look,
        catalog,
        ask.service_id,
        staff_id,
        now=now,
        conversation_id=conversation_id,
        moving=moving,
        also=ask.also,
        but=ask.but,
    )
    match ask:
        case FindEarliest():
            return EarliestFound(ask.service_id, await _earliest(search))
        case FindDays():
            days = await _days(search, ask.from_day.toordinal(), ask.limit)
            return DaysFound(tuple(days[: ask.limit]), more=len(days) > ask.limit)
        case FindTimes():
            popular = await sees.popular(catalog, now)
            return TimesFound(ask.day, await _times(search, ask.day.toordinal(), popular))
        case FindNearest():
            popular = await sees.popular(catalog, now)
            return NearestFound(await _nearest(search, ask, popular))


async def _earliest(search: Search) -> tuple[Slot, ...]:
    found: dict[int, Slot] = {}
    for low, high in _windows(search, search.first_day, _EARLIEST_WITHIN):
        waiting = [staff_id for staff_id in search.needs if staff_id not in found]
        if not waiting:
            break
        free = await search.free(low, high, among=waiting)
        first = ((at, staff_id, False) for at, staff_id in free.firsts())
        found |= {slot.staff_id: slot for slot in search.slots(first, free)}
    return tuple(found[id_] for id_ in search.needs if id_ in found)


async def _days(search: Search, from_day: int, limit: int) -> list[FreeDay]:
    """The first days with free times, one more than the limit if there are so many."""
    found: list[FreeDay] = []
    first = max(from_day, search.first_day)
    for low, high in _windows(search, first, limit + limit // 2 + 1):
        free = await search.free(low, high)
        for day, left in free.counts(search.days(low, high)):
            part = _busy_part(search, day, left) if len(found) < limit else None
            found.append(FreeDay(date.fromordinal(day), sum(left), part))
            if len(found) > limit:
                return found
    return found


async def _times(search: Search, day: int, popular: frozenset[int]) -> tuple[Slot, ...]:
    if not search.first_day <= day <= search.last_day:
        return ()
    bounds = search.calendar.bounds(day)
    free = await search.free(bounds.start, bounds.end - 1, turns=len(search.needs) > 1)
    order = free.order(bounds.start, bounds.end)
    chosen = free.assigned(order, bounds.start, bounds.end)
    second_of = search.calendar.second_of
    slots = search.slots(
        (
            (start, staff_id, bool(popular) and second_of(start, bounds) in popular)
            for start, staff_id in chosen.items()
        ),
        free,
    )
    if not search.catalog.company.policy.gap_free:
        return slots
    tight = snug(free.starts, visited(free.taken.busy, {day: bounds})[day])
    return tuple(replace(slot, snug=(slot.staff_id, epoch(slot.start)) in tight) for slot in slots)


async def _nearest(search: Search, ask: FindNearest, popular: frozenset[int]) -> tuple[Slot, ...]:
    """Look around the day of the wish first, then everywhere."""
    day = _wished_day(search, ask.wish)
    begins, ends = search.first_day, search.last_day
    first = max(begins, min(day - _BEFORE_WISH, ends))
    last = max(begins, min(day + _AFTER_WISH, ends))
    low, high = search.calendar.bounds(first).start, search.calendar.bounds(last).end - 1
    free, options = await _options(search, low, high, ask.staff_id)
    if len(options) < ask.limit and (begins < first or last < ends):
        free, options = await _options(search, search.earliest, search.latest, ask.staff_id)
    if ask.wish == Wish() and ask.soonest:
        chosen = soonest(options, limit=ask.limit)
    elif ask.wish == Wish():
        chosen = anytime(options, popular=popular, limit=ask.limit)
    else:
        chosen = nearest(
            options,
            ask.wish,
            day=day,
            staff_id=ask.staff_id,
            popular=popular,
            limit=ask.limit,
        )
    return search.slots(((one.start, one.staff_id, one.second in popular) for one in chosen), free)


def _wished_day(search: Search, wish: Wish) -> int:
    """The day of a wish; one without a date is meant for as soon as it can come true."""
    if wish.day is not None:
        return wish.day.toordinal()
    calendar, today = search.calendar, search.first_day
    bounds = calendar.bounds(today)
    second = calendar.second_of(search.earliest, bounds)
    late = wish.at is not None and second > second_of(wish.at)
    late = late or (wish.part == MORNING and search.earliest >= bounds.noon)
    late = late or (wish.part == AFTERNOON and search.earliest >= bounds.evening)
    return today + late


async def _options(
    search: Search, low: int, high: int, staff_id: int | None
) -> tuple[Free, list[Option]]:
    """Every free start in [low, high], by whom it was wished for or else by whose turn it is."""
    free = await search.free(low, high, turns=len(search.needs) > 1)
    days = search.days(low, high)
    gap_free = search.catalog.company.policy.gap_free
    visits = visited(free.taken.busy, days) if gap_free else {}
    starts = {id_: by_day(some, days) for id_, some in free.starts.items()} if gap_free else {}
    options: list[Option] = []
    for day, bounds in days.items():
        order = free.order(bounds.start, bounds.end)
        order.sort(key=lambda id_: id_ != staff_id)
        of_day = {id_: found.get(day, ()) for id_, found in starts.items()}
        tight = snug(of_day, visits[day]) if gap_free else set()
        options += [
            Option(
                start,
                day,
                search.calendar.second_of(start, bounds),
                id_,
                not gap_free or (id_, start) in tight,
            )
            for start, id_ in free.assigned(order, bounds.start, bounds.end).items()
        ]
    return free, options


def _busy_part(search: Search, day: int, left: Sequence[int]) -> str | None:
    """The part of a day that is nearly booked up, if one stands out; so many starts are left."""
    possible = search.capacity(day)
    return None if plenty(sum(left), possible) else busy_part(left, possible)


def _windows(search: Search, day: int, days: int) -> Iterator[Interval]:
    """Cut the time from a day on into whole days: a few first, then ever more of them."""
    calendar = search.calendar
    while day <= search.last_day:
        until = min(search.last_day, day + days - 1)
        yield calendar.bounds(day).start, calendar.bounds(until).end - 1
        day, days = until + 1, days * 4
