"""The waitlist as operators see it: the queue, one entry, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("waitlist")


@valueclass(frozen=True, slots=True)
class EntryRow:
    """An open place as operators list it, with what is on offer."""

    id: int
    customer_id: int
    service_id: int
    service: str
    position: int
    status: str
    wishes: list[dict[str, Any]]
    joined_at: datetime
    ends_at: datetime
    times_notified: int
    outcome: str
    changed_at: datetime
    offered_staff: str | None
    offered: datetime | None
    until: datetime | None


@valueclass(frozen=True, slots=True)
class EntryDetail:
    """One place, open or closed, as operators see it."""

    id: int
    customer_id: int
    service_id: int
    service: str
    position: int | None
    status: str
    wishes: list[dict[str, Any]]
    joined_at: datetime
    ends_at: datetime
    times_notified: int
    outcome: str
    changed_at: datetime
    booking_id: UUID | None
    place: int | None  # among those who wait for the same days: what its customer is told


@valueclass(frozen=True, slots=True)
class Change:
    """A step in the life of a place."""

    at: datetime
    status: str
    outcome: str
    offer_id: UUID | None
    staff: str | None
    starts: datetime | None
    until: datetime | None


async def queue(conn: Connection, company_id: int) -> list[EntryRow]:
    """Everybody who waits, service by service, in the order of their places."""
    return [EntryRow(*row) for row in await _Q["queue"].many(conn, company_id=company_id)]


async def entry(conn: Connection, company_id: int, waitlist_id: int) -> EntryDetail | None:
    """One place, whatever became of it."""
    row = await _Q["entry"].one(conn, company_id=company_id, id=waitlist_id)
    return None if row is None else EntryDetail(*row)


async def history(conn: Connection, company_id: int, waitlist_id: int) -> list[Change]:
    """What became of a place, step by step."""
    rows = await _Q["history"].many(conn, company_id=company_id, id=waitlist_id)
    return [Change(*row) for row in rows]
