"""Fixtures for every test: real PostgreSQL and Valkey, started once, clean for each who asks.

    servers             both, for the whole run; all workers of pytest-xdist share them
    database_url        this worker's database, migrated, empty
    pool, conn          connections to it
    fresh_database_url  a new migrated database: for tests with processes, chaos or another schema
    empty_database_url  a new database with nothing in it
    redis_url, redis    this worker's own numbered database of Valkey, flushed

A test that asks for none of these starts no server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from bot import logs
from storage.embedded import Servers
from storage.pool import Connection, Pool, connection, open_pool
from tests.support import database, invariants

_STACK = pytest.StashKey[ExitStack]()
_SERVERS = pytest.StashKey[Servers]()


def _started(config: pytest.Config) -> Servers:
    if _SERVERS not in config.stash:
        stack = config.stash.setdefault(_STACK, ExitStack())
        running = database.in_a_thread(database.servers_with_template())
        config.stash[_SERVERS] = stack.enter_context(running)
    return config.stash[_SERVERS]


def pytest_configure() -> None:
    """Make a log call that could say something personal fail its test."""
    logs.strict()
    logs.configure("json", "info")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the servers before the workers of pytest-xdist, which outlive one another."""
    servers = _started(node.config)
    node.workerinput["servers"] = (servers.database_url, servers.redis_url)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers, if any test needed them."""
    if _STACK in config.stash:
        config.stash[_STACK].close()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    """PostgreSQL and Valkey of this test run."""
    given = getattr(request.config, "workerinput", {}).get("servers")
    return Servers(*given) if given else _started(request.config)


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """Which worker of pytest-xdist this is, counted from 0."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))


@pytest.fixture(scope="session")
async def worker_database_url(servers: Servers, worker_number: int) -> str:
    """This worker's database, as the last test left it: ask for `database_url` instead."""
    return await database.create_migrated(servers.database_url, f"usual_gw{worker_number}")


@pytest.fixture(scope="session")
async def worker_pool(worker_database_url: str) -> AsyncIterator[Pool]:
    """The pool of this worker: ask for `pool` instead."""
    pool = await open_pool(worker_database_url, size=20)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture
async def database_url(worker_database_url: str, worker_pool: Pool) -> AsyncIterator[str]:
    """The address of a migrated database without rows, looked at when the test is over."""
    async with connection(worker_pool) as conn:
        await database.clean(conn)
    yield worker_database_url
    async with connection(worker_pool) as conn:
        await invariants.check(conn)


@pytest.fixture
async def pool(database_url: str, worker_pool: Pool) -> Pool:
    """Connections to a migrated database without rows."""
    return worker_pool


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    """One connection to a migrated database without rows; each statement commits."""
    async with connection(pool) as conn:
        yield conn


@pytest.fixture
async def fresh_database_url(servers: Servers) -> AsyncIterator[str]:
    """The address of a new migrated database."""
    async with database.temporary(servers.database_url, migrated=True) as url:
        yield url
        await invariants.check_at(url)


@pytest.fixture
async def empty_database_url(servers: Servers) -> AsyncIterator[str]:
    """The address of a new database without any table."""
    async with database.temporary(servers.database_url, migrated=False) as url:
        yield url


@pytest.fixture
async def redis_url(servers: Servers, worker_number: int) -> str:
    """The address of an empty database of Valkey."""
    url = database.named(servers.redis_url, str(worker_number))
    async with Redis.from_url(url) as client:
        await client.flushdb()
    return url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of an empty database of Valkey."""
    async with Redis.from_url(redis_url) as client:
        yield client
