"""Timekeepers without a bot around them: what they fire is read from the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
from redis.asyncio import Redis

from bot.timekeeper import Timekeeper
from storage import timers
from storage.clock import Clock, system_clock
from storage.dialogs import Key, TimerOp
from storage.errors import Unavailable
from storage.pool import Connection, Pool, connection
from storage.redis import open_redis
from tests.support.rows import company, conversation

FIRED = """
WITH e AS MATERIALIZED (  -- once, and not for each timer
    SELECT company_id, event ->> 'key' AS key, (event ->> 'generation')::bigint AS generation,
        count(*) AS n
    FROM inbox WHERE kind = 'timer_fired' GROUP BY 1, 2, 3
)
SELECT t.key, t.generation, t.status, t.due_at, t.started_at,
    extract(epoch FROM t.started_at - t.due_at)::float8 AS late_s, coalesce(e.n, 0) AS events
FROM timers AS t
LEFT JOIN e USING (company_id, key, generation)
WHERE t.company_id = $1
ORDER BY t.key
"""


@dataclass
class Times:
    """A conversation whose timers are kept."""

    pool: Pool
    company_id: int
    conversation_id: int
    woken: set[Key] = field(default_factory=set)

    def wake(self, keys: Collection[Key]) -> None:
        """What the worker would be told."""
        self.woken |= set(keys)

    async def arm(
        self,
        *keys: str,
        within: timedelta = timedelta(),
        due: datetime | None = None,
        tell: Timekeeper | None = None,
    ) -> None:
        """Arm timers that are due at a moment, or so long from now; `tell` is what engines do."""
        async with connection(self.pool) as conn:
            now: datetime = await conn.fetchval("SELECT clock_timestamp()")
            at = due or now + within
            for key in keys:
                await self.arm_with(conn, key, at)
        if tell is not None:
            tell.armed(self.company_id, [TimerOp(key, "test", at) for key in keys])

    async def arm_with(self, conn: Connection, key: str, due: datetime) -> None:
        """Arm one inside somebody's transaction."""
        await timers.arm(
            conn,
            company_id=self.company_id,
            conversation_id=self.conversation_id,
            key=key,
            name="test",
            due=due,
            now=system_clock(),
        )

    async def arm_many(self, count: int, *, first_s: float, last_s: float) -> None:
        """Arm `count` timers, evenly spread between two moments that are seconds from now."""
        async with connection(self.pool) as conn:
            await conn.execute(
                """
                INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)
                SELECT $1, 'many:' || n, $2, 'test',
                    now() + make_interval(secs => $4::float8 + ($5::float8 - $4) * n / $3), now()
                FROM generate_series(1, $3::integer) AS n
                """,
                self.company_id,
                self.conversation_id,
                count,
                first_s,
                last_s,
            )

    async def rows(self) -> Sequence[asyncpg.Record]:
        """All timers of the company with how late they fired and how many events they made."""
        async with connection(self.pool) as conn:
            return await conn.fetch(FIRED, self.company_id)

    async def all_fired(self, *, seconds: float = 30.0) -> Sequence[asyncpg.Record]:
        """Wait until no timer is armed; every one made one event, and none too early."""
        left = -1
        for _ in range(int(seconds / 0.02)):
            with suppress(Unavailable):  # whoever looks may be cut off like everybody else
                async with connection(self.pool) as conn:
                    left = await conn.fetchval(
                        "SELECT count(*) FROM timers WHERE company_id = $1 AND status = 'armed'",
                        self.company_id,
                    )
                if not left:
                    return self.checked(await self.rows())
            await asyncio.sleep(0.02)
        raise AssertionError(f"{left} timers did not fire within {seconds} s")

    @staticmethod
    def checked(rows: Sequence[asyncpg.Record]) -> Sequence[asyncpg.Record]:
        """Hold what every disaster must leave true: one event a timer, none before it was due."""
        happened = ("fired", "dead")
        assert [row["key"] for row in rows if row["events"] != (row["status"] in happened)] == []
        assert [row["key"] for row in rows if row["late_s"] is not None and row["late_s"] < 0] == []
        return rows


async def times(pool: Pool) -> Times:
    """A company with one conversation, beside those of the demo."""
    async with connection(pool) as conn:
        company_id = await company(conn, number="timed")
        return Times(pool, company_id, await conversation(conn, company_id))


@asynccontextmanager
async def keeping(
    kept: Times, redis_url: str, *, clock: Clock = system_clock, pool: Pool | None = None
) -> AsyncIterator[Timekeeper]:
    """A timekeeper with a client of its own, started and in the end stopped."""
    redis: Redis = open_redis(redis_url)
    keeper = Timekeeper(pool or kept.pool, redis, wake=kept.wake, clock=clock)
    task = asyncio.create_task(keeper.run())
    try:
        for _ in range(200):
            if keeper.last_sweep is not None or task.done():
                break
            await asyncio.sleep(0.01)
        yield keeper
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()
