"""On a filled database, what customers wait for is found by indexes, however much lies behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from storage import queries, seeds
from storage.pool import Connection, Pool
from tests.bench.queries import QUERIES, somebody
from tests.support.outgoing import Writer
from tests.support.shop import NOW

FEW = 200
"""Tables of so few rows are read whole: that is quicker."""


async def filled(conn: Connection) -> dict[str, Any]:
    """Five companies with a history; somebody to ask for."""
    await seeds.load(
        conn, now=datetime.now(NOW.tzinfo), companies=5, bookings=6_000, messages=9_000,
        conversations=300,
    )  # fmt: skip
    return dict(await somebody(conn))


async def read_whole(conn: Connection, sql: str, *values: Any) -> list[str]:
    """The tables of more than a few rows that a query reads from end to end."""
    text = await conn.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
    plan = text if isinstance(text, list) else orjson.loads(text)
    scanned = {node["Relation Name"] for node in nodes(plan[0]["Plan"]) if is_scan(node)}
    return [
        name
        for name in scanned
        if await conn.fetchval(f"SELECT count(*) FROM {name}") > FEW  # noqa: S608
    ]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


HOT: Final = {
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
    by_one_id = re.compile(r"\b(id|key|conversation_id|created_at|due_at)\b")
    assert [node for node in found if not by_one_id.search(node.get("Index Cond", ""))] == []


def is_scan(node: dict[str, Any]) -> bool:
    return bool(node["Node Type"] == "Seq Scan")


async def test_what_a_source_measured_is_found_by_indexes(conn: Connection) -> None:
    known = await filled(conn)
    for what, asked in QUERIES.items():
        values = [known[name] for name in asked.by]
        assert await read_whole(conn, asked.sql, *values) == [], what


@pytest.mark.parametrize(
    ("name", "index"),
    [("taken", "slot_claims_claimant_end_idx"), ("in_the_way", "slot_claims_never_overlap")],
)
async def test_a_search_finds_claims_by_whose_time_they_are(
    conn: Connection, name: str, index: str
) -> None:
    known = await filled(conn)
    company_id, now = known["company_id"], datetime.now(NOW.tzinfo)
    staff = await conn.fetch("SELECT id FROM staff WHERE company_id = $1", company_id)
    values = {
        "company_id": company_id,
        "claimants": [row["id"] for row in staff],
        "low": now,
        "high": now + timedelta(days=30),
        "now": now,
        "conversation_id": 1,
        "moving": None,
        "turns": True,
        "shared": None,
    }
    query = queries.of("search")[name]
    args = [values[param] for param in query.params]
    assert await read_whole(conn, query.sql, *args) == []
    text = str(await conn.fetchval(f"EXPLAIN (FORMAT JSON) {query.sql}", *args))
    assert index in text


async def test_popular_times_and_a_customer_s_visits_are_found_by_indexes(
    conn: Connection,
) -> None:
    known, now = await filled(conn), datetime.now(NOW.tzinfo)
    popular = queries.of("popular")["times"]
    values = {
        "timezone": "UTC",
        "since": now - timedelta(days=90),
        "now": now,
        "newest": 2_000,
        "at_least": 3,
        "most": 5,
        "past": True,
        "most_ahead": 30,
        "most_past": 10,
        **known,
    }
    for query in (popular, queries.of("bookings")["visits"]):
        args = [values[param] for param in query.params]
        assert await read_whole(conn, query.sql, *args) == []
