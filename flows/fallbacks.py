"""What follows when a step says "not mine": the same for every state, in this order.

Whatever a customer sends is answered with one message that they can go on from, or with a silence
that makes sense: while a person has the conversation, and to what needs no answer (a reaction).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flows import asides, idle, reminder
from flows import keywords as k
from flows import wording as t
from flows.again import ask_again
from flows.asking import Asking, Idle, also, buttons, shown, words
from flows.consent import stop_or_start
from flows.draft import ChoosingArea
from flows.effects import DismissPerson, Record, Say, SetLocale
from flows.events import (
    ContactsReceived,
    Event,
    FormAnswered,
    LocationReceived,
    MediaReceived,
    MessageDeleted,
    MessageEdited,
    NumberChanged,
    PersonReplied,
    PersonReturned,
    ReactionReceived,
    ReplyTapped,
    SendFailed,
    TextReceived,
    TimerFired,
    TurnFailed,
    UnknownReceived,
)
from flows.greeting import at_menu, greet
from flows.language import written_in
from flows.machine import Context, Handler, State, Step
from flows.offers import happened
from flows.person import apologised, called, has_it, stays_silent, taken
from flows.picked import picked
from flows.replies import CallUs, CarryOn, Reply, TalkToUs
from flows.taps import follow
from flows.typed import LAST, TEXTS, Text, without_lead
from flows.usual import welcome
from flows.wording import Message, locale_for

OFFER_PERSON: Final = 3
"""After so many messages in a row that we could not use we offer a person, then call one."""

_MEDIA: Final = {
    "audio": t.NO_VOICE,
    "voice": t.NO_VOICE,
    "image": t.NO_PICTURES,
    "video": t.NO_PICTURES,
    "document": t.NO_FILES,
}
_WELCOMES: Final = frozenset({"request_welcome"})


def inside(state: State, event: Event, ctx: Context) -> Step[State] | None:
    """Take what happened on our side: a person wrote or gave back, something broke."""
    match event:
        case PersonReplied():
            return Step(state, (taken(ctx, "replied"),))
        case PersonReturned():
            return Step(state, (DismissPerson(),))
        case TurnFailed():
            return apologised(ctx)
        case SendFailed() | TimerFired():
            return Step(state)  # nobody waits for it any more
        case _:
            return None


def silent(state: State, event: Event, ctx: Context) -> Step[State] | None:
    """Keep out of what a person answers, and of what needs no answer."""
    if has_it(ctx) and isinstance(event, TextReceived) and asides.TO_BOT.has(k.bare(event.text)):
        return at_menu(ctx, words(ctx)(t.MENU_HINT), DismissPerson())
    if stays_silent(event, ctx):
        return Step(state)
    if isinstance(event, ReactionReceived | MessageDeleted | NumberChanged):
        return Step(state)
    if isinstance(event, MessageEdited) and not (isinstance(state, Asking) and state.misses):
        return Step(state)  # it was understood, or answered, as it was
    return None


def old_tap(state: State, event: Event, ctx: Context) -> Step[State] | None:
    """Go on from a button or row of an earlier message."""
    return follow(event.reply_id, state, ctx) if isinstance(event, ReplyTapped) else None


def typed(state: State, event: Event, ctx: Context) -> Step[State] | None:
    """Understand what was typed, in the language that it was typed in."""
    raw = _text(event)
    if not raw or not raw.strip():
        return None
    language = _heard_language(state, raw, ctx)
    if language is None:
        return _understood(state, raw, ctx)
    locale = locale_for(language, ctx.catalog.company)
    spoken = replace(ctx, locale=locale)
    step = _understood(state, raw, spoken) or please_pick(state, event, spoken)
    return also(step, SetLocale(locale))


def please_pick(state: State, event: Event, ctx: Context) -> Step[State]:
    """Say what we cannot use, and ask again; offer a person before that becomes a loop."""
    if isinstance(event, UnknownReceived) and event.kind in _WELCOMES:
        return welcome(ctx)
    misses = state.misses + 1 if isinstance(state, Asking) else 1
    if ctx.customer.opted_out and isinstance(state, Idle):
        return _off(state, ctx, misses)
    missed = Record("not_understood", {"step": state.step, "event": type(event).__name__})
    if misses > OFFER_PERSON:
        return also(called(ctx, by_us=True), missed)
    if misses == OFFER_PERSON:
        return also(_offer_person(state, ctx, misses), missed)
    return also(ask_again(state, ctx, _why(state, event, ctx), misses), missed)


FALLBACKS: Final[tuple[Handler, ...]] = (
    reminder.on_timer,
    idle.on_timer,
    happened,
    inside,
    stop_or_start,
    silent,
    old_tap,
    typed,
    please_pick,
)


def _text(event: Event) -> str | None:
    match event:
        case TextReceived(text) | MessageEdited(text):
            return text
        case MediaReceived(caption=text) | ReplyTapped(title=text):
            return text
        case _:
            return None


def _heard_language(state: State, raw: str, ctx: Context) -> str | None:
    if picked(state, raw) is not None:
        return None  # a title is copied in whatever language it has
    spoken = words(ctx).language
    return written_in(raw, spoken, settled=ctx.customer.locale is not None)


def _understood(state: State, raw: str, ctx: Context) -> Step[State] | None:
    text, rest = Text(raw, k.bare(raw)), without_lead(raw)
    tries = [(text, TEXTS)]
    tries += [(Text(rest, k.bare(rest)), TEXTS)] if rest else []
    for tried, handlers in (*tries, (text, LAST)):
        for handler in handlers:
            step = handler(state, tried, ctx)
            if step is not None:
                return step
    return None


def _why(state: State, event: Event, ctx: Context) -> str:
    w = words(ctx)
    message: Message | None = None
    match event:
        case MediaReceived(kind=kind):
            message = _MEDIA.get(kind)
        case LocationReceived():
            message = t.NO_PLACES
        case ContactsReceived(own_phone=phone):
            message = t.NO_CONTACTS if phone is None else t.NUMBER_NOTED
        case UnknownReceived() | FormAnswered():
            message = t.NO_SUCH_KIND
        case _:
            pass
    reason = w(message) if message else ""
    hint = "" if isinstance(state, Idle | ChoosingArea) else w(t.PICK_ONE)
    return " ".join(filter(None, (reason, hint)))


def _offer_person(state: State, ctx: Context, misses: int) -> Step[State]:
    w, phone = words(ctx), ctx.catalog.company.phone
    pairs: list[tuple[Message, Reply]] = [(t.TALK_TO_US, TalkToUs())]
    pairs += [(t.CALL_US, CallUs())] if phone else []
    pairs.append((t.CARRY_ON, CarryOn()))
    asking = state if isinstance(state, Asking) else Idle()
    asking = asking.model_copy(update={"misses": misses, "intro": ""})
    return shown(asking, Say(w(t.PICK_OR_PERSON), buttons(w, *pairs)))


def _off(state: Idle, ctx: Context, misses: int) -> Step[State]:
    """After a STOP, answer once what asks for nothing; then be as silent as they wished."""
    if misses > 1:
        return Step(state)
    step = greet(ctx)
    return Step(step.state.model_copy(update={"misses": misses}), step.effects)
