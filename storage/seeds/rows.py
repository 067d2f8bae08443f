"""Rows that seeds write by the thousand, and COPY to write them with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from flows.hours import moment, offset_at
from flows.model import Catalog
from storage.bookings import CODE_LETTERS
from storage.clock import EPOCH, MILLISECOND
from storage.pool import Connection

CODE: Final = ("company_id", "code", "booking_id")


class Booking(NamedTuple):
    """A row of bookings."""

    company_id: int
    id: UUID
    code: str
    customer_id: int
    service_id: int
    staff_id: int
    starts_at: datetime
    ends_at: datetime
    timezone: str
    utc_offset_seconds: int
    status: str
    price_minor: int
    currency: str
    source: str
    completed_at: datetime | None
    cancelled_at: datetime | None
    cancelled_by: str | None
    created_at: datetime


class Claim(NamedTuple):
    """A row of slot_claims."""

    company_id: int
    claim_id: UUID
    staff_id: int
    during: asyncpg.Range[datetime]
    part: str
    leads: bool
    kind: str
    booking_id: UUID
    created_at: datetime


class Writer:
    """Makes the rows of one company: the same ones for the same `rng`."""

    def __init__(self, catalog: Catalog, now: datetime, rng: Random) -> None:
        self._catalog, self._now, self._rng = catalog, now, rng
        self._number = 0

    def booking(
        self, *, customer_id: int, service_id: int, staff_id: int, start: int, end: int
    ) -> Booking:
        """A visit that was booked some days before it or, when it is ahead, some days ago."""
        rng, begins, ends = self._rng, moment(start), moment(end)
        known = min(begins, self._now)
        created = known - timedelta(minutes=rng.randint(60, 12 * 1440))
        status = "confirmed"
        if ends <= self._now:
            status = rng.choices(("completed", "cancelled", "no_show"), (88, 8, 4))[0]
        self._number += 1
        company = self._catalog.company
        return Booking(
            company_id=company.id,
            id=uuid7_from(created, rng),
            code=code_of(self._number),
            customer_id=customer_id,
            service_id=service_id,
            staff_id=staff_id,
            starts_at=begins,
            ends_at=ends,
            timezone=company.timezone,
            utc_offset_seconds=offset_at(start, self._catalog.zone),
            status=status,
            price_minor=self._catalog.staff_by_id[staff_id].offers[service_id].price_minor,
            currency=company.currency,
            source="quick",
            completed_at=ends if status == "completed" else None,
            cancelled_at=created + timedelta(minutes=30) if status == "cancelled" else None,
            cancelled_by="customer" if status == "cancelled" else None,
            created_at=created,
        )

    def claims(self, booking: Booking, parts: Iterable[tuple[int, int, str]]) -> list[Claim]:
        """What a booking keeps of somebody's time."""
        claim_id, parts = uuid7_from(booking.created_at, self._rng), list(parts)
        first = min(low for low, _, part in parts if part == "visit")
        return [
            Claim(
                booking.company_id,
                claim_id,
                booking.staff_id,
                asyncpg.Range(moment(low), moment(high)),
                part,
                part == "visit" and low == first,
                "booking",
                booking.id,
                booking.created_at,
            )
            for low, high, part in parts
        ]


async def copy(
    conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows by COPY."""
    if rows:
        await conn.copy_records_to_table(table, records=rows, columns=columns)


async def copy_bookings(
    conn: Connection, bookings: Sequence[Booking], claims: Sequence[Claim]
) -> None:
    """Write bookings with their codes and claims."""
    await copy(conn, "bookings", Booking._fields, bookings)
    await copy(conn, "booking_codes", CODE, [(b.company_id, b.code, b.id) for b in bookings])
    await copy(conn, "slot_claims", Claim._fields, claims)


def uuid7_from(moment: datetime, rng: Random) -> UUID:
    """An id like those of `storage.clock.uuid7`, the same one for the same `rng`."""
    value = ((moment - EPOCH) // MILLISECOND) << 80 | rng.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=value)


def code_of(number: int, length: int = 6) -> str:
    """Another code for every number; they do not look like a row."""
    # Multiplication by an odd number permutes the numbers of that many five-bit letters.
    number = number * 0x2545F491 % 32**length
    letters = []
    for _ in range(length):
        number, letter = divmod(number, 32)
        letters.append(CODE_LETTERS[letter])
    return "".join(letters)
