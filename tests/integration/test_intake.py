"""Taking events in: committed when `receive` returns, together with others, each once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.intake import set_aside_key
from storage.errors import StorageError, Unavailable
from storage.pool import Connection, Pool, open_pool
from tests.support.intake import Desk, counted_pool, desk, posted
from tests.support.payloads import (
    ANA,
    AT,
    change,
    contact,
    envelope,
    inbound,
    message,
    status,
)
from tests.support.proxy import proxied
from tests.support.rows import company, count, customer_rows, inbox_rows, stray_rows


async def test_a_post_costs_one_statement_whoever_wrote(
    database_url: str, conn: Connection
) -> None:
    await company(conn)
    async with counted_pool(database_url) as (pool, trips):
        at = desk(pool)
        await at.take(inbound(message()))
        assert len(await trips.taken()) == 2  # first of all: whose number is it?
        for body, statement in (
            (inbound(message()), "inbox.put"),
            (envelope(change(statuses=[status()])), "inbox.put"),
            (inbound(message(sender="1556")), "arrivals.put"),
            (inbound(message(), message(sender="1557")), "arrivals.put"),
            (inbound(message(), contacts=[contact(name="Anna")]), "arrivals.put"),
        ):
            await at.take(body)
            (only,) = await trips.taken()
            assert statement in only
        stray = envelope(change(number="unknown", statuses=[status()]))
        await at.take(stray)
        assert len(await trips.taken()) == 2  # is it somebody's by now?
        await at.take(stray, inbound(message()))
        assert len(await trips.taken()) == 4  # BEGIN, strays, events, COMMIT


async def test_posts_that_come_together_share_commits(database_url: str, conn: Connection) -> None:
    await company(conn)
    async with counted_pool(database_url) as (pool, trips):
        at = desk(pool)
        people = [str(1555000 + n) for n in range(64)]
        await asyncio.gather(*(at.take(inbound(message(sender=one))) for one in people))
        await trips.taken()
        await asyncio.gather(*(at.take(inbound(message(sender=one))) for one in people))
        assert len(await trips.taken()) <= 4
        assert len(at.received) == 128
    assert await count(conn, "inbox") == 128


async def test_statuses_go_with_the_next_message(database_url: str, conn: Connection) -> None:
    await company(conn)
    async with counted_pool(database_url) as (pool, trips):
        at = desk(pool)
        await at.take(inbound(message()))
        await trips.taken()

        async def write_next() -> None:
            await asyncio.sleep(0)  # what was not patient would be on its way
            await at.take(inbound(message()))

        news = [envelope(change(statuses=[status(state)])) for state in ("sent", "delivered")]
        await asyncio.gather(*(at.take(body) for body in news), write_next())
        assert len(await trips.taken()) == 1
        await at.take(envelope(change(statuses=[status("read")])))  # and alone after a moment
    assert await count(conn, "inbox") == 5


@pytest.mark.fault(22)
async def test_the_same_post_ten_times_at_once_to_several_processes_is_one_event(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    desks = [desk(pool) for _ in range(4)]
    body = inbound(message(from_user_id="US.1"))
    await asyncio.gather(*(desks[n % 4].take(body) for n in range(10)))
    assert await count(conn, "inbox") == 1
    assert await count(conn, "customers") == 1
    assert sum(len(one.received) for one in desks) == 1


@pytest.mark.fault(20, 22)
async def test_processes_that_get_the_same_events_in_any_order_do_not_lock_each_other_up(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    order = random.Random(7)  # noqa: S311
    bodies = [inbound(message(sender=str(1555 + n % 40))) for n in range(160)]

    async def deliver(at: Desk) -> None:
        mixed = order.sample(bodies, len(bodies))
        for start in range(0, len(mixed), 40):
            await asyncio.gather(*(at.take(body) for body in mixed[start : start + 40]))

    desks = [desk(pool) for _ in range(4)]
    async with asyncio.timeout(20):
        await asyncio.gather(*(deliver(at) for at in desks))
    assert await count(conn, "inbox") == 160
    assert await count(conn, "customers") == 40
    assert sum(len(one.received) for one in desks) == 160


async def test_an_event_that_cannot_be_stored_does_not_fail_its_neighbours(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    at = desk(pool)
    good = posted(*(inbound(message(sender=str(1550 + n))) for n in range(9)))
    bad = replace(good[4], dedup_key="no\0good", event={"x": "a\0b", "big": 10**30})
    await asyncio.gather(
        at.intake.receive([*good[:3], bad]), *(at.intake.receive([one]) for one in good[3:])
    )
    assert await count(conn, "inbox") == 9
    (stray,) = await stray_rows(conn)
    assert (stray["reason"], stray["dedup_key"]) == ("unreadable", set_aside_key(bad))
    assert r"a\x00b" in stray["body"]["unreadable"]
    await at.intake.receive([bad])
    assert await count(conn, "strays") == 1


async def test_trouble_with_the_database_is_no_fault_of_the_events(
    fresh_database_url: str,
) -> None:
    async with counted_pool(fresh_database_url) as (pool, trips), pool.acquire() as conn:
        await company(conn)
        at = desk(pool)
        await conn.execute("ALTER TABLE inbox RENAME COLUMN kind TO sort")
        await trips.taken()
        posts = [at.take(inbound(message())) for _ in range(20)]
        told = await asyncio.gather(*posts, return_exceptions=True)
        assert all(isinstance(one, StorageError) for one in told)
        assert len(await trips.taken()) <= 4  # and not one for each
        assert await count(conn, "strays") == 0
        await conn.execute("ALTER TABLE inbox RENAME COLUMN sort TO kind")
        await at.take(inbound(message()))
        assert await count(conn, "inbox") == 1


async def test_a_connection_that_broke_is_replaced_without_a_word(
    pool: Pool, database_url: str, conn: Connection
) -> None:
    await company(conn)
    other = await open_pool(database_url, size=1)
    try:
        at = desk(other)
        await at.take(inbound(message()))
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"
        )
        await at.take(inbound(message()))
        assert await count(conn, "inbox") == 2
    finally:
        await other.close()


async def test_without_the_database_every_waiting_post_is_told(
    database_url: str, conn: Connection
) -> None:
    await company(conn)
    async with proxied(database_url) as (url, proxy):
        pool = await open_pool(url, size=2)
        at = desk(pool)
        proxy.cut()
        results = await asyncio.gather(
            *(at.take(inbound(message())) for _ in range(20)), return_exceptions=True
        )
        assert {type(one) for one in results} == {Unavailable}
        assert at.received == []
        await pool.close()


async def test_a_post_that_gives_up_takes_no_other_with_it(pool: Pool, conn: Connection) -> None:
    await company(conn)
    at = desk(pool)
    bodies = [inbound(message(id=one)) for one in ("wamid.first", "wamid.second")]
    first, second = [asyncio.create_task(at.take(body)) for body in bodies]
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()
    ids = {row["event"]["message"]["id"] for row in await inbox_rows(conn)}
    assert "wamid.second" in ids
    await at.take(*bodies)  # what was not answered comes again
    assert await count(conn, "inbox") == 2


async def test_one_customer_whose_row_is_locked_holds_up_nobody_else(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    at = desk(pool)
    await at.take(inbound(message(), message(sender="1556")))
    async with pool.acquire() as other:
        deleting = other.transaction()
        await deleting.start()
        await other.execute("DELETE FROM customers WHERE phone = $1", ANA)
        stuck = asyncio.create_task(at.take(inbound(message())))
        await asyncio.sleep(0.02)
        async with asyncio.timeout(1):
            await at.take(inbound(message(sender="1556")))
        assert not stuck.done()
        await deleting.rollback()
    await stuck
    assert await count(conn, "inbox") == 4


async def test_a_turn_under_way_does_not_keep_events_out(pool: Pool, conn: Connection) -> None:
    await company(conn)
    at = desk(pool)
    await at.take(inbound(message()))
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM dialog_contexts FOR NO KEY UPDATE")
        async with asyncio.timeout(1):
            await at.take(inbound(message()))
    assert await count(conn, "inbox") == 2


async def test_messages_of_one_second_keep_the_order_of_arrival(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    at = desk(pool)
    texts = [message(id=f"wamid.{key}") for key in "qwertyuiop"]
    await at.take(inbound(*texts))
    rows = await conn.fetch("SELECT event FROM inbox ORDER BY occurred_at, id")
    assert [row["event"]["message"]["id"] for row in rows] == [one["id"] for one in texts]
    moments = await conn.fetchval("SELECT array_agg(DISTINCT occurred_at) FROM inbox")
    assert moments == [datetime.fromtimestamp(AT, UTC)]


async def test_events_that_stand_in_each_others_way_are_stored_one_after_the_other(
    pool: Pool, conn: Connection
) -> None:
    await company(conn)
    people = [message(sender=None, from_user_id=one) for one in ("US.1", "US.2")]
    await desk(pool).take(*(inbound(one, contacts=[]) for one in people))
    at = desk(pool)
    await at.take(*(inbound(message(from_user_id=one)) for one in ("US.1", "US.2")))
    rows = await customer_rows(conn)
    assert [(row["phone"], row["bsuid"]) for row in rows] == [(ANA, "US.1"), (None, "US.2")]
    assert len(at.received) == 2
    assert await count(conn, "strays") == 0


async def test_nothing_is_stored_of_nothing(pool: Pool) -> None:
    at = desk(pool)
    await at.intake.receive([])
    assert at.batches == 0
