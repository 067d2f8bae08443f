"""An intake over a real database, and how often it asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from bot.intake import Intake
from bot.whatsapp.payloads import read
from storage.clock import system_clock
from storage.companies import Directory
from storage.inbox import NewEvent, Received
from storage.pool import Pool, RoundTrips, open_pool


def posted(*bodies: object) -> list[NewEvent]:
    """The events of bodies."""
    return [
        event for body in bodies for event in read(orjson.dumps(body), received_at=system_clock())
    ]


@dataclass
class Desk:
    """An intake and what it said, batch by batch."""

    intake: Intake
    received: list[Received] = field(default_factory=list)
    batches: int = 0

    async def take(self, *bodies: object) -> None:
        """Take in the events of bodies as those of one POST."""
        await self.intake.receive(posted(*bodies))


def desk(pool: Pool, directory: Directory | None = None) -> Desk:
    """A new intake, as every process has one."""

    def note(events: Sequence[Received]) -> None:
        found.received += events
        found.batches += 1

    intake = Intake(pool, directory or Directory(), clock=system_clock, on_received=note)
    found = Desk(intake)
    return found


@asynccontextmanager
async def counted_pool(database_url: str) -> AsyncIterator[tuple[Pool, RoundTrips]]:
    """A pool that tells what was sent over it."""
    trips = RoundTrips()
    pool = await open_pool(database_url, size=4, on_statement=trips)
    try:
        yield pool, trips
    finally:
        await pool.close()
