"""The desk: each company's conversation with nobody, for what concerns no single customer.

Its events come through the inbox and its turns are taken like any other, one at a time, so that two
decisions about the same thing cannot be made at once. It says nothing: it tells conversations.
"""

from __future__ import annotations

from typing import Literal

from flows.events import Event
from flows.machine import Context, State, Step


class Resting(State):
    """Nothing is to be decided."""

    step: Literal["desk.resting"] = "desk.resting"


def rest(state: Resting, event: Event, ctx: Context) -> Step[Resting] | None:
    """Take note of what asks for no decision."""
    return Step(state)
