"""`/healthz`: does the process live; `/readyz`: can it do its work; `/metrics`: how does it do.

Restart on a failing `/healthz`; keep traffic away on a failing `/readyz` (503). None of the three
is for the public: let the proxy in front pass on `/webhook` only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from datetime import timedelta
from typing import Final, Literal, Protocol, TypeAlias

import orjson
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import metrics
from flows.values import valueclass
from storage import vitals
from storage.clock import Clock, system_clock
from storage.errors import StorageError
from storage.migration_files import DIRECTORY, load
from storage.pool import Pool, connection
from storage.vitals import Backlog

ANSWERS_WITHIN: Final = timedelta(seconds=1)
SWEEPS_WITHIN: Final = timedelta(seconds=30)
REPORT_LIVES: Final = timedelta(seconds=0.5)
"""Any number of probes cost the stores no more than two looks a second."""

Detail: TypeAlias = str | int | float | bool | None


class Sweeping(Protocol):
    """A worker or a timekeeper, as far as health is concerned."""

    last_sweep: float | None
    """When it last looked into the database with success, by `time.monotonic`."""


@valueclass(frozen=True, slots=True)
class Finding:
    """What a check found; details never hold what belongs to anybody."""

    ok: bool
    details: Mapping[str, Detail] = field(default_factory=dict)


Check: TypeAlias = Callable[[], Awaitable[Finding]]


@valueclass(frozen=True, slots=True)
class Report:
    """All findings: ready when what is required is well, degraded when something else is not."""

    status: Literal["ready", "degraded", "not_ready"]
    checks: Mapping[str, Mapping[str, Detail]]


class Readiness:
    """Runs named checks together; those in `optional` only degrade."""

    def __init__(
        self, checks: Mapping[str, Check], *, optional: frozenset[str] = frozenset()
    ) -> None:
        self._checks, self._optional = checks, optional
        self._one_at_a_time = asyncio.Lock()
        self._last: tuple[float, Report] | None = None

    async def report(self) -> Report:
        """What the checks find now, or found a moment ago."""
        async with self._one_at_a_time:
            now = time.monotonic()
            if self._last is None or now - self._last[0] > REPORT_LIVES.total_seconds():
                self._last = now, await self._ask()
            return self._last[1]

    async def _ask(self) -> Report:
        found = await asyncio.gather(*(self._timed(check) for check in self._checks.values()))
        checks = dict(zip(self._checks, found, strict=True))
        failed = {name for name, finding in checks.items() if not finding["ok"]}
        if failed - self._optional:
            return Report("not_ready", checks)
        return Report("degraded" if failed else "ready", checks)

    async def _timed(self, check: Check) -> dict[str, Detail]:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
                finding = await check()
        except TimeoutError:
            finding = Finding(ok=False, details={"error": "no answer in time"})
        except (StorageError, RedisError, OSError) as error:
            finding = Finding(ok=False, details={"error": type(error).__name__})
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        return {"ok": finding.ok, "took_ms": took_ms, **finding.details}


@valueclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What a process's health depends on; `worker` and `timekeeper` where turns are taken."""

    pool: Pool
    redis: Redis
    worker: Sweeping | None = None
    timekeeper: Sweeping | None = None
    clock: Clock = system_clock

    def readiness(self) -> Readiness:
        """Database and schema must be there; Redis may be gone: then everything is only slower."""
        checks: dict[str, Check] = {
            "database": self._database,
            "migrations": _Migrations(self.pool),
            "redis": self._redis,
        }
        if self.worker is not None:
            checks["worker"] = _swept(self.worker, "has not looked at the inbox yet")
        if self.timekeeper is not None:
            checks["timekeeper"] = _swept(self.timekeeper, "has not looked for timers yet")
        return Readiness(checks, optional=frozenset(("redis",)))

    def scrape(self) -> metrics.Scrape:
        """What `/metrics` reads."""
        return metrics.Scrape(
            backlog=self._backlog, redis_answers=self._redis_answers, connections=self._connections
        )

    async def _database(self) -> Finding:
        async with connection(self.pool) as conn:
            await conn.execute("SELECT 1")
        return Finding(ok=True)

    async def _redis(self) -> Finding:
        await self.redis.ping()
        return Finding(ok=True)

    async def _backlog(self) -> Backlog | None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
                async with connection(self.pool) as conn:
                    return await vitals.backlog(conn, now=self.clock())
        except (StorageError, TimeoutError):
            return None

    async def _redis_answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
                await self.redis.ping()
        except (RedisError, OSError):  # TimeoutError is one
            return False
        return True

    def _connections(self) -> Mapping[str, int]:
        size, idle = self.pool.get_size(), self.pool.get_idle_size()
        return {"idle": idle, "busy": size - idle, "most": self.pool.get_max_size()}


def _swept(who: Sweeping, before: str) -> Check:
    """A check that somebody has looked lately; `before` says that they never have."""

    async def check() -> Finding:
        if who.last_sweep is None:
            return Finding(ok=False, details={"error": before})
        age = time.monotonic() - who.last_sweep
        fresh = age < SWEEPS_WITHIN.total_seconds()
        return Finding(ok=fresh, details={"last_sweep_s": round(age, 1)})

    return check


class _Migrations:
    """Whether the database has every migration that this program was shipped with."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._shipped = frozenset(migration.version for migration in load(DIRECTORY))

    async def __call__(self) -> Finding:
        async with connection(self._pool) as conn:
            applied = await vitals.applied_versions(conn)
        details: dict[str, Detail] = {"version": max(applied, default=None)}
        missing = len(self._shipped - applied)
        if missing:
            details["missing"] = missing
        # A newer program may have migrated already, while this one is being replaced.
        return Finding(ok=not missing, details=details)


def add_routes(app: web.Application, checks: Checks) -> None:
    """Serve the three pages."""
    readiness, scrape = checks.readiness(), checks.scrape()
    started = time.monotonic()

    async def healthz(request: web.Request) -> web.Response:
        uptime = round(time.monotonic() - started, 1)
        body = {"status": "alive", "version": metrics.program_version(), "uptime_s": uptime}
        return _json(body)

    async def readyz(request: web.Request) -> web.Response:
        report = await readiness.report()
        status = 503 if report.status == "not_ready" else 200
        return _json({"status": report.status, "checks": report.checks}, status=status)

    async def metrics_page(request: web.Request) -> web.Response:
        body = await scrape.render()
        return web.Response(body=body, headers={"Content-Type": metrics.CONTENT_TYPE})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics_page)


def _json(body: Mapping[str, object], *, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
