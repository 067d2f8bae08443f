"""The menu: where a conversation begins and where it comes back to."""

from __future__ import annotations

from flows import wording as t
from flows.asking import Idle, buttons, shown, words
from flows.effects import Button, Effect, Say
from flows.formats import fit
from flows.machine import Context, Step
from flows.replies import CallUs, OpenMenu, OpenVisits, StartBooking, TalkToUs, TurnOn


def menu_buttons(ctx: Context) -> tuple[Button, ...]:
    """Return what can be done: book, look at visits, talk; or hear from us again after a STOP."""
    last = (t.MESSAGES_ON, TurnOn()) if ctx.customer.opted_out else (t.TALK_TO_US, TalkToUs())
    return buttons(words(ctx), (t.BOOK_A_VISIT, StartBooking()), (t.MY_VISITS, OpenVisits()), last)


def greet(ctx: Context, *effects: Effect) -> Step[Idle]:
    """Say hello and what can be done here."""
    w = words(ctx)
    message = t.GREETING_OFF if ctx.customer.opted_out else t.GREETING
    text = w(message, company=fit(ctx.catalog.company.name, t.NAME))
    return shown(Idle(), Say(text, menu_buttons(ctx)), *effects)


def at_menu(ctx: Context, text: str, *effects: Effect) -> Step[Idle]:
    """Say something that ends what was going on, with the menu."""
    return shown(Idle(), Say(text, menu_buttons(ctx)), *effects)


def help_buttons(ctx: Context) -> tuple[Button, ...]:
    """Return the ways to a person: write, call where there is a phone; and the menu."""
    w = words(ctx)
    if ctx.catalog.company.phone:
        return buttons(w, (t.TALK_TO_US, TalkToUs()), (t.CALL_US, CallUs()), (t.MENU, OpenMenu()))
    return buttons(w, (t.TALK_TO_US, TalkToUs()), (t.MENU, OpenMenu()))
