"""Connections at hand are lent again and again, and none is lent that is not fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from storage.errors import StorageError
from storage.pool import Pool, connect, connection, open_pool, transaction

PID = "SELECT pg_backend_pid()"


@pytest.fixture
async def pool_of_two(database_url: str) -> AsyncIterator[Pool]:
    pool = await open_pool(database_url, size=2)
    yield pool
    await pool.close()


async def backend(pool: Pool) -> int:
    async with connection(pool) as conn:
        return int(await conn.fetchval(PID))


async def test_what_comes_back_is_lent_first(pool_of_two: Pool) -> None:
    assert len({await backend(pool_of_two) for _ in range(20)}) == 1


async def test_whoever_waits_gets_what_comes_back(pool_of_two: Pool) -> None:
    async def use(number: int) -> int:
        async with transaction(pool_of_two) as conn:
            return int(await conn.fetchval("SELECT $1::int FROM pg_sleep(0.001)", number))

    async with asyncio.timeout(10):
        for _ in range(20):
            assert list(await asyncio.gather(*map(use, range(30)))) == list(range(30))


async def test_all_connections_can_be_lent_at_once(pool_of_two: Pool) -> None:
    await backend(pool_of_two)
    async with asyncio.timeout(10), connection(pool_of_two) as one, connection(pool_of_two) as two:
        assert await one.fetchval(PID) != await two.fetchval(PID)
    async with asyncio.timeout(10):  # by asyncpg's own door, too
        async with pool_of_two.acquire() as conn:
            assert await conn.fetchval("SELECT 1") == 1


async def test_a_connection_that_died_at_hand_is_not_lent(
    pool_of_two: Pool, database_url: str
) -> None:
    dead = await backend(pool_of_two)
    other = await connect(database_url)
    await other.execute("SELECT pg_terminate_backend($1, 5000)", dead)
    await other.close()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await backend(pool_of_two) != dead
                break
            except StorageError:  # the bad news was still under way
                continue
        assert dead not in {await backend(pool_of_two) for _ in range(20)}


async def test_a_connection_whose_statement_failed_goes_back_clean(pool_of_two: Pool) -> None:
    for _ in range(3):
        with pytest.raises(StorageError):
            async with transaction(pool_of_two) as conn:
                await conn.execute("SELECT 1 / 0")
        async with connection(pool_of_two) as conn:
            assert not conn.is_in_transaction()
            assert await conn.fetchval("SELECT 1") == 1


async def test_closing_waits_for_what_is_lent(database_url: str) -> None:
    pool = await open_pool(database_url, size=2)
    await backend(pool)
    async with connection(pool) as conn:
        closing = asyncio.create_task(pool.close())
        await asyncio.sleep(0.05)
        assert await conn.fetchval("SELECT 1") == 1
        assert not closing.done()
    async with asyncio.timeout(10):
        await closing
    assert pool.get_size() == 0
