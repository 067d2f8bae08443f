"""What becomes of visits: confirmed by their customers, completed, rated, or nobody came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flows.effects import CompleteVisit, ConfirmVisit, FindVisit, RateVisit
from flows.events import VisitCompleted, VisitConfirmed, VisitGone, VisitRated
from flows.model import Catalog
from storage import bookings, preferences, queries
from storage.pool import Connection, own_transaction

_Q = queries.of("visits")

COMPLETED_AFTER: Final = timedelta(hours=2)
"""How long after its end a visit is taken to have happened, unless somebody says otherwise."""
_COMPLETED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class CodedVisit:
    """A visit as an operator finds it by its code."""

    id: UUID
    code: str
    status: str
    customer_id: int
    starts_at: datetime
    no_shows: int


async def confirm(
    conn: Connection, catalog: Catalog, ask: ConfirmVisit, *, now: datetime, customer_id: int
) -> VisitConfirmed | VisitGone:
    """Note that a customer will come."""
    values = _values(catalog, ask.booking_id, customer_id, now)
    if await _Q["confirm"].value(conn, **values) is None:
        return VisitGone()
    found = await bookings.visit(conn, catalog, FindVisit(ask.booking_id), customer_id=customer_id)
    return VisitGone() if found.visit is None else VisitConfirmed(found.visit)


async def complete(
    conn: Connection, catalog: Catalog, ask: CompleteVisit, *, now: datetime, customer_id: int
) -> VisitCompleted | VisitGone:
    """Close a visit that has ended, if nobody has, and learn from it."""
    closed = await _Q["complete"].value(conn, **_values(catalog, ask.booking_id, customer_id, now))
    company_id = catalog.company.id
    if closed is not None:
        await preferences.learn(conn, [(company_id, customer_id)])
    found = await bookings.visit(conn, catalog, FindVisit(ask.booking_id), customer_id=customer_id)
    if found.visit is None:
        return VisitGone()
    return VisitCompleted(found.visit, await preferences.usual(conn, company_id, customer_id))


async def rate(
    conn: Connection, catalog: Catalog, ask: RateVisit, *, now: datetime, customer_id: int
) -> VisitRated | VisitGone:
    """Note how a visit was."""
    values = _values(catalog, ask.booking_id, customer_id, now)
    if await _Q["rate"].value(conn, **values, rating=ask.rating) is None:
        return VisitGone()
    found = await bookings.visit(conn, catalog, FindVisit(ask.booking_id), customer_id=customer_id)
    return VisitGone() if found.visit is None else VisitRated(found.visit, ask.rating)


async def complete_due(conn: Connection, *, now: datetime) -> int:
    """Close all visits that ended a while ago, and learn from them; returns how many.

    Part by part, each its own transaction, on a connection of one's own.
    """
    done, closed = 0, _COMPLETED_AT_ONCE
    while closed == _COMPLETED_AT_ONCE:
        async with own_transaction(conn):  # what is learned belongs to what was closed
            rows = await _Q["complete_due"].many(
                conn, before=now - COMPLETED_AFTER, now=now, most=_COMPLETED_AT_ONCE
            )
            await preferences.learn(conn, {(row["company_id"], row["customer_id"]) for row in rows})
        closed = len(rows)
        done += closed
    return done


async def by_code(conn: Connection, company_id: int, code: str) -> CodedVisit | None:
    """Find a visit by its code, however it is written."""
    row = await _Q["by_code"].one(conn, company_id=company_id, code=code.strip().upper())
    return None if row is None else CodedVisit(*row)


async def mark_no_show(
    conn: Connection, company_id: int, visit: CodedVisit, *, stayed_away: bool, now: datetime
) -> int | None:
    """Note that nobody came, or that they did; returns their no-shows, None if it cannot be so.

    What is usual for the customer is learned anew. On a connection of one's own.
    """
    async with own_transaction(conn):
        row = await _Q["mark_no_show"].one(
            conn, company_id=company_id, booking_id=visit.id, stayed_away=stayed_away, now=now
        )
        if row is None:
            return None
        await preferences.learn(conn, [(company_id, row["customer_id"])])
    no_shows: int = row["no_shows"]
    return no_shows


def _values(
    catalog: Catalog, booking_id: UUID, customer_id: int, now: datetime
) -> Mapping[str, Any]:
    return {
        "company_id": catalog.company.id,
        "booking_id": booking_id,
        "customer_id": customer_id,
        "now": now,
    }
