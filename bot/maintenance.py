"""Housekeeping: partitions ahead, retention, visits that are over, conversations left too long."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from storage import bookings, dialogs, inbox, outbox, timers, visits
from storage.clock import Clock
from storage.errors import StorageError
from storage.pool import UNHURRIED, connect

log = structlog.get_logger("usual.maintenance")

EVERY: Final = timedelta(hours=1)
"""All of it is idempotent, and cheap when there is nothing to do."""


async def maintain(database_url: str, clock: Clock) -> None:
    """Do the housekeeping once."""
    now = clock()
    conn = await connect(database_url, timeouts=UNHURRIED)
    try:
        await bookings.maintain_partitions(conn, now.date())
        rested = await dialogs.cleanup_expired(conn, now=now)
        handled = await inbox.purge(conn, now=now)
        settled = await outbox.purge(conn, now=now)
        past = await bookings.forget_past(conn, now=now)
        over = await timers.purge(conn, now=now)
        completed = await visits.complete_due(conn, now=now)
    finally:
        await conn.close()
    if count := rested + handled + settled + past + over + completed:
        log.info("maintenance.done", count=count)


async def run(database_url: str, clock: Clock) -> None:
    """Do the housekeeping every hour until cancelled; trouble waits for the next hour."""
    while True:
        await asyncio.sleep(EVERY.total_seconds())
        try:
            await maintain(database_url, clock)
        except StorageError as error:
            log.warning("maintenance.failed", error=type(error).__name__)
