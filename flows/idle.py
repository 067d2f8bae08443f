"""A booking that is left in the middle: its customer is asked once, kindly, then it rests.

There is one timer a conversation, armed when a booking begins and cancelled when it ends. What the
customer says in between does not move it: when it fires too early it is armed again for when it
should have been, so that a booking of ten messages costs one timer and not ten.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from flows import wording as t
from flows import wording_unasked as unasked
from flows.asking import Asking, Back, buttons, shown, words
from flows.cards import held
from flows.draft import ChoosingService, Confirming, Draft
from flows.effects import ArmTimer, CancelTimer, Record, Say
from flows.events import Event, TimerFired
from flows.machine import Context, State, Step
from flows.person import has_it
from flows.replies import CarryOn, DropBooking

TIMER: Final = "idle"
_OF_A_HOLD: Final = 0.6
"""How much of the time that something is kept for them goes by before they are asked."""
_SENT_WITHIN: Final = timedelta(minutes=30)
_AFTER_AN_OFFER: Final = timedelta(minutes=2)
"""So long after an offer has ended its customer has heard of it."""
_SILENT: Final = timedelta(minutes=5)
"""Whoever has said nothing for so long may be asked with something else that is said to them."""
_LATE: Final = timedelta(hours=2)
"""Whoever could not be asked in time is not asked about what they have long forgotten."""


def watch(before: State, step: Step[State], ctx: Context) -> Step[State]:
    """Return the step with which a turn rests, with what it takes to ask in time."""
    armed = before.idle_at if isinstance(before, Asking) else None
    state = step.state
    if not isinstance(state, Draft):
        if armed is None:
            return step
        return replace(step, effects=(*step.effects, CancelTimer(key_of(ctx))))
    live = _live(before.offer_until, ctx) if isinstance(before, Asking) else None
    if live is not None and state.offer_until is None:
        state = state.model_copy(update={"offer_until": live})
        step = replace(step, state=state)
    if state.asked_once or (isinstance(before, Draft) and before.asked_once):
        return replace(step, state=state.model_copy(update={"idle_at": None, "asked_once": True}))
    due = _due(state, ctx)
    if due is None or due <= ctx.now:
        return step
    if armed is not None and ctx.now < armed <= due:
        return Step(state.model_copy(update={"idle_at": armed}), step.effects, step.ask)
    timer = ArmTimer(key_of(ctx), TIMER, due)
    waiting = state.model_copy(update={"idle_at": due})
    return Step(waiting, (*step.effects, timer), step.ask)


def on_timer(state: State, event: Event, ctx: Context) -> Step[State] | None:
    """Ask whether they are still there, if they have said nothing since."""
    if not isinstance(event, TimerFired) or event.name != TIMER:
        return None
    if not isinstance(state, Draft) or has_it(ctx) or ctx.customer.opted_out:
        return Step(Back())
    due = _due(state, ctx)
    if state.asked_once or due is None or due > ctx.now:
        return Step(Back())  # `watch` arms the timer for when it is time
    if ctx.now - due > _LATE:
        return Step(Back())
    return _ask(state, ctx)


def key_of(ctx: Context) -> str:
    """Return the key of a conversation's timer."""
    return f"idle:{ctx.conversation_id}"


def _due(state: Draft, ctx: Context) -> datetime | None:
    """Return when to ask whoever has been silent since they were last heard."""
    minutes = ctx.catalog.company.policy.idle_minutes
    if not minutes:
        return None
    heard = ctx.heard_at or ctx.now
    due = heard + timedelta(minutes=minutes)
    if isinstance(state, Confirming) and heard < state.hold.until:
        return min(due, heard + (state.hold.until - heard) * _OF_A_HOLD)
    if _live(state.offer_until, ctx) is not None:  # that it ended is told first, and enough
        due = max(due, (state.offer_until or due) + _AFTER_AN_OFFER)
    return due


def _live(offer_until: datetime | None, ctx: Context) -> datetime | None:
    """Return the end of an offer that has not been ended for long."""
    over = offer_until is None or ctx.now >= offer_until + _AFTER_AN_OFFER
    return None if over else offer_until


def asked_with(state: Draft, say: Say, ctx: Context) -> tuple[Draft, Say, tuple[CancelTimer, ...]]:
    """Ask whether they are still there with something else that is to be said, if it is time to."""
    silent = ctx.now - (ctx.heard_at or ctx.now) >= _SILENT
    if state.asked_once or not silent or not ctx.catalog.company.policy.idle_minutes:
        return state, say, ()
    w = words(ctx)
    carry_on, *_ = buttons(w, (t.CARRY_ON, CarryOn()))
    also = replace(
        say, text=f"{say.text} {w(unasked.LEFT_OFF)}", buttons=(carry_on, *say.buttons[:2])
    )
    return state.model_copy(update={"asked_once": True}), also, (CancelTimer(key_of(ctx)),)


def _ask(state: Draft, ctx: Context) -> Step[State]:
    w = words(ctx)
    asked = state.model_copy(update={"asked_once": True, "intro": w(unasked.STILL_THERE)})
    if isinstance(asked, Confirming) and ctx.now < asked.hold.until:
        say, until = held(ctx, asked), asked.hold.until
    else:
        moving = None if isinstance(asked, ChoosingService) else asked.moving
        pairs = ((t.CARRY_ON, CarryOn()), (unasked.NEVER_MIND, DropBooking(moving)))
        say, until = Say(w(unasked.LEFT_OFF), buttons(w, *pairs)), ctx.now + _SENT_WITHIN
    return shown(asked, replace(say, until=until), Record("asked_again", {"step": state.step}))
