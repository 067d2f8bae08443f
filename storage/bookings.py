"""Bookings: holds become visits, and visits are found, moved and cancelled.

A customer reaches only their own visits: an id alone opens nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from flows.effects import BookSlot, CancelVisit, FindVisit, FindVisits, MoveVisit
from flows.events import (
    SlotBooked,
    SlotTaken,
    VisitCancelled,
    VisitFound,
    VisitGone,
    VisitMoved,
    VisitsFound,
)
from flows.hours import epoch, moment, offset_at
from flows.model import Catalog, Hold, Piece, Slot, Visit
from storage import queries
from storage.claims import (
    claim_rows,
    claimable,
    forget_past,
    hold,
    pass_gate,
    release,
)
from storage.errors import Conflict
from storage.pool import Connection
from storage.search import Search
from storage.taken import looker

__all__ = [
    "book",
    "cancel",
    "forget_past",
    "hold",
    "maintain_partitions",
    "move",
    "new_code",
    "release",
    "visit",
    "visit_from",
    "visits",
]

_Q = queries.of("bookings")

CODE_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""What codes are made of: nothing that reads like something else."""
_CODE_LENGTH: Final = 5
_MOST_AHEAD, _MOST_PAST = 30, 10


def new_code(length: int = _CODE_LENGTH) -> str:
    """A code that is easy to read out and hard to guess."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(length))


async def book(
    conn: Connection,
    catalog: Catalog,
    ask: BookSlot,
    *,
    now: datetime,
    customer_id: int,
    conversation_id: int,
    new_id: UUID,
    code: str | None = None,
) -> SlotBooked | SlotTaken:
    """Turn a hold into the booking `new_id`, a version-7 id made from `now`: one statement.

    A hold that lapsed and is gone is claimed again if its time is still offered and free. One that
    is booked already gives that booking. A `code` that is in use is replaced.
    """
    slot = ask.hold.slot
    if not _is_known(catalog, slot):
        return SlotTaken()
    code = code or new_code()
    values = _booking(catalog, slot) | {
        "hold_id": ask.hold.id,
        "conversation_id": conversation_id,
        "booking_id": new_id,
        "code": code,
        "customer_id": customer_id,
        "source": ask.source,
        "now": now,
        "service_ids": [piece.service_id for piece in slot.pieces],
        "staff_ids": [piece.staff_id for piece in slot.pieces],
    }
    row = await _one(conn, "book", values)
    if not row["booked"] and row["booked_before"] is None:
        await _claim_again(conn, catalog, ask.hold, now=now, conversation_id=conversation_id)
        # Whether or not: it may also have been booked by a twin of this very call.
        row = await _one(conn, "book", values)
    if row["booked"]:
        if not row["coded"]:
            code = await _recode(conn, catalog.company.id, new_id)
        return SlotBooked(_new_visit(catalog, slot, new_id, code), row["waiting"])
    before = row["booked_before"]
    found = None if before is None else await _visit(conn, catalog, before, customer_id)
    return SlotTaken() if found is None else SlotBooked(found)


async def move(
    conn: Connection,
    catalog: Catalog,
    ask: MoveVisit,
    *,
    now: datetime,
    customer_id: int,
    conversation_id: int,
) -> VisitMoved | SlotTaken | VisitGone:
    """Give a visit the time of a hold, inside a transaction; until then the old time is theirs."""
    slot = ask.hold.slot
    search = _search(
        conn, catalog, slot, now=now, conversation_id=conversation_id, moving=ask.booking_id
    )
    lapsed = ask.hold.until <= now
    rows = await claimable(conn, search, slot, now=now, lapsed=lapsed)
    if rows is None:
        return SlotTaken()
    if not search.guarded:
        await pass_gate(conn, staff_id=slot.staff_id)
    row = await _one(
        conn,
        "move",
        _booking(catalog, slot)
        | rows.arrays()
        | {
            "booking_id": ask.booking_id,
            "customer_id": customer_id,
            "conversation_id": conversation_id,
            "hold_id": ask.hold.id,
            "now": now,
            "service_id": rows.service_id,
            "session_id": rows.session_id,
            "doers": [piece.staff_id for piece in slot.pieces],
            "service_ids": [piece.service_id for piece in slot.pieces],
        },
    )
    if not row["found"]:
        return VisitGone()
    if row["taken"]:
        return SlotTaken()
    if row["id"] is None:
        raise Conflict("somebody claimed the new time of a visit meanwhile")
    return VisitMoved(replace(visit_from(row), pieces=_named(catalog, slot)))


async def cancel(
    conn: Connection,
    catalog: Catalog,
    ask: CancelVisit,
    *,
    now: datetime,
    customer_id: int,
    cancelled_by: str = "customer",
) -> VisitCancelled | VisitGone:
    """Cancel a visit that is still ahead, and free its time."""
    row = await _Q["cancel"].one(
        conn,
        company_id=catalog.company.id,
        booking_id=ask.booking_id,
        customer_id=customer_id,
        cancelled_by=cancelled_by,
        reason=ask.reason,
        now=now,
    )
    return VisitGone() if row is None else VisitCancelled(visit_from(row))


async def visits(
    conn: Connection, catalog: Catalog, ask: FindVisits, *, now: datetime, customer_id: int
) -> VisitsFound:
    """A customer's visits ahead, soonest first; past ones, latest first, when asked for."""
    rows = await _Q["visits"].many(
        conn,
        company_id=catalog.company.id,
        customer_id=customer_id,
        now=now,
        past=ask.past,
        most_ahead=_MOST_AHEAD,
        most_past=_MOST_PAST,
    )
    return VisitsFound(
        upcoming=tuple(visit_from(row) for row in rows if row["ahead"]),
        past=tuple(visit_from(row) for row in rows if row["ahead"] is False),
        waiting=rows[0]["waiting"],
    )


