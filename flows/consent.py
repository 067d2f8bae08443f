"""STOP and START: whether a customer wants to hear from the business."""

from __future__ import annotations

from dataclasses import replace

from flows import keywords as k
from flows import wording as t
from flows.asking import Idle, buttons, reply_of, shown, words
from flows.effects import OptIn, OptOut, Record, ReleaseHolds, Say
from flows.events import Event, TextReceived
from flows.formats import fit
from flows.greeting import at_menu
from flows.machine import Context, State, Step
from flows.replies import TurnOn


def stop_or_start(state: State, event: Event, ctx: Context) -> Step[Idle] | None:
    """Obey STOP wherever a conversation stands, and START after it."""
    if isinstance(reply_of(event), TurnOn):
        return started(ctx)
    if not isinstance(event, TextReceived):
        return None
    text = k.bare(event.text)
    if k.STOP.has(text):
        return stopped(ctx)
    if ctx.customer.opted_out and k.START.has(text):
        return started(ctx)
    return None


def stopped(ctx: Context) -> Step[Idle]:
    """Let go of all, and promise silence."""
    w = words(ctx)
    text = w(t.STOPPED, company=fit(ctx.catalog.company.name, t.NAME))
    say = Say(text, buttons(w, (t.MESSAGES_ON, TurnOn())))
    return shown(Idle(), say, OptOut(), ReleaseHolds(), Record("opted_out"))


def started(ctx: Context) -> Step[Idle]:
    """Take back the silence."""
    text = words(ctx)(t.STARTED, company=fit(ctx.catalog.company.name, t.NAME))
    heard = replace(ctx, customer=replace(ctx.customer, opted_out=False))
    return at_menu(heard, text, OptIn(), Record("opted_in"))
