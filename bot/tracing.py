"""Tells the chat page's panel what the bot did with a message: its rows, and the turn if known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.turns import LatestTurns
from storage import traces
from storage.clock import Clock
from storage.errors import StorageError
from storage.pool import Pool, connection


class Tracer:
    """Reads only; the simulator asks it."""

    def __init__(self, pool: Pool, turns: LatestTurns, clock: Clock) -> None:
        self._pool, self._turns, self._clock = pool, turns, clock

    async def __call__(self, phone_number_id: str, wamid: str) -> dict[str, Any] | None:
        """What there is of a message, as JSON: the rows of `storage.traces.Trace` and `turn`."""
        try:
            async with connection(self._pool) as conn:
                found = await traces.find(conn, phone_number_id, wamid, now=self._clock())
        except StorageError:
            return None  # the panel shows the wire's side; the bot's own is away
        if found is None:
            return None
        turn = found.event and self._turns.of_event(found.company_id, found.event["id"])
        return {**asdict(found), "turn": turn}
