"""A business in the database that tests search, hold and book at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg

from flows.areas import seen_from
from flows.effects import (
    BookSlot,
    CancelVisit,
    FindDays,
    FindEarliest,
    FindNearest,
    FindTimes,
    HoldSlot,
    MoveVisit,
)
from flows.events import SlotBooked, SlotHeld, SlotTaken
from flows.model import Catalog, Hold, Visit
from storage import bookings, slots
from storage.catalog import load
from storage.clock import uuid7
from storage.pool import Connection

NOW = datetime.fromisoformat("2026-11-20T08:00:00+00:00")
"""A Friday, early in the day."""
MONDAY = date(2026, 11, 23)
ALL_WEEK = tuple((weekday, "09:00", "18:00", "work") for weekday in range(1, 8))

OVERLAPS = """
SELECT count(*) FROM slot_claims AS a JOIN slot_claims AS b
    ON a.company_id = b.company_id AND a.claimant = b.claimant AND a.id < b.id
    AND a.during && b.during AND a.claim_id <> b.claim_id AND 'visit' IN (a.part, b.part)
    AND 'seat' NOT IN (a.part, b.part)
"""
"""Counts pairs of claims that may not be."""
DOUBLE = """
SELECT count(*) FROM bookings AS a JOIN bookings AS b
    ON a.company_id = b.company_id AND a.staff_id = b.staff_id AND a.id < b.id
    AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
    AND a.status <> 'cancelled' AND b.status <> 'cancelled'
