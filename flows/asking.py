"""States that wait for the customer: what they were offered last, and how we are getting on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Literal, TypeVar

from flows.effects import Button, Effect, Row, Say, Section, Sheet
from flows.events import Event, ReplyTapped
from flows.formats import told_apart
from flows.machine import Context, State, Step
from flows.replies import Reply, decode, encode
from flows.wording import Message, Words, speak

ROWS = 10
"""How many rows a list may have, all sections together."""
BUTTONS = 3
TITLE = 24
"""How long a row's title may be, in UTF-16 units; its note may have NOTE."""
NOTE = 72

A = TypeVar("A", bound="Asking")
S = TypeVar("S", bound=State)


class Asking(State):
    """A state with an open question.

    Numbers and titles that the customer types are looked up in `offered`.
    """

    offered: tuple[tuple[str, str], ...] = ()  # reply id and title, in the order shown
    misses: int = 0  # messages in a row that we could make nothing of
    intro: str = ""  # opens the next message; only within a turn
    idle_at: datetime | None = None  # when they are asked whether they are still there (flows.idle)
    asked_once: bool = False  # they were
    then: tuple[str, ...] = ()  # what is to be booked after this, as buttons mean it
    then_until: datetime | None = None  # so long it is offered
    offer_until: datetime | None = None  # what else is on offer to them, from the waitlist


class Idle(Asking):
    """Nothing is going on."""

    step: Literal["menu.idle"] = "menu.idle"


class Back(Asking):
    """As it was when the turn began (flows.resting): only within a turn."""

    step: Literal["menu.back"] = "menu.back"


def words(ctx: Context) -> Words:
    """Return the customer's language."""
    return speak(ctx.locale)


def local(ctx: Context, moment: datetime) -> datetime:
    """Return a moment in the company's wall time."""
    return moment.astimezone(ctx.catalog.zone)


def today(ctx: Context) -> date:
    """Return the company's date."""
    return local(ctx, ctx.now).date()


def buttons(w: Words, *pairs: tuple[Message, Reply]) -> tuple[Button, ...]:
    """Return reply buttons for what they are called and what they mean."""
    return tuple(Button(encode(reply), w(title)) for title, reply in pairs[:BUTTONS])


def sheet(opener: str, *sections: tuple[str, list[Row]]) -> Sheet:
    """Return a list; rows that would look alike are told apart, empty sections left out."""
    filled = [(title, rows) for title, rows in sections if rows]
    titles = [row.title for _, rows in filled for row in rows]
    if len(set(titles)) < len(titles):
        fresh = iter(told_apart(titles, TITLE))
        filled = [
            (title, [Row(row.id, next(fresh), row.note) for row in rows]) for title, rows in filled
        ]
    return Sheet(opener, tuple(Section(title, tuple(rows)) for title, rows in filled))


def shown(state: A, say: Say, *effects: Effect) -> Step[A]:
    """Rest in a state with its question asked, after the intro that it has."""
    if state.intro:
        say = replace(say, text=f"{state.intro}\n{say.text}")
    offered = [(button.id, button.title) for button in say.buttons]
    if say.sheet is not None:
        offered += [(row.id, row.title) for section in say.sheet.sections for row in section.rows]
    rested = state.model_copy(update={"offered": tuple(offered), "intro": ""})
    return Step(rested, (say, *effects))


def reply_of(event: Event) -> Reply | None:
    """Return what a tap means; None when it was no tap, or on nothing of ours."""
    return decode(event.reply_id) if isinstance(event, ReplyTapped) else None


def also(step: Step[S], *effects: Effect) -> Step[S]:
    """Return the step with further effects before its own."""
    return Step(step.state, (*effects, *step.effects), step.ask)
