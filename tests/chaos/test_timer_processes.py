"""Timers when whole processes and servers die: bots as operators start them, servers of our own."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage.embedded import Servers
from storage.errors import StorageError
from storage.pool import Pool, connection
from tests.chaos.harness import all_heard, people, working
from tests.support.bot import running_scene
from tests.support.rows import conversation
from tests.support.timing import Times, keeping, times

pytestmark = pytest.mark.timeout(180)

RECOVERY_S = 6.0
"""A killed process's timers are late by no more: the lease, and a look."""


@pytest.mark.fault(1, 2)
async def test_a_killed_worker_s_timers_are_fired_by_another(
    database_url: str, redis_url: str, pool: Pool, tmp_path: Path
) -> None:
    """kill -9 in the middle of firing (1, 2)."""
    kept = await times(pool)
    async with (
        working(database_url, redis_url, tmp_path) as victim,
        working(database_url, redis_url, tmp_path),
    ):
        await kept.arm_many(1_200, first_s=1.0, last_s=4.0)
        await people(kept, 64)
        await asyncio.sleep(2.0)
        await victim.kill()
        assert await all_heard(kept, database_url) < RECOVERY_S


@pytest.mark.fault(26)
async def test_a_worker_that_is_told_to_stop_leaves_nothing_half_done(
    database_url: str, redis_url: str, pool: Pool, tmp_path: Path
) -> None:
    """SIGTERM under a crowd: it ends within ten seconds, and nothing fires again (26)."""
    kept = await times(pool)
    await kept.arm_many(3_000, first_s=4.0, last_s=4.0)
    await people(kept, 64)
    async with working(database_url, redis_url, tmp_path) as first:
        for _ in range(2000):
            async with connection(pool) as conn:
                if await conn.fetchval("SELECT EXISTS (SELECT FROM inbox)"):
                    break
            await asyncio.sleep(0.005)
        begun = time.monotonic()
        assert await first.stop() == 0
        assert time.monotonic() - begun < 10
    async with working(database_url, redis_url, tmp_path):
        await all_heard(kept, database_url)


@pytest.mark.fault(10)
@pytest.mark.parametrize("how", ["full", "read-only", "busy"])
async def test_a_redis_that_refuses(own_servers: Servers, own_kept: Times, how: str) -> None:
    """Arming and firing go on from the table (10)."""
    async with (
        Redis.from_url(own_servers.redis_url) as redis,
        keeping(own_kept, own_servers.redis_url) as keeper,
    ):
        await asyncio.sleep(0.2)
        endless = asyncio.create_task(asyncio.sleep(0))
        match how:
            case "full":
                await redis.config_set("maxmemory", "1")
            case "read-only":
                await redis.config_set("min-replicas-to-write", 1)
            case _:
                await redis.config_set("busy-reply-threshold", 100)
                endless = asyncio.create_task(_run_endlessly(own_servers.redis_url))
                await asyncio.sleep(0.3)
        await own_kept.arm(*(f"a{n}" for n in range(20)), within=timedelta(seconds=1), tell=keeper)
        await own_kept.all_fired()
        match how:
            case "busy":
                await redis.script_kill()
            case "full":
                await redis.config_set("maxmemory", "0")
            case _:
                await redis.config_set("min-replicas-to-write", 0)
        await endless
        await own_kept.arm("after", within=timedelta(seconds=1), tell=keeper)
        await own_kept.all_fired()


async def _run_endlessly(redis_url: str) -> None:
    async with Redis.from_url(redis_url, socket_timeout=None) as client:
        with suppress(RedisError):
            await client.eval("while true do end", 0)


@pytest.mark.fault(8)
async def test_redis_is_killed_and_comes_back(own_servers: Servers, own_kept: Times) -> None:
    """Its guard starts it again (8)."""
    await own_kept.arm_many(300, first_s=0.5, last_s=3.5)
    async with keeping(own_kept, own_servers.redis_url):
        await asyncio.sleep(1.0)
        async with Redis.from_url(own_servers.redis_url) as redis:
            found = await redis.info("server")
        os.kill(int(found["process_id"]), signal.SIGKILL)
        rows = await own_kept.all_fired(seconds=20)
    assert max(row["late_s"] for row in rows) < 5.0


