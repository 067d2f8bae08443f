"""A person has the conversation: the bot is silent until it gets it back, or the time is over."""

from __future__ import annotations

from datetime import timedelta

from flows import wording as t
from flows.asking import Idle, buttons, reply_of, shown, words
from flows.effects import CallPerson, DismissPerson, Effect, Record, Say
from flows.events import Event
from flows.greeting import at_menu
from flows.machine import Context, Step
from flows.replies import BackToBot, BookIt, CancelForSure, Reply
from flows.replies_unasked import ConfirmComing, PickUsual, Rate
from flows.replies_waitlist import PassOn, TakeIt

_HEARD = (
    BackToBot,
    BookIt,
    CancelForSure,
    ConfirmComing,
    PickUsual,
    Rate,
    TakeIt,
    PassOn,
)


def has_it(ctx: Context) -> bool:
    """Tell whether a person has the conversation now."""
    return ctx.person_until is not None and ctx.now < ctx.person_until


def stays_silent(event: Event, ctx: Context) -> bool:
    """Tell whether the bot keeps out of what the customer says or taps.

    A tap that books, moves, cancels, confirms or answers an offer is heard all the same: they would
    believe that it was done.
    """
    return has_it(ctx) and not isinstance(reply_of(event), _HEARD)


def taken(ctx: Context, reason: str) -> CallPerson:
    """Return the effect that gives the conversation to a person for a while."""
    minutes = ctx.catalog.company.policy.person_minutes
    return CallPerson(ctx.now + timedelta(minutes=minutes), reason)


def called(ctx: Context, *, by_us: bool = False) -> Step[Idle]:
    """Tell the customer that a person will answer, and call one."""
    w = words(ctx)
    opening = w(t.PERSON_CALLED_BY_US if by_us else t.PERSON_CALLED)
    return _handed_over(ctx, opening, "asked", Record("person_called", {"by_us": by_us}))


def apologised(ctx: Context) -> Step[Idle]:
    """Tell the customer that something broke on our side, and call a person."""
    w = words(ctx)
    opening = f"{w(t.WENT_WRONG)} {w(t.PERSON_CALLED)}"
    return _handed_over(ctx, opening, "failed", Record("turn_failed"))


def follow(reply: Reply, ctx: Context) -> Step[Idle] | None:
    """Do what a button of the hand-over means."""
    if isinstance(reply, BackToBot):
        return at_menu(ctx, words(ctx)(t.MENU_HINT), DismissPerson())
    return None


def _handed_over(ctx: Context, opening: str, reason: str, *effects: Effect) -> Step[Idle]:
    w, phone = words(ctx), ctx.catalog.company.phone
    text = f"{opening} {w(t.OR_CALL, phone=phone)}" if phone else opening
    say = Say(text, buttons(w, (t.BACK_TO_BOT, BackToBot())))
    return shown(Idle(), say, taken(ctx, reason), *effects)
