"""Events of our own as they lie in the inbox: whatever was written once is still read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

import pytest

from flows import events as ev
from flows.errors import UnknownEvent
from flows.model import Slot
from flows.stored import dump_event, kind_of, load_event

START = datetime(2026, 11, 21, 16, tzinfo=UTC)
ID = UUID(int=7)
SLOT = Slot(1, 2, START, START.replace(hour=17), 8200)

EVENTS: list[ev.Internal] = [
    ev.PersonReplied(),
    ev.PersonReturned(),
    ev.SendFailed(131026),
    ev.TurnFailed(),
    ev.TimeFreed(),
    ev.OfferPicked(7),
    ev.PlaceOffered(7, ID, SLOT, START, shared=True),
    ev.PlaceLost(7, ID, SLOT, taken=True),
    ev.TimerFired("hold", "hold:7", {"id": 7, "who": "Ana", "late": False, "note": None}),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_the_same_after_it_was_stored(event: ev.Internal) -> None:
    kind, stored = dump_event(event)
    assert load_event(kind, json.loads(json.dumps(stored))) == event


def test_every_internal_event_has_been_stored_here() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(ev.Internal))


def test_kinds_are_what_they_always_were() -> None:
    kinds = {kind_of(cls) for cls in get_args(ev.Internal)}
    assert kinds >= {"person_replied", "person_returned", "send_failed", "turn_failed"}
    assert kind_of(ev.TimerFired) == "timer_fired"


def test_what_is_unknown_or_null_in_an_old_event_does_no_harm() -> None:
    assert load_event("send_failed", {"code": None, "outbox_id": 7}) == ev.SendFailed(0)
    assert load_event("timer_fired", {"name": "a", "key": "b", "generation": 3}) == ev.TimerFired(
        "a", "b", {}
    )


def test_what_a_newer_program_wrote_is_refused_and_not_taken_for_something_else() -> None:
    with pytest.raises(UnknownEvent, match="no event is stored as 'moon_risen'"):
        load_event("moon_risen", {})


def test_an_event_that_lacks_something_is_named() -> None:
    with pytest.raises(UnknownEvent, match="timer_fired cannot be read: key"):
        load_event("timer_fired", {"name": "a"})
