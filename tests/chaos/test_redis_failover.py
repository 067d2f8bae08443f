"""A Redis that comes back with less than it had, or as two: whoever believes it does no harm."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from storage import embedded
from storage.embedded import Servers
from tests.chaos.conftest import World
from tests.chaos.harness import (
    all_heard,
    assert_nothing_lost_or_doubled,
    crowd,
    everybody_is_booked,
    people,
    under_way,
)
from tests.support.embedded_servers import parent, told
from tests.support.proxy import proxied
from tests.support.timing import Times, keeping, times

pytestmark = pytest.mark.timeout(180)

SWEPT_S = 10.0
"""How late a timer may be that only a sweep finds, on a machine that has much else to do."""


@asynccontextmanager
async def primary_and_replica(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Two of them, of which the second follows the first; both take the password of the first."""
    async with (
        embedded.running(folder / "a", postgres=False) as one,
        embedded.running(folder / "b", postgres=False) as two,
        Redis.from_url(two.redis_url) as replica,
    ):
        await follow(replica, one.redis_url)
        parts, password = urlsplit(two.redis_url), urlsplit(one.redis_url).password
        await replica.config_set("requirepass", password or "")
        yield one.redis_url, f"redis://:{password}@127.0.0.1:{parts.port}/0"


async def follow(redis: Redis, url: str) -> None:
    """Make it a replica of another one, and wait until it has all that the other has."""
    parts = urlsplit(url)
    await redis.config_set("masterauth", parts.password or "")
    await redis.replicaof(parts.hostname, parts.port)
    for _ in range(400):
        if (await redis.info("replication"))["master_link_status"] == "up":
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the replica does not follow")


@pytest.mark.fault(9)
async def test_a_stale_replica_takes_over_while_the_old_primary_lives_on(
    world: World, own_folder: Path, tmp_path: Path
) -> None:
    """Half of the workers on each; then the old one dies, returns, and is told to follow (9)."""
    async with (
        primary_and_replica(own_folder) as (old_url, new_url),
        Redis.from_url(old_url) as old,
        Redis.from_url(new_url) as new,
        proxied(old_url) as (first_url, of_first),
        proxied(old_url) as (second_url, of_second),
        world.pool() as pool,
        world.serving(tmp_path, REDIS_URL=first_url) as first,
        world.working(tmp_path, REDIS_URL=second_url) as second,
    ):
        kept = await times(pool)
        await kept.arm_many(600, first_s=1.0, last_s=6.0)
        await people(kept, 16)
        tasks = crowd(world.graph, 20)
        await under_way(tasks, world.database_url, 20)
        await new.replicaof("NO", "ONE")  # from here on it knows less and less
        await asyncio.sleep(1)
        of_second.point(new_url)
        await asyncio.sleep(1.5)
        os.kill(int((await old.info("server"))["process_id"]), signal.SIGKILL)
        await asyncio.sleep(0.5)
        async with Redis.from_url(old_url) as returned:
            await follow(returned, new_url)  # it forgets what it had, and may not be written to
        await asyncio.sleep(1)
        of_first.point(new_url)
        await everybody_is_booked(tasks, world.database_url)
        worst = await all_heard(kept, world.database_url)
        assert worst < SWEPT_S
        assert [bot.ended for bot in (first, second)] == [False, False]
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)
    print(f"worst {worst:.2f} s late")  # noqa: T201


@pytest.mark.long
@pytest.mark.fault(8)
async def test_redis_is_killed_and_comes_back_later_with_a_torn_log(
    own_servers: Servers, own_kept: Times, own_folder: Path
) -> None:
    """Ten seconds without it, and what it wrote last is cut off: timers fire from the table."""
    async with (
        Redis.from_url(own_servers.redis_url) as redis,
        keeping(own_kept, own_servers.redis_url) as keeper,
    ):
        await own_kept.arm_many(600, first_s=1.0, last_s=14.0)
        await asyncio.sleep(2)
        server = int((await redis.info("server"))["process_id"])
        guard = parent(server)
        os.kill(guard, signal.SIGSTOP)
        os.kill(server, signal.SIGKILL)
        (log,) = (own_folder / "valkey" / "home" / "appendonlydir").glob("*.incr.aof")
        os.truncate(log, log.stat().st_size - 100)
        await asyncio.sleep(10)
        os.kill(guard, signal.SIGCONT)
        fired = await own_kept.all_fired()
        await told(own_servers, "PING")
        await own_kept.arm("after", within=timedelta(seconds=3), tell=keeper)
        await own_kept.all_fired()
    worst = max(row["late_s"] for row in fired)
    print(f"worst {worst:.2f} s late")  # noqa: T201
    assert worst < 5.0
