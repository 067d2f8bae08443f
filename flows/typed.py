"""What customers type: numbers, titles, yes and no, intents, and wishes; read in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from flows import asides, typed_visits, where, wishing
from flows import keywords as k
from flows import questions as questions_
from flows import wording as t
from flows.again import ask_again
from flows.agreeing import agrees, any_will_do, extreme, nothing_fits, refuses
from flows.asking import Asking, Idle, local, words
from flows.draft import (
    NO_WISH,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Confirming,
    Draft,
    Order,
    order_of,
)
from flows.effects import Record
from flows.greeting import greet
from flows.in_view import other_time, visit_in_view
from flows.language import asked_for, is_foreign
from flows.late import is_late, note_late
from flows.machine import Context, State, Step
from flows.manage import CancellingVisit, open_visit, open_visits
from flows.menu import (
    aside,
    ask_language,
    change_language,
    start_booking,
)
from flows.ordering import go_on
from flows.person import called
from flows.picked import picked
from flows.picking import drop, pick_times
from flows.places import Joining, Offered
from flows.plain import plain
from flows.relative import as_usual
from flows.remarks import ask_team, asks, remark
from flows.replies import BookNext, MoreTimes, decode
from flows.several import dropped
from flows.taps import tap
from flows.usual import usual_of, welcome
from flows.values import valueclass
from flows.waitlist import anytime, heard, list_places, wait, with_wish
from flows.wishes import understand
from flows.wishing import held_wish, merged

_BRIEF: Final = 3
"""Of fewer words than this a text that says "book" says nothing else."""


@valueclass(frozen=True, slots=True)
class Text:
    """Something typed, as it is and bare of politeness."""

    raw: str
    bare: str


TextHandler = Callable[[State, Text, Context], Step[State] | None]


def without_lead(raw: str) -> str:
    """Return a text without the words that it only begins with: "yes but make it 12"."""
    left = raw.split()
    while len(left) > 1 and plain(left[0]) in asides.LEAD.whole:
        del left[0]
    return " ".join(left) if len(left) < len(raw.split()) else ""


# The handlers, in the order in which they are asked.


def language(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Speak another language when asked by name, or ask which."""
    wanted = asked_for(text.bare)
    if wanted is not None:
        return change_language(wanted, state, ctx)
    return ask_language(state, ctx) if k.LANGUAGE.has(text.bare) else None


