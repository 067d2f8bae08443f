"""Timers: how many can be armed, moved, cancelled and fired a second, and how late they are.

Floors stand beside them: a bare sorted set, and a bare row. The bed of all runs is one conversation
for each of CONVERSATIONS customers; timers that take a turn are heard by a whole bot.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

from bot import logs
from bot.runtime import running
from bot.timekeeper import Timekeeper
from storage import timers
from storage.clock import system_clock
from storage.embedded import Servers
from storage.pool import connection
from storage.redis import open_redis
from tests.bench import bots
from tests.bench.timer_bed import HEARD, Bed, made_bed
from tests.support.graph import running_graph
from tests.support.settings import settings_for

BATCH: Final = 100
CLIENTS: Final = 16


async def measure(servers: Servers, *, quick: bool) -> dict[str, Any]:
    """Run everything, the quick way with a tenth of the timers."""
    logs.configure("json", "warning")
    scale = 0.1 if quick else 1.0
    async with made_bed(servers) as bed:
        return {
            "floor": await _floor(bed, int(5_000 * scale)),
            "schedule": await _schedule(bed, int(5_000 * scale)),
            "fire": await _fire(bed, int(20_000 * scale)),
            "turns": await _turns(bed, int(10_000 * scale)),
            "lateness": [
                await _lateness(bed, int(5_000 * scale), 20.0 * max(scale, 0.25), int(more * scale))
                for more in (0, 100_000, 1_000_000)
            ],
            "flushed": await _flushed(bed, int(2_000 * scale)),
            "killed": await _killed(bed, int(2_000 * scale)),
        }


@asynccontextmanager
async def _keeping(bed: Bed) -> AsyncIterator[Timekeeper]:
    redis = open_redis(bed.redis_url)
    keeper = Timekeeper(bed.pool, redis, wake=lambda _: None, clock=system_clock)
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.wait([task])
        await redis.aclose()


@asynccontextmanager
async def _bot(bed: Bed) -> AsyncIterator[None]:
    async with running_graph() as graph:
        settings = settings_for(graph, bed.database_url, bed.redis_url, log_level="warning")
        async with running(settings, clock=system_clock, receiver=False, workers=True):
            yield


async def _rate(count: int, clients: int, do: Callable[[int], Awaitable[object]]) -> int:
    """How many a second so many clients do between them."""
    numbers = iter(range(count))

    async def client() -> None:
        for n in numbers:
            await do(n)

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return round(count / (time.perf_counter() - begun))


# --- floors ---


async def _floor(bed: Bed, count: int) -> dict[str, int]:
    _say("timers: floors")
    members = {f"1:floor:{n}": n for n in range(count)}
    groups = [dict(list(members.items())[n : n + BATCH]) for n in range(0, count, BATCH)]
    found = {
        "sorted_set_add_s": await _rate(
            count, 1, lambda n: bed.redis.zadd("floor", {f"1:floor:{n}": n})
        ),
        "sorted_set_add_in_hundreds_s": BATCH
        * await _rate(len(groups), 1, lambda n: bed.redis.zadd("floor", groups[n])),
        "sorted_set_pop_in_hundreds_s": BATCH
        * await _rate(len(groups), 1, lambda n: bed.redis.zpopmin("floor", BATCH)),
    }
    async with connection(bed.pool) as conn:
        await conn.execute("CREATE TABLE floor (key text PRIMARY KEY, due_at timestamptz NOT NULL)")

    async def insert(n: int) -> None:
        async with connection(bed.pool) as conn:
            await conn.execute("INSERT INTO floor VALUES ($1, now())", str(n))

    async def insert_many(n: int) -> None:
        async with connection(bed.pool) as conn:
            await conn.execute(
                "INSERT INTO floor SELECT 'b' || ($1::integer + g), now()"
                " FROM generate_series(1, 100) AS g",
                n * BATCH,
            )

    found["row_insert_s"] = await _rate(count // 2, 1, insert)
    found["row_insert_16_clients_s"] = await _rate(count, CLIENTS, lambda n: insert(n + count))
    found["row_insert_in_hundreds_s"] = BATCH * await _rate(len(groups), 1, insert_many)
    async with connection(bed.pool) as conn:
        await conn.execute("DROP TABLE floor")
    return found


# --- ours ---


async def _schedule(bed: Bed, count: int) -> dict[str, int]:
    _say("timers: arm, move, cancel")
    far = system_clock() + timedelta(days=1)

    async def arm(n: int, key: str, due: datetime) -> None:
        async with connection(bed.pool) as conn:
            await timers.arm(
                conn,
                company_id=bed.company_id,
                conversation_id=bed.talks[n % len(bed.talks)],
                key=f"{key}:{n}",
                name="bench",
                due=due,
                now=system_clock(),
            )

    async def cancel(n: int) -> None:
        async with connection(bed.pool) as conn:
            await timers.cancel(
                conn, company_id=bed.company_id, keys=[f"many:{n}"], now=system_clock()
            )

    found = {
        "arm_s": await _rate(count // 2, 1, lambda n: arm(n, "one", far)),
        "arm_16_clients_s": await _rate(count, CLIENTS, lambda n: arm(n, "many", far)),
        "move_16_clients_s": await _rate(
            count, CLIENTS, lambda n: arm(n, "many", far + timedelta(hours=1))
        ),
        "cancel_16_clients_s": await _rate(count, CLIENTS, cancel),
    }
    begun = time.perf_counter()
    await bed.arm("bulk", 10 * count, in_s=86_400)
    found["arm_in_one_statement_s"] = round(10 * count / (time.perf_counter() - begun))
    await bed.clear()
    return found


async def _fire(bed: Bed, count: int) -> dict[str, Any]:
    """All due at the same moment, moved to the inbox by one process."""
    _say(f"timers: {count} due at once")
    begins = await bed.arm("herd", count, in_s=3.0)
    async with _keeping(bed):
        while await bed.left("herd"):
            await asyncio.sleep(0.05)
    late = await bed.late("herd")
    events = await _events(bed)
    await bed.clear()
    return {
        "count": count,
        "fire_s": round(count / (max(late) / 1000)),
        "lost": count - len(late),
        "doubled": events - count,
        "begins": begins.isoformat(),
    }


async def _turns(bed: Bed, count: int) -> dict[str, Any]:
    """All due at the same moment, each heard in a turn by one bot."""
    _say(f"timers: {count} turns")
    await bed.arm("warm", 200, in_s=2.0)
    async with _bot(bed):
        while await bed.left("warm", heard=True):
            await asyncio.sleep(0.05)
        await bed.arm("turn", count, in_s=1.0)
        spent = time.process_time()
        while await bed.left("turn", heard=True):
            await asyncio.sleep(0.1)
        spent = time.process_time() - spent
    late = await bed.late("turn", HEARD)
    await bed.clear()
    return {
        "count": count,
        "turns_s": round(count / (max(late) / 1000)),
        "cpu_ms_a_turn": round(spent / count * 1000, 3),
        "lost": count - len(late),
    }


async def _lateness(bed: Bed, count: int, over_s: float, more: int) -> dict[str, Any]:
    """Spread over a while, each heard in a turn by a whole bot, with many more pending."""
    _say(f"timers: {count} over {over_s:.0f} s, {more} more pending")
    if more:
        await bed.arm("far", more, in_s=3_600, over_s=86_400)
    await bed.arm("late", count, in_s=5.0, over_s=over_s)
    async with _bot(bed):
        await asyncio.sleep(1.0)
        memory = await bed.memory()
        await asyncio.sleep(over_s + 4.0)  # asking how many are left would disturb them
        while await bed.left("late", heard=True):
            await asyncio.sleep(0.5)
    fired, heard = await bed.late("late"), await bed.late("late", HEARD)
    await bed.clear()
    return {
        "count": count,
        "pending": more,
        "fired_ms": _spread(fired),
        "heard_ms": _spread(heard),
        "lost": count - len(heard),
        "redis_bytes": memory,
    }


async def _flushed(bed: Bed, count: int) -> dict[str, Any]:
    """FLUSHALL in the middle of a stream of timers."""
    _say("timers: FLUSHALL")
    await bed.arm("flush", count, in_s=3.0, over_s=4.0)
    async with _keeping(bed):
        await asyncio.sleep(5.0)
        await bed.redis.flushall()
        while await bed.left("flush"):
            await asyncio.sleep(0.1)
    late = await bed.late("flush")
    events = await _events(bed)
    await bed.clear()
    return {"lost": count - len(late), "doubled": events - count, "worst_ms": round(max(late), 1)}


async def _killed(bed: Bed, count: int) -> dict[str, Any]:
    """Two `usual work`, one of them killed in the middle of a stream of timers."""
    _say("timers: kill -9")
    with tempfile.TemporaryDirectory(prefix="usual-bench-") as folder:
        begins = await bed.arm("kill", count, in_s=8.0, over_s=4.0)
        async with AsyncExitStack() as stack:
            victim, _ = [
                await stack.enter_async_context(_work(bed, Path(folder) / f"{n}.log"))
                for n in range(2)
            ]
            await asyncio.sleep((begins - system_clock()).total_seconds() + 2.0)
            victim.handle.kill()
            await asyncio.sleep(3.0)
            while await bed.left("kill", heard=True):
                await asyncio.sleep(0.2)
    late = await bed.late("kill", HEARD)
    events = await _events(bed)
    await bed.clear()
    return {"lost": count - len(late), "doubled": events - count, "worst_ms": round(max(late), 1)}


@asynccontextmanager
async def _work(bed: Bed, log: Path) -> AsyncIterator[bots.Process]:
    port = bots.free_port()
    environment = {
        "DATABASE_URL": bed.database_url,
        "REDIS_URL": bed.redis_url,
        "WHATSAPP_APP_SECRET": "bench",
        "WHATSAPP_VERIFY_TOKEN": "bench",
        "WHATSAPP_ACCESS_TOKEN": "bench",
        "WHATSAPP_API_URL": "http://127.0.0.1:9",
        "LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "bot", "work", "--port", str(port)]
    async with bots.started("work", command, environment, log) as process:
        await bots.ready(process, f"http://127.0.0.1:{port}/readyz")
        yield process


async def _events(bed: Bed) -> int:
    async with connection(bed.pool) as conn:
        return int(await conn.fetchval("SELECT count(*) FROM inbox WHERE kind = 'timer_fired'"))


def _spread(values: list[float]) -> dict[str, float]:
    cuts = quantiles(values, n=1000)
    return {
        "p50": round(cuts[499], 2),
        "p99": round(cuts[989], 2),
        "max": round(max(values), 2),
    }


def _say(what: str) -> None:
    sys.stderr.write(f"· {what}\n")
    sys.stderr.flush()
