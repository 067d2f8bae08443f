"""A world for disasters: a fresh seeded database, a Graph API, and a port for the bot."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.simulator import Rules
from storage import seeds
from storage.clock import system_clock
from storage.pool import connect
from tests.support.graph import Graph, running_graph


@dataclass(frozen=True)
class World:
    """What a bot is started into."""

    graph: Graph
    database_url: str
    redis_url: str
    port: int


@pytest.fixture
async def world(fresh_database_url: str, redis_url: str) -> AsyncIterator[World]:
    """Salon Lumi with everything around it, and no bot yet."""
    await seed(fresh_database_url)
    async with running_graph(rules=Rules(number_rate=False)) as graph:
        yield World(graph, fresh_database_url, redis_url, free_port())


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


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
