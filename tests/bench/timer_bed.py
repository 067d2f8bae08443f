"""What the benches of timers run on: servers with conversations in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from redis.asyncio import Redis

from storage import migrate
from storage.alarms import SHARDS
from storage.embedded import Servers
from storage.pool import UNHURRIED, Pool, connect, connection, open_pool
from storage.redis import open_redis
from tests.support.database import create

DATABASE: Final = "timers"
CONVERSATIONS: Final = 2_000

_PEOPLE: Final = """
WITH company AS (
    INSERT INTO companies (name, timezone, phone_number_id) VALUES ('Bench', 'UTC', '1')
    RETURNING id
),
people AS (
    INSERT INTO customers (company_id, phone)
    SELECT id, (15550000000 + n)::text FROM company, generate_series(1, $1) AS n
    RETURNING company_id, id
)
INSERT INTO dialog_contexts (company_id, customer_id, started_at, last_message_at)
SELECT company_id, id, now(), now() FROM people
"""
_ARM_MANY: Final = """
WITH talks AS (SELECT company_id, id, row_number() OVER (ORDER BY id) - 1 AS n FROM dialog_contexts)
INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)
SELECT t.company_id, $1 || ':' || g, t.id, 'bench',
    $3::timestamptz + make_interval(secs => $4::float8 * g / $2), now()
FROM generate_series(1, $2::integer) AS g
JOIN talks AS t ON t.n = g % $5
"""
FIRED: Final = """
SELECT extract(epoch FROM started_at - due_at)::float8 * 1000 AS ms FROM timers
WHERE key LIKE $1 || ':%' AND status = 'fired'
"""
HEARD: Final = """
SELECT extract(epoch FROM completed_at - due_at)::float8 * 1000 AS ms FROM timers
WHERE key LIKE $1 || ':%' AND status = 'fired'
"""
_LEFT: Final = """
SELECT count(*) FILTER (WHERE status = 'armed') AS armed,
    count(*) FILTER (WHERE completed_at IS NULL) AS unheard
FROM timers WHERE key LIKE $1 || ':%'
"""


@dataclass
class Bed:
    """Servers with conversations in them."""

    pool: Pool
    redis: Redis
    database_url: str
    redis_url: str
    company_id: int
    talks: list[int]

    async def arm(self, prefix: str, count: int, *, in_s: float, over_s: float = 0.0) -> datetime:
        """Arm many, evenly over a time that begins soon; returns when that is."""
        conn = await connect(self.database_url, timeouts=UNHURRIED)
        try:
            begins: datetime = await conn.fetchval("SELECT clock_timestamp()")
            begins += timedelta(seconds=in_s)
            await conn.execute(_ARM_MANY, prefix, count, begins, over_s, len(self.talks))
            await conn.execute("ANALYZE timers")
        finally:
            await conn.close()
        return begins

    async def left(self, prefix: str, *, heard: bool = False) -> int:
        """How many of them have not fired, or were not heard, yet."""
        async with connection(self.pool) as conn:
            row = await conn.fetchrow(_LEFT, prefix)
        assert row is not None
        return int(row["unheard"] if heard else row["armed"])

    async def late(self, prefix: str, query: str = FIRED) -> list[float]:
        """How late each of them was, in milliseconds."""
        async with connection(self.pool) as conn:
            return [row["ms"] for row in await conn.fetch(query, prefix)]

    async def clear(self) -> None:
        """Forget all timers and what came of them."""
        conn = await connect(self.database_url, timeouts=UNHURRIED)
        try:
            await conn.execute("TRUNCATE timers, inbox")
        finally:
            await conn.close()
        await self.redis.flushdb()

    async def memory(self) -> int:
        """Bytes that the alarm clock has in Redis."""
        found = 0
        for shard in range(SHARDS):
            for part in ("due", "lease"):
                key = f"usual:{{timers-{shard}}}:{part}"
                found += await self.redis.memory_usage(key, samples=0) or 0
        return found


@asynccontextmanager
async def made_bed(servers: Servers) -> AsyncIterator[Bed]:
    """A database of its own on these servers."""
    database_url = await create(servers.database_url, DATABASE)
    await migrate.up(database_url)
    conn = await connect(database_url)
    try:
        await conn.execute(_PEOPLE, CONVERSATIONS)
        rows = await conn.fetch("SELECT company_id, id FROM dialog_contexts ORDER BY id")
        await conn.execute("ANALYZE")
    finally:
        await conn.close()
    async with AsyncExitStack() as stack:
        pool = await open_pool(database_url, size=20)
        stack.push_async_callback(pool.close)
        redis = open_redis(servers.redis_url)
        stack.push_async_callback(redis.aclose)
        talks = [row["id"] for row in rows]
        yield Bed(pool, redis, database_url, servers.redis_url, rows[0]["company_id"], talks)
