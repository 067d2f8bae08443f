"""What a source claims for eight queries, measured on its data size and on a hundred times it.

Ten thousand bookings, fifty thousand messages and a thousand conversations of five companies; then
of five hundred. Each query goes through asyncpg, so that what it costs to read the rows counts too.
Beside it stands the floor: the same rows in tables as the source has them, without tenants,
partitions or rules, asked in turn with ours.
"""

# ruff: noqa: S608 - what queries are put together from stands here

from __future__ import annotations

import re
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
from tests.bench.load import BenchError
from tests.support.database import create
from tests.support.plans import faults

SIZES: Final = {1: "10 k bookings", 100: "1 M bookings"}
_BOOKINGS, _MESSAGES, _CONVERSATIONS, _COMPANIES = 10_000, 50_000, 1_000, 5
_TIMES: Final = 100
_SECONDS: Final = 1800.0  # the load is written in one transaction
_LISTED: Final = (
    "SELECT id, code, customer_id, service_id, staff_id, starts_at, ends_at, status, price_minor"
    " FROM bookings WHERE company_id = $1"
)
_MESSAGE: Final = (
    "SELECT id, created_at, direction, type, body, status FROM messages WHERE company_id = $1"
)
_MONTH: Final = "created_at BETWEEN now() - interval '30 days' AND now()"
_MADE: Final = "uuid_extract_timestamp(id)"  # ids are made with their bookings, and tell when
_MADE_THIS_MONTH: Final = (
    "id BETWEEN uuid7_floor(now() - interval '30 days') AND uuid7_floor(now())"
)
_PLAIN: Final = """
    CREATE SCHEMA plain;
    CREATE TABLE plain.bookings AS SELECT id, company_id, code, customer_id, service_id, staff_id,
        starts_at, ends_at, status, price_minor, created_at FROM bookings ORDER BY created_at;
    ALTER TABLE plain.bookings ADD PRIMARY KEY (id);
    CREATE INDEX ON plain.bookings (company_id, starts_at);
    CREATE INDEX ON plain.bookings (company_id, status, starts_at);
    CREATE INDEX ON plain.bookings (customer_id, company_id);
    CREATE INDEX ON plain.bookings (company_id, created_at);
    CREATE TABLE plain.messages AS SELECT id, company_id, conversation_id, phone, direction, type,
        body, status, created_at FROM messages ORDER BY created_at;
    ALTER TABLE plain.messages ADD PRIMARY KEY (id);
    CREATE INDEX ON plain.messages (company_id, created_at);
    CREATE INDEX ON plain.messages (phone, company_id);
    CREATE INDEX ON plain.messages (conversation_id, created_at);
    CREATE INDEX ON plain.messages (direction, company_id);
    CREATE TABLE plain.dialog_contexts AS SELECT id, company_id, started_at FROM dialog_contexts;
    CREATE INDEX ON plain.dialog_contexts (company_id, started_at);
    CREATE TABLE plain.companies AS SELECT id, name, timezone, phone_number_id FROM companies;
    CREATE UNIQUE INDEX ON plain.companies (phone_number_id)
"""


class Asked(NamedTuple):
    """A query, the names of what it is asked with, and by what indexes are searched."""

    sql: str
    by: Sequence[str]
    keys: Sequence[str]

    @property
    def plain(self) -> str:
        """The same question to the tables of the source."""
        sql = self.sql.replace(_MADE_THIS_MONTH, _MONTH).replace(_MADE, "created_at")
        return re.sub(r"\bFROM (?=\w)", "FROM plain.", sql)


