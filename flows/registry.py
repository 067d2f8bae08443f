"""All flows together: every state with its step, the fallbacks, and how states are stored.

`python -m flows.registry` prints the diagram of all conversations (Mermaid).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args, get_type_hints

from pydantic import ValidationError

from flows import desk, reminding, resting
from flows.asking import Idle
from flows.errors import UnknownStep
from flows.events import Event, Inbound
from flows.fallbacks import FALLBACKS as _FALLBACKS
from flows.machine import Consequences, Context, Handler, Rest, State, Step, dump_state
from flows.person import stays_silent
from flows.taps import STEPS as _CUSTOMERS
from flows.where import first

__all__ = [
    "CONSEQUENCES",
    "DESK",
    "DESK_FALLBACKS",
    "FALLBACKS",
    "INITIAL",
    "REST",
    "STEPS",
    "diagram",
    "dump_state",
    "load_state",
]

INITIAL: Final[State] = Idle()
"""Where every conversation with a customer begins."""
DESK: Final[State] = desk.Resting()
"""Where a company's desk begins."""
DESK_FALLBACKS: Final[tuple[Handler, ...]] = (desk.rest,)
"""What follows when a step of the desk says "not mine"."""

CONSEQUENCES: Final[Consequences] = reminding.after
"""What follows from an answer, whatever flow asked."""
REST: Final[Rest] = resting.rest
"""What is done whenever a turn comes to rest."""

_INBOUND = get_args(Inbound)
_OWN: Final[Mapping[type[State], Handler]] = {
    **_CUSTOMERS,
    desk.Resting: desk.rest,
    desk.Deciding: desk.decide,
}
_BY_NAME: Final[Mapping[str, type[State]]] = {
    state.model_fields["step"].default: state for state in _OWN
}


def _unless_a_person_has_it(step: Handler) -> Handler:
    """Keep a step from answering what the customer says to a person."""

    def guarded(state: State, event: Event, ctx: Context) -> Step[State] | None:
        heard = ctx.person_until is None or not isinstance(event, _INBOUND)
        return step(state, event, ctx) if heard or not stays_silent(event, ctx) else None

    return guarded


STEPS: Final[Mapping[type[State], Handler]] = {
    state: first(_unless_a_person_has_it(step)) for state, step in _OWN.items()
}
"""The step of every state, silent while a person has the conversation."""
FALLBACKS: Final[tuple[Handler, ...]] = tuple(map(first, _FALLBACKS))
"""What follows when a step says "not mine"."""


def load_state(stored: Mapping[str, Any]) -> State:
    """Read a stored state; fields that are gone are ignored, new ones have their defaults.

    UnknownStep when no flow has such a state, or what is stored is not enough for it.
    """
    name = stored.get("step")
    cls = _BY_NAME.get(name) if isinstance(name, str) else None
    if cls is None:
        raise UnknownStep(f"no flow has the step {name!r:.60}")
    try:
        return cls.model_validate(stored)
    except ValidationError as error:
        fields = ", ".join(sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}))
        raise UnknownStep(f"{name} cannot be read: {fields}") from None


def diagram() -> str:
    """Return the transition diagram, read off the return annotations of the steps."""
    lines = ["stateDiagram-v2", f"    [*] --> {_name(INITIAL.step)}"]
    for state, step in _OWN.items():
        source = _name(state.model_fields["step"].default)
        targets = {_name(to.model_fields["step"].default) for to in _reached(step)}
        lines += [f"    {source} --> {target}" for target in sorted(targets)]
    return "\n".join(lines)


def _name(step: str) -> str:
    return step.replace(".", "_")


def _reached(step: Handler) -> Iterator[type[State]]:
    """Return the states that a step's return annotation allows."""
    for part in get_args(get_type_hints(step)["return"]) or ():
        for argument in get_args(part):
            yield from _states(argument)


def _states(annotation: Any) -> Iterator[type[State]]:
    if isinstance(annotation, type):
        if annotation in _OWN:  # not "wherever it was before"
            yield annotation
    else:
        for argument in get_args(annotation):
            yield from _states(argument)


if __name__ == "__main__":
    sys.stdout.write(diagram() + "\n")