"""
"""Counts pairs of bookings that may not be."""

_numbers = count(100)


@dataclass(frozen=True)
class Guest:
    """A customer and their conversation."""

    customer_id: int
    conversation_id: int


@dataclass
class Shop:
    """A company; `catalog` is what conversations knew of it at the last `refresh`."""

    company_id: int
    service_ids: tuple[int, ...]
    staff_ids: tuple[int, ...]
    catalog: Catalog = field(repr=False)

    async def refresh(self, conn: Connection) -> Catalog:
        """Read the catalogue again."""
        self.catalog = await load(conn, company_id=self.company_id)
        return self.catalog

    async def guest(self, conn: Connection) -> Guest:
        """Another customer."""
        customer_id = await conn.fetchval(
            "INSERT INTO customers (company_id, phone) VALUES ($1, $2) RETURNING id",
            self.company_id,
            f"4479{next(_numbers):08}",
        )
        conversation_id = await conn.fetchval(
            """
            INSERT INTO dialog_contexts (company_id, customer_id, last_message_at, started_at)
            VALUES ($1, $2, $3, $3) RETURNING id
            """,
            self.company_id,
            customer_id,
            NOW,
        )
        return Guest(customer_id, conversation_id)

    async def times(
        self,
        conn: Connection,
        day: date,
        *,
        staff_id: int | None = None,
        service_id: int | None = None,
        now: datetime = NOW,
        guest: Guest | None = None,
        moving: UUID | None = None,
        also: tuple[int, ...] = (),
    ) -> list[str]:
        """The free times of a day, as the clock on the wall shows them."""
        ask = FindTimes(service_id or self.service_ids[0], staff_id, day, moving, also)
        found = await self.ask(conn, ask, now=now, guest=guest)
        return [self.wall(slot.start) for slot in found.slots]

    async def ask(
        self,
        conn: Connection,
        ask: FindTimes | FindDays | FindEarliest | FindNearest,
        *,
        now: datetime = NOW,
        guest: Guest | None = None,
    ) -> Any:
        """What a flow would be answered."""
        conversation_id = guest.conversation_id if guest else None
        return await slots.answer(
            slots.sight(conn), self.catalog, ask, now=now, conversation_id=conversation_id
        )

    async def hold(
        self,
        conn: Connection,
        guest: Guest,
        start: datetime,
        *,
        staff_id: int | None = None,
        service_id: int | None = None,
        now: datetime = NOW,
        minutes: int = 5,
        moving: UUID | None = None,
        also: tuple[int, ...] = (),
        but: int | None = None,
    ) -> SlotHeld | SlotTaken:
        """Hold a time for a customer."""
        ask = HoldSlot(
            service_id or self.service_ids[0],
            staff_id,
            start,
            now + timedelta(minutes=minutes),
            moving,
            also,
            but,
        )
        return await bookings.hold(
            conn,
            self.catalog,
            ask,
            now=now,
            conversation_id=guest.conversation_id,
            new_id=uuid7(now),
        )

    async def book(
        self, conn: Connection, guest: Guest, hold: Hold, *, now: datetime = NOW
    ) -> SlotBooked | SlotTaken:
        """Book what a customer holds."""
        return await bookings.book(
            conn,
            self.catalog,
            BookSlot(hold),
            now=now,
            customer_id=guest.customer_id,
            conversation_id=guest.conversation_id,
            new_id=uuid7(now),
        )

    async def booked(
        self,
        conn: Connection,
        guest: Guest,
        start: datetime,
        *,
        staff_id: int | None = None,
        service_id: int | None = None,
        now: datetime = NOW,
        also: tuple[int, ...] = (),
    ) -> Visit:
        """A visit of a customer, made the usual way."""
        held = await self.hold(
            conn, guest, start, staff_id=staff_id, service_id=service_id, now=now, also=also
        )
        assert isinstance(held, SlotHeld), "the time is not free"
        made = await self.book(conn, guest, held.hold, now=now)
        assert isinstance(made, SlotBooked)
        return made.visit

    async def move(
        self, conn: Connection, guest: Guest, visit: Visit, hold: Hold, now: datetime = NOW
    ) -> Any:
        """Move a customer's visit onto what they hold."""
        return await bookings.move(
            conn,
            self.catalog,
            MoveVisit(visit.id, hold),
            now=now,
            customer_id=guest.customer_id,
            conversation_id=guest.conversation_id,
        )

    async def cancel(
        self, conn: Connection, guest: Guest, booking_id: UUID, now: datetime = NOW
    ) -> Any:
        """Cancel a customer's visit."""
        ask = CancelVisit(booking_id, "ill")
        return await bookings.cancel(
            conn, self.catalog, ask, now=now, customer_id=guest.customer_id
        )

    async def block(
        self,
        conn: Connection,
        low: datetime,
        high: datetime,
        *,
        kind: str = "external",
        expires_at: datetime | None = None,
        person: int | None = None,
    ) -> None:
        """Somebody else has this time of a person, or of the first of the staff."""
        await conn.execute(
            """
            INSERT INTO slot_claims
                (company_id, claim_id, staff_id, during, kind, expires_at, created_at)
            VALUES ($1, $2, $3, tstzrange($4, $5), $6, $7, $8)
            """,
            self.company_id,
            uuid7(NOW),
            person or self.staff_ids[0],
            low,
            high,
            kind,
            expires_at,
            NOW,
        )

    async def claims(self, conn: Connection) -> list[tuple[str, str, str, str]]:
        """What is claimed, as the clocks show it: from, to, part and kind."""
        rows = await conn.fetch(
            "SELECT * FROM slot_claims WHERE company_id = $1 ORDER BY during", self.company_id
        )
        return [
            (self.wall(r["during"].lower), self.wall(r["during"].upper), r["part"], r["kind"])
            for r in rows
        ]

    def at(self, day: date, wall: str) -> datetime:
        """A wall time there as an instant; the first one where it comes twice."""
        return datetime.combine(day, time.fromisoformat(wall), self.catalog.zone)

    def wall(self, moment: datetime) -> str:
        """What the clocks show there."""
        return f"{moment.astimezone(self.catalog.zone):%H:%M}"


