"""The conversation machine: carries one event to rest without doing any IO.

Theory of operation
-------------------
A conversation is always in one *state*: a frozen model that holds only what is known at that point
and is stored as JSON between turns. An *event* (a message, a tap, a timer) starts a *turn*. The
state's *step*, a plain function `(state, event, ctx) -> Step | None`, says which state comes next,
which *effects* the turn has, and at most one *ask*: a question only storage can answer. The answer
comes back as the next event of the same turn, to the step of the state that asked. A turn rests
when a step asks nothing; then everything it wanted is committed at once, or, when anything fails,
nothing is.

`None` means "not mine": the fallbacks follow, in order, the same for every state. The return
annotation of a step is its transition table: mypy refuses a step that goes where it does not
declare, and `flows.registry` draws the diagram from it.

Two rules keep the machine honest. A step must handle every answer to what it asks (UnhandledAnswer
otherwise), and a turn may take at most MAX_STEPS steps (EndlessTurn otherwise).

A turn that changes the customer's language speaks it from that step on; one that learns where they
are goes by the clock of that area (flows.areas). What follows from an answer in every flow alike is
said once, in `consequences`, and what is always done from one state to the next, and when a turn
rests, in `rest`: no flow can forget either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from flows.areas import seen_from
from flows.effects import Ask, Effect, SetLocale, SettleIn
from flows.errors import EndlessTurn, UnhandledAnswer
from flows.events import Answer, Event
from flows.model import Catalog, Customer
from flows.values import valueclass

MAX_STEPS = 20
_ANSWERS = get_args(Answer)


class State(BaseModel):
    """Where a conversation is; carries only what is known at that point.

    Stored states outlive deploys: a new field needs a default, a removed one is ignored on reading.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    step: str


def state_named(step: str) -> type[State] | None:
    """Return the class of the states with this step."""
    kinds = list(State.__subclasses__())
    while kinds:
        kind = kinds.pop()
        if kind.model_fields["step"].default == step:
            return kind
        kinds += kind.__subclasses__()
    return None


def dump_state(state: State) -> dict[str, Any]:
    """Return a state as JSON-ready values, without what is as by default."""
    return state.model_dump(mode="json", exclude_defaults=True) | {"step": state.step}


S_co = TypeVar("S_co", bound=State, covariant=True)


@valueclass(frozen=True, slots=True)
class Context:
    """What a step may read besides the event: never a connection."""

    now: datetime
    catalog: Catalog
    customer: Customer
    locale: str
    turn: int = 0
    person_until: datetime | None = None
    conversation_id: int = 0
    heard_at: datetime | None = None  # when the customer wrote last, this event included


@valueclass(frozen=True, slots=True)
class Step(Generic[S_co]):
    """The result of one step: next state, effects in order, at most one ask."""

    state: S_co
    effects: tuple[Effect, ...] = ()
    ask: Ask | None = None


Handler = Callable[[Any, Any, Context], Step[State] | None]
Consequences = Callable[[Event, Context], Sequence[Effect]]
"""What follows from an answer wherever it was asked for: a visit that is booked is remembered."""
Rest = Callable[[State, State, Step[State], Context], Step[State]]
"""What is made of every step, given the state that the turn began in and the one before it; the
turn rests in a step that asks nothing."""


@valueclass(frozen=True, slots=True)
class Flow:
    """A named set of states and their steps."""

    name: str
    steps: Mapping[type[State], Handler]


class Turn:
    """One event carried to rest: whoever drives it answers `ask` until it is None."""

    __slots__ = (
        "_before",
        "_consequences",
        "_fallbacks",
        "_rest",
        "_steps",
        "_taken",
        "ask",
        "ctx",
        "effects",
        "state",
    )

    def __init__(
        self,
        steps: Mapping[type[State], Handler],
        fallbacks: Sequence[Handler],
        state: State,
        event: Event,
        ctx: Context,
        *,
        consequences: Consequences | None = None,
        rest: Rest | None = None,
    ) -> None:
        self._steps, self._fallbacks = steps, fallbacks
        self._consequences, self._rest, self._before = consequences, rest, state
        self.state, self.ctx = state, ctx
        self.effects: list[Effect] = []
        self.ask: Ask | None = None
        self._taken = 0
        self.answer(event)

    def answer(self, event: Event) -> None:
        """Take one more step, with the event that started the turn or the answer to the ask."""
        self._taken += 1
        if self._taken > MAX_STEPS:
            raise EndlessTurn(f"{self.state.step} did not rest within {MAX_STEPS} steps")
        step = self._steps[type(self.state)](self.state, event, self.ctx)
        if step is None:
            if isinstance(event, _ANSWERS):
                raise UnhandledAnswer(f"{self.state.step} does not handle {type(event).__name__}")
            step = self._fall_back(event)
        if step is None:
            self.ask = None
            return
        if self._rest is not None:
            step = self._rest(self._before, self.state, step, self.ctx)
        self.state, self.ask = step.state, step.ask
        self.effects += step.effects
        if self._consequences is not None:
            self.effects += self._consequences(event, self.ctx)
        for effect in step.effects:
            if isinstance(effect, SetLocale):
                self.ctx = replace(self.ctx, locale=effect.locale)
            elif isinstance(effect, SettleIn):
                seen = seen_from(self.ctx.catalog, effect.area_id)
                self.ctx = replace(self.ctx, catalog=seen)

    def _fall_back(self, event: Event) -> Step[State] | None:
        for fallback in self._fallbacks:
            step = fallback(self.state, event, self.ctx)
            if step is not None:
                return step
        return None