def person(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Call a person when asked for one."""
    if k.PERSON.has(text.bare):
        return called(ctx)
    wished = understand(text.raw, ctx) if asides.SPEAK.has(text.bare) else None
    return called(ctx) if wished is not None and wished.staff_id is not None else None


def menu(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Greet whoever greets or wants to start over."""
    if k.GREETING.has(text.bare):
        return welcome(ctx)
    return greet(ctx) if k.MENU.has(text.bare) or k.START.has(text.bare) else None


def remarks(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Answer what is said in passing."""
    return remark(state, text.bare, ctx)


def late(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Note that they will be late."""
    if not is_late(text.bare, text.raw, ctx):
        return None
    wished = understand(text.raw, ctx)
    return note_late(text.raw, wished.wish.day if wished else None, ctx)


def usual(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Offer the usual to whoever asks for it; who has none yet is asked what they would like."""
    same = asides.SAME_PERSON.has(text.bare)
    asks = same or k.USUAL.has(text.bare) or k.USUAL.has(plain(text.raw))
    of_visit = ctx.customer.visit_ahead and k.SAME_TIME.has(text.bare)  # "the same time" as theirs
    if not asks or of_visit or isinstance(state, Draft):
        return None
    known, wished = usual_of(ctx), understand(text.raw, ctx)
    if known is None:
        return start_booking(ctx)
    differs = as_usual(known, text.raw, ctx)
    if differs is not None:
        return differs
    if wished is None and not ctx.customer.visit_ahead:
        return welcome(ctx)
    order = Order(known.service_id, known.staff_id, who_known=True)
    return go_on(ctx, order if wished is None else merged(order, wished, ctx))


def where_to(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Take a postal code, where the business comes to its customers."""
    return where.heard(state, text.raw, text.bare, ctx)


def choice(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Take a number or a title for the button or row that it names."""
    reply_id = picked(state, text.raw)
    return None if reply_id is None else _as_tap(reply_id, state, ctx)


def next_one(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Go on with what is still to be booked, or forget it."""
    if not isinstance(state, Asking) or isinstance(state, Draft) or not state.then:
        return None
    if asides.NEXT.has(text.bare):
        return _as_tap(state.then[0], state, ctx)
    return dropped(state, text.raw, text.bare, ctx)


def yes_or_no(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Take a yes or a no for the first or second button of a question that has such."""
    if isinstance(state, Idle) and k.YES.has(text.bare):
        following = [id_ for id_, _ in state.offered if isinstance(decode(id_), BookNext)]
        return _as_tap(following[0], state, ctx) if following else None
    if isinstance(state, ChoosingTime) and state.day is None and agrees(text.raw):
        return any_will_do(state, ctx, last=False)  # the best of those that were proposed
    if not isinstance(state, Confirming | CancellingVisit | Offered):
        return None
    place = 0 if agrees(text.raw) else 1 if refuses(text.raw) else None
    if asides.KEEP.has(text.bare):
        place = 1 if isinstance(state, CancellingVisit) else 0
        if isinstance(state, Confirming) and state.moving is not None:
            return drop(ctx, state.moving)
    if place == 1 and isinstance(state, Confirming) and state.before and state.before.ends:
        return drop(ctx, state.moving)  # nothing is to be added
    if place is None and isinstance(state, CancellingVisit) and k.CANCEL.has(text.bare):
        place = 0
    if place is None or len(state.offered) <= place:
        return None
    return _as_tap(state.offered[place][0], state, ctx)


def leave(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Forget a booking that was begun; or go back one question."""
    moves = isinstance(state, Draft) and order_of(state).moving is not None
    keeps = moves and asides.KEEP.has(text.bare)
    if keeps or k.CANCEL.has(text.bare) or k.NEVER_MIND.has(text.bare):
        if isinstance(state, Joining):
            return drop(ctx, None)
        if isinstance(state, Draft):
            return drop(ctx, None if isinstance(state, ChoosingService) else state.moving)
        return open_visits("cancel")
    if not k.BACK.has(text.bare):
        return None
    match state:
        case Confirming(hold=hold, staff_id=staff_id, moving=moving):
            day = local(ctx, hold.slot.start).date()
            reply = MoreTimes(hold.slot.service_id, staff_id, day, 0, moving, hold.slot.also)
            return pick_times(ctx, reply, order_of(state))
        case ChoosingTime():
            return go_on(ctx, replace(order_of(state), wish=NO_WISH))
        case ChoosingDay(moving=None):
            return go_on(ctx, Order(state.service_id))
        case ChoosingStaff(moving=None):
            return go_on(ctx, Order())
        case _:
            return greet(ctx)


def indifferent(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Choose for whoever does not mind, and look further for whom nothing fits."""
    wrong = isinstance(state, Draft) and asides.WRONG.has(text.bare)
    if wrong or asides.NONE_FITS.has(text.bare):
        unknown = isinstance(state, ChoosingService)
        return ask_team(state, ctx) if unknown else nothing_fits(state, ctx)
    said = asides.INDIFFERENT.has(text.bare)
    return any_will_do(state, ctx, last=False) if said else extreme(state, text.bare, ctx)


def visits_added(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Add a service to a visit that they have."""
    return typed_visits.added(state, text.raw, text.bare, ctx)


def in_view(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Move the visit that is in front of them when another time is named."""
    return other_time(state, text.raw, text.bare, ctx)


def waiting(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Join the waitlist, see it or leave it; answer its questions in other words."""
    if k.LEAVE_LIST.has(text.bare):
        return list_places(leave=True)
    if isinstance(state, Offered) and len(state.offered) > 1:
        if k.CANCEL.has(text.bare):
            return _as_tap(state.offered[1][0], state, ctx)
        if _names_it(state, text, ctx):
            return _as_tap(state.offered[0][0], state, ctx)
    asks = k.WAITLIST.has(text.bare)
    if not asks and not isinstance(state, Joining):
        return None
    wished = understand(text.raw, ctx)
    if isinstance(state, Joining):
        if wished is not None and not questions_.asks_for_person(text.bare, wished):
            return heard(ctx, state, wished)
        any_ = k.ANYTIME.has(plain(text.raw)) or asides.INDIFFERENT.has(text.bare)
        return anytime(ctx, state) if any_ else None
    order = order_of(state, held_wish(ctx, state)) if isinstance(state, Draft) else Order()
    if wished is None and order.service_id is None:
        return list_places(join=True)
    who = {"staff_id": order.staff_id, "not_by": order.not_by}
    known = Joining(service_id=order.service_id).model_copy(update=who)
    missed = state.missed if isinstance(state, ChoosingDay | ChoosingTime) else NO_WISH
    known = with_wish(known, missed if order.wish == NO_WISH else order.wish)
    return heard(ctx, known, wished) if wished is not None else wait(ctx, known)


def visits(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Show, move or cancel a visit that they have."""
    return typed_visits.about_visits(state, text.raw, text.bare, ctx)


def questions(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Answer what is asked about the business, and go on with what is wished for beside it."""
    person = None if isinstance(state, Draft) else questions_.about_person(text.raw, text.bare, ctx)
    if person is not None:
        return person
    asked = any(words.has(text.bare) for words in (k.HOURS, k.WHERE, k.CALL, k.PRICE, k.TEAM))
    if not asked and asides.OPEN.whole.isdisjoint(text.bare.split()):
        return None
    wished = understand(text.raw, ctx)
    answer = questions_.answer(text.bare, wished, state, ctx)
    if not answer:
        return None
    goes_on = not k.PRICE.has(text.bare) or questions_.asks_when(text.bare, wished)
    if wished is not None and wished.services and goes_on:
        return wishing.wish(state, text.raw, text.bare, ctx, intro=answer)
    return questions_.told(state, ctx, answer)


def wish(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Go as far into a booking as a wish determines it."""
    return wishing.wish(state, text.raw, text.bare, ctx)


def begin(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Begin a booking when asked for one; services and prices are its first list."""
    if not k.BOOK.has(text.bare) and not k.PRICE.has(text.bare):
        return None
    if isinstance(state, Draft) and len(text.bare.split()) < _BRIEF:
        return ask_again(state, ctx)  # "book it": what is missing is asked again
    booked = visit_in_view(state) if agrees(text.raw) else None
    if booked is not None:
        return open_visit(booked)  # "book it", of what is booked: there it is
    return start_booking(ctx)


def thanks(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Be polite; what was going on stays open."""
    said = k.THANKS.has(text.bare) or k.THANKS.is_all_of(k.spelt(plain(text.raw)), asides.MILD)
    return aside(state, ctx, words(ctx)(t.WELCOME)) if said else None


def team(state: State, text: Text, ctx: Context) -> Step[State] | None:
    """Pass on what is asked and nobody but the team can answer; ask which language is spoken."""
    if not asides.FOREIGN.whole.isdisjoint(plain(text.raw).split()) or is_foreign(text.raw):
        return ask_language(state, ctx)
    return ask_team(state, ctx) if asks(text.raw) else None


TEXTS: Final[tuple[TextHandler, ...]] = (
    language,
    person,
    menu,
    where_to,
    choice,
    next_one,
    yes_or_no,
    indifferent,
    waiting,
    late,
    remarks,
    usual,
    visits_added,
    in_view,
    visits,
    questions,
    leave,
    wish,
    begin,
    thanks,
)
"""What is tried in turn; after it, without the words that a text begins with, all of it again."""
LAST: Final[tuple[TextHandler, ...]] = (team,)


def _as_tap(reply_id: str, state: State, ctx: Context) -> Step[State] | None:
    """Do what a tap would do, and record that it was typed."""
    step = tap(reply_id, state, ctx)
    if step is None:
        return None
    effects = [
        replace(effect, data={**effect.data, "typed": True})
        if isinstance(effect, Record) and effect.event_type == "step_completed"
        else effect
        for effect in step.effects
    ]
    return Step(step.state, tuple(effects), step.ask)


def _names_it(state: Offered, text: Text, ctx: Context) -> bool:
    """Tell whether the time that is on offer was asked for in so many words."""
    wished, start = understand(text.raw, ctx), local(ctx, state.slot.start)
    return (
        wished is not None
        and wished.wish.at == start.time()
        and wished.wish.day in (None, start.date())
    )
