"""Taps: first what the open question makes of one, then what it meant when it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flows import manage, menu, offers, person, picking, reminder, several, usual, waitlist
from flows.booking import BOOKING
from flows.events import ReplyTapped
from flows.late import LATE
from flows.machine import Context, Handler, State, Step
from flows.manage import MANAGE
from flows.menu import MENU
from flows.offers import OFFERS
from flows.reminder import REMINDER
from flows.replies import decode
from flows.usual import USUAL
from flows.waitlist import WAITLIST
from flows.where import WHERE

STEPS: Final[Mapping[type[State], Handler]] = {
    **MENU.steps,
    **WHERE.steps,
    **BOOKING.steps,
    **MANAGE.steps,
    **REMINDER.steps,
    **USUAL.steps,
    **WAITLIST.steps,
    **OFFERS.steps,
    **LATE.steps,
}
"""The step of every state."""


def tap(reply_id: str, state: State, ctx: Context) -> Step[State] | None:
    """Do what a tap on something that is offered now means."""
    step = STEPS[type(state)](state, ReplyTapped(reply_id), ctx)
    return step if step is not None else follow(reply_id, state, ctx)


def follow(reply_id: str, state: State, ctx: Context) -> Step[State] | None:
    """Do what an old or foreign button or row means; None when it is none of ours."""
    reply = decode(reply_id)
    if reply is None:
        return None
    return (
        person.follow(reply, ctx)
        or menu.follow(reply, state, ctx)
        or manage.follow(reply)
        or reminder.follow(reply)
        or usual.follow(reply, ctx)
        or picking.follow(reply, ctx)
        or several.follow(reply, ctx)
        or waitlist.follow(reply, ctx)
        or offers.follow(reply, ctx)
    )