async def visit(
    conn: Connection, catalog: Catalog, ask: FindVisit, *, customer_id: int
) -> VisitFound:
    """One visit of a customer, in whatever state it is."""
    return VisitFound(await _visit(conn, catalog, ask.booking_id, customer_id))


async def maintain_partitions(conn: Connection, today: date) -> None:
    """Make the partitions of the coming months and weeks, and drop those kept long enough."""
    await _Q["maintain_partitions"].one(conn, today=today)


async def _claim_again(
    conn: Connection, catalog: Catalog, lapsed: Hold, *, now: datetime, conversation_id: int
) -> None:
    """Claim the time of a hold that is gone, if it is still offered and free."""
    search = _search(conn, catalog, lapsed.slot, now=now, conversation_id=conversation_id)
    rows = await claimable(conn, search, lapsed.slot, now=now, lapsed=True)
    if rows is not None:
        await claim_rows(
            conn,
            company_id=catalog.company.id,
            rows=rows,
            claim_id=lapsed.id,
            conversation_id=conversation_id,
            until=now + timedelta(minutes=1),
            now=now,
            anyone=search.guarded,
        )


async def _recode(conn: Connection, company_id: int, booking_id: UUID) -> str:
    """Give a booking a code that nobody has, longer ones in time."""
    length = _CODE_LENGTH
    while True:
        code = await _Q["recode"].value(
            conn, company_id=company_id, booking_id=booking_id, code=new_code(length)
        )
        if code is not None:
            return str(code)
        length = min(length + 1, 12)


async def _visit(
    conn: Connection, catalog: Catalog, booking_id: UUID, customer_id: int
) -> Visit | None:
    row = await _Q["visit"].one(
        conn, company_id=catalog.company.id, booking_id=booking_id, customer_id=customer_id
    )
    return None if row is None else visit_from(row)


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> asyncpg.Record:
    """The row of a query that always has one."""
    row = await _Q[query].one(conn, **values)
    if row is None:
        raise Conflict(f"bookings.{query} returned nothing")
    return row


def _search(
    conn: Connection,
    catalog: Catalog,
    slot: Slot,
    *,
    now: datetime,
    conversation_id: int,
    moving: UUID | None = None,
) -> Search:
    return Search(
        looker(conn),
        catalog,
        slot.service_id,
        # Whoever does the first service may not do the others: the slot says who does.
        None if slot.pieces else slot.staff_id,
        now=now,
        conversation_id=conversation_id,
        moving=moving,
        also=slot.also,
    )


def _is_known(catalog: Catalog, slot: Slot) -> bool:
    pieces: tuple[Piece | Slot, ...] = slot.pieces or (slot,)
    return all(
        piece.service_id in catalog.service_by_id and piece.staff_id in catalog.staff_by_id
        for piece in pieces
    )


def _booking(catalog: Catalog, slot: Slot) -> dict[str, Any]:
    """What a booking says of its slot, as arguments; of several services, also of each."""
    return {
        "company_id": catalog.company.id,
        "service_id": slot.service_id,
        "staff_id": slot.staff_id,
        "starts_at": slot.start,
        "ends_at": slot.end,
        "area_id": catalog.area.id if catalog.area else None,
        "timezone": catalog.timezone,
        "utc_offset_seconds": offset_at(epoch(slot.start), catalog.zone),
        "price_minor": slot.price_minor,
        "currency": catalog.company.currency,
        "all_start": [piece.start for piece in slot.pieces],
        "all_end": [piece.end for piece in slot.pieces],
        "prices": [piece.price_minor for piece in slot.pieces],
    }


def _named(catalog: Catalog, slot: Slot) -> tuple[Piece, ...]:
    """The services of a visit of several, with their names."""
    return tuple(
        replace(
            piece,
            service_name=catalog.service_by_id[piece.service_id].name,
            staff_name=catalog.staff_by_id[piece.staff_id].name,
        )
        for piece in slot.pieces
    )


def _new_visit(catalog: Catalog, slot: Slot, booking_id: UUID, code: str) -> Visit:
    return Visit(
        id=booking_id,
        code=code,
        service_id=slot.service_id,
        staff_id=slot.staff_id,
        start=slot.start,
        end=slot.end,
        status="confirmed",
        price_minor=slot.price_minor,
        currency=catalog.company.currency,
        timezone=catalog.timezone,
        service_name=catalog.service_by_id[slot.service_id].name,
        staff_name=catalog.staff_by_id[slot.staff_id].name,
        pieces=_named(catalog, slot),
        area_id=catalog.area.id if catalog.area else None,
    )


def visit_from(row: asyncpg.Record) -> Visit:
    """A visit as the queries about visits return it."""
    return Visit(
        id=row["id"],
        code=row["code"],
        service_id=row["service_id"],
        staff_id=row["staff_id"],
        start=row["starts_at"],
        end=row["ends_at"],
        status=row["status"],
        price_minor=row["price_minor"],
        currency=row["currency"],
        timezone=row["timezone"],
        service_name=row["service_name"],
        staff_name=row["staff_name"],
        moves=row["moves"],
        confirmed=row["confirmed_at"] is not None,
        rating=row["rating"],
        reminded_at=row.get("reminded_at"),
        area_id=row["area_id"],
        pieces=tuple(
            Piece(service, staff, moment(int(start)), moment(int(end)), price, name, by)
            for service, staff, start, end, price, name, by in row.get("pieces") or ()
        ),
    )
