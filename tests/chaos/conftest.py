"""A world for disasters: a fresh seeded database, a Graph API, and a port for the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.simulator import Rules
from storage import embedded, migrate, seeds
from storage.clock import system_clock
from storage.embedded import Servers
from storage.pool import Connection, Pool, connect, open_pool
from tests.chaos.harness import Bot, free_port, running_bot, working
from tests.support import invariants
from tests.support.graph import Graph, running_graph
from tests.support.timing import Times, times


@dataclass(frozen=True)
class World:
    """What a bot is started into."""

    graph: Graph
    database_url: str
    redis_url: str
    port: int

    def serving(
        self, folder: Path, *arguments: str, **more: str
    ) -> AbstractAsyncContextManager[Bot]:
        """A `usual serve` here; it logs into the folder, and `more` are its settings."""
        return running_bot(
            self.graph,
            *arguments,
            database_url=self.database_url,
            redis_url=self.redis_url,
            port=self.port,
            folder=folder,
            **more,
        )

    def working(self, folder: Path, **more: str) -> AbstractAsyncContextManager[Bot]:
        """A `usual work` here."""
        return working(self.database_url, self.redis_url, folder, graph=self.graph, **more)

    @asynccontextmanager
    async def pool(self) -> AsyncIterator[Pool]:
        """Connections of the test's own."""
        pool = await open_pool(self.database_url, size=4)
        try:
            yield pool
        finally:
            pool.terminate()

    @asynccontextmanager
    async def hand(self) -> AsyncIterator[Connection]:
        """A connection to look and to meddle with."""
        conn = await connect(self.database_url)
        try:
            yield conn
        finally:
            conn.terminate()


@pytest.fixture
async def world(fresh_database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Salon Lumi with everything around it, and no bot yet."""
    await seed(fresh_database_url)
    async with running_graph(rules=Rules(number_rate=False)) as graph:
        yield World(graph, fresh_database_url, redis_url, free_port())


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """Where such servers keep their data."""
    # Not among pytest's own folders: any other run of pytest shuts those to the user as whom the
    # servers run where we are root, and a server that was killed could not start again.
    with TemporaryDirectory(prefix="usual-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


@pytest.fixture
async def own_servers(own_folder: Path) -> AsyncIterator[Servers]:
    """Servers that a test may harm."""
    async with embedded.running(own_folder) as servers:
        await migrate.up(servers.database_url)
        yield servers
        await invariants.check_at(servers.database_url)


@pytest.fixture
async def own_world(own_servers: Servers) -> AsyncIterator[World]:
    """Salon Lumi on servers that a test may harm."""
    await seed(own_servers.database_url)
    async with running_graph(rules=Rules(number_rate=False)) as graph:
        yield World(graph, own_servers.database_url, own_servers.redis_url, free_port())


@pytest.fixture
async def own_kept(own_servers: Servers) -> AsyncIterator[Times]:
    """A conversation there."""
    pool = await open_pool(own_servers.database_url, size=6)
    try:
        yield await times(pool)
    finally:
        pool.terminate()


async def seed(database_url: str) -> None:
    """Make the demo companies."""
    conn = await connect(database_url)
    try:
        await seeds.demo(conn, now=system_clock())
        await conn.execute(
            "UPDATE companies SET settings = settings || '{\"messages_per_second\": 1000}'"
        )
    finally:
        await conn.close()
