"""On a filled database, what customers wait for is found by indexes, however much lies behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from storage import queries, seeds
from storage.pool import Connection
from tests.bench.queries import QUERIES, somebody
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


def is_scan(node: dict[str, Any]) -> bool:
    return bool(node["Node Type"] == "Seq Scan")


async def test_what_a_source_measured_is_found_by_indexes(conn: Connection) -> None:
    known = await filled(conn)
    for what, asked in QUERIES.items():
        values = [known[name] for name in asked.by]
        assert await read_whole(conn, asked.sql, *values) == [], what


@pytest.mark.parametrize("name", ["taken", "in_the_way"])
async def test_a_search_finds_claims_by_the_index_that_guards_them(
    conn: Connection, name: str
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
        "counted": True,
        "turns": True,
        "shared": None,
    }
    query = queries.of("search")[name]
    args = [values[param] for param in query.params]
    assert await read_whole(conn, query.sql, *args) == []
    text = str(await conn.fetchval(f"EXPLAIN (FORMAT JSON) {query.sql}", *args))
    assert "slot_claims_never_overlap" in text


async def test_popular_times_and_a_customer_s_visits_are_found_by_indexes(
    conn: Connection,
) -> None:
    known, now = await filled(conn), datetime.now(NOW.tzinfo)
    popular = queries.of("popular")["times"]
    values = {
        "timezone": "UTC",
        "since": now - timedelta(days=90),
        "now": now,
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
