"""Stored states outlive deploys, and the diagram is what the steps declare."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest

from flows import registry
from flows.asking import Idle
from flows.desk import Deciding, Resting
from flows.draft import (
    Before,
    ChoosingArea,
    ChoosingDay,
    ChoosingService,
    ChoosingStaff,
    ChoosingTime,
    Confirming,
    Order,
)
from flows.errors import UnknownStep
from flows.late import NotingLate
from flows.machine import State
from flows.manage import CancellingVisit, ChoosingVisit, ViewingVisit
from flows.model import Hold, Slot, Wish
from flows.places import Joining, Noticing, Offered, Places
from flows.reminder import Rating, Reminded, Reminding
from flows.usual import BookingUsual, OfferingUsual, Suggesting

START = datetime(2026, 11, 21, 16, tzinfo=UTC)
ID = UUID(int=7)
HOLD = Hold(ID, Slot(1, 2, START, START.replace(hour=17), 8200), START)
BEFORE = Before(ID, START, 2)
OFFERED = (("book:who:1:0", "Anyone"),)

STATES: list[State] = [
    Idle(offered=OFFERED, misses=2),
    ChoosingArea(
        order=Order(1, 2, who_known=True, wish=Wish(at=time(15)), moving=ID, before=BEFORE),
        tapped=START,
    ),
    ChoosingArea(waiting={"step": "waitlist.joining", "service_id": 1}),
    ChoosingService(staff_id=2, who_known=True, wish=Wish(at=time(15)), only=(1, 2), offset=9),
    ChoosingStaff(service_id=1, moving=ID, before=BEFORE, offset=8),
    ChoosingDay(service_id=1, staff_id=2, from_day=date(2026, 11, 30)),
    ChoosingTime(
        service_id=1,
        moving=ID,
        before=BEFORE,
        day=date(2026, 11, 21),
        wish=Wish(date(2026, 11, 21), time(16), "evening"),
        page=3,
        start=START,
        who=2,
        tapped=True,
    ),
    Confirming(staff_id=2, moving=ID, before=BEFORE, hold=HOLD),
    ChoosingVisit(intent="cancel", past=True, offset=8),
    ViewingVisit(booking_id=ID, intent="change"),
    CancellingVisit(booking_id=ID),
    Reminding(booking_id=ID, kind="24h", start=START, busy=True),
    Reminded(booking_id=ID, kind="2h"),
    Rating(booking_id=ID),
    OfferingUsual(offered=OFFERED),
    Suggesting(booking_id=ID, busy=True),
    BookingUsual(service_id=1, staff_id=2, wish=Wish(date(2026, 11, 21), time(16))),
    Joining(
        service_id=1,
        staff_id=2,
        first=date(2026, 11, 23),
        last=date(2026, 11, 29),
        part=3,
        from_day=date(2026, 11, 23),
        offset=9,
    ),
    Places(intent="leave", waitlist_id=7),
    Offered(waitlist_id=7, offer_id=ID, slot=HOLD.slot, until=START, shared=True),
    Noticing(before={"step": "booking.choosing_staff", "service_id": 1}),
    NotingLate(),
    Deciding(resting=Resting(look_at=START, long_queue=True), only=7, round=2, more=True),
    Resting(),
]

SHIPPED: list[dict[str, object]] = [
    {"step": "menu.idle"},
    {"step": "menu.idle", "offered": [["menu:book", "Book a visit"]], "misses": 1},
    {"step": "where.choosing_area", "order": {"service_id": 1, "who_known": False, "also": [2]}},
    {"step": "booking.choosing_service", "wish": {"day": "2026-11-21", "at": "15:00:00"}},
    {"step": "booking.choosing_staff", "service_id": 1},
    {"step": "booking.choosing_day", "service_id": 1, "from_day": "2026-11-30"},
    {"step": "booking.choosing_time", "service_id": 1, "day": "2026-11-21", "page": 2},
    {
        "step": "booking.confirming",
        "hold": {
            "id": str(ID),
            "slot": {
                "service_id": 1,
                "staff_id": 2,
                "start": "2026-11-21T16:00:00Z",
                "end": "2026-11-21T17:00:00Z",
                "price_minor": 8200,
            },
            "until": "2026-11-20T16:05:00Z",
        },
    },
    {"step": "manage.choosing_visit", "intent": "change"},
    {"step": "manage.viewing_visit", "booking_id": str(ID)},
    {"step": "manage.cancelling_visit", "booking_id": str(ID)},
    {"step": "booking.choosing_staff", "service_id": 1, "idle_at": "2026-11-20T16:05:00Z"},
    {"step": "booking.choosing_staff", "service_id": 1, "asked_once": True},
    {
        "step": "reminder.reminding",
        "booking_id": str(ID),
        "kind": "24h",
        "start": "2026-11-21T16:00:00Z",
    },
    {"step": "reminder.reminded", "booking_id": str(ID)},
    {"step": "reminder.rating", "booking_id": str(ID)},
    {"step": "usual.offering"},
    {"step": "usual.suggesting", "booking_id": str(ID)},
    {"step": "usual.booking", "service_id": 1, "staff_id": 2},
    {"step": "waitlist.joining", "service_id": 1, "first": "2026-11-23", "last": "2026-11-29"},
    {"step": "waitlist.places"},
    {
        "step": "waitlist.offered",
        "waitlist_id": 7,
        "offer_id": str(ID),
        "slot": {
            "service_id": 1,
            "staff_id": 2,
            "start": "2026-11-21T16:00:00Z",
            "end": "2026-11-21T17:00:00Z",
            "price_minor": 8200,
        },
        "until": "2026-11-20T16:05:00Z",
    },
    {"step": "waitlist.noticing", "before": {"step": "menu.idle"}},
    {"step": "late.noting"},
    {"step": "desk.resting"},
    {"step": "desk.deciding"},
]
"""States as they lie in the database: a new version must still read all of them."""


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.step)
def test_a_state_is_the_same_after_it_was_stored(state: State) -> None:
    assert registry.load_state(json.loads(json.dumps(registry.dump_state(state)))) == state


def test_every_state_has_been_stored_here() -> None:
    assert {type(state) for state in STATES} == set(registry.STEPS)
    assert {stored["step"] for stored in SHIPPED} == {state.step for state in STATES}


@pytest.mark.parametrize("stored", SHIPPED, ids=lambda stored: stored["step"])
def test_a_state_of_an_earlier_version_is_read(stored: dict[str, object]) -> None:
    state = registry.load_state({**stored, "a field that is gone": 1})
    assert state.step == stored["step"]


@pytest.mark.parametrize(
    "stored",
    [{}, {"step": None}, {"step": "booking.waltzing"}, {"step": "booking.confirming"}],
)
def test_a_state_that_no_flow_can_go_on_from_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(UnknownStep):
        registry.load_state(stored)


def test_conversations_begin_idle() -> None:
    assert registry.dump_state(registry.INITIAL) == {"step": "menu.idle"}
    assert registry.dump_state(registry.DESK) == {"step": "desk.resting"}


def test_the_diagram_shows_what_the_steps_declare() -> None:
    lines = registry.diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert "    [*] --> menu_idle" in lines
    assert "    booking_choosing_time --> booking_confirming" in lines
    assert "    booking_choosing_day --> booking_confirming" not in lines
    sources = {line.split(" --> ")[0].strip() for line in lines[2:]}
    assert sources == {state.step.replace(".", "_") for state in STATES}
