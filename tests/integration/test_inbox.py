"""The inbox as workers and operators use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flows.events import PersonReturned, SendFailed
from storage import inbox
from storage.errors import ConstraintViolated
from storage.inbox import Identity, Kind, NewEvent, Received
from storage.pool import Connection
from tests.support.rows import company, conversation, count, inbox_rows

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def new(key: str, kind: Kind = "message", *, at: datetime = NOW, **event: Any) -> NewEvent:
    return NewEvent("1", "2", kind, key, event, at, Identity(phone="1555"))


async def put(conn: Connection, company_id: int, talk: int | None, *keys: str) -> list[Received]:
    return await inbox.put(conn, [(company_id, talk, new(key)) for key in keys], now=NOW)


async def test_an_event_is_stored_whole_and_is_pending_at_once(conn: Connection) -> None:
    company_id = await company(conn)
    talk = await conversation(conn, company_id)
    event = new("k", at=NOW - MINUTE, message={"text": "ü"}, deep=[{"a": None}])
    (received,) = await inbox.put(conn, [(company_id, talk, event)], now=NOW)
    (row,) = await inbox_rows(conn)
    assert received == Received(company_id, row["id"], talk, "message")
    assert row["event"] == {"message": {"text": "ü"}, "deep": [{"a": None}]}
    assert (row["status"], row["attempts"], row["done_at"]) == ("pending", 0, None)
    assert (row["occurred_at"], row["received_at"]) == (NOW - MINUTE, NOW)
    assert row["not_before"] == NOW


async def test_an_event_that_has_come_before_is_not_received_again(conn: Connection) -> None:
    company_id = await company(conn)
    assert len(await put(conn, company_id, None, "a", "b", "a")) == 2
    assert [r.kind for r in await put(conn, company_id, None, "b", "c", "a")] == ["message"]
    assert await count(conn, "inbox") == 3


async def test_the_same_key_in_two_companies_is_two_events(conn: Connection) -> None:
    for number in ("1", "2"):
        assert len(await put(conn, await company(conn, number=number), None, "a")) == 1


async def test_ids_follow_arrival_whatever_the_keys(conn: Connection) -> None:
    company_id = await company(conn)
    await put(conn, company_id, None, "m", "z", "a", "q")
    assert [row["dedup_key"] for row in await inbox_rows(conn)] == ["m", "z", "a", "q"]


@pytest.mark.parametrize("kind", ["account", "kept"])
async def test_what_needs_no_handling_is_only_kept(conn: Connection, kind: Kind) -> None:
    company_id = await company(conn)
    await inbox.put(conn, [(company_id, None, new("k", kind))], now=NOW)
    (row,) = await inbox_rows(conn)
    assert (row["status"], row["done_at"]) == ("kept", NOW)


async def test_conversations_with_due_events_are_found_the_most_overdue_first(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    first, second, third = [await conversation(conn, company_id, str(n)) for n in range(3)]
    await put(conn, company_id, second, "b1", "b2")
    await put(conn, company_id, first, "a1")
    await put(conn, company_id, third, "c1")
    await put(conn, company_id, None, "status")
    rows = {row["dedup_key"]: row["id"] for row in await inbox_rows(conn)}
    due = {"a1": NOW - MINUTE, "b1": NOW, "b2": NOW + MINUTE, "c1": NOW + MINUTE}
    for key, moment in due.items():
        await inbox.retry(conn, company_id, rows[key], not_before=moment, error="Oops")
    found = await inbox.pending_conversations(conn, now=NOW, limit=10)
    assert found == [(company_id, first), (company_id, second)]
    assert await inbox.pending_conversations(conn, now=NOW, limit=1) == [(company_id, first)]
    later = await inbox.pending_conversations(conn, now=NOW + MINUTE, limit=10)
    assert len(later) == 3


async def test_an_event_put_off_counts_its_attempts(conn: Connection) -> None:
    company_id = await company(conn)
    (event,) = await put(conn, company_id, None, "a")
    for n in (1, 2):
        later = NOW + n * MINUTE
        await inbox.retry(conn, company_id, event.id, not_before=later, error="KeyError")
        (row,) = await inbox_rows(conn)
        assert (row["attempts"], row["not_before"]) == (n, later)
        assert (row["last_error"], row["status"]) == ("KeyError", "pending")


async def test_a_parked_event_is_shown_and_can_be_replayed(conn: Connection) -> None:
    company_id = await company(conn)
    talk = await conversation(conn, company_id)
    events = await put(conn, company_id, talk, "a", "b")
    for event in events:
        await inbox.park(conn, company_id, event.id, now=NOW, error="KeyError")
    parked = await inbox.dead(conn, company_id, limit=10)
    assert [(one.id, one.attempts, one.last_error) for one in parked] == [
        (event.id, 1, "KeyError") for event in reversed(events)
    ]
    assert await inbox.dead(conn, company_id + 1, limit=10) == []
    assert len(await inbox.dead(conn, None, limit=1)) == 1
    assert await inbox.pending_conversations(conn, now=NOW, limit=10) == []

    assert await inbox.replay(conn, company_id + 1, None, now=NOW) == 0
    assert await inbox.replay(conn, company_id, [events[0].id], now=NOW) == 1
    assert [one.id for one in await inbox.dead(conn, None, limit=10)] == [events[1].id]
    assert await inbox.replay(conn, None, None, now=NOW) == 1
    assert {(row["status"], row["attempts"]) for row in await inbox_rows(conn)} == {("pending", 0)}
    assert await inbox.pending_conversations(conn, now=NOW, limit=10) == [(company_id, talk)]


async def test_a_handled_event_can_be_neither_put_off_nor_parked(conn: Connection) -> None:
    company_id = await company(conn)
    (event,) = await put(conn, company_id, None, "a")
    await conn.execute("UPDATE inbox SET status = 'done', done_at = now()")
    await inbox.retry(conn, company_id, event.id, not_before=NOW, error="x")
    await inbox.park(conn, company_id, event.id, now=NOW, error="x")
    (row,) = await inbox_rows(conn)
    assert (row["status"], row["attempts"], row["last_error"]) == ("done", 0, None)


async def test_an_event_of_our_own_comes_once(conn: Connection) -> None:
    company_id = await company(conn)
    talk = await conversation(conn, company_id)

    async def fire() -> int | None:
        return await inbox.put_internal(
            conn, company_id, talk, SendFailed(7), dedup_key="send_failed:1", now=NOW
        )

    first = await fire()
    assert await fire() is None
    (row,) = await inbox_rows(conn)
    assert (row["id"], row["kind"], row["event"], row["status"]) == (
        first,
        "send_failed",
        {"code": 7},
        "pending",
    )


async def test_an_event_for_a_conversation_that_is_not_there_names_the_rule(
    conn: Connection,
) -> None:
    company_id = await company(conn)
    with pytest.raises(ConstraintViolated) as caught:
        await inbox.put_internal(conn, company_id, 404, PersonReturned(), dedup_key="t", now=NOW)
    assert caught.value.constraint == "inbox_conversation_fkey"


async def test_only_what_was_handled_long_ago_is_purged(conn: Connection) -> None:
    company_id = await company(conn)
    await put(conn, company_id, None, *(f"k{n}" for n in range(7)))
    ages = [("done", 9), ("done", 7), ("kept", 9), ("dead", None), ("pending", None)]
    for n, (status, days) in enumerate(ages):
        done_at = None if days is None else NOW - timedelta(days=days)
        await conn.execute(
            "UPDATE inbox SET status = $2, done_at = $3, received_at = $4 WHERE dedup_key = $1",
            f"k{n}",
            status,
            done_at,
            NOW - timedelta(days=99),
        )
    for days in (29, 31):
        await inbox.put_strays(
            conn, [("unknown_number", new(f"s{days}"))], now=NOW - timedelta(days=days)
        )
    assert await inbox.purge(conn, now=NOW) == 3
    left = [row["dedup_key"] for row in await inbox_rows(conn)]
    assert left == ["k1", "k3", "k4", "k5", "k6"]
    assert await conn.fetchval("SELECT dedup_key FROM strays") == "s29"
    assert await inbox.purge(conn, now=NOW) == 0


async def test_any_number_of_rows_is_purged(conn: Connection) -> None:
    company_id = await company(conn)
    await conn.execute(
        """
        INSERT INTO inbox (
            company_id, dedup_key, kind, event, occurred_at, received_at, not_before, status,
            done_at
        )
        SELECT $1, n::text, 'status', '{}', $2, $2, $2, 'done', $2
        FROM generate_series(1, 12000) AS n
        """,
        company_id,
        NOW - timedelta(days=10),
    )
    assert await inbox.purge(conn, now=NOW) == 12_000