@pytest.mark.fault(13, 14)
@pytest.mark.parametrize(
    ("whose", "how"),
    [
        ("pg_read_file('postmaster.pid')", signal.SIGQUIT),
        ("pg_backend_pid()::text", signal.SIGKILL),
    ],
    ids=["server", "backend"],
)
async def test_postgres_crashes_under_the_timekeeper(
    own_servers: Servers, own_kept: Times, whose: str, how: signal.Signals
) -> None:
    """Its guard starts it again, or it does that itself, and the pool heals (13, 14)."""
    await own_kept.arm_many(300, first_s=0.5, last_s=3.5)
    async with keeping(own_kept, own_servers.redis_url):
        await asyncio.sleep(1.0)
        async with connection(own_kept.pool) as conn:
            text = await conn.fetchval(f"SELECT {whose}")
        os.kill(int(text.split()[0]), how)
        for _ in range(100):
            await asyncio.sleep(0.3)
            with suppress(StorageError):
                await own_kept.all_fired()
                return
    raise AssertionError("the timekeeper did not get over it")


# --- poison (25) ---


@pytest.mark.fault(25)
async def test_a_timer_that_cannot_be_heard_is_parked_and_harms_nobody(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    """It stops its conversation while it is tried; the neighbours notice nothing."""
    async with running_scene(database_url, redis_url) as scene:
        kept = await times(pool)
        async with connection(pool) as conn:
            neighbour = await conversation(conn, kept.company_id, "1666")
            await conn.execute(
                """UPDATE dialog_contexts SET state = '{"step": "no.such.step"}' WHERE id = $1""",
                kept.conversation_id,
            )
        await kept.arm("poison")
        kept.conversation_id = neighbour
        await kept.arm(*(f"fine:{n}" for n in range(5)))
        rows: dict[str, str] = {}
        for _ in range(60):
            scene.pass_time(timedelta(seconds=10))
            await asyncio.sleep(0.3)
            rows = {row["key"]: row["status"] for row in await kept.rows()}
            if rows["poison"] == "dead":
                break
        assert rows == {"poison": "dead", **{f"fine:{n}": "fired" for n in range(5)}}
        async with connection(pool) as conn:
            turns = await conn.fetchval("SELECT turn FROM dialog_contexts WHERE id = $1", neighbour)
            error = await conn.fetchval("SELECT last_error FROM timers WHERE key = 'poison'")
        assert turns == 5
        assert error == "UnknownStep"


@pytest.mark.fault(25, 26)
async def test_an_event_of_a_newer_program_waits_for_it(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    """While a deploy rolls, an old worker must not take it for something else."""
    async with running_scene(database_url, redis_url) as scene:
        kept = await times(pool)
        async with connection(pool) as conn:
            await conn.execute(
                """
                INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at,
                    received_at, not_before)
                VALUES ($1, $2, 'x', 'moon_risen', '{}', now(), now(), now())
                """,
                kept.company_id,
                kept.conversation_id,
            )
        tried: list[tuple[object, ...]] = []
        for _ in range(100):
            async with connection(pool) as conn:
                found = await conn.fetch("SELECT status, last_error FROM inbox WHERE attempts > 0")
            tried = [tuple(row) for row in found]
            if tried:
                break
            await asyncio.sleep(0.05)
        assert tried == [("pending", "UnknownEvent")]
        assert scene.graph.sent == []


# --- a minute of it (4) ---


@pytest.mark.fault(4)
@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_storm_of_kills(
    database_url: str, redis_url: str, pool: Pool, tmp_path: Path
) -> None:
    """Three workers, one of them killed every second, and 20,000 timers in a minute."""
    seed = random.randrange(10_000)  # noqa: S311
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)  # noqa: S311
    kept = await times(pool)
    await kept.arm_many(20_000, first_s=5.0, last_s=65.0)
    await people(kept, 64)
    async with (
        working(database_url, redis_url, tmp_path) as one,
        working(database_url, redis_url, tmp_path) as two,
        working(database_url, redis_url, tmp_path) as three,
    ):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(0.5, 1.0))
            victim = chance.choice((one, two, three))
            await victim.kill()
            await victim.start()
        worst = await all_heard(kept, database_url)
    print(f"worst {worst:.2f} s late")  # noqa: T201
    assert worst < 2 * RECOVERY_S
