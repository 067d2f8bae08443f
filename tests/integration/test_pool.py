"""Connections and transactions, and what becomes of them when things go wrong."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime, timedelta, timezone
from uuid import UUID

import orjson
import pytest

from storage import timers
from storage.errors import (
    CommitInDoubt,
    Conflict,
    ConstraintViolated,
    Refused,
    StorageError,
    Unavailable,
)
from storage.pool import (
    Connection,
    Pool,
    RoundTrips,
    Timeouts,
    connect,
    connection,
    open_pool,
    savepoint,
    transaction,
)
from tests.support.proxy import proxied

STRAY = "INSERT INTO strays (received_at, reason, dedup_key, body) VALUES (now(), $1, $2, '{}')"
STRAYS = "SELECT array_agg(dedup_key ORDER BY dedup_key) FROM strays"


async def keep(conn: Connection, key: str, reason: str = "unreadable") -> None:
    await conn.execute(STRAY, reason, key)


@pytest.fixture
async def hasty_pool(database_url: str) -> AsyncIterator[Pool]:
    quick = timedelta(milliseconds=50)
    timeouts = Timeouts(statement=quick * 2, lock=quick, idle_in_transaction=quick)
    pool = await open_pool(database_url, size=3, timeouts=timeouts)
    yield pool
    await pool.close()


async def test_a_transaction_commits_at_its_end_and_undoes_all_on_an_exception(pool: Pool) -> None:
    async with transaction(pool) as conn:
        await keep(conn, "a")

    async def fail() -> None:
        async with transaction(pool) as conn:
            await keep(conn, "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with connection(pool) as conn:
        assert await conn.fetchval(STRAYS) == ["a"]


async def test_a_savepoint_undoes_only_what_it_holds(pool: Pool) -> None:
    async def fail(conn: Connection) -> None:
        async with savepoint(conn):
            await keep(conn, "b")
            async with savepoint(conn):
                await keep(conn, "c")
            await keep(conn, "a")

    async with transaction(pool) as conn:
        await keep(conn, "a")
        with pytest.raises(ConstraintViolated, match="strays_are_kept_once"):
            await fail(conn)
        async with savepoint(conn):
            await keep(conn, "d")
    async with connection(pool) as conn:
        assert await conn.fetchval(STRAYS) == ["a", "d"]


async def test_a_swallowed_error_does_not_pass_for_a_commit(pool: Pool) -> None:
    async def swallow() -> None:
        async with transaction(pool) as conn:
            await keep(conn, "a")
            with suppress(Exception):
                await keep(conn, "b", reason="whatever")

    with pytest.raises(Refused, match="passed over"):
        await swallow()
    async with connection(pool) as conn:
        assert await conn.fetchval(STRAYS) is None


@pytest.mark.fault("cancelled")
async def test_a_cancelled_transaction_leaves_a_usable_connection(database_url: str) -> None:
    pool = await open_pool(database_url, size=1)
    begun = asyncio.Event()

    async def work() -> None:
        async with transaction(pool) as conn:
            await keep(conn, "a")
            begun.set()
            await conn.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(work())
    await begun.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with transaction(pool) as conn:
        assert await conn.fetchval(STRAYS) is None
    await pool.close()


async def test_a_rule_of_the_schema_is_reported_by_its_name(pool: Pool) -> None:
    with pytest.raises(ConstraintViolated) as caught:
        async with transaction(pool) as conn:
            await keep(conn, "a", reason="whatever")
    assert caught.value.constraint == "strays_reason_is_known"
    assert not caught.value.retryable
    with pytest.raises(ConstraintViolated, match=r"^strays\.dedup_key is violated \(23502\)$"):
        async with transaction(pool) as conn:
            await conn.execute(STRAY, "unreadable", None)


async def test_a_rule_checked_at_commit_is_a_violation_and_not_a_doubt(pool: Pool) -> None:
    statements = """
        CREATE TEMPORARY TABLE t (id int CONSTRAINT once_at_the_end UNIQUE INITIALLY DEFERRED)
        ON COMMIT DROP;
        INSERT INTO t VALUES (1), (1)
    """
    with pytest.raises(ConstraintViolated, match="once_at_the_end"):
        async with transaction(pool) as conn:
            await conn.execute(statements)


async def test_waiting_too_long_for_a_lock_is_a_conflict(pool: Pool, hasty_pool: Pool) -> None:
    async with transaction(pool) as holder:
        await holder.execute("LOCK TABLE strays")
        with pytest.raises(Conflict) as caught:
            async with transaction(hasty_pool) as conn:
                await keep(conn, "a")
    assert caught.value.retryable
    assert caught.value.sqlstate == "55P03"


async def test_a_statement_that_takes_too_long_is_a_conflict(hasty_pool: Pool) -> None:
    with pytest.raises(Conflict, match=r"statement timeout \(57014\)"):
        async with connection(hasty_pool) as conn:
            await conn.execute("SELECT pg_sleep(60)")


@pytest.mark.fault(5, 16)
async def test_values_that_cannot_be_written_leave_a_usable_connection(database_url: str) -> None:
    hasty = Timeouts(statement=timedelta(milliseconds=100))
    pool = await open_pool(database_url, size=1, timeouts=hasty)
    with pytest.raises(Refused):
        async with connection(pool) as conn:
            await conn.fetchval("SELECT $1::bigint", "a word")
    await asyncio.sleep(0.15)
    async with connection(pool) as conn:
        assert await conn.fetchval("SELECT 1") == 1
    async with asyncio.timeout(5):
        await pool.close()


async def test_a_worker_that_freezes_inside_a_transaction_is_cut_off(hasty_pool: Pool) -> None:
    async def freeze() -> None:
        async with transaction(hasty_pool) as conn:
            await keep(conn, "a")
            await asyncio.sleep(0.2)

    with pytest.raises(Unavailable) as caught:
        await freeze()
    assert caught.value.retryable
    assert not isinstance(caught.value, CommitInDoubt)
    async with connection(hasty_pool) as conn:
        assert await conn.fetchval(STRAYS) is None


@pytest.mark.fault(20)
async def test_a_deadlock_is_a_conflict_for_one_of_the_two(pool: Pool) -> None:
    async with connection(pool) as conn:
        await keep(conn, "a")
        await keep(conn, "b")
    both_hold_one = asyncio.Barrier(2)

    async def update(first: str, second: str) -> None:
        async with transaction(pool) as conn:
            sql = "UPDATE strays SET reason = reason WHERE dedup_key = $1"
            await conn.execute("SET LOCAL deadlock_timeout = '10ms'")
            await conn.execute(sql, first)
            await both_hold_one.wait()
            await conn.execute(sql, second)

    outcomes = await asyncio.gather(update("a", "b"), update("b", "a"), return_exceptions=True)
    (failure,) = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(failure, Conflict)
    assert failure.sqlstate == "40P01"


@pytest.mark.fault(14)
async def test_the_pool_heals_when_its_connections_are_killed(database_url: str) -> None:
    pool = await open_pool(database_url, size=3)
    killer = await connect(database_url)

    async def lose_the_connection() -> None:
        async with transaction(pool) as conn:
            await killer.execute("SELECT pg_terminate_backend($1)", conn.get_server_pid())
            await conn.execute("SELECT 1")

    for _ in range(5):
        with pytest.raises(Unavailable) as caught:
            await lose_the_connection()
        assert not isinstance(caught.value, CommitInDoubt)
        async with transaction(pool) as conn:
            assert await conn.fetchval("SELECT 1") == 1
    await killer.close()
    await pool.close()


@pytest.mark.fault(16)
async def test_connections_that_lead_nowhere_are_given_up(database_url: str) -> None:
    """No answer and no error: each caller is told so in time, and the next one gets another."""
    timeouts = Timeouts(statement=timedelta(seconds=0.5))
    async with proxied(database_url) as (far_url, proxy):
        pool = await open_pool(far_url, size=3, timeouts=timeouts)
        proxy.strand()

        async def ask(how: Callable[[Pool], AbstractAsyncContextManager[Connection]]) -> None:
            async with how(pool) as conn:
                await timers.server_time(conn)

        tasks = [asyncio.create_task(ask(how)) for how in (connection, transaction, transaction)]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
        await asyncio.gather(ask(connection), ask(transaction), ask(transaction))
        pool.terminate()


@pytest.mark.fault(15)
async def test_a_connection_that_breaks_under_commit_leaves_a_doubt(pool: Pool) -> None:
    statements = """
        CREATE FUNCTION pg_temp.die() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_terminate_backend(pg_backend_pid());
            RETURN NULL;
        END
        $$;
        CREATE TEMPORARY TABLE t (id int);
        CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION pg_temp.die();
        INSERT INTO t VALUES (1)
    """
    with pytest.raises(CommitInDoubt):
        async with transaction(pool) as conn:
            await conn.execute(statements)


async def test_json_ids_and_moments_come_back_as_they_went(conn: Connection) -> None:
    value = {"a": [1, 2.5, None, True], "é": "Ж", "nested": {"x": "\t"}}
    assert await conn.fetchval("SELECT $1::jsonb", value) == value
    assert await conn.fetchval("SELECT $1::jsonb[]", [value, None, 3]) == [value, None, 3]
    assert await conn.fetchval("SELECT $1::jsonb", orjson.Fragment(b'{"b": 1}')) == {"b": 1}
    assert await conn.fetchval("SELECT $1::jsonb ->> 'a'", {"a": "b"}) == "b"
    uuid = UUID("01936d3e-8f00-7000-8000-000000000000")
    assert await conn.fetchval("SELECT $1::uuid", uuid) == uuid
    elsewhere = datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=3)))
    moment = await conn.fetchval("SELECT $1::timestamptz", elsewhere)
    assert moment == elsewhere
    assert moment.utcoffset() == timedelta(0)


async def test_round_trips_are_counted(database_url: str) -> None:
    trips = RoundTrips()
    pool = await open_pool(database_url, size=1, on_statement=trips)
    async with transaction(pool) as conn:
        await keep(conn, "a")
        async with savepoint(conn):
            await keep(conn, "b")
    taken = await trips.taken()
    assert taken == ["BEGIN", STRAY, "SAVEPOINT here", STRAY, "RELEASE SAVEPOINT here", "COMMIT"]
    assert await trips.taken() == []
    await pool.close()


async def test_nothing_prepared_and_no_setting_outlives_a_transaction_through_a_pooler(
    database_url: str,
) -> None:
    pool = await open_pool(f"{database_url}?pooler=transaction", size=1)
    async with transaction(pool) as conn:
        assert await conn.fetchval("SHOW statement_timeout") == "5s"
        assert await conn.fetchval("SHOW lock_timeout") == "2s"
    async with connection(pool) as conn:
        assert await conn.fetchval("SELECT $1::jsonb", {"a": 1}) == {"a": 1}
        assert await conn.fetchval("SHOW idle_in_transaction_session_timeout") == "5s"
        assert (
            await conn.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
        )
    await pool.close()
    with pytest.raises(Refused, match="not to its pooler"):
        await connect(f"{database_url}?pooler=transaction")


async def test_a_server_that_is_not_there_is_waited_for(database_url: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    absent = f"postgresql://usual:hidden@127.0.0.1:{port}/usual"
    with pytest.raises(Unavailable) as caught:
        _ = await open_pool(absent, patience=timedelta(milliseconds=100))
    assert f"PostgreSQL at 127.0.0.1:{port}/usual" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("http://127.0.0.1/usual", "not an address of the form postgresql://"),
        ("postgresql://127.0.0.1:port/usual", "not an address of the form postgresql://"),
        ("postgresql://127.0.0.1/usual?pooler=session", r"only .* is \?pooler=transaction"),
    ],
)
async def test_an_address_that_cannot_be_meant_is_refused(address: str, complaint: str) -> None:
    with pytest.raises(Refused, match=complaint):
        _ = await open_pool(address)


async def test_a_login_that_is_refused_is_not_tried_again(database_url: str) -> None:
    with pytest.raises(StorageError) as caught:
        _ = await open_pool(f"{database_url}_of_somebody_else", patience=timedelta(hours=1))
    assert isinstance(caught.value, Refused)
    assert caught.value.sqlstate is None
    assert "does not exist (3D000)" in str(caught.value)
