"""The usual: what a regular books each time, offered with two free times, booked with one tap.

Offered to whoever greets us and has come at least twice, and suggested when it is time again. The
suggestion is marketing: it goes to nobody who stopped it, and to nobody who has a visit ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from uuid import UUID

from flows import keywords as k
from flows import wording as t
from flows import wording_unasked as unasked
from flows.agreeing import agrees, refuses
from flows.asking import Asking, Back, Idle, buttons, local, shown, today, words
from flows.cards import booked
from flows.draft import ChoosingDay, ChoosingService, ChoosingStaff, ChoosingTime, Order
from flows.effects import (
    BookSlot,
    Button,
    FindNearest,
    FindVisits,
    HoldSlot,
    NoteReminder,
    Record,
    Say,
    SetMarketing,
)
from flows.events import (
    Event,
    NearestFound,
    SlotBooked,
    SlotHeld,
    SlotTaken,
    TextReceived,
    VisitsFound,
)
from flows.formats import capitalised, fit
from flows.greeting import greet
from flows.lists import what
from flows.machine import Context, Flow, Step
from flows.model import Slot, Usual, Visit, Wish
from flows.ordering import ask_nearest, completed, go_on, is_offered, last_day
from flows.reminding import REBOOK
from flows.replies import (
    OpenMenu,
    Reply,
    StartBooking,
    decode,
    encode,
)
from flows.replies_unasked import NotNow, PickUsual, StopSuggestions, SuggestAgain
from flows.templates import REBOOK as REBOOK_TEMPLATE
from flows.templates import use
from flows.when_shift import shift_in
from flows.when_tokens import read
from flows.wishes import understand
from flows.wording import Words

LEAST_VISITS: Final = 2
"""From so many completed visits on, somebody has a usual."""
SURE: Final = 0.6
"""So much of what they did must have been one thing: two visits alike, or most of many."""
SLOTS: Final = 2
_LOOKED_AT: Final = 12
_EARLY: Final = timedelta(days=3)  # a usual day so shortly before it is time will do
_WEEK: Final = 7


class OfferingUsual(Asking):
    """The usual, at one of these times?"""

    step: Literal["usual.offering"] = "usual.offering"


class Suggesting(Asking):
    """Is there a time to suggest?"""

    step: Literal["usual.suggesting"] = "usual.suggesting"
    booking_id: UUID
    busy: bool = False


class BookingUsual(Asking):
    """The usual is being booked."""

    step: Literal["usual.booking"] = "usual.booking"
    service_id: int
    staff_id: int
    wish: Wish = Wish()


Booking: TypeAlias = (
    BookingUsual | ChoosingService | ChoosingStaff | ChoosingDay | ChoosingTime | Idle
)


Answering: TypeAlias = (
    OfferingUsual | ChoosingService | ChoosingStaff | ChoosingDay | ChoosingTime | Idle
)


def welcome(ctx: Context) -> Step[Idle | OfferingUsual]:
    """Greet; of a regular, look for the times of the usual first."""
    usual = usual_of(ctx)
    if usual is None or ctx.customer.opted_out or ctx.customer.visit_ahead:
        return greet(ctx)
    return Step(OfferingUsual(), ask=_find(ctx, usual))


def usual_of(ctx: Context) -> Usual | None:
    """Return what the customer usually books, if it is still offered."""
    usual = ctx.customer.usual
    if ctx.catalog.areas and ctx.catalog.area is None:  # by which clock, nobody knows (flows.where)
        return None
    if usual is None or usual.visits < LEAST_VISITS or usual.confidence < SURE:
        return None
    return usual if is_offered(ctx, usual.service_id, usual.staff_id) else None


def suggest(
    ctx: Context, booking_id: UUID, visited: datetime, *, busy: bool
) -> Step[Suggesting | Back]:
    """Look for times to suggest for the next visit, unless that would be unwelcome or pointless."""
    customer, usual = ctx.customer, usual_of(ctx)
    unwanted = customer.opted_out or customer.marketing_off or customer.visit_ahead
    if usual is None or unwanted or not ctx.catalog.company.policy.suggest_usual:
        return Step(Back())
    if usual.last_visit > visited:
        return Step(Back())  # they have been here since: that visit has a suggestion of its own
    return Step(Suggesting(booking_id=booking_id, busy=busy), ask=_find(ctx, usual))


def offering(state: OfferingUsual, event: Event, ctx: Context) -> Step[Answering] | None:
    """Offer the usual at the times that are free, or greet like anybody."""
    if isinstance(event, TextReceived):
        return _typed(state, event.text, ctx)
    if not isinstance(event, NearestFound):
        return None
    usual = usual_of(ctx)
    slots = _chosen(ctx, usual, event.slots) if usual else ()
    if usual is None or not slots:
        return greet(ctx)
    w, name = words(ctx), ctx.customer.name
    known = {"what": what(ctx, usual.service_id, usual.staff_id)}
    if name:
        text = w(unasked.USUAL, name=fit(name, unasked.FIRST_NAME), **known)
    else:
        text = w(unasked.USUAL_NAMELESS, **known)
    more = buttons(w, (unasked.SOMETHING_ELSE, OpenMenu()))
    return shown(state, Say(text, (*_buttons(ctx, slots), *more)), Record("usual_offered"))


def _typed(state: OfferingUsual, raw: str, ctx: Context) -> Step[Answering] | None:
    """Take a no; a yes for the first time, to be confirmed; and another day for the usual."""
    if refuses(raw):
        return greet(ctx)
    usual, offered = usual_of(ctx), [decode(id_) for id_, _ in state.offered]
    first = next((reply for reply in offered if isinstance(reply, PickUsual)), None)
    if usual is None or first is None:
        return None
    order = Order(usual.service_id, usual.staff_id, who_known=True)
    if agrees(raw):
        wall = local(ctx, first.start)
        return go_on(ctx, replace(order, wish=Wish(wall.date(), wall.time())))
    shift = shift_in(read(raw, words(ctx).language))
    if shift is not None:
        wall = local(ctx, first.start) + shift
        return go_on(ctx, replace(order, wish=Wish(wall.date(), wall.time())))
    wished = understand(raw, ctx)
    if wished is None or wished.services or wished.staff_id or wished.not_by or wished.stranger:
        return None
    if not wished.says_when or k.CANCEL_VISIT.has(k.bare(raw)):
        return None
    return go_on(ctx, replace(order, wish=wished.wish, from_day=wished.from_day))


def suggesting(state: Suggesting, event: Event, ctx: Context) -> Step[Back | OfferingUsual] | None:
    """Suggest the next visit, if there is a time for it."""
    if not isinstance(event, NearestFound):
        return None
    usual = usual_of(ctx)
    slots = _chosen(ctx, usual, event.slots) if usual else ()
    if usual is None or not slots:
        return Step(Back())
    say = _suggestion(ctx, state, usual, slots)
    suggested = (NoteReminder(state.booking_id, REBOOK), Record("usual_suggested"))
    if state.busy:
        return Step(Back(), (say, *suggested))
    return shown(OfferingUsual(), say, *suggested)


def booking(state: BookingUsual, event: Event, ctx: Context) -> Step[Booking] | None:
    """Book what was tapped: held and booked in one turn."""
    match event:
        case SlotHeld(hold):
            return Step(state, ask=BookSlot(hold, source="usual"))
        case SlotBooked(visit):
            submitted = Record(
                "booking_submitted",
                {
                    "booking_id": str(visit.id),
                    "service_id": visit.service_id,
                    "staff_id": visit.staff_id,
                    "usual": True,
                },
            )
            return shown(Idle(), booked(ctx, visit, t.BOOKED), completed("confirm"), submitted)
        case SlotTaken():
            return Step(state, ask=FindVisits())
        case VisitsFound(upcoming):
            return _taken(state, ctx, upcoming)
        case _:
            return None


def follow(reply: Reply, ctx: Context) -> Step[Booking] | None:
    """Do what a button of the usual means, whatever is going on."""
    match reply:
        case PickUsual():
            return _pick(reply, ctx)
        case NotNow(booking_id):
            return _not_now(booking_id, ctx)
        case StopSuggestions():
            return _marketing(ctx, wanted=False)
        case SuggestAgain():
            return _marketing(ctx, wanted=True)
        case _:
            return None


def _pick(reply: PickUsual, ctx: Context) -> Step[Booking]:
    wall = local(ctx, reply.start)
    wish = Wish(wall.date(), wall.time())
    order = Order(reply.service_id, reply.staff_id, who_known=True, wish=wish)
    if not is_offered(ctx, reply.service_id, reply.staff_id) or reply.start <= ctx.now:
        return go_on(ctx, order)
    state = BookingUsual(service_id=reply.service_id, staff_id=reply.staff_id, wish=wish)
    until = ctx.now + timedelta(minutes=ctx.catalog.company.policy.hold_minutes)
    return Step(state, ask=HoldSlot(reply.service_id, reply.staff_id, reply.start, until))


def _taken(state: BookingUsual, ctx: Context, upcoming: Sequence[Visit]) -> Step[Booking]:
    """Show what a first tap has booked, or else what is free instead."""
    w, day, at = words(ctx), state.wish.day, state.wish.at
    for visit in upcoming:
        start = local(ctx, visit.start)
        same = (start.date(), start.time()) == (day, at)
        if same and visit.service_id == state.service_id and visit.staff_id == state.staff_id:
            return shown(Idle(), booked(ctx, visit, t.BOOKED))
    order = Order(state.service_id, state.staff_id, who_known=True, wish=state.wish)
    if day is None or at is None:
        return ask_nearest(ctx, order)
    when = capitalised(w.when(datetime.combine(day, at), today(ctx)))
    return ask_nearest(ctx, order, intro=w(t.JUST_GONE, when=when))


def _not_now(booking_id: UUID, ctx: Context) -> Step[Idle]:
    w = words(ctx)
    pairs = ((t.BOOK_A_VISIT, StartBooking()), (unasked.STOP_SUGGESTING, StopSuggestions()))
    say = Say(w(unasked.NOT_NOW_THEN), buttons(w, *pairs))
    return shown(Idle(), say, NoteReminder(booking_id, REBOOK, "not now"))


def _marketing(ctx: Context, *, wanted: bool) -> Step[Idle]:
    w = words(ctx)
    text = unasked.SUGGESTIONS_ON if wanted else unasked.SUGGESTIONS_OFF
    last = (t.MENU, OpenMenu()) if wanted else (unasked.SUGGEST_AGAIN, SuggestAgain())
    say = Say(w(text), buttons(w, (t.BOOK_A_VISIT, StartBooking()), last))
    return shown(Idle(), say, SetMarketing(wanted))


def _find(ctx: Context, usual: Usual) -> FindNearest:
    """Ask for times near the usual one, on the usual day of the week in which it is time."""
    first, last = today(ctx), last_day(ctx, usual.service_id)
    if usual.next_on is not None:
        first = min(max(first, usual.next_on - _EARLY), last)
    day = first + timedelta(days=(usual.weekday - first.isoweekday()) % _WEEK)
    wish = Wish(day if day <= last else first, usual.at)
    return FindNearest(usual.service_id, usual.staff_id, wish, limit=_LOOKED_AT)


def _chosen(ctx: Context, usual: Usual, found: Sequence[Slot]) -> tuple[Slot, ...]:
    """Choose the best time and the best one on another day, by the usual person, in order."""
    theirs = [slot for slot in found if slot.staff_id == usual.staff_id]
    if not theirs:
        return ()
    best = theirs[0]
    day = local(ctx, best.start).date()
    others = [slot for slot in theirs[1:] if local(ctx, slot.start).date() != day]
    return tuple(sorted((best, *(others or theirs[1:])[: SLOTS - 1]), key=lambda slot: slot.start))


def _suggestion(ctx: Context, state: Suggesting, usual: Usual, slots: Sequence[Slot]) -> Say:
    w = words(ctx)
    name = what(ctx, usual.service_id, usual.staff_id)
    ago = _ago(w, (today(ctx) - local(ctx, usual.last_visit).date()).days)
    times = [w.moment(local(ctx, slot.start), today(ctx)) for slot in slots]
    replies = [PickUsual(slot.service_id, slot.staff_id, slot.start) for slot in slots]
    values = {
        "company": fit(ctx.catalog.company.name, t.NAME),
        "ago": ago,
        "what": name,
        "first": times[0],
        "second": times[-1],
    }
    not_now = NotNow(state.booking_id)
    return Say(
        w(unasked.SUGGESTION, ago=ago, what=name),
        (*_buttons(ctx, slots), *buttons(w, (unasked.NOT_NOW, not_now))),
        # With a single free time there is no template: its buttons could not be told apart.
        template=use(w, REBOOK_TEMPLATE, values, *replies, not_now) if len(slots) > 1 else None,
        marketing=True,
        until=slots[0].start,
    )


def _buttons(ctx: Context, slots: Sequence[Slot]) -> tuple[Button, ...]:
    w = words(ctx)
    return tuple(
        Button(
            encode(PickUsual(slot.service_id, slot.staff_id, slot.start)),
            capitalised(w.short_moment(local(ctx, slot.start), today(ctx), t.BUTTON)),
        )
        for slot in slots
    )


def _ago(w: Words, days: int) -> str:
    weeks = round(days / _WEEK)
    return w.count(unasked.WEEKS, weeks) if weeks > 1 else w.count(unasked.DAYS, max(days, 1))


USUAL = Flow(
    "usual",
    steps={OfferingUsual: offering, Suggesting: suggesting, BookingUsual: booking},
)
