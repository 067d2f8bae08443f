"""What customers on the waitlist are offered: taken, passed on, not answered, or lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

from flows import templates
from flows import wording as base
from flows import wording_unasked as unasked
from flows import wording_waitlist as t
from flows.asking import Asking, Idle, also, buttons, local, reply_of, shown, today, words
from flows.cards import at, booked, of_visit, too_late
from flows.cards import offered as offered_visit
from flows.draft import ChoosingDay, ChoosingService, ChoosingStaff, ChoosingTime, Draft, Order
from flows.effects import (
    ArmTimer,
    CancelTimer,
    Effect,
    LeaveWaitlist,
    PassOffer,
    Payload,
    Record,
    Say,
    TakeOffer,
    Tell,
    TemplateUse,
)
from flows.events import (
    Event,
    OfferGone,
    OfferPassed,
    OfferTaken,
    PlaceLost,
    PlaceOffered,
    SendFailed,
    TimeFreed,
    TimerFired,
    WaitlistLeft,
)
from flows.formats import capitalised, fit
from flows.idle import asked_with
from flows.lists import what
from flows.machine import Context, Flow, State, Step
from flows.model import Slot, Visit, Wish
from flows.model_waitlist import Place
from flows.ordering import ask_nearest, go_on, is_offered
from flows.person import has_it
from flows.places import Joining, Noticing, Offered, Places, noticing, place_values, resumed
from flows.replies import CancelForSure, DropBooking, OpenMenu, Reply, StartBooking
from flows.replies_waitlist import LeaveList, PassOn, StartWaiting, TakeIt
from flows.waitlist import follow as follow_waiting
from flows.waitlist import timer_key

TOO_SHORT: Final = timedelta(minutes=1)
"""Nobody is shown an offer that is open for less than this."""
WINDOW: Final = timedelta(hours=24)
"""After such a silence only a template goes out: what is free can be told when they answer."""
Answered: TypeAlias = ChoosingService | ChoosingStaff | ChoosingDay | ChoosingTime | Idle
"""Where the answer to an offer leads: to the menu, or on to other times."""


def offer_key(waitlist_id: int) -> str:
    """Return the key of the timer that ends an offer."""
    return f"offer:{waitlist_id}"


def offered(
    state: Offered, event: Event, ctx: Context
) -> Step[Offered | Noticing | Places | Joining | Answered] | None:
    """Book on [Take it], go on to the next in line on [Pass]."""
    match event:
        case OfferTaken(visit, replaceable, shared):
            return _taken(ctx, state, visit, replaceable, shared=shared)
        case OfferPassed(place):
            return _passed(ctx, place)
        case OfferGone():
            return _too_late(ctx, state)
        case SendFailed() if state.until is not None:  # they cannot have read it
            return Step(noticing(Idle()), ask=_unanswered(state.waitlist_id, state.offer_id))
        case _:
            reply = reply_of(event)
            if isinstance(reply, LeaveList):
                return follow_waiting(reply, ctx)
            return follow(reply, ctx, state) if reply is not None else None


def follow(reply: Reply, ctx: Context, state: Offered | None = None) -> Step[Offered] | None:
    """Do what the buttons of an offer mean, also those of an old one."""
    match reply:
        case TakeIt(waitlist_id, offer_id, service_id, who, start):
            if state is None or state.offer_id != offer_id:
                slot = _slot_of(ctx, service_id, who, start)
                state = Offered(waitlist_id=waitlist_id, offer_id=offer_id, slot=slot)
            return Step(state, ask=TakeOffer(waitlist_id, offer_id, state.slot))
        case PassOn(waitlist_id, offer_id):
            if state is None or state.offer_id != offer_id:
                slot = Slot(0, 0, ctx.now, ctx.now, 0)
                state = Offered(waitlist_id=waitlist_id, offer_id=offer_id, slot=slot)
            return Step(state, ask=PassOffer(waitlist_id, offer_id))
        case _:
            return None


def happened(state: State, event: Event, ctx: Context) -> Step[State] | None:
    """Take what comes from the desk and from time, wherever the conversation stands."""
    match event:
        case PlaceOffered():
            return _offer(state, event, ctx)
        case PlaceLost():
            return _lost(state, event, ctx)
        case TimerFired(name="offer_ends", payload=payload):
            over = _unanswered(_whole(payload, "waitlist_id"), _id(payload, "offer_id"))
            return Step(noticing(state), ask=over)
        case TimerFired(name="waitlist_over", payload=payload):
            gone = LeaveWaitlist(_whole(payload, "waitlist_id"), over=True)
            return Step(noticing(state), ask=gone)
        case _:
            return None


def notice(state: Noticing, event: Event, ctx: Context) -> Step[Asking | Idle] | None:
    """Tell what became of a place, and go on from where the conversation stood."""
    match event:
        case OfferPassed(place, slot):
            return _not_answered(ctx, state, place, slot)
        case WaitlistLeft(place) if place is not None:
            return _over(ctx, state, place)
        case WaitlistLeft() | OfferGone():
            return Step(resumed(state))
        case _:
            return None


def _offer(state: State, event: PlaceOffered, ctx: Context) -> Step[State]:
    if event.until - ctx.now < TOO_SHORT:  # it took us so long to come to it: offered anew
        unseen = PassOffer(event.waitlist_id, event.offer_id, "withdrawn")
        return Step(noticing(state, quietly=True), ask=unseen)
    made = Offered(
        waitlist_id=event.waitlist_id,
        offer_id=event.offer_id,
        slot=event.slot,
        until=event.until,
        shared=event.shared,
    )
    say = offer(ctx, made, event.until)
    ids: dict[str, str | int | bool | None] = {
        "waitlist_id": event.waitlist_id,
        "offer_id": str(event.offer_id),
    }
    ended = ArmTimer(offer_key(event.waitlist_id), "offer_ends", event.until, ids)
    record = Record("waitlist_offered", {**ids, "shared": event.shared})
    if isinstance(state, Asking) and not isinstance(state, Idle | Offered):
        waiting = state.model_copy(update={"offer_until": event.until})
        return shown(waiting, say, ended, record)  # what was going on stays open
    return shown(made, say, ended, record)


def offer(ctx: Context, state: Offered, until: datetime) -> Say:
    """Offer a time, with the moment until which it is kept."""
    slot, w = state.slot, words(ctx)
    minutes = max(1, round((until - ctx.now) / timedelta(minutes=1)))
    take = TakeIt(state.waitlist_id, state.offer_id, slot.service_id, slot.staff_id, slot.start)
    answers: tuple[Reply, ...] = (take, PassOn(state.waitlist_id, state.offer_id))
    message = t.OFFERED_TO_MANY if state.shared else t.OFFERED
    local_until = local(ctx, until)
    until_text = w.time(local_until.time())
    if local_until.date() != today(ctx):
        until_text = w.when(local_until, today(ctx))
    text = w.count(message, minutes, visit=offered_visit(ctx, slot), until=until_text)
    template = templates.use(
        w,
        templates.WAITLIST_OFFER,
        {
            "company": fit(ctx.catalog.company.name, base.NAME),
            "what": what(ctx, slot.service_id, slot.staff_id),
            "when": w.moment(local(ctx, slot.start), today(ctx)),
            "until": until_text,
        },
        *answers,
    )
    pairs = ((unasked.TAKE_IT, answers[0]), (unasked.PASS, answers[1]))
    return Say(text, buttons(w, *pairs), template=template, until=until)


def _taken(
    ctx: Context, state: Offered, visit: Visit, replaceable: Visit | None, *, shared: bool
) -> Step[Idle]:
    """Tell what was booked, and ask about a later visit that it may stand for."""
    w, say = words(ctx), booked(ctx, visit, base.BOOKED)
    if replaceable is not None and not too_late(ctx, replaceable):
        question = w(t.LATER_VISIT, what=of_visit(ctx, replaceable), when=at(ctx, replaceable))
        drop, keep = CancelForSure(replaceable.id), DropBooking(replaceable.id)
        pairs = buttons(w, (base.YES_CANCEL, drop), (t.KEEP_BOTH, keep))
        say = Say(f"{say.text}\n{question}", pairs, attachment=say.attachment)
    effects: list[Effect] = [
        CancelTimer(offer_key(state.waitlist_id)),
        CancelTimer(timer_key(state.waitlist_id)),
        Record(
            "waitlist_taken",
            {
                "waitlist_id": state.waitlist_id,
                "offer_id": str(state.offer_id),
                "booking_id": str(visit.id),
            },
        ),
    ]
    if shared:
        effects.append(Tell(None, TimeFreed(), f"taken:{state.offer_id}"))
    return shown(Idle(), say, *effects)


def _passed(ctx: Context, place: Place) -> Step[Idle]:
    w, values = words(ctx), place_values(ctx, place)
    text = w(t.PASSED_ON, place=values["place"], what=values["what"])
    pairs = ((unasked.LEAVE_LIST, LeaveList(place.id)), (base.MENU, OpenMenu()))
    record = Record("waitlist_passed", {"waitlist_id": place.id})
    return shown(Idle(), Say(text, buttons(w, *pairs)), CancelTimer(offer_key(place.id)), record)


def _too_late(ctx: Context, state: Offered) -> Step[Answered]:
    """Say that the time is not theirs any more, and what is free near it."""
    w, slot = words(ctx), state.slot
    if not slot.service_id or has_it(ctx):
        pairs = ((base.BOOK_A_VISIT, StartBooking()), (base.MENU, OpenMenu()))
        return shown(Idle(), Say(w(t.PASSED_ALREADY), buttons(w, *pairs)))
    when = w.when(local(ctx, slot.start), today(ctx))
    record = Record("waitlist_too_late", {"waitlist_id": state.waitlist_id})
    return also(_alternatives(ctx, slot, w(t.TOO_LATE, when=when)), record)


def _alternatives(ctx: Context, slot: Slot, intro: str) -> Step[Answered]:
    """Offer what is free near a time that is gone."""
    start = local(ctx, slot.start)
    if not is_offered(ctx, slot.service_id, slot.staff_id):
        return go_on(ctx, Order(slot.service_id), intro=intro)
    wish = Wish(start.date(), start.time())
    order = Order(slot.service_id, slot.staff_id, who_known=True, wish=wish)
    return ask_nearest(ctx, order, intro=intro)


def _lost(state: State, event: PlaceLost, ctx: Context) -> Step[State]:
    w = words(ctx)
    stop = CancelTimer(offer_key(event.waitlist_id))
    when = w.when(local(ctx, event.slot.start), today(ctx))
    reason = w(t.SOMEBODY_ELSE if event.taken else t.WITHDRAWN, when=when)
    text = f"{reason} {w(t.YOU_KEEP_YOUR_PLACE)}"
    record = Record("waitlist_lost", {"waitlist_id": event.waitlist_id, "taken": event.taken})
    if _hears_nothing(ctx):
        return Step(state, (stop, record))
    silent = ctx.heard_at is None or ctx.now - ctx.heard_at >= WINDOW
    before: Asking = Idle()
    if isinstance(state, Asking) and not isinstance(state, Idle | Offered):
        before = state  # what was going on stays open
    elif not silent:
        return also(_alternatives(ctx, event.slot, text), stop, record)
    pairs = buttons(w, (unasked.LEAVE_LIST, LeaveList(event.waitlist_id)))
    template = _no_longer_kept(ctx, event.waitlist_id, event.slot)
    say = Say(text, pairs, template=template)
    return shown(before, say, stop, record)


def _not_answered(ctx: Context, state: Noticing, place: Place, slot: Slot) -> Step[Asking]:
    """Tell once that an offer has gone to the next in line."""
    w, values, before = words(ctx), place_values(ctx, place), resumed(state)
    record = Record("waitlist_silent", {"waitlist_id": place.id})
    if _hears_nothing(ctx) or state.quietly:
        return Step(before, (record,))
    when = w.when(local(ctx, slot.start), today(ctx))
    text = w(t.NOT_ANSWERED, when=when, place=values["place"], what=values["what"])
    template = _no_longer_kept(ctx, place.id, slot)
    pairs = ((unasked.LEAVE_LIST, LeaveList(place.id)), (base.MENU, OpenMenu()))
    say = Say(capitalised(text), buttons(w, *pairs), template=template)
    if isinstance(before, Draft):
        before, say, timers = asked_with(before, say, ctx)
        return shown(before, say, record, *timers)
    return shown(before, say, record)


def _no_longer_kept(ctx: Context, waitlist_id: int, slot: Slot) -> TemplateUse:
    """Fill what is said of an offer that is over to whoever has been silent for a day."""
    w = words(ctx)
    values = {
        "company": fit(ctx.catalog.company.name, base.NAME),
        "what": what(ctx, slot.service_id, slot.staff_id),
        "when": w.moment(local(ctx, slot.start), today(ctx)),
    }
    return templates.use(w, templates.OFFER_EXPIRED, values, LeaveList(waitlist_id))


def _over(ctx: Context, state: Noticing, place: Place) -> Step[Asking]:
    """Tell kindly that the days somebody waited for have gone by."""
    w, values, before = words(ctx), place_values(ctx, place), resumed(state)
    record = Record("waitlist_over", {"waitlist_id": place.id})
    if _hears_nothing(ctx):
        return Step(before, (record,))
    text = w(t.WAIT_IS_OVER, what=values["what"], when=values["when"])
    answers: tuple[Reply, ...] = (StartBooking(), StartWaiting(place.service_id, None))
    template = templates.use(
        w,
        templates.WAIT_OVER,
        {
            "company": fit(ctx.catalog.company.name, base.NAME),
            "what": values["what"],
            "when": values["when"],
        },
        *answers,
    )
    pairs = zip((base.BOOK_A_VISIT, t.JOIN_WAITLIST), answers, strict=True)
    return shown(before, Say(text, buttons(w, *pairs), template=template), record)


def _hears_nothing(ctx: Context) -> bool:
    """Tell whether nothing is said that was not asked for: a person writes, or they said STOP."""
    return has_it(ctx) or ctx.customer.opted_out


def _unanswered(waitlist_id: int, offer_id: UUID) -> PassOffer:
    return PassOffer(waitlist_id, offer_id, "silent")


def _whole(payload: Payload, name: str) -> int:
    return int(payload.get(name) or 0)


def _id(payload: Payload, name: str) -> UUID:
    return UUID(str(payload.get(name)))


def _slot_of(ctx: Context, service_id: int, who: int, start: datetime) -> Slot:
    """Return the time that an old button was about, as it would be now."""
    person = ctx.catalog.staff_by_id.get(who)
    offer = person.offers.get(service_id) if person else None
    minutes, price = (offer.minutes, offer.price_minor) if offer else (1, 0)
    return Slot(service_id, who, start, start + timedelta(minutes=minutes), price)


OFFERS = Flow("offers", steps={Offered: offered, Noticing: notice})
