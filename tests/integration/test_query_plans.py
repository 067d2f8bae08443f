"""On a filled database, what customers wait for is found by indexes, however much lies behind."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from storage import queries, seeds
from storage.pool import Connection, Pool, open_pool
from storage.taken import Look
from tests.bench.queries import QUERIES, somebody
from tests.support.outgoing import Writer
from tests.support.plans import faults, nodes
from tests.support.shop import NOW

Case = tuple[str, str, Sequence[Any], Sequence[str]]
"""What is asked, in SQL, with which values, and by what indexes are searched."""


@pytest.fixture
async def pool(fresh_database_url: str) -> AsyncIterator[Pool]:
    """Connections to a new database: indexes that were filled before are large, and avoided."""
    pool = await open_pool(fresh_database_url, size=2)
    yield pool
    await pool.close()


async def filled(conn: Connection) -> dict[str, Any]:
    """A dozen companies with a history, each a small part of the whole; somebody to ask for."""
    await seeds.load(
        conn, now=datetime.now(NOW.tzinfo), companies=12, bookings=12_000, messages=12_000,
        conversations=900,
    )  # fmt: skip
    known = dict(await somebody(conn))
    staff = await conn.fetch("SELECT id FROM staff WHERE company_id = $1", known["company_id"])
    return {**known, "claimants": [row["id"] for row in staff]}


def measured(known: dict[str, Any]) -> Iterator[Case]:
    """What a source measured."""
    for what, asked in QUERIES.items():
        yield what, asked.sql, [known[name] for name in asked.by], asked.keys


def of_the_bot(known: dict[str, Any]) -> Iterator[Case]:
    """What the bot asks while a customer waits."""
    now = datetime.now(NOW.tzinfo)
    values = {
        "low": now,
        "high": now + timedelta(days=30),
        "now": now,
        "timezone": "UTC",
        "since": now - timedelta(days=90),
        "newest": 2_000,
        "at_least": 3,
        "most": 5,
        "past": True,
        "most_ahead": 30,
        "most_past": 10,
        **known,
    }
    look = Look(
        known["company_id"], known["claimants"], now, now + timedelta(days=30), now, None, None,
        turns=True, counted=True, shared=None,
    )  # fmt: skip
    values["looks"] = orjson.dumps([{"n": 0, **look._asdict()}]).decode()
    for module, name, keys in (
        ("taken", "taken", ("company_id", "claimant", "upper(during)", "lower(during)")),
        ("taken", "in_the_way", ("company_id", "upper(during)")),
        ("popular", "times", ("company_id", "id")),
        ("bookings", "visits", ("company_id", "customer_id")),
    ):
        query = queries.of(module)[name]
        yield query.name, query.sql, [values[param] for param in query.params], keys


async def test_what_customers_wait_for_is_found_by_indexes(conn: Connection) -> None:
    known = await filled(conn)
    found = {
        what: wrong
        for what, sql, values, keys in (*measured(known), *of_the_bot(known))
        if (wrong := await faults(conn, sql, values, keys))
    }
    assert found == {}


HOT: Final = {
    ("arrivals", "put"): {"inbox_events_come_once", "dialog_contexts_are_one_a_customer"},
    ("dialogs", "load"): {
        "dialog_contexts_pkey",
        "inbox_conversation_idx",
        "outbox_waiting_idx",
        "timers_pkey",
    },
    ("dialogs", "save"): {"inbox_pkey", "timers_pkey", "dialog_contexts_pkey"},
    ("timers", "fire"): {"timers_due_idx", "timers_pkey"},
    ("outbox", "settle"): {
        "dialog_contexts_pkey",
        "outbox_pkey",
        "outbox_waiting_idx",
    },
}
"""Statements of every turn, and by which indexes they find rows of tables that fill quickly."""
FILL: Final = ("inbox", "outbox", "timers", "dialog_contexts", "messages")


@pytest.fixture
async def hardly_filled(pool: Pool, conn: Connection) -> None:
    """Have the planner believe that there are a few rows in these tables."""
    writer = Writer(pool, NOW)
    company_id = await writer.company()
    for _ in range(30):
        await writer.say(await writer.talk(company_id), "1")
    await conn.execute(
        "INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, status,"
        " occurred_at, received_at, not_before, done_at)"
        " SELECT company_id, id, id, 'message', '{}', 'done', $1, $1, $1, $1 FROM dialog_contexts",
        NOW,
    )
    await conn.execute(
        "INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)"
        " SELECT company_id, 'idle:' || id, id, 'idle', $1, $1 FROM dialog_contexts",
        NOW,
    )
    await conn.execute(f"ANALYZE {', '.join(FILL)}")


@pytest.mark.usefixtures("hardly_filled")
@pytest.mark.parametrize("statement", HOT, ids=".".join)
async def test_what_was_planned_for_hardly_any_rows_never_reads_all_of_them_later(
    conn: Connection, statement: tuple[str, str]
) -> None:
    module, name = statement
    query = queries.of(module)[name]
    given = {
        "company_ids": "'{}'", "conversation_ids": "'{}'", "turns": "'[]'", "results": "'[]'",
        "events": "'[]'", "people": "'[]'",
        "keys": "'{}'", "shift": "'0'", "grace": "'0'",
        **dict.fromkeys(("oldest", "newest", "now", "lease_until"), "'2026-11-24'"),
    }  # fmt: skip
    await conn.execute(f"PREPARE hot AS {query.sql}")
    values = ", ".join(given[param] for param in query.params)
    try:
        text = await conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE hot ({values})")
    finally:
        await conn.execute("DEALLOCATE hot")
    plan = text if isinstance(text, list) else orjson.loads(text)
    found = [node for node in nodes(plan[0]["Plan"]) if node.get("Index Name", "").startswith(FILL)]
    names = {node["Index Name"] for node in found}
    assert {name for name in names if not name.startswith("messages")} == HOT[statement]
    by_one_id = re.compile(r"\b(id|key|dedup_key|conversation_id|customer_id|created_at|due_at)\b")
    assert [node for node in found if not by_one_id.search(node.get("Index Cond", ""))] == []


async def test_what_a_conversation_holds_is_not_looked_for_among_all_claims(
    conn: Connection,
) -> None:
    known = await filled(conn)
    query = queries.of("claims")["claim"]
    given = {
        "company_id": f"'{known['company_id']}'",
        "conversation_id": "'1'",
        "anyone": "'f'",
        **dict.fromkeys(("claim_id", "session_id"), "'00000000-0000-7000-8000-000000000000'"),
        **dict.fromkeys(("now", "low", "high", "until"), "'2026-11-24'"),
        "kind": "'hold'",
        "service_id": "'1'",
    }
    values = ", ".join(given.get(param, "'{}'") for param in query.params)
    await conn.execute(f"PREPARE held AS {query.sql}")
    try:
        text = await conn.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE held ({values})")
    finally:
        await conn.execute("DEALLOCATE held")
    plan = text if isinstance(text, list) else orjson.loads(text)
    searches = [
        node["Index Cond"]
        for node in nodes(plan[0]["Plan"])
        if node.get("Index Name", "").startswith("slot_claims_")
    ]
    assert searches
    assert [cond for cond in searches if re.fullmatch(r"\(company_id = \S+\)", cond)] == []


async def test_reminders_are_not_looked_for_among_all_that_are_planned(conn: Connection) -> None:
    known = await filled(conn)
    await conn.execute(
        "INSERT INTO reminders (company_id, booking_id, kind, due_at)"
        " SELECT company_id, id, '24h', starts_at FROM bookings WHERE company_id = $1",
        known["company_id"],
    )
    booked = await conn.fetch(
        "SELECT booking_id FROM reminders WHERE company_id = $1 LIMIT 3", known["company_id"]
    )
    ops = [
        {"op": op, "booking_id": str(row["booking_id"]), "kind": "24h", "due_at": str(NOW)}
        for op, row in zip(("plan", "sent", "drop"), booked, strict=True)
    ]
    async with conn.transaction():
        read = await rows_of_reminders_read(conn)
        await conn.fetchval("SELECT note_reminders($1, $2, $3)", known["company_id"], NOW, ops)
        assert await rows_of_reminders_read(conn) - read <= len(ops)


async def rows_of_reminders_read(conn: Connection) -> int:
    """How many rows of reminders the transaction has had a look at."""
    found: int = await conn.fetchval(
        "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables"
        " WHERE relname = 'reminders'"
    )
    return found
