"""The composition root: what a process is made of, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import SecretStr
from redis.asyncio import Redis

from bot import maintenance
from bot.engine import Engine
from bot.intake import Intake
from bot.notices import Notices
from bot.sender import Sender
from bot.settings import Settings, SettingsError
from bot.statuses import Statuses
from bot.timekeeper import Timekeeper
from bot.turns import Watcher
from bot.whatsapp.client import GraphClient
from bot.worker import Worker
from storage import embedded, migrate, wakeups
from storage.catalog import CatalogCache
from storage.clock import Clock, ShiftedClock
from storage.companies import Directory
from storage.dialogs import TimerOp
from storage.inbox import Received
from storage.pool import Pool, open_pool
from storage.redis import (
    REDIS_ERRORS,
    eviction_policy,
    open_blocking_redis,
    open_redis,
)

log = structlog.get_logger("usual.runtime")


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[Settings]:
    """Give settings with both addresses, starting embedded servers where none is set."""
    if settings.database_url is not None and settings.redis_url is not None:
        yield settings
        return
    async with embedded.running(
        settings.data_dir,
        postgres=settings.database_url is None,
        valkey=settings.redis_url is None,
    ) as found:
        yield settings.model_copy(
            update={
                "database_url": settings.database_url or SecretStr(found.database_url),
                "redis_url": settings.redis_url or SecretStr(found.redis_url),
            }
        )


def database_url(settings: Settings) -> str:
    """Return the database's address, from settings that `servers` has completed."""
    return _address(settings.database_url)


def redis_url(settings: Settings) -> str:
    """Return Redis's address, from settings that `servers` has completed."""
    return _address(settings.redis_url)


def _address(secret: SecretStr | None) -> str:
    if secret is None:
        raise SettingsError("DATABASE_URL and REDIS_URL are not set.")
    return secret.get_secret_value()


@dataclass
class Runtime:
    """The parts of a running process; those of the workers are None in a receiver alone."""

    settings: Settings
    clock: Clock
    pool: Pool
    redis: Redis
    intake: Intake
    worker: Worker | None = None
    sender: Sender | None = None
    statuses: Statuses | None = None
    notices: Notices | None = None
    timekeeper: Timekeeper | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def broken(self) -> None:
        """Return never, or raise what ended one of the background tasks."""
        if not self.tasks:
            await asyncio.Event().wait()
        done, _ = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        raise RuntimeError("a background task ended by itself")


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Clock,
    receiver: bool,
    workers: bool,
    watcher: Watcher | None = None,
) -> AsyncIterator[Runtime]:
    """Open everything a process needs, start its background tasks, and stop and close all of it.

    `watcher` is told of every turn that this process takes.
    """
    async with AsyncExitStack() as stack:
        pool = await open_pool(database_url(settings), size=settings.db_pool_size)
        stack.push_async_callback(_close_pool, pool)
        redis = open_redis(redis_url(settings))
        stack.push_async_callback(redis.aclose)
        await _warn_of_eviction(redis)
        await maintenance.maintain(database_url(settings), clock)
        hints = _Hints(redis)
        stack.push_async_callback(hints.told)
        intake = Intake(pool, Directory(), clock=clock, on_received=hints.received)
        runtime = Runtime(settings, clock, pool, redis, intake)
        if workers:
            await _add_workers(stack, runtime, hints, watcher)
        if receiver:
            _start(stack, runtime, maintenance.run(database_url(settings), clock), "maintenance")
        yield runtime


