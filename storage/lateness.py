"""Customers who will be late: noted on their visit, and listed for whoever waits for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from flows.effects import FindVisit, NoteLate
from flows.events import LateNoted
from flows.hours import calendar_of, moment
from flows.model import Catalog
from flows.values import valueclass
from storage import bookings, queries
from storage.pool import Connection

log = structlog.get_logger("usual.lateness")

_Q = queries.of("lateness")

_BEGUN: Final = timedelta(hours=1)
"""Whoever is late may say so so long after the visit began."""
_AHEAD: Final = timedelta(hours=24)


@valueclass(frozen=True, slots=True)
class Late:
    """A visit whose customer will be late; `minutes` None: they did not say by how much."""

    code: str
    customer_id: int
    service: str
    staff: str
    starts_at: datetime
    timezone: str
    minutes: int | None
    said_at: datetime


async def note(
    conn: Connection, catalog: Catalog, ask: NoteLate, *, now: datetime, customer_id: int
) -> LateNoted:
    """Note on the visit of the next 24 hours, or of a local day, that they will be late."""
    company_id = catalog.company.id
    since, until = now - _BEGUN, now + _AHEAD
    if ask.day is not None:
        bounds = calendar_of(catalog).bounds(ask.day.toordinal())
        since, until = max(since, moment(bounds.start)), moment(bounds.end)
    booking_id = await _Q["note"].value(
        conn,
        company_id=company_id,
        customer_id=customer_id,
        minutes=ask.minutes,
        since=since,
        until=until,
        now=now,
    )
    if booking_id is None:
        return LateNoted(None, ask.minutes)
    found = await bookings.visit(conn, catalog, FindVisit(booking_id), customer_id=customer_id)
    log.info("visit.late", company_id=company_id, booking_id=booking_id, minutes=ask.minutes)
    return LateNoted(found.visit, ask.minutes)


async def late(conn: Connection, company_id: int, *, since: datetime, limit: int) -> list[Late]:
    """Whose visits from a moment on begin late, the next one first."""
    rows = await _Q["late"].many(conn, company_id=company_id, since=since, most=limit)
    return [Late(*row) for row in rows]
