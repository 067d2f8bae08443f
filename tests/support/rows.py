"""Rows that tests put into an empty database, and look at."""

from __future__ import annotations

from typing import Any

import asyncpg

from storage import companies
from storage.pool import Connection
from tests.support.payloads import NUMBER, WABA


async def company(
    conn: Connection, *, number: str = NUMBER, waba: str = WABA, name: str = "Salon Lumi"
) -> int:
    """A company with a WhatsApp number; its id."""
    return await companies.add(
        conn, name=name, phone_number_id=number, waba_id=waba, timezone="Europe/Riga"
    )


async def conversation(conn: Connection, company_id: int, phone: str = "1555") -> int:
    """A customer of a company with their conversation; its id."""
    found = await conn.fetchval(
        """
        WITH c AS (INSERT INTO customers (company_id, phone) VALUES ($1, $2) RETURNING *)
        INSERT INTO dialog_contexts (company_id, customer_id, started_at, last_message_at)
        SELECT company_id, id, now(), now() FROM c RETURNING id
        """,
        company_id,
        phone,
    )
    assert isinstance(found, int)
    return found


async def inbox_rows(conn: Connection) -> list[asyncpg.Record]:
    """Everything in the inbox, in the order of arrival."""
    return await conn.fetch("SELECT * FROM inbox ORDER BY company_id, id")


async def stray_rows(conn: Connection) -> list[asyncpg.Record]:
    """All strays, in the order of arrival."""
    return await conn.fetch("SELECT * FROM strays ORDER BY id")


async def customer_rows(conn: Connection) -> list[asyncpg.Record]:
    """All customers with their conversations, oldest first."""
    return await conn.fetch(
        """
        SELECT c.*, d.id AS conversation_id, d.state, d.started_at, d.last_message_at
        FROM customers AS c
        LEFT JOIN dialog_contexts AS d ON d.company_id = c.company_id AND d.customer_id = c.id
        ORDER BY c.company_id, c.id
        """
    )


async def count(conn: Connection, table: str) -> Any:
    """How many rows a table has."""
    return await conn.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