async def _add_workers(
    stack: AsyncExitStack, runtime: Runtime, hints: _Hints, watcher: Watcher | None
) -> None:
    settings, pool, clock = runtime.settings, runtime.pool, runtime.clock
    client = await stack.enter_async_context(GraphClient.open(settings))
    blocking_redis = open_blocking_redis(redis_url(settings))
    stack.push_async_callback(blocking_redis.aclose)
    sender = Sender(pool, runtime.redis, client, clock=clock, settings=settings, wake=hints.wake)
    statuses = Statuses(pool, clock=clock, freed=sender.nudge, failed=hints.wake, held=sender.hold)
    engine = Engine(pool, CatalogCache(), sender, clock, hints, watcher)
    worker = Worker(
        engine, pool, runtime.redis, blocking_redis, tasks=settings.workers, clock=clock
    )
    notices = Notices(pool, clock=clock)
    timekeeper = Timekeeper(pool, runtime.redis, wake=worker.wake_later, clock=clock)
    runtime.sender, runtime.statuses, runtime.worker = sender, statuses, worker
    runtime.notices, runtime.timekeeper = notices, timekeeper
    hints.worker, hints.statuses = worker, statuses
    hints.notices, hints.timekeeper = notices, timekeeper
    if isinstance(clock, ShiftedClock):
        clock.watch(timekeeper.look)
    # Stopped in the opposite order: first nothing fires, then no more turns, then no more statuses,
    # then what was said is sent.
    _start(stack, runtime, sender.run(), "sender")
    stack.push_async_callback(sender.stop)
    _start(stack, runtime, statuses.run(), "statuses")
    _start(stack, runtime, notices.run(), "notices")
    _start(stack, runtime, worker.run(), "worker")
    _start(stack, runtime, timekeeper.run(), "timekeeper")


class _Hints:
    """Passes on what came in to the workers: of this process if there are any, else over Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.worker: Worker | None = None
        self.statuses: Statuses | None = None
        self.notices: Notices | None = None
        self.timekeeper: Timekeeper | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def received(self, events: Sequence[Received]) -> None:
        """Wake whoever handles these events."""
        keys = {
            (event.company_id, event.conversation_id)
            for event in events
            if event.conversation_id is not None
        }
        self.wake(keys)
        if self.statuses is not None and any(event.kind == "status" for event in events):
            self.statuses.wake()
        if self.notices is not None and any(event.kind == "notice" for event in events):
            self.notices.wake()

    def wake(self, keys: Collection[wakeups.Key]) -> None:
        """Have these conversations looked at."""
        if self.worker is not None:
            self.worker.wake(keys)
        elif keys:
            task = asyncio.create_task(self._tell(keys))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def told(self) -> None:
        """Wait until all that was to be passed on is: nobody may use Redis once it is closed."""
        if self._telling:
            await asyncio.wait(self._telling)

    def armed(self, company_id: int, ops: Sequence[TimerOp]) -> None:
        """Have timers looked after that a turn armed, moved or cancelled."""
        if self.timekeeper is not None:
            self.timekeeper.armed(company_id, ops)

    async def _tell(self, keys: Collection[wakeups.Key]) -> None:
        try:
            await wakeups.push(self._redis, keys)
        except REDIS_ERRORS as error:
            log.warning("wakeups.lost", error=type(error).__name__)


def _start(
    stack: AsyncExitStack, runtime: Runtime, work: Coroutine[Any, Any, None], name: str
) -> None:
    task = asyncio.create_task(work, name=name)
    runtime.tasks.append(task)
    stack.push_async_callback(_stop, task)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task], timeout=15)


async def _close_pool(pool: Pool) -> None:
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _warn_of_eviction(redis: Redis) -> None:
    """Say so when Redis may drop keys as it fills up: rate limits would be forgotten."""
    policy = await eviction_policy(redis)
    if policy not in (None, "noeviction"):
        log.warning("redis.evicts", reason=policy)


async def ensure_migrated(settings: Settings) -> None:
    """Apply what is missing; several processes may do so at once.

    A database that a newer program has migrated already is left as it is: while a deploy rolls,
    processes of the old one must be able to start again.
    """
    url = database_url(settings)
    if any(one.state == "unknown" for one in await migrate.status(url)):
        log.warning("schema.is_newer")
        return
    for applied in await migrate.up(url):
        log.info("migration.applied", migration=applied.version, took_ms=applied.took_ms)