async def open_shop(
    conn: Connection,
    *,
    timezone: str = "Europe/Berlin",
    settings: Mapping[str, object] | None = None,
    services: Sequence[Mapping[str, object]] = ({},),
    staff: Sequence[str] = ("Becky",),
    hours: Sequence[tuple[int, str, str, str]] = ALL_WEEK,
) -> Shop:
    """A company where everybody works the same hours and does everything.

    Services are the columns that differ from a cut of 60 minutes.
    """
    # NOW stays where it is, whenever the tests run.
    for days in (-60, -30, 0, 30):
        await conn.execute("SELECT create_bookings_partition($1)", NOW.date() + timedelta(days))
    company_id = await conn.fetchval(
        """
        INSERT INTO companies (name, timezone, phone_number_id, settings)
        VALUES ('Salon Lumi', $1, $2, $3) RETURNING id
        """,
        timezone,
        f"1000000{next(_numbers):08}",
        dict(settings or {}),
    )
    service_ids = [await add_service(conn, company_id, **columns) for columns in services]
    staff_ids = [
        await conn.fetchval(
            "INSERT INTO staff (company_id, name, position) VALUES ($1, $2, $3) RETURNING id",
            company_id,
            name,
            position,
        )
        for position, name in enumerate(staff)
    ]
    await conn.execute(
        """
        INSERT INTO staff_services (company_id, staff_id, service_id)
        SELECT $1, p, s FROM unnest($2::bigint[]) AS p, unnest($3::bigint[]) AS s
        """,
        company_id,
        staff_ids,
        service_ids,
    )
    for staff_id in staff_ids:
        await set_hours(conn, company_id, staff_id, hours)
    catalog = await load(conn, company_id=company_id)
    return Shop(company_id, tuple(service_ids), tuple(staff_ids), catalog)


def held(answer: SlotHeld | SlotTaken) -> Hold:
    """The hold that there must be."""
    assert isinstance(answer, SlotHeld)
    return answer.hold


async def add_resource(
    conn: Connection, shop: Shop, name: str, units: int, service_ids: Sequence[int]
) -> int:
    """So many rooms that these services take one of; the shop knows of it."""
    id_: int = await conn.fetchval(
        "INSERT INTO resources (company_id, name, units) VALUES ($1, $2, $3) RETURNING id",
        shop.company_id,
        name,
        units,
    )
    await conn.executemany(
        "INSERT INTO service_resources (company_id, service_id, resource_id) VALUES ($1, $2, $3)",
        [(shop.company_id, service_id, id_) for service_id in service_ids],
    )
    await shop.refresh(conn)
    return id_


async def column(conn: Connection, query: str, *args: object) -> list[Any]:
    """The first column of what a query finds."""
    return [found[0] for found in await conn.fetch(query, *args)]


async def row(conn: Connection, query: str, *args: object) -> asyncpg.Record:
    """The row that a query must find."""
    found = await conn.fetchrow(query, *args)
    assert found is not None
    return found


async def add_service(conn: Connection, company_id: int, **columns: object) -> int:
    """A service with these columns; the rest is a cut of 60 minutes."""
    row = {"name": "Women's cut", "minutes": 60, "price_minor": 8200} | columns
    names = ", ".join(row)
    places = ", ".join(f"${i}" for i in range(2, len(row) + 2))
    id_: int = await conn.fetchval(
        f"INSERT INTO services (company_id, {names}) VALUES ($1, {places}) RETURNING id",  # noqa: S608
        company_id,
        *row.values(),
    )
    return id_


async def set_hours(
    conn: Connection,
    company_id: int,
    staff_id: int,
    hours: Sequence[tuple[int, str, str, str]],
) -> None:
    """Somebody's weekly pattern: (ISO weekday, from, to, "work" or "break")."""
    await conn.execute("DELETE FROM staff_hours WHERE staff_id = $1", staff_id)
    await conn.executemany(
        """
        INSERT INTO staff_hours (company_id, staff_id, weekday, starts, ends, kind)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [
            (company_id, staff_id, weekday, time.fromisoformat(a), time.fromisoformat(b), kind)
            for weekday, a, b, kind in hours
        ],
    )


async def add_area(conn: Connection, shop: Shop, timezone: str, *, code: str = "46601") -> Shop:
    """An area that the shop comes to, and the shop as its customers see it."""
    area_id: int = await conn.fetchval(
        "INSERT INTO service_areas (company_id, postal_code, city, state, timezone)"
        " VALUES ($1, $2, 'South Bend', 'IN', $3) RETURNING id",
        shop.company_id,
        code,
        timezone,
    )
    await shop.refresh(conn)
    return replace(shop, catalog=seen_from(shop.catalog, area_id))
