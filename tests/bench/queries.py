"""What a source claims for eight queries, measured on its data size and on a hundred times it.

Ten thousand bookings, fifty thousand messages and a thousand conversations of five companies; then
of five hundred. Each query goes through asyncpg, so that what it costs to read the rows counts too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

import asyncpg

from storage import migrate, seeds
from storage.clock import system_clock
from storage.embedded import Servers
from storage.pool import UNHURRIED, Connection, connection, open_pool
from tests.support.database import create

SIZES: Final = {1: "10 k bookings", 100: "1 M bookings"}
_BOOKINGS, _MESSAGES, _CONVERSATIONS, _COMPANIES = 10_000, 50_000, 1_000, 5
_TIMES: Final = 60
_SECONDS: Final = 1800.0  # the load is written in one transaction


class Asked(NamedTuple):
    """A query, and the names of what it is asked with."""

    sql: str
    by: Sequence[str]


QUERIES: Final[Mapping[str, Asked]] = {
    "bookings of a company": Asked(
        "SELECT id, code, customer_id, service_id, staff_id, starts_at, ends_at, status,"
        " price_minor FROM bookings WHERE company_id = $1 AND starts_at > now() - interval '1 year'"
        " ORDER BY starts_at",
        ("company_id",),
    ),
    "first 100 of them": Asked(
        "SELECT id, code, customer_id, service_id, staff_id, starts_at, ends_at, status,"
        " price_minor FROM bookings WHERE company_id = $1 ORDER BY starts_at LIMIT 100",
        ("company_id",),
    ),
    "those with a status": Asked(
        "SELECT id, code, customer_id, service_id, staff_id, starts_at, ends_at, status,"
        " price_minor FROM bookings WHERE company_id = $1 AND status = 'completed'"
        " ORDER BY starts_at",
        ("company_id",),
    ),
    "a customer's": Asked(
        "SELECT id, code, customer_id, service_id, staff_id, starts_at, ends_at, status,"
        " price_minor FROM bookings WHERE company_id = $1 AND customer_id = $2"
        " ORDER BY starts_at DESC",
        ("company_id", "customer_id"),
    ),
    "30 days of bookings by day": Asked(
        "SELECT date_trunc('day', created_at) AS day, count(*) FROM bookings WHERE company_id = $1"
        " AND created_at >= now() - interval '30 days'"
        " AND id >= uuid7_floor(now() - interval '30 days') GROUP BY day ORDER BY day",
        ("company_id",),
    ),
    "recent messages": Asked(
        "SELECT id, created_at, direction, type, body, status FROM messages"
        " WHERE company_id = $1 ORDER BY created_at DESC LIMIT 100",
        ("company_id",),
    ),
    "a customer's messages": Asked(
        "SELECT id, created_at, direction, type, body, status FROM messages"
        " WHERE company_id = $1 AND phone = $2"
        " ORDER BY created_at DESC LIMIT 100",
        ("company_id", "phone"),
    ),
    "a conversation": Asked(
        "SELECT id, created_at, direction, type, body, status FROM messages"
        " WHERE company_id = $1 AND conversation_id = $2"
        " ORDER BY created_at DESC LIMIT 100",
        ("company_id", "conversation_id"),
    ),
    "messages by direction": Asked(
        "SELECT direction, count(*) FROM messages"
        " WHERE company_id = $1"
        " AND created_at >= now() - interval '30 days' GROUP BY direction",
        ("company_id",),
    ),
    "a company's statistics": Asked(
        "SELECT (SELECT count(*) FROM bookings WHERE company_id = $1"
        " AND created_at >= now() - interval '30 days'"
        " AND id >= uuid7_floor(now() - interval '30 days')),"
        " (SELECT count(*) FROM messages"
        " WHERE company_id = $1"
        " AND created_at >= now() - interval '30 days'),"
        " (SELECT count(*) FROM dialog_contexts WHERE company_id = $1"
        " AND started_at >= now() - interval '30 days')",
        ("company_id",),
    ),
    "look up a company": Asked(
        "SELECT id, name, timezone FROM companies WHERE phone_number_id = $1",
        ("phone_number_id",),
    ),
}


async def measure(servers: Servers, *, quick: bool) -> list[dict[str, Any]]:
    """Medians, for each size of the data."""
    found: list[dict[str, Any]] = []
    for factor, name in SIZES.items():
        if quick and factor > 1:
            break
        sys.stderr.write(f"· queries on {name}\n")
        url = await create(servers.database_url, f"queries_{factor}")
        await migrate.up(url)
        pool = await open_pool(url, size=1, timeouts=UNHURRIED)
        try:
            async with connection(pool) as conn:
                await fill(conn, factor)
                found += [
                    {"what": what, "size": name, "p50_ms": await _median(conn, asked)}
                    for what, asked in QUERIES.items()
                ]
        finally:
            await pool.close()
    return found


async def fill(conn: Connection, factor: int) -> None:
    """The data of the source, so many times."""
    await conn.execute(f"SET statement_timeout = {int(_SECONDS * 1000)}")
    await seeds.load(
        conn,
        now=system_clock(),
        companies=_COMPANIES * factor,
        bookings=_BOOKINGS * factor,
        messages=_MESSAGES * factor,
        conversations=_CONVERSATIONS * factor,
    )


async def somebody(conn: Connection) -> asyncpg.Record:
    """A customer somewhere in the middle, with all that queries ask by."""
    row = await conn.fetchrow(
        """
        SELECT co.id AS company_id, co.phone_number_id, c.id AS customer_id, c.phone,
            d.id AS conversation_id
        FROM companies AS co
        JOIN customers AS c ON c.company_id = co.id
        JOIN dialog_contexts AS d ON d.company_id = c.company_id AND d.customer_id = c.id
        WHERE co.name LIKE 'Load%' ORDER BY co.id, c.id OFFSET 100 LIMIT 1
        """
    )
    assert row is not None
    return row


async def _median(conn: Connection, asked: Asked) -> float:
    known = await somebody(conn)
    values = [known[name] for name in asked.by]
    spent = []
    for _ in range(_TIMES + 3):
        began = time.perf_counter()
        await conn.fetch(asked.sql, *values)
        spent.append((time.perf_counter() - began) * 1000)
    return round(median(spent[3:]), 3)