QUERIES: Final[Mapping[str, Asked]] = {
    "bookings of a company": Asked(
        f"{_LISTED} AND starts_at > now() - interval '1 year' ORDER BY starts_at",
        ("company_id",),
        ("company_id", "starts_at"),
    ),
    "first 100 of them": Asked(
        f"{_LISTED} ORDER BY starts_at LIMIT 100", ("company_id",), ("company_id",)
    ),
    "those with a status": Asked(
        f"{_LISTED} AND status = 'completed' ORDER BY starts_at",
        ("company_id",),
        ("company_id", "status"),
    ),
    "a customer's": Asked(
        f"{_LISTED} AND customer_id = $2 ORDER BY starts_at DESC",
        ("company_id", "customer_id"),
        ("company_id", "customer_id"),
    ),
    "30 days of bookings by day": Asked(
        f"SELECT date_trunc('day', {_MADE}) AS day, count(*) FROM bookings WHERE company_id = $1"
        f" AND {_MADE_THIS_MONTH} GROUP BY day ORDER BY day",
        ("company_id",),
        ("company_id", "id >="),
    ),
    "recent messages": Asked(
        f"{_MESSAGE} ORDER BY created_at DESC LIMIT 100", ("company_id",), ("company_id",)
    ),
    "a customer's messages": Asked(
        f"{_MESSAGE} AND phone = $2 ORDER BY created_at DESC LIMIT 100",
        ("company_id", "phone"),
        ("company_id", "phone"),
    ),
    "a conversation": Asked(
        f"{_MESSAGE} AND conversation_id = $2 ORDER BY created_at DESC LIMIT 100",
        ("company_id", "conversation_id"),
        ("conversation_id",),
    ),
    "messages by direction": Asked(
        f"SELECT direction, count(*) FROM messages WHERE company_id = $1 AND {_MONTH}"
        " GROUP BY direction",
        ("company_id",),
        ("company_id",),
    ),
    "a company's statistics": Asked(
        "SELECT (SELECT count(*) FROM bookings WHERE company_id = $1"
        f" AND {_MADE_THIS_MONTH}),"
        f" (SELECT count(*) FROM messages WHERE company_id = $1 AND {_MONTH}),"
        " (SELECT count(*) FROM dialog_contexts WHERE company_id = $1"
        " AND started_at >= now() - interval '30 days')",
        ("company_id",),
        ("company_id", "id >=", "created_at", "started_at"),
    ),
    "look up a company": Asked(
        "SELECT id, name, timezone FROM companies WHERE phone_number_id = $1",
        ("phone_number_id",),
        (),
    ),
}


async def measure(servers: Servers, *, quick: bool) -> list[dict[str, Any]]:
    """Medians, ours and the floor's, for each size of the data; each plan must take its indexes."""
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
                    {"what": what, "size": name, **await _measured(conn, what, asked, factor)}
                    for what, asked in QUERIES.items()
                ]
        finally:
            await pool.close()
    return found


async def fill(conn: Connection, factor: int) -> None:
    """The data of the source, so many times, and the floor's copy of it."""
    await conn.execute(f"SET statement_timeout = {int(_SECONDS * 1000)}")
    began = time.perf_counter()
    await seeds.load(
        conn,
        now=system_clock(),
        companies=_COMPANIES * factor,
        bookings=_BOOKINGS * factor,
        messages=_MESSAGES * factor,
        conversations=_CONVERSATIONS * factor,
    )
    sys.stderr.write(f"  loaded in {time.perf_counter() - began:.0f} s\n")
    for statement in _PLAIN.split(";"):
        await conn.execute(statement, timeout=_SECONDS)
    await conn.execute("VACUUM ANALYZE", timeout=_SECONDS)


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


async def _measured(conn: Connection, what: str, asked: Asked, factor: int) -> dict[str, float]:
    """Ours and the floor's medians, asked in turn."""
    known = await somebody(conn)
    values = [known[name] for name in asked.by]
    if factor > 1:
        # With so few companies as in the small one, reading all may be the quickest.
        wrong = await faults(conn, asked.sql, values, asked.keys)
        if wrong:
            raise BenchError(f"{what}: {'; '.join(wrong)}")
    spent: dict[str, list[float]] = {asked.sql: [], asked.plain: []}
    for _ in range(_TIMES + 3):
        for sql, times in spent.items():
            began = time.perf_counter()
            await conn.fetch(sql, *values)
            times.append((time.perf_counter() - began) * 1000)
    ours, plain = (median(times[3:]) for times in spent.values())
    return {"p50_ms": round(ours, 3), "plain_ms": round(plain, 3), "ratio": round(ours / plain, 2)}
