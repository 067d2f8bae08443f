"""What becomes of visits: confirmed by their customers, completed, rated, or nobody came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flows.effects import CompleteVisit, ConfirmVisit, FindVisit, RateVisit
from flows.events import VisitCompleted, VisitConfirmed, VisitGone, VisitRated
from flows.model import Catalog, Policy
from flows.values import valueclass
from storage import bookings, preferences, queries
from storage.catalog import policy
from storage.pool import Connection, own_transaction

_Q = queries.of("visits")

COMPLETED_AFTER: Final = timedelta(hours=2)
"""How long after its end a visit is taken to have happened, unless somebody says otherwise."""
_COMPLETED_AT_ONCE: Final = 500


@valueclass(frozen=True, slots=True)
class CodedVisit:
    """A visit as an operator finds it by its code."""

    id: UUID
    code: str
    status: str
    customer_id: int
    starts_at: datetime
    no_shows: int


@valueclass(frozen=True, slots=True)
class NoShow:
    """A visit nobody came to; `said_by` is `operator` or `rule`, `no_shows` the customer's."""

    code: str
    customer_id: int
    no_shows: int
    service: str
    staff: str
    starts_at: datetime
    timezone: str
    said_by: str


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
    """Close a visit that has ended, if nobody has, and learn from it.

    Nobody came where the company's rule says so; it is not closed before the rule can say.
    """
    values = _values(catalog, ask.booking_id, customer_id, now)
    rules = catalog.company.policy
    before = now if rules.no_show_rule == "off" else now - _grace(rules)
    closed = await _Q["complete"].value(conn, **values, before=before, rule=rules.no_show_rule)
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
    rules = await _rules(conn)
    ruled = {
        "company_ids": list(rules),
        "rules": [one.no_show_rule for one in rules.values()],
        "befores": [now - _grace(one) for one in rules.values()],
    }
    while closed == _COMPLETED_AT_ONCE:
        async with own_transaction(conn):  # what is learned belongs to what was closed
            rows = await _Q["complete_due"].many(
                conn, before=now - COMPLETED_AFTER, now=now, most=_COMPLETED_AT_ONCE, **ruled
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

    That they came takes back that they did not, whoever said it.

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


async def no_shows(
    conn: Connection, company_id: int, *, since: datetime, limit: int
) -> list[NoShow]:
    """To which visits since a moment nobody came, latest first."""
    rows = await _Q["no_shows"].many(conn, company_id=company_id, since=since, most=limit)
    return [NoShow(*row) for row in rows]


async def _rules(conn: Connection) -> dict[int, Policy]:
    """The rules of the companies that have one about who stayed away, by company id."""
    rows = await _Q["rules"].many(conn)
    found = {row["id"]: policy(row["settings"], company_id=row["id"]) for row in rows}
    return {id_: one for id_, one in found.items() if one.no_show_rule != "off"}


def _grace(rules: Policy) -> timedelta:
    return timedelta(minutes=rules.no_show_minutes)


def _values(
    catalog: Catalog, booking_id: UUID, customer_id: int, now: datetime
) -> Mapping[str, Any]:
    return {
        "company_id": catalog.company.id,
        "booking_id": booking_id,
        "customer_id": customer_id,
        "now": now,
    }
