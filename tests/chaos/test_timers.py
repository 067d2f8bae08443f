"""Timers in disasters: whatever dies in between, each makes one event, and none before its time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from statistics import median

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.timekeeper import Timekeeper
from flows.events import PersonReturned
from storage import dialogs, inbox, timers
from storage.alarms import SHARDS
from storage.clock import ShiftedClock, system_clock
from storage.dialogs import TimerOp, TurnRecord
from storage.errors import StorageError
from storage.pool import Pool, connection, open_pool
from tests.support.proxy import Pieces, Proxy, proxied
from tests.support.stepping import cancelled_at
from tests.support.timing import Times, keeping, times

SWEPT_MS = 10_000
"""How late a timer may be that only a sweep finds, on a machine that has much else to do."""
SOON = timedelta(milliseconds=200)


@pytest.fixture
async def kept(pool: Pool) -> Times:
    """A conversation whose timers are kept."""
    return await times(pool)


@asynccontextmanager
async def another_process(
    database_url: str, redis_url: str, kept: Times
) -> AsyncIterator[tuple[Timekeeper, Pool, Proxy, Proxy]]:
    """A timekeeper that reaches both servers only through proxies: cut, it is dead."""
    async with (
        proxied(database_url) as (far_database_url, to_database),
        proxied(redis_url) as (far_redis_url, to_redis),
    ):
        pool = await open_pool(far_database_url, size=4)
        try:
            async with keeping(kept, far_redis_url, pool=pool) as keeper:
                yield keeper, pool, to_database, to_redis
                to_database.mend()
                to_redis.mend()
        finally:
            pool.terminate()


# --- killed at every point between a process and its servers (scenarios 1, 2, 3 and 15) ---


async def kill_at_every_piece(
    database_url: str,
    redis_url: str,
    kept: Times,
    work: Callable[[Timekeeper, Pool, int], Awaitable[None]],
) -> int:
    """Do some work in one process after another, and kill the n-th before its n-th piece of it.

    A piece is a request or an answer, so that some die after what they asked for was done and
    before they know. Returns how many pieces the work has.
    """
    for last in range(1, 200):
        async with another_process(database_url, redis_url, kept) as process:
            keeper, pool, to_database, to_redis = process

            def kill(ends: tuple[Proxy, Proxy] = (to_database, to_redis)) -> None:
                for proxy in ends:
                    proxy.cut()

            pieces = to_database.pieces = to_redis.pieces = Pieces(last, kill)
            with suppress(StorageError, RedisError, OSError, TimeoutError):
                async with asyncio.timeout(5):
                    await work(keeper, pool, last)
            survived = pieces.seen < last
            to_database.pieces = to_redis.pieces = None
        if survived:
            return last
    raise AssertionError("there is no end to it")


@pytest.mark.fault(1, 2, 15)
async def test_killed_at_every_point_of_firing(
    database_url: str, redis_url: str, kept: Times
) -> None:
    """Another process fires what the dead one did not, and only that."""

    async def work(keeper: Timekeeper, pool: Pool, n: int) -> None:
        await kept.arm(f"a{n}", f"b{n}", tell=keeper)
        for _ in range(100):
            rows = {row["key"]: row["status"] for row in await kept.rows()}
            if rows[f"a{n}"] == rows[f"b{n}"] == "fired":
                return
            await asyncio.sleep(0.01)

    # The work above looks for half a second at what one that is dead does not do any more.
    count = await kill_at_every_piece(database_url, redis_url, kept, work)
    async with keeping(kept, redis_url):
        await kept.all_fired()
    assert count > 4


@pytest.mark.fault(1, 2, 3, 15)
async def test_killed_at_every_point_of_a_turn_that_arms(
    database_url: str, redis_url: str, kept: Times
) -> None:
    """The turn and its timers are committed or are not; what is armed fires, told or not."""
    key = (kept.company_id, kept.conversation_id)

    async def work(keeper: Timekeeper, pool: Pool, n: int) -> None:
        async with connection(kept.pool) as conn:
            await inbox.put_internal(
                conn, *key, PersonReturned(), dedup_key=f"e{n}", now=system_clock()
            )
        async with connection(pool) as conn:
            (dialog,) = await dialogs.load(conn, [key])
            assert dialog is not None
            op = TimerOp(f"armed:{dialog.pending.id}", "test", system_clock() + SOON)
            (saved,) = await dialogs.save(conn, [(dialog, _turn([op]))])
        if saved is not None:
            keeper.armed(kept.company_id, [op])
        await asyncio.sleep(0.05)

    count = await kill_at_every_piece(database_url, redis_url, kept, work)
    async with keeping(kept, redis_url):
        rows = await kept.all_fired()
    async with connection(kept.pool) as conn:
        done = await conn.fetchval("SELECT count(*) FROM inbox WHERE status = 'done'")
        turn = await conn.fetchval("SELECT turn FROM dialog_contexts WHERE id = $1", key[1])
    assert len(rows) == done == turn, "a turn without its timer, or a timer without its turn"
    assert count > 4


@pytest.mark.fault("cancelled")
async def test_cancelled_at_every_await_of_a_turn_that_arms_and_of_firing(kept: Times) -> None:
    key = (kept.company_id, kept.conversation_id)

    async def turn(n: int) -> None:
        async with connection(kept.pool) as conn:
            (dialog,) = await dialogs.load(conn, [key])
            assert dialog is not None
            op = TimerOp(f"armed:{dialog.pending.id}", "test", system_clock() - SOON)
            await dialogs.save(conn, [(dialog, _turn([op]))])

    async def fire(n: int) -> None:
        async with connection(kept.pool) as conn:
            await timers.fire_due(conn, shift=timedelta())

    points = 0
    for work in (turn, fire):
        for n in range(1, 100):
            async with connection(kept.pool) as conn:
                await inbox.put_internal(
                    conn,
                    *key,
                    PersonReturned(),
                    dedup_key=f"{work.__name__}{n}",
                    now=system_clock(),
                )
            await kept.arm(f"{work.__name__}:{n}")
            if not await cancelled_at(work(n), n):
                break
            points += 1
    while True:
        async with connection(kept.pool) as conn:
            if not await timers.fire_due(conn, shift=timedelta()):
                break
    rows = kept.checked(await kept.rows())
    assert all(row["status"] == "fired" for row in rows)
    async with connection(kept.pool) as conn:
        done = await conn.fetchval("SELECT count(*) FROM inbox WHERE status = 'done'")
        taken = await conn.fetchval("SELECT turn FROM dialog_contexts WHERE id = $1", key[1])
        idle = await conn.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )
    assert (sum(row["key"].startswith("armed:") for row in rows), idle) == (done, 0)
    assert taken == done
    assert points >= 4


@pytest.mark.fault(15)
async def test_an_answer_to_firing_that_is_lost_makes_no_second_event(
    database_url: str, redis_url: str, kept: Times
) -> None:
    """The statement was committed and nobody knows: the row does (15)."""
    async with another_process(database_url, redis_url, kept) as (keeper, _, to_database, _redis):
        to_database.swallow_after = b"timers.fire"
        await kept.arm("a", "b", tell=keeper)
        await asyncio.sleep(0.5)
        to_database.mend()
        await kept.all_fired()
        await asyncio.sleep(1.5)  # the lease is left alone, and the sweep has passed
        kept.checked(await kept.rows())


# --- Redis (6, 7, 10, 11, 12) ---


@pytest.mark.fault(6)
async def test_flushed_again_and_again(kept: Times, redis_url: str, redis: Redis) -> None:
    """Before timers are due, when they are, and while they are claimed (6)."""
    await kept.arm_many(600, first_s=0.3, last_s=2.3)
    async with keeping(kept, redis_url), keeping(kept, redis_url):
        for _ in range(25):
            await redis.flushdb()
            await asyncio.sleep(0.1)
        rows = await kept.all_fired()
    assert max(row["late_s"] for row in rows) * 1000 < SWEPT_MS


@pytest.mark.fault(6)
async def test_flushed_once_costs_less_than_a_second(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    await kept.arm_many(400, first_s=1.0, last_s=3.0)
    async with keeping(kept, redis_url):
        await asyncio.sleep(1.5)
        await redis.flushdb()
        rows = await kept.all_fired()
    assert median(row["late_s"] for row in rows) < 1.0


@pytest.mark.fault(7)
async def test_part_of_the_index_is_lost(kept: Times, redis_url: str, redis: Redis) -> None:
    """As after a failover to a replica that lagged behind: no sign of it anywhere (7)."""
    seed = random.randrange(10_000)  # noqa: S311
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)  # noqa: S311
    await kept.arm_many(300, first_s=1.0, last_s=2.0)
    async with keeping(kept, redis_url):
        await asyncio.sleep(0.5)
        for shard in range(SHARDS):
            name = f"usual:{{timers-{shard}}}:due"
            for member in await redis.zrange(name, 0, -1):
                if chance.random() < 0.3:
                    assert isinstance(member, bytes)
                    await redis.zrem(name, member)
        rows = await kept.all_fired()
    assert max(row["late_s"] for row in rows) * 1000 < SWEPT_MS


@pytest.mark.fault(11)
@pytest.mark.parametrize("how", ["stalled", "slow", "broken off"])
async def test_a_redis_that_is_worse_than_gone(kept: Times, redis_url: str, how: str) -> None:
    """No answer at all, one after two seconds, one that breaks off in the middle (11)."""
    async with proxied(redis_url) as (url, proxy), keeping(kept, url) as keeper:
        await asyncio.sleep(0.2)
        match how:
            case "stalled":
                proxy.stall()
            case "slow":
                proxy.delay_s = 2.0
            case _:
                proxy.reset_after = 7
        for n in range(10):
            await kept.arm(f"a{n}", within=n * SOON, tell=keeper)
        rows = await kept.all_fired()
        assert max(row["late_s"] for row in rows) * 1000 < SWEPT_MS
        proxy.mend()
        await kept.arm("after", within=SOON, tell=keeper)
        await kept.all_fired()


@pytest.mark.fault(12)
async def test_redis_forgets_its_scripts_and_throws_everybody_out(
    kept: Times, redis_url: str, redis: Redis
) -> None:
    await kept.arm_many(300, first_s=0.3, last_s=1.8)
    async with keeping(kept, redis_url), keeping(kept, redis_url):
        for _ in range(10):
            await redis.script_flush()
            with suppress(RedisError):
                await redis.client_kill_filter(_type="normal", skipme=True)
            await asyncio.sleep(0.2)
        rows = await kept.all_fired()
    assert max(row["late_s"] for row in rows) * 1000 < SWEPT_MS


# --- clocks (21) ---


@pytest.mark.fault(21)
async def test_clocks_that_are_wrong_and_jump(kept: Times, redis_url: str) -> None:
    """One machine is behind, one ahead, and one is set back and forth all the time."""
    jumping = iter(n % 7 * timedelta(minutes=5) for n in range(10**9))
    clocks = (
        ShiftedClock(lambda: system_clock() - timedelta(seconds=90)),
        ShiftedClock(lambda: system_clock() + timedelta(seconds=90)),
        ShiftedClock(lambda: system_clock() - next(jumping)),
    )
    async with (
        keeping(kept, redis_url, clock=clocks[0]) as one,
        keeping(kept, redis_url, clock=clocks[1]) as two,
        keeping(kept, redis_url, clock=clocks[2]) as three,
    ):
        for n in range(90):
            await kept.arm(f"a{n}", within=SOON, tell=(one, two, three)[n % 3])
        rows = await kept.all_fired()  # none too early
    assert max(row["late_s"] for row in rows) * 1000 < SWEPT_MS


# --- PostgreSQL (14) ---


@pytest.mark.fault(14)
async def test_every_connection_to_the_database_is_ended(kept: Times, redis_url: str) -> None:
    await kept.arm_many(300, first_s=0.3, last_s=1.8)
    async with keeping(kept, redis_url), keeping(kept, redis_url):
        for _ in range(8):
            await asyncio.sleep(0.2)
            with suppress(StorageError):
                async with connection(kept.pool) as conn:
                    await conn.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
        rows = await kept.all_fired()
    assert max(row["late_s"] for row in rows) * 1000 < SWEPT_MS


# --- crowds (26) ---


@pytest.mark.fault(26)
async def test_a_crowd_beside_many_that_are_far(kept: Times, redis_url: str) -> None:
    await kept.arm_many(5_000, first_s=1.0, last_s=1.0)
    async with connection(kept.pool) as conn:
        await conn.execute(
            """
            INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)
            SELECT $1, 'far:' || n, $2, 'test', now() + interval '1 day', now()
            FROM generate_series(1, 20000) AS n
            """,
            kept.company_id,
            kept.conversation_id,
        )
    armed = 5_000
    async with keeping(kept, redis_url), keeping(kept, redis_url):
        for _ in range(500):
            async with connection(kept.pool) as conn:
                armed = await conn.fetchval(
                    "SELECT count(*) FROM timers WHERE status = 'armed' AND key LIKE 'many:%'"
                )
            if not armed:
                break
            await asyncio.sleep(0.05)
    kept.checked(await kept.rows())
    assert armed == 0


def _turn(ops: list[TimerOp]) -> TurnRecord:
    return TurnRecord(
        now=system_clock(),
        state={"step": "menu.idle"},
        status="active",
        locale=None,
        inbound_at=None,
        person_until=None,
        expires_at=None,
        heard=None,
        bodies=[],
        extras=[],
        records=[],
        lease_until=None,
        timers=ops,
    )
