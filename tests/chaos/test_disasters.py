"""Whatever dies in the middle, every customer ends booked, once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.chaos.conftest import World
from tests.chaos.harness import (
    assert_nothing_lost_or_doubled,
    crowd,
    everybody_is_booked,
    first_that_leads_on,
    rows,
    running_bot,
    settle_for_what_is_left,
    under_way,
)
from tests.support.proxy import proxied

CUSTOMERS = 200

pytestmark = pytest.mark.timeout(180)


@pytest.mark.fault(1, 2)
async def test_a_killed_process_loses_and_doubles_nothing(world: World, tmp_path: Path) -> None:
    """kill -9 in the middle of two hundred conversations, twice."""
    async with running_bot(
        world.graph,
        database_url=world.database_url,
        redis_url=world.redis_url,
        port=world.port,
        folder=tmp_path,
    ) as bot:
        tasks = crowd(world.graph, CUSTOMERS)
        for turns in (CUSTOMERS, 4 * CUSTOMERS):
            await under_way(tasks, world.database_url, turns)
            await bot.kill()
            await bot.start()
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)


@pytest.mark.fault(6)
async def test_a_flushed_redis_loses_and_doubles_nothing(
    world: World, tmp_path: Path, redis: Redis
) -> None:
    """FLUSHALL again and again while two hundred customers book."""
    async with running_bot(
        world.graph,
        database_url=world.database_url,
        redis_url=world.redis_url,
        port=world.port,
        folder=tmp_path,
    ):
        tasks = crowd(world.graph, CUSTOMERS)
        while not all(task.done() for task in tasks):
            await redis.flushdb()
            await asyncio.sleep(0.2)
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)


@pytest.mark.fault(8)
async def test_ten_seconds_without_redis_lose_and_double_nothing(
    world: World, tmp_path: Path
) -> None:
    """Redis is cut off in the middle and comes back."""
    async with (
        proxied(world.redis_url) as (redis_url, proxy),
        running_bot(
            world.graph,
            database_url=world.database_url,
            redis_url=redis_url,
            port=world.port,
            folder=tmp_path,
        ),
    ):
        tasks = crowd(world.graph, CUSTOMERS)
        await under_way(tasks, world.database_url, CUSTOMERS)
        proxy.cut()
        await asyncio.sleep(10)
        proxy.mend()
        await everybody_is_booked(tasks, world.database_url)
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)


@pytest.mark.fault(13)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
async def test_a_restarted_postgres_loses_and_doubles_nothing(
    own_world: World, tmp_path: Path, how: signal.Signals
) -> None:
    """Postgres is shut down, aborted or killed in the middle; its supervisor starts it again."""
    async with running_bot(
        own_world.graph,
        database_url=own_world.database_url,
        redis_url=own_world.redis_url,
        port=own_world.port,
        folder=tmp_path,
    ):
        tasks = crowd(own_world.graph, CUSTOMERS)
        await under_way(tasks, own_world.database_url, CUSTOMERS)
        pid = await rows(own_world.database_url, "SELECT pg_read_file('postmaster.pid') AS text")
        os.kill(int(pid[0]["text"].split()[0]), how)
        await everybody_is_booked(tasks, own_world.database_url)
        await assert_nothing_lost_or_doubled(own_world.graph, own_world.database_url)


async def test_forty_customers_race_for_one_slot_and_one_gets_it(
    world: World, tmp_path: Path
) -> None:
    """Thirty-nine are told at once what else is free, and can take it."""
    async with running_bot(
        world.graph,
        database_url=world.database_url,
        redis_url=world.redis_url,
        port=world.port,
        folder=tmp_path,
    ):
        phones = [world.graph.customer(f"Racer {n}", phone=f"1555200{n:04}") for n in range(40)]
        for phone in phones:
            await phone.say("hi")
            await phone.reply()
            await phone.tap("Book a visit")
            await phone.reply()
            for _ in range(3):
                await phone.tap(first_that_leads_on(phone.last.rows))
                await phone.reply()
        wanted = first_that_leads_on(phones[0].last.rows)
        await asyncio.gather(*(phone.tap(wanted) for phone in phones))
        answers = await asyncio.gather(*(phone.reply(seconds=30) for phone in phones))
        winners = [answer for answer in answers if "Book it" in answer.buttons]
        assert len(winners) == 1
        assert all(len(answer.rows) >= 3 for answer in answers if answer not in winners)
        tasks = [asyncio.create_task(settle_for_what_is_left(phone)) for phone in phones]
        assert all(text.startswith("Booked") for text in await asyncio.gather(*tasks))
        await assert_nothing_lost_or_doubled(world.graph, world.database_url)
