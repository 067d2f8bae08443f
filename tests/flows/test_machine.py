"""The machine carries one event to rest, and is strict with flows that break its rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest

from flows.effects import FindVisits, Say, SetLocale
from flows.errors import EndlessTurn, UnhandledAnswer
from flows.events import Event, TextReceived, VisitsFound
from flows.machine import MAX_STEPS, Context, State, Step, Turn
from flows.model import Catalog, Customer
from tests.support.lumi import LUMI


class Waiting(State):
    """A state of a flow that only exists here."""

    step: Literal["test.waiting"] = "test.waiting"
    asked: int = 0


CTX = Context(
    now=datetime(2026, 11, 20, tzinfo=UTC),
    catalog=Catalog(LUMI, (), ()),
    customer=Customer(1),
    locale="en_US",
)
HI = TextReceived("hi")
FOUND = VisitsFound((), ())


def asks_for_ever(state: Waiting, event: Event, ctx: Context) -> Step[Waiting]:
    return Step(Waiting(asked=state.asked + 1), ask=FindVisits())


def asks_and_forgets(state: Waiting, event: Event, ctx: Context) -> Step[Waiting] | None:
    return Step(state, ask=FindVisits()) if isinstance(event, TextReceived) else None


def says_its_language(state: Waiting, event: Event, ctx: Context) -> Step[Waiting]:
    if isinstance(event, TextReceived):
        return Step(state, (SetLocale("ru"),), FindVisits())
    return Step(state, (Say(ctx.locale),))


def ignores(state: Waiting, event: Event, ctx: Context) -> None:
    return None


def says_so(state: State, event: Event, ctx: Context) -> Step[State]:
    return Step(state, (Say("I took it"),))


def test_a_turn_that_never_rests_is_ended() -> None:
    turn = Turn({Waiting: asks_for_ever}, (), Waiting(), HI, CTX)
    for _ in range(MAX_STEPS - 1):
        turn.answer(FOUND)
    with pytest.raises(EndlessTurn):
        turn.answer(FOUND)


def test_a_step_must_handle_the_answer_to_what_it_asks() -> None:
    turn = Turn({Waiting: asks_and_forgets}, (says_so,), Waiting(), HI, CTX)
    with pytest.raises(UnhandledAnswer):
        turn.answer(FOUND)


def test_a_turn_speaks_the_language_that_it_sets_from_then_on() -> None:
    turn = Turn({Waiting: says_its_language}, (), Waiting(), HI, CTX)
    turn.answer(FOUND)
    assert turn.effects == [SetLocale("ru"), Say("ru")]


def test_the_first_fallback_that_takes_an_event_has_it() -> None:
    turn = Turn({Waiting: ignores}, (ignores, says_so, says_so), Waiting(), HI, CTX)
    assert turn.effects == [Say("I took it")]


def test_an_event_that_nobody_takes_changes_nothing() -> None:
    turn = Turn({Waiting: ignores}, (ignores,), Waiting(asked=3), HI, CTX)
    assert (turn.state, turn.effects, turn.ask) == (Waiting(asked=3), [], None)
