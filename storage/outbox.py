"""The outbox: messages that are to go out, and what became of them.

    pending ──> sending ──> sent
       ^           ├──────> failed    never to be sent; the conversation is told
       │           ├──────> doubt     may have been sent: a status says so, or time does
       └───────────┴──────> held      nothing of this company passes for now

A row in `sending` is leased to one process; when the lease runs out, that process has died and the
row is in doubt. Per conversation only the first unsettled row may be sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

import asyncpg

from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("outbox")

LEASE: Final = timedelta(seconds=8)
"""How long a process has a row before others take it that it died; renewed by the living."""
KEPT_FOR: Final = timedelta(days=31)
"""Longer than WhatsApp tries to deliver a message, and so than its statuses may come."""
_PURGED_AT_ONCE: Final = 5_000

Outcome: TypeAlias = Literal["sent", "failed", "pending", "doubt", "held"]
Key: TypeAlias = tuple[int, int]
"""(company id, outbox id) or (company id, conversation id)"""


@valueclass(frozen=True, slots=True)
class Outgoing:
    """A message leased to this process, with all that sending it takes."""

    company_id: int
    id: int
    created_at: datetime
    conversation_id: int
    phone_number_id: str
    phone: str | None
    bsuid: str | None
    body: Mapping[str, Any]
    extras: Mapping[str, Any]
    attempts: int  # the one under way included
    last_inbound_at: datetime | None
    messages_per_second: int
    marketing_off: bool = False  # the customer wants none


@valueclass(frozen=True, slots=True)
class Result:
    """What became of a row.

    `attempts` is what it counts from now on, `not_before` when it may be tried again, `lease_until`
    how long it is in doubt, `mark` what the failure says about the customer, `error` Meta's own
    words, `body` what was sent if that is not what the row says.
    """

    row: Outgoing
    outcome: Outcome
    attempts: int
    wamid: str | None = None
    code: int | None = None
    not_before: datetime | None = None
    lease_until: datetime | None = None
    mark: str | None = None
    error: str | None = None
    body: Mapping[str, Any] | None = None


async def claim(
    conn: Connection, *, held: Collection[int], most: int, now: datetime
) -> list[Outgoing]:
    """Lease rows that are due, oldest first, of companies that are not held."""
    claimed = await _Q["claim"].many(
        conn, held=list(held), most=most, now=now, lease_until=now + LEASE
    )
    return await _load(conn, claimed)


async def claim_of(
    conn: Connection, conversations: Collection[Key], *, now: datetime
) -> list[Outgoing]:
    """Lease the next row of each conversation that is free to send one."""
    claimed = await _Q["claim_of"].many(
        conn,
        company_ids=[company_id for company_id, _ in conversations],
        conversation_ids=[conversation_id for _, conversation_id in conversations],
        now=now,
        lease_until=now + LEASE,
    )
    return await _load(conn, claimed)


async def claim_probes(
    conn: Connection, companies: Collection[int], *, now: datetime
) -> list[Outgoing]:
    """Lease one held row of each company, to see whether messages pass again."""
    claimed = await _Q["claim_probes"].many(
        conn, company_ids=list(companies), lease_until=now + LEASE
    )
    return await _load(conn, claimed)


async def settle(conn: Connection, results: Sequence[Result], *, now: datetime) -> list[Outgoing]:
    """Note what became of rows; returns what was leased next in the conversations that are free."""
    written = [result.row.created_at for result in results]
    claimed = await _Q["settle"].many(
        conn,
        results=[_as_record(result) for result in results],
        oldest=min(written, default=now),
        newest=max(written, default=now),
        now=now,
        lease_until=now + LEASE,
    )
    return await _load(conn, claimed)


async def renew(conn: Connection, rows: Collection[Key], *, now: datetime) -> None:
    """Keep rows that this process still has; no row that it has lost."""
    await _Q["renew"].exec(
        conn,
        company_ids=[company_id for company_id, _ in rows],
        ids=[row_id for _, row_id in rows],
        lease_until=now + LEASE,
    )


async def expire(conn: Connection, *, now: datetime, doubt: timedelta) -> tuple[int, int]:
    """Put rows in doubt whose process died; returns how many, and how many left doubt."""
    rows = await _Q["expire"].many(conn, now=now, doubt_until=now + doubt)
    doubted = sum(row["status"] == "doubt" for row in rows)
    return doubted, len(rows) - doubted


async def held_companies(conn: Connection) -> set[int]:
    """Companies with rows that wait until somebody acts."""
    return {row["company_id"] for row in await _Q["held_companies"].many(conn)}


async def release(conn: Connection, company_id: int, *, now: datetime) -> int:
    """Let the held rows of a company go out; returns how many."""
    return await _Q["release"].exec(conn, company_id=company_id, now=now)


async def purge(conn: Connection, *, now: datetime) -> int:
    """Delete what was settled long enough ago; returns how many rows. Not in a transaction."""
    gone, deleted = 0, _PURGED_AT_ONCE
    while deleted == _PURGED_AT_ONCE:
        deleted = await _Q["purge"].exec(conn, before=now - KEPT_FOR, most=_PURGED_AT_ONCE)
        gone += deleted
    return gone


async def _load(conn: Connection, claimed: Sequence[asyncpg.Record]) -> list[Outgoing]:
    if not claimed:
        return []
    rows = await _Q["load"].many(
        conn,
        company_ids=[row["company_id"] for row in claimed],
        ids=[row["id"] for row in claimed],
    )
    return [Outgoing(*row) for row in rows]


def _as_record(result: Result) -> dict[str, Any]:
    row = result.row
    return {
        "company_id": row.company_id,
        "id": row.id,
        "conversation_id": row.conversation_id,
        "tried": row.attempts,
        "outcome": result.outcome,
        "attempts": result.attempts,
        "wamid": result.wamid,
        "code": result.code,
        "not_before": result.not_before,
        "lease_until": result.lease_until,
        "mark": result.mark,
        "error": result.error,
        "body": result.body,
    }
