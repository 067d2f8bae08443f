"""The menu: greeting, the phone number, the language."""

from __future__ import annotations

from dataclasses import replace

from flows import wording as t
from flows.again import ask_again
from flows.asking import Asking, Idle, also, buttons, reply_of, sheet, shown, words
from flows.catalogues import CATALOGUES
from flows.draft import ChoosingArea, ChoosingDay, ChoosingService, ChoosingStaff, ChoosingTime
from flows.effects import Button, Record, Row, Say, SetLocale
from flows.events import Event
from flows.greeting import at_menu, greet
from flows.language import name_of
from flows.machine import Context, Flow, State, Step
from flows.manage import ChoosingVisit, open_visits
from flows.ordering import Choosing
from flows.person import called
from flows.replies import (
    CallUs,
    CarryOn,
    OpenMenu,
    OpenVisits,
    Reply,
    SpeakLanguage,
    StartBooking,
    TalkToUs,
    encode,
)
from flows.where import start
from flows.wording import locale_for, speak


def idle(
    state: Idle, event: Event, ctx: Context
) -> (
    Step[
        Idle
        | ChoosingArea
        | ChoosingService
        | ChoosingStaff
        | ChoosingDay
        | ChoosingTime
        | ChoosingVisit
    ]
    | None
):
    """Begin a booking, show the visits, call a person."""
    match reply_of(event):
        case StartBooking():
            return start_booking(ctx)
        case OpenVisits():
            return open_visits()
        case TalkToUs():
            return called(ctx)
        case _:
            return None


def start_booking(ctx: Context) -> Step[ChoosingArea | Choosing]:
    """Ask the first question of a booking."""
    return also(start(ctx), Record("booking_started"))


def follow(reply: Reply, state: State, ctx: Context) -> Step[State] | None:
    """Do what a button of the menu means, whatever is going on."""
    match reply:
        case OpenMenu():
            return greet(ctx)
        case CarryOn():
            return ask_again(state, ctx)
        case StartBooking():
            return start_booking(ctx)
        case TalkToUs():
            return called(ctx)
        case CallUs():
            return phone_number(state, ctx)
        case SpeakLanguage(language):
            return change_language(language, state, ctx)
        case _:
            return None


def phone_number(state: State, ctx: Context) -> Step[State]:
    """Tell the phone number; what was going on stays open."""
    w, phone = words(ctx), ctx.catalog.company.phone
    text = w(t.PHONE_NUMBER, phone=phone) if phone else w(t.NO_PHONE)
    return aside(state, ctx, text)


def aside(state: State, ctx: Context, text: str) -> Step[State]:
    """Say something that leaves the open question open."""
    w = words(ctx)
    pairs = ((t.CARRY_ON, CarryOn()), (t.TALK_TO_US, TalkToUs()), (t.MENU, OpenMenu()))
    if isinstance(state, Asking) and not isinstance(state, Idle):
        return shown(state, Say(text, buttons(w, *pairs)))
    return at_menu(ctx, text)


def ask_language(state: State, ctx: Context) -> Step[State]:
    """Ask which language to speak; what was going on stays open."""
    w = words(ctx)
    choices = [(encode(SpeakLanguage(code)), name_of(code)) for code in CATALOGUES]
    if len(choices) <= 3:
        say = Say(w(t.WHICH_LANGUAGE), tuple(Button(*choice) for choice in choices))
    else:
        rows = [Row(*choice) for choice in choices[:10]]
        say = Say(w(t.WHICH_LANGUAGE), sheet=sheet(w(t.LANGUAGES), ("", rows)))
    return shown(state if isinstance(state, Asking) else Idle(), say)


def change_language(language: str, state: State, ctx: Context) -> Step[State] | None:
    """Speak a language from now on, and ask the open question in it."""
    if language not in CATALOGUES:
        return None
    locale = locale_for(language, ctx.catalog.company)
    spoken = replace(ctx, locale=locale)
    step = ask_again(state, spoken, speak(locale)(t.SPEAKING))
    return also(step, SetLocale(locale))


MENU = Flow("menu", steps={Idle: idle})
