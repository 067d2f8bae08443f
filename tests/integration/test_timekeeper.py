"""The timekeeper: on time with the alarm clock, soon without it, and each net by itself."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from bot import timekeeper
from bot.timekeeper import HORIZON
from storage.alarms import SHARDS, Alarms, Changes, shard_of
from storage.clock import EPOCH, ServerTime, ShiftedClock, system_clock
from storage.dialogs import TimerOp
from storage.pool import Pool, connection
from storage.redis import open_redis
from storage.timers import Upcoming
from tests.support.proxy import proxied
from tests.support.timing import Times, keeping, times

SOON = timedelta(milliseconds=300)
SWEPT_S = 1.0
"""What fires sooner was not found by a sweep, which leaves alone what was due for less."""
FAR = timedelta(hours=3)


@pytest.fixture
async def kept(pool: Pool) -> Times:
    """A conversation whose timers are kept."""
    return await times(pool)


async def members(redis: Redis) -> int:
    """How many timers the alarm clock knows, those that are claimed included."""
    found = 0
    for shard in range(SHARDS):
        for part in ("due", "lease"):
            found += await redis.zcard(f"usual:{{timers-{shard}}}:{part}")
    return found


async def empties(redis: Redis, *, seconds: float = 2.0) -> None:
    """Wait until the alarm clock knows nothing any more."""
    for _ in range(int(seconds / 0.05)):
        if not await members(redis):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{await members(redis)} timers are left in Redis")


async def test_a_timer_fires_when_it_is_due(kept: Times, redis_url: str, redis: Redis) -> None:
    async with keeping(kept, redis_url) as keeper:
        for n in range(5):
            await kept.arm(f"a{n}", f"b{n}", within=n * SOON, tell=keeper)
        rows = await kept.all_fired()
        assert kept.woken == {(kept.company_id, kept.conversation_id)}
        await empties(redis)
    assert min(row["late_s"] for row in rows) < SWEPT_S


async def test_a_timer_that_is_armed_for_now_fires_at_once(kept: Times, redis_url: str) -> None:
    async with keeping(kept, redis_url) as keeper:
        for n in range(5):
            await kept.arm(f"a{n}", tell=keeper)
        rows = await kept.all_fired()
    assert min(row["late_s"] for row in rows) < SWEPT_S


async def test_a_moved_or_cancelled_timer_leaves_the_alarm_clock(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    async with keeping(kept, redis_url) as keeper:
        await kept.arm("a", "b", within=timedelta(minutes=1), tell=keeper)
        for _ in range(100):
            if await members(redis) == 2:
                break
            await asyncio.sleep(0.02)
        assert await members(redis) == 2
        far = system_clock() + FAR
        keeper.armed(kept.company_id, [TimerOp("a", "test", far), TimerOp("b")])
        await empties(redis)


async def test_a_stale_alarm_fires_nothing(kept: Times, redis_url: str, redis: Redis) -> None:
    """Redis may believe what it likes: the row decides."""
    now = system_clock()
    alarms = Alarms(redis)
    await kept.arm("later", within=timedelta(minutes=1))
    await alarms.fill([Upcoming(kept.company_id, key, now) for key in ("later", "never", "ü:7")])
    async with keeping(kept, redis_url):
        for _ in range(100):
            if await members(redis) == 1:
                break
            await asyncio.sleep(0.02)
        shard = shard_of((kept.company_id, "later"))
        score = await redis.zscore(f"usual:{{timers-{shard}}}:due", f"{kept.company_id}:later")
    assert score is not None
    assert score / 1000 > now.timestamp() + 50, "it rings again when it is due"
    assert kept.woken == set()


async def test_far_timers_cost_redis_nothing(kept: Times, redis_url: str, redis: Redis) -> None:
    beyond = HORIZON.total_seconds() + 60
    await kept.arm_many(3000, first_s=beyond, last_s=beyond + 3600)
    async with keeping(kept, redis_url) as keeper:
        await kept.arm("near", within=timedelta(minutes=1))
        await kept.arm("far", within=FAR, tell=keeper)
        keeper.look()
        await asyncio.sleep(0.3)
        assert await members(redis) == 1


# --- the four nets, each with nothing else to help it ---


async def test_start_up_tells_the_alarm_clock_what_is_due_soon(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    await kept.arm("a", within=timedelta(minutes=1))
    async with keeping(kept, redis_url):
        for _ in range(50):
            if await members(redis):
                return
            await asyncio.sleep(0.02)
    raise AssertionError("the alarm clock was not filled")


async def test_an_emptied_alarm_clock_is_filled_at_once(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    await kept.arm_many(1000, first_s=30, last_s=60)
    async with keeping(kept, redis_url):
        while await members(redis) < 1000:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        await redis.flushdb()
        begun = time.monotonic()
        while await members(redis) < 1000:
            await asyncio.sleep(0.005)
    assert time.monotonic() - begun < 1.0  # 0.2 s on a machine that does nothing else


async def test_the_loader_tells_of_what_the_alarm_clock_lost(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    """Its own turn, without any sign that something is amiss."""
    await kept.arm("a", "b", within=timedelta(minutes=1))
    async with keeping(kept, redis_url):
        while await members(redis) < 2:
            await asyncio.sleep(0.02)
    shard = shard_of((kept.company_id, "a"))
    assert await redis.zrem(f"usual:{{timers-{shard}}}:due", f"{kept.company_id}:a") == 1
    await redis.delete("usual:{timers}:filling")  # as if LOAD_EVERY had passed
    async with keeping(kept, redis_url):
        for _ in range(50):
            if await members(redis) == 2:
                return
            await asyncio.sleep(0.02)
    raise AssertionError("the lost timer did not come back")


@pytest.mark.fault(3, 7)
async def test_the_sweep_fires_what_the_alarm_clock_does_not_know(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    async with keeping(kept, redis_url):
        await asyncio.sleep(0.2)
        await kept.arm("a", within=SOON)  # and nobody is told
        (row,) = await kept.all_fired()
    assert row["late_s"] >= 1.0, "it was not the sweep"
    assert row["late_s"] < 4.0


async def test_without_redis_timers_fire_from_the_table(kept: Times, redis_url: str) -> None:
    async with proxied(redis_url) as (url, proxy), keeping(kept, url) as keeper:
        await asyncio.sleep(0.2)
        proxy.cut()
        await kept.arm("a", within=SOON, tell=keeper)
        await kept.all_fired()
        for n in range(5):
            await kept.arm(f"b{n}", within=n * SOON, tell=keeper)
        rows = await kept.all_fired()
        assert min(row["late_s"] for row in rows[1:]) < SWEPT_S, "without grace"
        proxy.mend()


async def test_a_redis_that_comes_back_is_told_what_was_armed_meanwhile(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    async with proxied(redis_url) as (url, proxy), keeping(kept, url) as keeper:
        await asyncio.sleep(0.2)
        proxy.cut()
        await asyncio.sleep(0.3)
        await kept.arm("a", within=timedelta(minutes=1), tell=keeper)
        proxy.mend()
        for _ in range(200):
            if await members(redis):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("Redis was not told")


# --- clocks ---


async def test_a_clock_that_is_moved_ahead_fires_at_once(kept: Times, redis_url: str) -> None:
    clock = ShiftedClock()
    took = []
    async with keeping(kept, redis_url, clock=clock) as keeper:
        clock.watch(keeper.look)
        for quarter in range(1, 5):
            kept.woken.clear()
            await kept.arm(f"q{quarter}", within=quarter * timedelta(minutes=15), tell=keeper)
            await kept.arm("day", within=timedelta(days=1), tell=keeper)
            begun = time.monotonic()
            clock.advance(timedelta(minutes=15, seconds=1))
            while not kept.woken:
                await asyncio.sleep(0.005)
            took.append(time.monotonic() - begun)
        rows = {row["key"]: row["status"] for row in await kept.rows()}
    assert rows == {"day": "armed", **{f"q{n}": "fired" for n in range(1, 5)}}
    assert min(took) < 0.3, "the sweep came by chance"


@pytest.mark.fault(21)
@pytest.mark.parametrize("skew", [timedelta(seconds=-90), timedelta(seconds=90)])
async def test_a_machine_whose_clock_is_wrong_fires_on_time(
    kept: Times, redis_url: str, skew: timedelta
) -> None:
    async with keeping(kept, redis_url, clock=lambda: system_clock() + skew) as keeper:
        await kept.arm(*(f"k{n}" for n in range(20)), within=SOON, tell=keeper)
        rows = await kept.all_fired()  # none too early
    assert min(row["late_s"] for row in rows) < SWEPT_S


def test_the_servers_time_is_never_ahead_of_it() -> None:
    known = ServerTime()
    assert not known.known
    known.note(EPOCH + timedelta(seconds=1000), 9.5, 10.0)  # the answer took half a second
    assert is_ahead(known, 990.0)
    known.note(EPOCH + timedelta(seconds=1001.3), 11.0, 11.01)  # a quicker answer says more
    assert is_ahead(known, 990.29)
    known.note(EPOCH + timedelta(seconds=1002), 11.0, 12.0)  # a slower one says no more
    assert is_ahead(known, 990.29)
    known.note(EPOCH + timedelta(seconds=900), 13.0, 13.01)  # it was set back
    assert is_ahead(known, 886.99)


def is_ahead(known: ServerTime, seconds: float) -> bool:
    """Whether it is so far ahead of this machine's monotonic clock."""
    before, shown, after = time.monotonic(), known.now(), time.monotonic()
    moment = (shown - EPOCH).total_seconds()
    return moment - after - 1e-3 < seconds < moment - before + 1e-3


