"""Companies, customers and messages that wait to be sent, without a turn that says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from bot.whatsapp import payloads
from bot.whatsapp.render import render
from flows.effects import Say
from storage import inbox
from storage.outbox import LEASE, Outgoing
from storage.pool import Pool, connection


@dataclass(frozen=True)
class Talk:
    """A conversation of one customer with one company."""

    company_id: int
    conversation_id: int
    customer_id: int
    phone_number_id: str
    phone: str | None
    bsuid: str | None


class Writer:
    """Puts into the database what turns would have put there."""

    def __init__(self, pool: Pool, now: datetime) -> None:
        self._pool, self._now = pool, now
        self._people = 0

    async def company(
        self, phone_number_id: str = "100000000000001", *, settings: Mapping[str, Any] | None = None
    ) -> int:
        """A company."""
        return int(
            await self._value(
                "INSERT INTO companies (name, timezone, phone_number_id, settings)"
                " VALUES ('Lumi', 'UTC', $1, $2) RETURNING id",
                phone_number_id,
                settings or {},
            )
        )

    async def talk(
        self,
        company_id: int,
        *,
        phone: str | None = "",
        bsuid: str | None = None,
        heard: timedelta | None = timedelta(minutes=1),
    ) -> Talk:
        """A conversation; the customer wrote `heard` ago."""
        self._people += 1
        phone = f"1555{self._people:07}" if phone == "" else phone
        customer_id = await self._value(
            "INSERT INTO customers (company_id, phone, bsuid) VALUES ($1, $2, $3) RETURNING id",
            company_id,
            phone,
            bsuid,
        )
        conversation_id = await self._value(
            "INSERT INTO dialog_contexts"
            " (company_id, customer_id, last_inbound_at, last_message_at, started_at)"
            " VALUES ($1, $2, $3, $4, $4) RETURNING id",
            company_id,
            customer_id,
            None if heard is None else self._now - heard,
            self._now,
        )
        number = await self._value(
            "SELECT phone_number_id FROM companies WHERE id = $1", company_id
        )
        return Talk(company_id, conversation_id, customer_id, number, phone, bsuid)

    async def say(
        self,
        talk: Talk,
        say: str | Say,
        *,
        at: datetime | None = None,
        leased: bool = False,
        extras: Mapping[str, Any] | None = None,
    ) -> Outgoing:
        """A message that is to be sent: pending, or leased as the first of a turn is."""
        now = at or self._now
        body = render(Say(say) if isinstance(say, str) else say)
        row_id = await self._value(
            """
            WITH said AS (
                INSERT INTO messages (
                    company_id, created_at, conversation_id, customer_id, phone, direction, type,
                    body, status
                )
                VALUES ($1, $2, $3, $4, $5, 'out', $6, $7, 'queued')
                RETURNING id
            )
            INSERT INTO outbox (
                company_id, id, created_at, conversation_id, status, attempts, not_before,
                lease_until, extras
            )
            SELECT $1, id, $2, $3, $8, $9, $2, $10, $11 FROM said RETURNING id
            """,
            talk.company_id,
            now,
            talk.conversation_id,
            talk.customer_id,
            talk.phone,
            body["type"],
            body,
            "sending" if leased else "pending",
            int(leased),
            now + LEASE if leased else None,
            extras or {},
        )
        return Outgoing(
            company_id=talk.company_id,
            id=int(row_id),
            created_at=now,
            conversation_id=talk.conversation_id,
            phone_number_id=talk.phone_number_id,
            phone=talk.phone,
            bsuid=talk.bsuid,
            body=body,
            extras=extras or {},
            attempts=1,
            last_inbound_at=await self._value(
                "SELECT last_inbound_at FROM dialog_contexts WHERE company_id = $1 AND id = $2",
                talk.company_id,
                talk.conversation_id,
            ),
            messages_per_second=80,
        )

    async def row(self, row: Outgoing) -> dict[str, Any]:
        """How the outbox row stands."""
        return await self._row(
            "SELECT * FROM outbox WHERE company_id = $1 AND id = $2", row.company_id, row.id
        )

    async def message(self, row: Outgoing) -> dict[str, Any]:
        """How the message stands."""
        return await self._row(
            "SELECT * FROM messages WHERE company_id = $1 AND id = $2", row.company_id, row.id
        )

    async def customer(self, talk: Talk) -> dict[str, Any]:
        """How the customer stands."""
        return await self._row(
            "SELECT * FROM customers WHERE company_id = $1 AND id = $2",
            talk.company_id,
            talk.customer_id,
        )

    async def failures(self, talk: Talk) -> list[dict[str, Any]]:
        """What the conversation was told of failures."""
        async with connection(self._pool) as conn:
            rows = await conn.fetch(
                "SELECT event FROM inbox WHERE company_id = $1 AND conversation_id = $2"
                " AND kind = 'send_failed' ORDER BY id",
                talk.company_id,
                talk.conversation_id,
            )
        return [row["event"] for row in rows]

    async def _row(self, sql: str, *args: Any) -> dict[str, Any]:
        async with connection(self._pool) as conn:
            found = await conn.fetchrow(sql, *args)
        assert found is not None
        return dict(found)

    async def _value(self, sql: str, *args: Any) -> Any:
        async with connection(self._pool) as conn:
            return await conn.fetchval(sql, *args)


async def hear(pool: Pool, company_id: int, body: Mapping[str, Any], *, now: datetime) -> int:
    """Take a webhook's statuses into the inbox; returns how many were new."""
    events = payloads.read(orjson.dumps(body), received_at=now)
    async with connection(pool) as conn:
        return len(await inbox.put(conn, [(company_id, None, one) for one in events], now=now))


def status_webhook(*statuses: Mapping[str, Any], number: str = "100000000000001") -> dict[str, Any]:
    """A webhook with statuses."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": number},
        "statuses": list(statuses),
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "200000000000001", "changes": [{"field": "messages", "value": value}]}],
    }
