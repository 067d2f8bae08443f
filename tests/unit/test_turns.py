"""What is remembered of turns."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.turns import LatestTurns, TurnReport
from flows import effects as fx
from flows import events as ev

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
ID = UUID(int=7)


def report(inbox_id: int, **other: object) -> TurnReport:
    made = {
        "company_id": 1,
        "conversation_id": 2,
        "inbox_id": inbox_id,
        "turn": inbox_id,
        "at": AT,
        "event": ev.TextReceived("hi"),
        "before": {"step": "menu.idle"},
        "after": {"step": "menu.idle"},
        "asked": [(fx.FindVisit(ID), ev.VisitFound(None))],
        "effects": [fx.Say("Hello", (fx.Button("a", "A"),)), fx.Record("seen", {"n": 1})],
        "seconds": 0.0123,
    }
    return TurnReport(**{**made, **other})  # type: ignore[arg-type]


def test_a_turn_is_found_by_the_event_that_it_handled() -> None:
    turns = LatestTurns()
    turns(report(5))
    found = turns.of_event(1, 5)
    assert found is not None
    assert found["event"] == {"name": "TextReceived", "text": "hi"}
    assert found["asked"] == [
        {
            "ask": {"name": "FindVisit", "booking_id": str(ID)},
            "answer": {"name": "VisitFound", "visit": None},
        }
    ]
    assert [one["name"] for one in found["effects"]] == ["Say", "Record"]
    assert found["ms"] == 12.3
    assert turns.of_event(1, 6) is None
    assert turns.of_event(2, 5) is None


def test_only_the_last_are_remembered() -> None:
    turns = LatestTurns(most=3)
    for n in range(5):
        turns(report(n))
    assert [n for n in range(5) if turns.of_event(1, n)] == [2, 3, 4]


def test_whatever_a_state_or_effect_holds_no_turn_fails_by_it() -> None:
    odd = {"zone": ZoneInfo("UTC"), "at": time(9), 7: frozenset({1}), "lone": "\ud800"}
    turns = LatestTurns()
    turns(report(1, before=odd))
    found = turns.of_event(1, 1)
    assert found is not None
    assert found["before"]["zone"] == "UTC"
