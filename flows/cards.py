"""What is said of one visit: before it is booked, when it is booked, and later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flows import wording as t
from flows.areas import Area
from flows.asking import buttons, local, today, words
from flows.calendar_file import calendar_file
from flows.draft import Confirming
from flows.effects import Button, Say
from flows.formats import capitalised, fit
from flows.lists import joined, what
from flows.machine import Context
from flows.model import Piece, Slot, Visit
from flows.replies import AskToCancel, BookIt, ChangeVisit, DropBooking, MoreTimes
from flows.wording import Message, Words
from flows.wording_areas import COMES_TO_YOU, PLACE, WE_COME

ANSWERS_WITHIN = timedelta(hours=2)
"""How long after the first reminder its buttons do what they say, whatever the notice is."""
_LATE = timedelta(hours=1)  # a reminder that goes out so much after the notice began is in time
_TWO_DAYS = 2 * 24 * 60


def held(ctx: Context, state: Confirming) -> Say:
    """Ask whether what is held shall be booked, or the visit moved there."""
    w, slot = words(ctx), state.hold.slot
    start = local(ctx, slot.start)
    left = max(0, round((state.hold.until - ctx.now) / timedelta(minutes=1)))
    choice = BookIt(
        slot.service_id,
        state.staff_id,
        slot.start,
        slot.staff_id,
        state.hold.id,
        state.moving,
        slot.also,
        tuple(piece.staff_id for piece in slot.pieces[1:]),
    )
    page = (start.date(), 0, state.moving, slot.also)
    other = MoreTimes(slot.service_id, state.staff_id, *page)
    if state.moving is None:
        visit = offered(ctx, slot)
        text = w.count(t.HELD, left, visit=visit) if left else w(t.NOT_HELD, visit=visit)
        pairs = ((t.BOOK_IT, choice), (t.OTHER_TIME, other), (t.CANCEL, DropBooking()))
        return Say(text, buttons(w, *pairs))
    keep = DropBooking(state.moving)
    if state.before is not None and state.before.ends and state.before.start == slot.start:
        whole = w(t.ADDING, visit=offered(ctx, slot))
        text = w.count(t.HELD, left, visit=whole) if left else w(t.NOT_HELD, visit=whole)
        return Say(text, buttons(w, (t.ADD_IT, choice), (t.OTHER_TIME, other), (t.KEEP_IT, keep)))
    old = state.before.start if state.before else slot.start
    known = {
        "what": _what(ctx, slot),
        "details": _slot_details(ctx, w, slot),
        "new": _when(ctx, slot),
        "old": w.moment(local(ctx, old), today(ctx)),
    }
    text = w.count(t.MOVING_HELD, left, **known) if left else w(t.MOVING_NOT_HELD, **known)
    return Say(text, buttons(w, (t.MOVE_IT, choice), (t.OTHER_TIME, other), (t.KEEP_IT, keep)))


def offered(ctx: Context, slot: Slot) -> str:
    """Describe a time that could be booked: what and who, when, how long and how much."""
    w = words(ctx)
    details = _slot_details(ctx, w, slot)
    return w(t.VISIT, what=_what(ctx, slot), when=_when(ctx, slot), details=details)


def booked(ctx: Context, visit: Visit, head: Message) -> Say:
    """Tell that a visit is booked or moved, with all that one needs to find it and to change it."""
    w, company = words(ctx), ctx.catalog.company
    name = fit(company.name, t.NAME)
    services = joined(w, [_service(ctx, piece) for piece in visit.pieces or (visit,)])
    summary = w(t.FILE_SUMMARY, service=services, company=name)
    area = _area(ctx, visit)
    where = company.address if visit.area_id is None else place(w, area) if area else None
    file = calendar_file(visit, summary=summary, place=where or "", now=ctx.now)
    text = f"{w(head, code=visit.code)}\n{card(ctx, visit)}\n{_how_to_change(ctx, w, visit)}"
    return Say(text, visit_buttons(w, visit), attachment=file)


def visit_buttons(w: Words, visit: Visit) -> tuple[Button, ...]:
    """Return [Change] and [Cancel visit]."""
    change, cancel = ChangeVisit(visit.id), AskToCancel(visit.id)
    return buttons(w, (t.CHANGE, change), (t.CANCEL_VISIT, cancel))


def card(ctx: Context, visit: Visit) -> str:
    """Describe a visit: what and who, when and how much, where."""
    w, company = words(ctx), ctx.catalog.company
    minutes = w.count(t.MINUTES, (visit.end - visit.start) // timedelta(minutes=1))
    details = _details(ctx, w, minutes, visit.price_minor, visit.currency)
    where = fit(company.name, t.NAME)
    area = _area(ctx, visit)
    if area is not None:
        where = w(COMES_TO_YOU, company=where, place=place(w, area))
    elif company.address and visit.area_id is None:
        where = f"{where}, {fit(company.address, t.ADDRESS)}"
    return f"{of_visit(ctx, visit)}\n{capitalised(_when(ctx, visit))}\n{details}\n{where}"


def where_it_is(ctx: Context, visit: Visit) -> str:
    """Say where to find us for a visit, or where we come to; nothing where that is not known."""
    w, area, address = words(ctx), _area(ctx, visit), ctx.catalog.company.address
    if area is not None:
        return w(WE_COME, place=place(w, area))
    if not address or visit.area_id is not None:
        return ""
    return w(t.OUR_ADDRESS, address=fit(address, t.ADDRESS))


def of_visit(ctx: Context, visit: Visit) -> str:
    """Name a visit's services and who does them, as they were called when it was booked."""
    return _by_turns(
        ctx,
        [(_service(ctx, piece), piece.staff_name) for piece in (visit.pieces or (visit,))],
    )


