"""Nobody sends faster than Meta allows, all processes together, with Redis and without it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import pytest
from redis.asyncio import Redis

from bot.pacing import Pacer
from storage.clock import ShiftedClock
from storage.pacing import (
    LONGEST_WAIT_S,
    PAIR_BURST,
    SLOWED_FOR_S,
    Ask,
    Grants,
    LocalBuckets,
    RedisBuckets,
)
from storage.redis import REDIS_ERRORS, RedisLeftAlone, eviction_policy, open_redis
from tests.support.proxy import proxied

RATE = 80.0


class Buckets(Protocol):
    """Buckets of either kind."""

    async def take(self, company_id: int, asks: Sequence[Ask]) -> Grants: ...

    async def slow(self, company_id: int, pause: float) -> None: ...

    async def empty_pair(self, company_id: int, conversation_id: int) -> None: ...


class Shared:
    """Those in Redis."""

    def __init__(self, redis: Redis, clock: ShiftedClock) -> None:
        self.buckets, self.clock = RedisBuckets(redis), clock

    async def take(self, company_id: int, asks: Sequence[Ask]) -> Grants:
        return await self.buckets.take(company_id, RATE, asks, ahead=0, now=self.clock())

    async def slow(self, company_id: int, pause: float) -> None:
        await self.buckets.slow(company_id, RATE, pause=pause, now=self.clock())

    async def empty_pair(self, company_id: int, conversation_id: int) -> None:
        await self.buckets.empty_pair(company_id, conversation_id, now=self.clock())


class Local:
    """Those in the process."""

    def __init__(self, clock: ShiftedClock) -> None:
        self.buckets, self.clock = LocalBuckets(), clock

    async def take(self, company_id: int, asks: Sequence[Ask]) -> Grants:
        return self.buckets.take(company_id, RATE, asks, now=self.clock())

    async def slow(self, company_id: int, pause: float) -> None:
        self.buckets.slow(company_id, RATE, pause=pause, now=self.clock())

    async def empty_pair(self, company_id: int, conversation_id: int) -> None:
        self.buckets.empty_pair(company_id, conversation_id, now=self.clock())


@pytest.fixture
def clock() -> ShiftedClock:
    start = ShiftedClock()()
    return ShiftedClock(lambda: start)


@pytest.fixture(params=["shared", "local"])
async def buckets(request: pytest.FixtureRequest, redis: Redis, clock: ShiftedClock) -> Buckets:
    return Shared(redis, clock) if request.param == "shared" else Local(clock)


def asks(count: int, *, first: int = 0) -> list[Ask]:
    return [Ask(first + n) for n in range(count)]


async def test_a_number_sends_a_short_burst_and_then_evenly(buckets: Buckets) -> None:
    waits = [grant.wait for grant in (await buckets.take(1, asks(30))).each]
    assert waits[:8] == [0.0] * 8
    assert waits[8:12] == pytest.approx([1 / 80, 2 / 80, 3 / 80, 4 / 80], abs=1e-4)


async def test_no_second_has_more_than_the_rate_and_a_tenth(
    buckets: Buckets, clock: ShiftedClock
) -> None:
    sent: list[float] = []
    for step in range(30):
        grants = await buckets.take(1, asks(20, first=20 * step))
        moment = 0.1 * step
        sent += [moment + one.wait for one in grants.each if one.wait <= LONGEST_WAIT_S]
        clock.advance(timedelta(seconds=0.1))
    busiest = max(sum(at <= one < at + 1 for one in sent) for at in sent)
    assert 80 <= busiest <= 88


async def test_who_would_wait_too_long_takes_no_place(buckets: Buckets) -> None:
    waits = [grant.wait for grant in (await buckets.take(1, asks(300))).each]
    placed = [wait for wait in waits if wait <= LONGEST_WAIT_S]
    assert len(placed) == pytest.approx(80 * LONGEST_WAIT_S + 8, abs=1)
    assert max(waits) < LONGEST_WAIT_S + 0.1, "the others are told when the next place is free"


async def test_companies_do_not_share_a_bucket(buckets: Buckets) -> None:
    await buckets.take(1, asks(100))
    assert (await buckets.take(2, asks(1))).each[0].wait == 0.0


async def test_a_recipient_gets_a_burst_and_then_one_each_six_seconds(
    buckets: Buckets, clock: ShiftedClock
) -> None:
    for _ in range(PAIR_BURST):
        assert (await buckets.take(1, [Ask(7)])).each[0].wait <= LONGEST_WAIT_S
        clock.advance(timedelta(milliseconds=20))
    grant = (await buckets.take(1, [Ask(7)])).each[0]
    assert grant.wait == pytest.approx(6 - 45 * 0.02, abs=0.01)
    assert grant.of_pair
    assert (await buckets.take(1, [Ask(8)])).each[0].wait == 0.0
    clock.advance(timedelta(seconds=6))
    assert (await buckets.take(1, [Ask(7)])).each[0].wait == 0.0
    assert (await buckets.take(1, [Ask(7)])).each[0].wait > 5


async def test_a_recipient_in_the_same_batch_twice_counts_twice(buckets: Buckets) -> None:
    grants = await buckets.take(1, [Ask(7)] * (PAIR_BURST + 1))
    assert [grant.wait > LONGEST_WAIT_S for grant in grants.each] == [False] * PAIR_BURST + [True]


async def test_what_was_paired_ahead_is_not_asked_again(buckets: Buckets) -> None:
    await buckets.take(1, [Ask(7)] * PAIR_BURST)
    assert (await buckets.take(1, [Ask(7, paired=True)])).each[0].wait <= LONGEST_WAIT_S


async def test_a_slowed_number_pauses_and_then_sends_half_as_fast(
    buckets: Buckets, clock: ShiftedClock
) -> None:
    await buckets.slow(1, 1.0)
    waits = [grant.wait for grant in (await buckets.take(1, asks(10))).each]
    assert waits[0] == pytest.approx(1.0, abs=0.001)
    assert waits[1] - waits[0] == pytest.approx(2 / 80, abs=0.001)
    await buckets.slow(1, 1.0)
    waits = [grant.wait for grant in (await buckets.take(1, asks(10, first=10))).each]
    assert waits[1] - waits[0] == pytest.approx(4 / 80, abs=0.001)


async def test_a_local_number_recovers_after_a_while(clock: ShiftedClock) -> None:
    local = Local(clock)
    await local.slow(1, 1.0)
    clock.advance(timedelta(seconds=SLOWED_FOR_S + 1))
    waits = [grant.wait for grant in (await local.take(1, asks(10))).each]
    assert waits[9] - waits[8] == pytest.approx(1 / 80, abs=0.001)
    local.buckets.forget_full(clock() + timedelta(hours=1))


async def test_a_recipient_that_is_full_by_metas_count_gets_one_try(buckets: Buckets) -> None:
    await buckets.empty_pair(1, 7)
    first, second = (await buckets.take(1, [Ask(7)] * 2)).each
    assert first.wait == 0.0
    assert second.wait == pytest.approx(6.0, abs=0.001)


async def test_places_ahead_come_out_of_the_same_buckets(redis: Redis, clock: ShiftedClock) -> None:
    shared = RedisBuckets(redis)
    grants = await shared.take(1, RATE, [Ask(7, ahead=4)], ahead=5, now=clock())
    assert (grants.each[0].ahead, grants.ahead) == (4, 5)
    left = await shared.take(1, RATE, [Ask(7)] * 41, ahead=0, now=clock())
    assert [grant.wait > LONGEST_WAIT_S for grant in left.each] == [False] * 40 + [True]


async def test_scripts_are_loaded_again_when_the_server_forgot_them(
    redis: Redis, clock: ShiftedClock
) -> None:
    shared = Shared(redis, clock)
    await shared.take(1, asks(1))
    await redis.script_flush()
    assert (await shared.take(1, asks(1))).each[0].wait == 0.0


async def test_keys_of_a_company_live_together_and_not_for_ever(
    redis: Redis, clock: ShiftedClock
) -> None:
    shared = Shared(redis, clock)
    await shared.take(12, asks(3))
    await shared.slow(12, 1.0)
    await shared.empty_pair(12, 1)
    keys = await redis.keys("*")
    assert len(keys) == 5
    assert all("{c12}" in str(key) for key in keys)
    assert all([await redis.pttl(key) > 0 for key in keys])


async def test_most_messages_do_not_ask_redis(redis: Redis) -> None:
    pacer = Pacer(redis, ShiftedClock())
    before = (await redis.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0)
    for _ in range(40):
        places = [pacer.place(1, conversation, 1000.0) for conversation in range(20)]
        assert all(grant.wait <= LONGEST_WAIT_S for grant in await asyncio.gather(*places))
    after = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert after - before < 800 / 4


async def test_two_processes_share_a_number(redis: Redis, clock: ShiftedClock) -> None:
    pacers = [Pacer(redis, clock), Pacer(redis, clock)]
    places = [pacers[n % 2].place(1, n, RATE) for n in range(400)]
    waits = [grant.wait for grant in await asyncio.gather(*places)]
    placed = [wait for wait in waits if wait <= LONGEST_WAIT_S]
    assert len(placed) <= 80 * LONGEST_WAIT_S + 10


async def test_a_dead_redis_costs_nothing_and_comes_back(redis_url: str) -> None:
    clock = ShiftedClock()
    async with proxied(redis_url) as (url, proxy):
        redis = open_redis(url)
        async with redis:
            pacer = Pacer(redis, clock)
            await pacer.place(1, 1, RATE)
            proxy.cut()
            loop = asyncio.get_running_loop()
            began = loop.time()
            for n in range(200):
                await pacer.place(2, n, 1e6)
                await pacer.slow(3, RATE, 1.0)
                await pacer.empty_pair(3, 1)
            assert loop.time() - began < 1.0
            with pytest.raises(RedisLeftAlone):
                await redis.ping()
            with pytest.raises(REDIS_ERRORS):
                await pinged(redis)
            proxy.mend()
            async with asyncio.timeout(3):
                while not await answers(redis):
                    await asyncio.sleep(0.05)
            await pacer.place(1, 2, RATE)
            pacer.forget()


async def test_a_redis_that_hangs_is_asked_once_and_then_left_alone() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, open_redis(f"redis://127.0.0.1:{port}/0") as redis:
        pacer = Pacer(redis, ShiftedClock())
        loop = asyncio.get_running_loop()
        began = loop.time()
        for n in range(100):
            await pacer.place(1, n, 1e6)
        assert loop.time() - began < 2.0
        with pytest.raises(RedisLeftAlone):
            await redis.ping()


async def answers(redis: Redis) -> bool:
    try:
        return bool(await pinged(redis))
    except REDIS_ERRORS:
        return False


async def pinged(redis: Redis) -> list[object]:
    pipeline = redis.pipeline()
    pipeline.execute_command("PING")
    return await pipeline.execute()


async def test_a_redis_that_may_drop_keys_is_known(redis: Redis) -> None:
    assert await eviction_policy(redis) == "noeviction"


async def test_a_redis_that_is_not_there_says_nothing() -> None:
    async with open_redis("redis://127.0.0.1:1/0") as gone:
        assert await eviction_policy(gone) is None
