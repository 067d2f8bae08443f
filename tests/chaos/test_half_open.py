"""Connections to PostgreSQL whose other end is gone without a word, on either side."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from storage.pool import Connection
from tests.chaos.conftest import World
from tests.chaos.gates import caught, let_go
from tests.chaos.harness import (
    assert_nothing_lost_or_doubled,
    crowd,
    everybody_is_booked,
    under_way,
)
from tests.support.proxy import proxied

pytestmark = pytest.mark.timeout(180)

FREED_WITHIN_S = 10.0


@pytest.mark.fault(16)
async def test_a_worker_that_is_gone_without_a_word_keeps_no_locks(
    world: World, tmp_path: Path
) -> None:
    """Its machine dies in a transaction, and no packet tells of it: the server finds out (16)."""
    async with (
        proxied(world.database_url) as (far_url, to_database),
        world.hand() as hand,
        world.serving(tmp_path, "--no-workers"),
        world.working(tmp_path, DATABASE_URL=far_url) as victim,
    ):

        def die() -> None:
            to_database.stall()
            os.kill(victim.pid, signal.SIGKILL)

        ana = world.graph.customer("Ana", phone="15553000001")
        pid = await caught(hand, ana, die)
        died = time.monotonic()
        async with world.working(tmp_path):
            while not await let_go(hand, pid):
                await asyncio.sleep(0.05)
            freed = time.monotonic() - died
            assert freed < FREED_WITHIN_S
            assert (await ana.reply(seconds=20)).text.startswith("Booked")
            await assert_nothing_lost_or_doubled(world.graph, world.database_url)
    print(f"freed after {freed:.1f} s")  # noqa: T201


@pytest.mark.long
@pytest.mark.fault(16)
async def test_connections_that_lead_nowhere_are_given_up(world: World, tmp_path: Path) -> None:
    """A bot whose connections all died on the way notices by itself and goes on with new ones."""
    async with (
        proxied(world.database_url) as (far_url, to_database),
        world.serving(tmp_path, DATABASE_URL=far_url) as bot,
    ):
        tasks = crowd(world.graph, 40)
        await under_way(tasks, world.database_url, 60)
        to_database.strand()
        await everybody_is_booked(tasks, world.database_url)
        assert not bot.ended
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)


@pytest.mark.fault(16)
async def test_every_session_asks_the_server_to_look_after_it(conn: Connection) -> None:
    """On a server of somebody else's, too: nothing is left to its settings."""
    shown = {
        name: await conn.fetchval("SELECT current_setting($1)", name)
        for name in (
            "idle_in_transaction_session_timeout",
            "client_connection_check_interval",
            "tcp_user_timeout",
            "tcp_keepalives_idle",
        )
    }
    assert shown == {
        "idle_in_transaction_session_timeout": "5s",
        "client_connection_check_interval": "2s",
        "tcp_user_timeout": "10000",
        "tcp_keepalives_idle": "30",
    }
