"""The lists that customers choose from: services, people, days and times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flows import wording as t
from flows.asking import NOTE, ROWS, TITLE, local, sheet, today, words
from flows.draft import NO_WISH, ChoosingDay, ChoosingService, ChoosingStaff, ChoosingTime
from flows.effects import Row, Say, Sheet
from flows.formats import capitalised, fit, told_apart, units
from flows.machine import Context
from flows.model import PARTS, FreeDay, Service, Slot, Staff, Wish, part_of
from flows.replies import (
    CallUs,
    MoreDays,
    MoreServices,
    MoreStaff,
    MoreTimes,
    PickDay,
    PickService,
    PickSlot,
    PickStaff,
    encode,
)
from flows.wanted import days_text, next_week, waiting_for, wish_to_wait_for
from flows.wording import Words
from flows.wording_waitlist import DAYS_AND_PART, JOIN_WAITLIST, PARTS_OF_DAYS

Timed = tuple[Slot, time]
"""A slot with its local time of day."""

_ROUNDNESS = {0: 1, 30: 2}  # minute of the hour -> rank
BEST = 3
"""How many of the nearest times carry a star."""
MANY_PAGES = 3
"""After so many (More times) in a row, a list also offers another day and the phone."""
_LISTS_KEPT = 64


# --- what and who ---


def what(ctx: Context, service_id: int, staff_id: int | None, also: Sequence[int] = ()) -> str:
    """Name the services of a visit, and who does them if that is settled."""
    w, catalog = words(ctx), ctx.catalog
    known = [catalog.service_by_id.get(id_) for id_ in (service_id, *also)]
    name = joined(w, [service.name_in(ctx.locale) for service in known if service])
    person = catalog.staff_by_id.get(staff_id) if staff_id else None
    return w(t.WITH, service=name, staff=fit(person.name, t.NAME)) if person else name


def joined(w: Words, names: Sequence[str]) -> str:
    """Name several services in a row: `Cut and Colour`."""
    if len(names) < 2:
        return fit(names[0], t.NAME) if names else ""
    *first, last = names
    return fit(w(t.AND, first=", ".join(first), second=last), t.NAME)


def services(ctx: Context, state: ChoosingService) -> Say:
    """Ask what they would like: all that can be booked, or what they may have meant."""
    w, offered = words(ctx), ctx.catalog.bookable_services
    if state.only:
        offered = tuple(s for s in offered if s.id in state.only) or offered
    room = ROWS if len(offered) <= ROWS else ROWS - 1
    page = offered[state.offset : state.offset + room] or offered[:room]
    following = state.offset + room
    more = following if following < len(offered) else None
    question = w(t.WHICH_OF_THESE if state.only else t.WHAT)
    if state.wish != NO_WISH or state.from_day is not None:
        heard = capitalised(wish_text(ctx, state.wish, state.from_day)).removesuffix(".")
        question = f"{heard}. {question}"
    unwanted = ctx.catalog.staff_by_id.get(state.not_by or 0)
    if unwanted is not None:
        question = f"{w(t.NOT_BY, staff=fit(unwanted.name, t.NAME))} {question}"
    footer = w(t.WRITE_IT) if not state.only else ""
    return Say(question, sheet=_services(ctx, w, page, more), footer=footer)


def _services(ctx: Context, w: Words, page: Sequence[Service], more: int | None) -> Sheet:
    """List services, and how to see those from a number on; it follows from the catalogue."""
    kept: dict[Any, Sheet] = ctx.catalog.memo.setdefault("services", {})
    key = (ctx.locale, more, *(service.id for service in page))
    if key not in kept:
        if len(kept) >= _LISTS_KEPT:
            kept.clear()
        kept[key] = _sheet_of(ctx, w, page, more)
    return kept[key]


def _sheet_of(ctx: Context, w: Words, page: Sequence[Service], more: int | None) -> Sheet:
    names = told_apart([service.name_in(ctx.locale) for service in page], TITLE)
    rows = [
        (service, Row(encode(PickService(service.id)), name, service_note(ctx, w, service)))
        for service, name in zip(page, names, strict=True)
    ]
    rest = [] if more is None else [Row(encode(MoreServices(more)), w(t.MORE_SERVICES))]
    sections = [*_by_category(w, rows), (w(t.OTHERS), rest)]
    if len(sections) > ROWS or len(sections) == 2:
        sections = [("", [row for _, row in rows] + rest)]
    return sheet(w(t.SERVICES), *sections)


def wish_text(ctx: Context, wish: Wish, from_day: date | None = None) -> str:
    """Say back what was understood of a wish: `tomorrow 3:00 PM`, `next week, mornings`."""
    w, now = words(ctx), today(ctx)
    if wish.day is None and from_day is not None:
        week = from_day == next_week(now)[0]
        text = days_text(ctx, *next_week(now)) if week else w.dated(from_day, now)
        if wish.at is not None:
            return w(t.LIST_JOIN, first=text, second=w.time(wish.at))
        return w(DAYS_AND_PART, days=text, part=w(PARTS_OF_DAYS[wish.part])) if wish.part else text
    if wish.day is not None and wish.at is not None:
        return w.when(datetime.combine(wish.day, wish.at), now)
    parts = [w.day(wish.day, now)] if wish.day is not None else []
    if wish.at is not None:
        parts.append(w.time(wish.at))
    if wish.part is not None:
        parts.append(w(t.PARTS[wish.part]).lower())
    return ", ".join(parts)


def _by_category(w: Words, rows: Sequence[tuple[Service, Row]]) -> list[tuple[str, list[Row]]]:
    sections: dict[str, list[Row]] = {}
    for service, row in rows:
        sections.setdefault(service.category or w(t.OTHERS), []).append(row)
    titles = told_apart(list(sections), TITLE)
    return list(zip(titles, sections.values(), strict=True))


def service_note(ctx: Context, w: Words, service: Service) -> str:
    """Say how long a service takes and what it costs."""
    lowest, highest = ctx.catalog.prices[service.id]
    minutes = w.count(t.MINUTES, service.minutes)
    if not highest:
        return minutes
    price = w.price(lowest, ctx.catalog.company.currency)
    if lowest != highest:
        price = w(t.FROM_PRICE, price=price)
    return w(t.LIST_JOIN, first=minutes, second=price)


def staff(ctx: Context, state: ChoosingStaff, earliest: Sequence[Slot]) -> Say:
    """Ask by whom, each with their first free time; whoever has none comes last."""
    w, service_id = words(ctx), state.service_id
    first = {slot.staff_id: slot for slot in earliest}
    team = [one for one in ctx.catalog.staff_for(service_id) if one.id != state.not_by]
    team.sort(key=lambda person: person.id not in first)
    room = ROWS - 1 if len(team) <= ROWS - 1 else ROWS - 2
    page = team[state.offset : state.offset + room] or team[:room]
    notes = {at: _earliest(ctx, w, at) for at in {slot.start for slot in earliest}}
    anyone = PickStaff(service_id, None, state.moving, state.also)
    rows = [Row(encode(anyone), w(t.ANYONE), notes[min(notes)])]
    names = told_apart([person.name for person in page], TITLE)
    for person, name in zip(page, names, strict=True):
        slot = first.get(person.id)
        note = _staff_note(ctx, w, person, notes[slot.start] if slot else "", service_id)
        picked = PickStaff(service_id, person.id, state.moving, state.also)
        rows.append(Row(encode(picked), name, note))
    if state.offset + room < len(team):
        more = MoreStaff(service_id, state.offset + room, state.moving, state.also)
        rows.append(Row(encode(more), w(t.MORE_STAFF)))
    question = w(t.WITH_WHOM, service=what(ctx, service_id, None, state.also))
    return Say(question, sheet=sheet(w(t.TEAM), ("", rows)))


def _earliest(ctx: Context, w: Words, at: datetime) -> str:
    return w(t.EARLIEST, when=w.when(local(ctx, at), today(ctx)))


def _staff_note(ctx: Context, w: Words, person: Staff, earliest: str, service_id: int) -> str:
    note = earliest or w(t.FULLY_BOOKED)
    lowest, highest = ctx.catalog.prices[service_id]
    if lowest == highest:
        return note
    price = w.price(person.offers[service_id].price_minor, ctx.catalog.company.currency)
    return w(t.LIST_JOIN, first=note, second=price)


# --- when ---


def days(ctx: Context, state: ChoosingDay, free: Sequence[FreeDay], *, more: bool) -> Say:
    """Ask for a day; each says how many times are left."""
    w, now = words(ctx), today(ctx)
    choice = (state.service_id, state.staff_id)
    wait = _wait_row(ctx, w, state, state.missed)
    room = ROWS - len(wait)
    room = room - 1 if more or len(free) > room else room
    rows = [
        Row(
            encode(PickDay(*choice, day.day, state.moving, state.also)),
            capitalised(w.day(day.day, now)),
            _day_note(w, day),
        )
        for day in free[:room]
    ]
    if more or len(free) > room:
        later = free[:room][-1].day + timedelta(days=1)
        more_days = MoreDays(*choice, later, state.moving, state.also)
        rows.append(Row(encode(more_days), w(t.LATER_DATES)))
    rows += wait
    wanted = what(ctx, *choice, state.also)
    if state.before is not None:
        when = w.moment(local(ctx, state.before.start), now)
        question = w(t.WHICH_DAY_INSTEAD, what=wanted, when=when)
    else:
        question = w(t.WHICH_DAY, what=wanted)
    return Say(question, sheet=sheet(w(t.DAYS), ("", rows)), footer=w(t.WRITE_WHEN))


def _day_note(w: Words, day: FreeDay) -> str:
    times = w.count(t.TIMES_LEFT, day.times)
    busy = t.BUSY.get(day.busy_part or "")
    return w(busy, times=times) if busy else times


def times(ctx: Context, state: ChoosingTime, day: date, slots: Sequence[Slot]) -> Say:
    """Ask for a time of a day, by part of the day, a page at a time."""
    w, zone = words(ctx), ctx.catalog.zone
    timed = [(slot, _clock(slot.start, zone)) for slot in slots]
    wait = _wait_row(ctx, w, state, state.missed)
    if state.wish.part:
        timed = [pair for pair in timed if part_of(pair[1]) == state.wish.part]
        page, last, following = _spread(timed, ROWS - 1), False, 0  # the rest is the whole day
    else:
        page, last = _page(timed, state.page, ROWS - len(wait))
        following = state.page + 1
    sections: dict[str, list[Row]] = {part: [] for part in PARTS}
    for slot, at in page:
        sections[part_of(at)].append(_time_row(ctx, w, state, slot, w.time(at)))
    rest: list[Row] = []
    if not last:
        who = (state.service_id, state.staff_id)
        more = MoreTimes(*who, day, following, state.moving, state.also)
        rest.append(Row(encode(more), w(t.MORE_TIMES)))
    rest += wait
    if last or state.page >= MANY_PAGES:
        rest += _ways_out(ctx, w, state)[: ROWS - len(page) - len(rest)]
    wanted = what(ctx, state.service_id, state.staff_id, state.also)
    question = w(t.WHAT_TIME, day=capitalised(w.day(day, today(ctx))), what=wanted)
    parts = [(w(t.PARTS[part]), rows) for part, rows in sections.items()]
    return Say(question, sheet=sheet(w(t.TIMES), *parts, (w(t.OTHERS), rest)))


@lru_cache(maxsize=8192)
def _clock(moment: datetime, zone: ZoneInfo) -> time:
    """What the clocks of a zone show at a moment in UTC; kept, for nearly all are quarters."""
    return moment.astimezone(zone).time()


def _page(left: list[Timed], number: int, room: int) -> tuple[list[Timed], bool]:
    """Return one page of times in order, and whether it is the last."""
    for page in range(number + 1):
        ways_out = 2 if page >= MANY_PAGES else 0
        if len(left) <= room - ways_out:
            return left, True
        picked = _spread(left, room - 1 - ways_out)
        if page == number:
            return picked, False
        taken = {slot.start for slot, _ in picked}
        left = [pair for pair in left if pair[0].start not in taken]
    return left[:room], True


def _spread(timed: Sequence[Timed], room: int) -> list[Timed]:
    """Pick times from all over the day: popular ones first, then full hours, half hours, others.

    Where the business cares, those that leave no gap come before all that do.
    """
    ranks: tuple[list[Timed], ...] = ([], [], [], [], [], [], [], [])
    for pair in timed:
        slot, minute = pair[0], pair[1].minute
        place = 0 if slot.popular else _ROUNDNESS.get(minute, 3)
        ranks[place if slot.snug else place + 4].append(pair)
    picked: list[Timed] = []
    for rank in ranks:
        space = room - len(picked)
        if len(rank) > space:
            picked += [rank[n * (len(rank) - 1) // max(1, space - 1)] for n in range(space)]
            break
        picked += rank
    return sorted(picked, key=lambda pair: pair[0].start)


def nearest(ctx: Context, state: ChoosingTime, slots: Sequence[Slot]) -> Say:
    """Offer the free times nearest to a wish, best first; the first three carry a star."""
    w, now = words(ctx), today(ctx)
    rest = _ways_out(ctx, w, state)
    if not _comes_true(ctx, state.wish, slots):
        rest += _wait_row(ctx, w, state, state.wish)
    rows = []
    for place, slot in enumerate(slots[: ROWS - len(rest)]):
        at = local(ctx, slot.start)
        title, day = w.time(at.time()), w.day(at.date(), now)
        if at.date() != state.wish.day and units(long := capitalised(w.when(at, now))) <= TITLE:
            title, day = long, ""  # the day is in the title; otherwise it is in the note
        starred = w(t.BEST, when=title)
        if place < BEST and units(starred) <= TITLE:
            title = starred
        rows.append(_time_row(ctx, w, state, slot, title, day))
    message = t.SOME_TIMES if state.wish == NO_WISH else t.NEAREST
    question = w(message, what=what(ctx, state.service_id, state.staff_id, state.also))
    return Say(question, sheet=sheet(w(t.TIMES), ("", rows + rest)), footer=w(t.WRITE_WHEN))


def _time_row(
    ctx: Context, w: Words, state: ChoosingTime, slot: Slot, title: str, day: str = ""
) -> Row:
    notes = [day] if day else []
    person = ctx.catalog.staff_by_id.get(slot.staff_id)
    if slot.staff_id != state.staff_id and person is not None:
        notes.append(fit(person.name, 30))
        lowest, highest = ctx.catalog.prices[state.service_id]
        if lowest != highest:
            notes.append(w.price(slot.price_minor, ctx.catalog.company.currency))
    if slot.popular:
        notes.append(w(t.POPULAR))
    who = (state.service_id, state.staff_id)
    picked = PickSlot(*who, slot.start, slot.staff_id, state.moving, state.also)
    return Row(encode(picked), title, fit(", ".join(notes), NOTE) if notes else "")


def _comes_true(ctx: Context, wish: Wish, slots: Sequence[Slot]) -> bool:
    """Tell whether one of the times is what was wished for."""
    for slot in slots:
        at = local(ctx, slot.start)
        same_time = wish.at in (None, at.time()) and wish.part in (None, part_of(at.time()))
        if same_time and wish.day in (None, at.date()):
            return True
    return False


def _wait_row(ctx: Context, w: Words, state: ChoosingDay | ChoosingTime, missed: Wish) -> list[Row]:
    """Return the way onto the waitlist for what could not be had."""
    if missed.day is None:
        return []
    reply = waiting_for(state.service_id, state.staff_id, missed, state.not_by)
    return [Row(encode(reply), w(JOIN_WAITLIST), fit(wish_to_wait_for(ctx, missed), NOTE))]


def _ways_out(ctx: Context, w: Words, state: ChoosingTime) -> list[Row]:
    """Return what else they can do when no time suits."""
    who = (state.service_id, state.staff_id)
    days_ = MoreDays(*who, today(ctx), state.moving, state.also)
    ways = [Row(encode(days_), w(t.DIFFERENT_DAY))]
    if ctx.catalog.company.phone:
        ways.append(Row(encode(CallUs()), w(t.CALL_US)))
    return ways
