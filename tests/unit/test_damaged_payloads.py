"""No damage to a webhook raises, and whatever is left of it can be stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given

from bot.whatsapp.bodies import parse
from bot.whatsapp.payloads import read
from tests.support.damage import damaged
from tests.support.payloads import AT

NOW = datetime.fromtimestamp(AT, UTC)


@given(damaged())
def test_no_damage_raises_and_every_event_can_be_stored(body: Any) -> None:
    for event in read(json.dumps(body).encode(), received_at=NOW):
        assert parse(orjson.dumps(event.event)) == event.event
        assert event.kind in {"message", "system", "echo", "status", "notice", "account", "kept"}
        assert 0 < len(event.dedup_key) < 1000
        assert event.kind not in {"message", "system", "echo"} or event.identity
        assert event.occurred_at.tzinfo is not None