# --- many, and the end ---


async def test_several_timekeepers_fire_each_timer_once(kept: Times, redis_url: str) -> None:
    async with (
        keeping(kept, redis_url) as one,
        keeping(kept, redis_url),
        keeping(kept, redis_url) as three,
    ):
        for n in range(300):
            await kept.arm(f"a{n}", within=SOON, tell=(one, three)[n % 2])
        await kept.all_fired()


async def test_a_crowd_that_is_due_at_once_fires_whole(kept: Times, redis_url: str) -> None:
    await kept.arm_many(3000, first_s=0.5, last_s=0.5)
    async with keeping(kept, redis_url), keeping(kept, redis_url):
        rows = await kept.all_fired()
    assert len(rows) == 3000


async def test_who_stops_finishes_what_it_claimed(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    await kept.arm_many(2000, first_s=0.3, last_s=0.3)
    async with keeping(kept, redis_url):
        while not kept.woken:
            await asyncio.sleep(0.001)
    claimed = 0
    for shard in range(SHARDS):
        claimed += await redis.zcard(f"usual:{{timers-{shard}}}:lease")
    assert claimed == 0, "nothing waits for a lease to run out"
    async with keeping(kept, redis_url):
        await kept.all_fired()


@pytest.mark.fault(12)
async def test_scripts_are_loaded_again_when_redis_forgot_them(
    redis_url: str, redis: Redis
) -> None:
    client = open_redis(redis_url)
    alarms = Alarms(client)
    now = system_clock()
    await alarms.fill([Upcoming(1, "a", now)])
    await alarms.ring(Changes(), (), now=now)
    assert not (await alarms.ring(Changes(), [0], now=now - FAR)).claimed
    await redis.script_flush()
    rung = await alarms.ring(Changes(), range(SHARDS), now=now + SOON)
    assert rung.claimed == [(1, "a")]
    assert rung.emptied == set(range(SHARDS))
    # Its lease is over before it was dealt with: somebody else has it.
    later = now + 2 * timekeeper.GRACE + timedelta(seconds=5)
    assert (await alarms.ring(Changes(), range(SHARDS), now=later)).claimed == [(1, "a")]
    await client.aclose()


async def test_lapsed_holds_are_freed_within_about_a_second(kept: Times, redis_url: str) -> None:
    async with connection(kept.pool) as conn:
        staff = await conn.fetchval(
            "INSERT INTO staff (company_id, name) VALUES ($1, 'Becky') RETURNING id",
            kept.company_id,
        )
        for kind, ends in (("hold", 0.2), ("hold", 600.0), ("offer", 0.2)):
            await conn.execute(
                """
                INSERT INTO slot_claims (
                    company_id, claim_id, staff_id, during, kind, conversation_id, expires_at,
                    created_at
                )
                SELECT $1, gen_random_uuid(), $2, tstzrange(at, at + interval '1 hour'), $3, $4,
                    now() + make_interval(secs => $5), now()
                FROM (SELECT now() + (1 + count(*)) * interval '2 hours' AS at FROM slot_claims)
                """,
                kept.company_id,
                staff,
                kind,
                kept.conversation_id,
                ends,
            )
        left = []
        async with keeping(kept, redis_url):
            for _ in range(200):
                left = await conn.fetch("SELECT kind FROM slot_claims ORDER BY kind")
                if len(left) == 2:
                    break
                await asyncio.sleep(0.02)
    assert [row["kind"] for row in left] == ["hold", "offer"], "offers have timers of their own"