def _what(ctx: Context, slot: Slot) -> str:
    """Name what a slot is for, and who does it."""
    if not slot.pieces:
        return what(ctx, slot.service_id, slot.staff_id)
    catalog = ctx.catalog
    return _by_turns(
        ctx,
        [
            (
                catalog.service_by_id[piece.service_id].name_in(ctx.locale),
                catalog.staff_by_id[piece.staff_id].name,
            )
            for piece in slot.pieces
        ],
    )


def _by_turns(ctx: Context, done: Sequence[tuple[str, str]]) -> str:
    """Name services and who does them: together when that is one person, else in turn."""
    w, people = words(ctx), list(dict.fromkeys(staff for _, staff in done))
    if len(people) == 1:
        service = joined(w, [service for service, _ in done])
        return w(t.WITH, service=service, staff=fit(people[0], t.NAME))
    length = t.NAME // len(done)
    turns = [w(t.WITH, service=fit(a, length), staff=fit(b, length)) for a, b in done]
    text = turns[0]
    for turn in turns[1:]:
        text = w(t.THEN, first=text, second=turn)
    return text


def at(ctx: Context, visit: Visit) -> str:
    """Say when a visit is, by the clock that its customer was told."""
    return words(ctx).moment(visit_time(ctx, visit, visit.start), today(ctx))


def visit_time(ctx: Context, visit: Visit, moment: datetime) -> datetime:
    """Return a moment in the wall time of a visit."""
    try:
        return moment.astimezone(ZoneInfo(visit.timezone))
    except (ValueError, ZoneInfoNotFoundError):
        return local(ctx, moment)


def _when(ctx: Context, it: Slot | Visit) -> str:
    """Say when a visit is, and by which clocks where theirs, the company's or its doers' differ.

    A visit is told by the clocks that its customer was told when it was booked.
    """
    w, zone = words(ctx), ctx.catalog.timezone
    start = local(ctx, it.start)
    if isinstance(it, Visit):
        start = visit_time(ctx, it, it.start)
        zone = str(start.tzinfo)
    people = {piece.staff_id for piece in it.pieces} or {it.staff_id}
    known = (ctx.catalog.staff_by_id.get(id_) for id_ in people)
    others = [ZoneInfo(one.timezone) for one in known if one and one.timezone]
    zones = (ctx.catalog.zone, ctx.catalog.company.zone, *others)
    offsets = {start.astimezone(other).utcoffset() for other in zones}
    if offsets == {start.utcoffset()}:
        return w.moment(start, today(ctx))
    return w.moment_there(start, today(ctx), zone)


def _area(ctx: Context, visit: Visit) -> Area | None:
    """Return where a visit is, if that is at its customer's, and we still come there."""
    return None if visit.area_id is None else ctx.catalog.area_by_id.get(visit.area_id)


def place(w: Words, area: Area) -> str:
    """Name an area: `South Bend (46601)`."""
    return w(PLACE, city=fit(area.city, t.BUTTON * 2), code=fit(area.postal_code, t.BUTTON))


def notice_rule(ctx: Context) -> str:
    """State how long before a visit it can be changed."""
    w, minutes = words(ctx), ctx.catalog.company.policy.cancel_notice_minutes
    if minutes > _TWO_DAYS and minutes % (24 * 60) == 0:
        return w.count(t.TOO_LATE_DAYS, minutes // (24 * 60))
    if minutes % 60 == 0:
        return w.count(t.TOO_LATE_HOURS, minutes // 60)
    return w.count(t.TOO_LATE_MINUTES, minutes)


def too_late(ctx: Context, visit: Visit) -> bool:
    """Tell whether a visit is too near to be changed here.

    Whoever has just been asked whether they will come may still say that they will not.
    """
    notice = timedelta(minutes=ctx.catalog.company.policy.cancel_notice_minutes)
    asked = visit.reminded_at
    if (
        asked is not None
        and visit.start - asked > notice - _LATE
        and ctx.now < asked + ANSWERS_WITHIN
    ):
        return False
    return visit.starts_within(notice, ctx.now)


def _service(ctx: Context, visit: Visit | Piece) -> str:
    service = ctx.catalog.service_by_id.get(visit.service_id)
    return fit(service.name_in(ctx.locale) if service else visit.service_name, t.NAME)


def _slot_details(ctx: Context, w: Words, slot: Slot) -> str:
    minutes = w.count(t.MINUTES, (slot.end - slot.start) // timedelta(minutes=1))
    details = _details(ctx, w, minutes, slot.price_minor, ctx.catalog.company.currency)
    area = ctx.catalog.area
    return w(t.LIST_JOIN, first=details, second=place(w, area)) if area else details


def _details(ctx: Context, w: Words, minutes: str, price_minor: int, currency: str) -> str:
    if not price_minor:
        return minutes
    return w(t.LIST_JOIN, first=minutes, second=w.price(price_minor, currency))


def _how_to_change(ctx: Context, w: Words, visit: Visit) -> str:
    notice = timedelta(minutes=ctx.catalog.company.policy.cancel_notice_minutes)
    if not notice:
        return w(t.HOW_TO_CHANGE)
    if too_late(ctx, visit):
        return notice_rule(ctx)
    until = visit_time(ctx, visit, visit.start - notice)
    return w(t.HOW_TO_CHANGE_UNTIL, when=w.moment(until, today(ctx)))
