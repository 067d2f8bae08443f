"""The outbox gives each row to one process at a time, in order, and forgets nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from storage import outbox, queries
from storage.clock import system_clock
from storage.outbox import LEASE, Outgoing, Result
from storage.pool import Connection, Pool, connection, transaction
from tests.support.outgoing import Writer

NOW = system_clock()
DOUBT = timedelta(seconds=30)


@pytest.fixture
def writer(pool: Pool) -> Writer:
    return Writer(pool, NOW)


async def claimed(conn: Connection, *, now: datetime = NOW, most: int = 100) -> list[int]:
    return [row.id for row in await outbox.claim(conn, held=(), most=most, now=now)]


async def test_a_claim_brings_all_that_sending_takes(conn: Connection, writer: Writer) -> None:
    company = await writer.company(settings={"messages_per_second": 20})
    talk = await writer.talk(company, bsuid="US.1")
    said = await writer.say(talk, "Hello", extras={"template": {"name": "x"}})
    (row,) = await outbox.claim(conn, held=(), most=10, now=NOW)
    assert row == Outgoing(
        company_id=company,
        id=said.id,
        created_at=NOW,
        conversation_id=talk.conversation_id,
        phone_number_id="100000000000001",
        phone=talk.phone,
        bsuid="US.1",
        body={"type": "text", "text": {"body": "Hello", "preview_url": False}},
        extras={"template": {"name": "x"}},
        attempts=1,
        last_inbound_at=NOW - timedelta(minutes=1),
        messages_per_second=20,
    )
    assert (await writer.row(said))["lease_until"] == NOW + LEASE


async def test_only_the_first_row_of_a_conversation_is_claimed(
    conn: Connection, writer: Writer
) -> None:
    company = await writer.company()
    one, other = await writer.talk(company), await writer.talk(company)
    first = await writer.say(one, "1")
    await writer.say(one, "2")
    alone = await writer.say(other, "x")
    assert sorted(await claimed(conn)) == [first.id, alone.id]
    assert await claimed(conn) == []


@pytest.mark.parametrize("status", ["sending", "doubt", "held", "pending"])
async def test_nothing_overtakes_an_unsettled_row(
    conn: Connection, writer: Writer, status: str
) -> None:
    talk = await writer.talk(await writer.company())
    first = await writer.say(talk, "1")
    await writer.say(talk, "2")
    await conn.execute(
        "UPDATE outbox SET status = $1, lease_until = $2, not_before = $3 WHERE id = $4",
        status,
        NOW + LEASE if status in {"sending", "doubt"} else None,
        NOW + timedelta(hours=1),
        first.id,
    )
    assert await claimed(conn) == []
    key = (talk.company_id, talk.conversation_id)
    assert await outbox.claim_of(conn, [key], now=NOW) == []


async def test_what_is_not_due_or_held_is_left(conn: Connection, writer: Writer) -> None:
    company = await writer.company()
    row = await writer.say(await writer.talk(company), "1", at=NOW + timedelta(seconds=5))
    assert await claimed(conn) == []
    later = NOW + timedelta(seconds=5)
    assert await outbox.claim(conn, held=[company], most=10, now=later) == []
    assert await claimed(conn, now=later) == [row.id]


async def test_two_processes_never_claim_the_same_row(pool: Pool, writer: Writer) -> None:
    company = await writer.company()
    rows = [await writer.say(await writer.talk(company), str(n)) for n in range(60)]

    async def take() -> list[int]:
        async with connection(pool) as conn:
            return await claimed(conn, most=25)

    found = await asyncio.gather(*(take() for _ in range(6)))
    assert sorted(row for one in found for row in one) == [row.id for row in rows]


async def test_a_row_that_somebody_is_claiming_is_skipped(pool: Pool, writer: Writer) -> None:
    talk = await writer.talk(await writer.company())
    await writer.say(talk, "1")
    await writer.say(talk, "2")
    async with transaction(pool) as first, connection(pool) as second:
        assert len(await claimed(first)) == 1
        assert await claimed(second) == []


async def test_settling_leases_the_next_row_in_the_same_statement(
    conn: Connection, writer: Writer
) -> None:
    talk = await writer.talk(await writer.company())
    first = await writer.say(talk, "1", leased=True)
    second = await writer.say(talk, "2")
    await writer.say(talk, "3")
    (following,) = await outbox.settle(conn, [Result(first, "sent", 1, wamid="w1")], now=NOW)
    assert following.id == second.id
    assert (await writer.row(second))["status"] == "sending"


async def test_a_row_that_waits_leases_nothing(conn: Connection, writer: Writer) -> None:
    talk = await writer.talk(await writer.company())
    first = await writer.say(talk, "1", leased=True)
    await writer.say(talk, "2")
    result = Result(first, "pending", 1, not_before=NOW + timedelta(minutes=1))
    assert await outbox.settle(conn, [result], now=NOW) == []


async def test_news_of_an_old_attempt_changes_nothing(conn: Connection, writer: Writer) -> None:
    talk = await writer.talk(await writer.company())
    row = await writer.say(talk, "1", leased=True)
    await outbox.expire(conn, now=NOW + LEASE, doubt=DOUBT)
    await outbox.expire(conn, now=NOW + LEASE + DOUBT, doubt=DOUBT)
    later = NOW + LEASE + DOUBT
    (again,) = await outbox.claim(conn, held=(), most=1, now=later)
    assert again.attempts == 2
    await outbox.settle(conn, [Result(row, "failed", 1, code=131026)], now=later)
    assert (await writer.row(row))["status"] == "sending"
    assert await writer.failures(talk) == []


async def test_news_that_it_was_sent_counts_whoever_has_it_now(
    conn: Connection, writer: Writer
) -> None:
    talk = await writer.talk(await writer.company())
    row = await writer.say(talk, "1", leased=True)
    await outbox.expire(conn, now=NOW + LEASE, doubt=DOUBT)
    await outbox.settle(conn, [Result(row, "sent", 1, wamid="w1")], now=NOW + LEASE)
    found = await writer.row(row)
    assert (found["status"], found["wamid"], found["lease_until"]) == ("sent", "w1", None)


async def test_what_is_settled_stays_so(conn: Connection, writer: Writer) -> None:
    talk = await writer.talk(await writer.company())
    row = await writer.say(talk, "1", leased=True)
    await outbox.settle(conn, [Result(row, "sent", 1, wamid="w1")], now=NOW)
    await outbox.settle(conn, [Result(row, "failed", 1, code=1)], now=NOW)
    await outbox.settle(conn, [Result(row, "sent", 1, wamid="w2")], now=NOW)
    found = await writer.row(row)
    assert (found["status"], found["wamid"]) == ("sent", "w1")


async def test_leases_that_are_renewed_do_not_run_out(conn: Connection, writer: Writer) -> None:
    talk = await writer.talk(await writer.company())
    row = await writer.say(talk, "1", leased=True)
    await outbox.renew(conn, [(row.company_id, row.id)], now=NOW + LEASE / 2)
    assert await outbox.expire(conn, now=NOW + LEASE, doubt=DOUBT) == (0, 0)
    assert await outbox.expire(conn, now=NOW + 2 * LEASE, doubt=DOUBT) == (1, 0)
    assert await outbox.expire(conn, now=NOW + 2 * LEASE + DOUBT, doubt=DOUBT) == (0, 1)


async def test_probes_take_turns(conn: Connection, writer: Writer) -> None:
    company = await writer.company()
    rows = [await writer.say(await writer.talk(company), str(n), leased=True) for n in range(2)]
    held = [Result(row, "held", 0, not_before=NOW) for row in rows]
    await outbox.settle(conn, held, now=NOW)
    assert await outbox.held_companies(conn) == {company}
    (first,) = await outbox.claim_probes(conn, [company], now=NOW)
    later = NOW + timedelta(minutes=1)
    await outbox.settle(conn, [Result(first, "held", 0, not_before=later)], now=later)
    (second,) = await outbox.claim_probes(conn, [company], now=later)
    assert {first.id, second.id} == {row.id for row in rows}
    await outbox.settle(conn, [Result(second, "held", 0, not_before=later)], now=later)
    assert await outbox.release(conn, company, now=later) == 2
    assert await outbox.held_companies(conn) == set()
    assert len(await claimed(conn, now=later)) == 2


async def test_settled_rows_are_deleted_in_the_end_and_messages_stay(
    conn: Connection, writer: Writer
) -> None:
    talk = await writer.talk(await writer.company())
    row = await writer.say(talk, "1", leased=True)
    waiting = await writer.say(talk, "2", at=NOW + timedelta(days=1))
    await outbox.settle(conn, [Result(row, "sent", 1, wamid="w1")], now=NOW)
    assert await outbox.purge(conn, now=NOW + outbox.KEPT_FOR) == 0
    assert await outbox.purge(conn, now=NOW + outbox.KEPT_FOR + timedelta(seconds=1)) == 1
    assert (await writer.message(row))["wamid"] == "w1"
    assert (await writer.row(waiting))["status"] == "pending"


async def test_a_backlog_of_others_does_not_slow_a_settlement(
    conn: Connection, writer: Writer
) -> None:
    talk = await writer.talk(await writer.company())
    row = await writer.say(talk, "1", leased=True)
    await conn.execute(
        """
        WITH said AS (
            INSERT INTO messages (
                company_id, created_at, conversation_id, customer_id, direction, type, body, status
            )
            SELECT company_id, created_at, conversation_id, customer_id, 'out', type, body, status
            FROM messages, generate_series(1, 3000)
            RETURNING company_id, id, created_at, conversation_id
        )
        INSERT INTO outbox (company_id, id, created_at, conversation_id, not_before)
        SELECT company_id, id, created_at, conversation_id, created_at + interval '1 hour' FROM said
        """
    )
    await conn.execute("ANALYZE outbox")
    result = {"company_id": row.company_id, "id": row.id, "outcome": "sent"}
    given = {
        "results": [result] * 50,
        "oldest": NOW,
        "newest": NOW,
        "now": NOW,
        "lease_until": NOW + LEASE,
    }
    query = queries.of("outbox")["settle"]
    plan = await conn.fetch(f"EXPLAIN {query.sql}", *(given[name] for name in query.params))
    lines = [line[0] for line in plan]
    assert any("using outbox_pkey" in line for line in lines)
    assert not [line for line in lines if "Seq Scan on outbox" in line or "Bitmap" in line]
