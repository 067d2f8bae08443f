"""What probes and Prometheus are told, of real servers that come and go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot import health
from bot.health import Checks, Finding, Readiness
from storage.clock import system_clock
from storage.pool import Connection, Pool, open_pool


@dataclass
class Pulse:
    """When a worker or a timekeeper last looked into the database."""

    last_sweep: float | None


@asynccontextmanager
async def pages(checks: Checks) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a server that has the three pages."""
    app = web.Application()
    health.add_routes(app, checks)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession(base) as session:
            yield session
    finally:
        await runner.cleanup()


async def told(session: aiohttp.ClientSession, path: str) -> tuple[int, dict[str, Any]]:
    async with session.get(path) as response:
        return response.status, await response.json()


@asynccontextmanager
async def nobody() -> AsyncIterator[tuple[str, int]]:
    """An address that takes connections and never says a word."""
    open_ends: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ends.append(writer)
        await reader.read()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        for writer in open_ends:
            writer.close()


async def test_a_process_with_everything_is_ready(pool: Pool, redis: Redis) -> None:
    worker = Pulse(time.monotonic())
    async with pages(Checks(pool=pool, redis=redis, worker=worker)) as session:
        status, report = await told(session, "/readyz")
    assert (status, report["status"]) == (200, "ready")
    assert list(report["checks"]) == ["database", "migrations", "redis", "worker"]
    assert all(check["ok"] for check in report["checks"].values())
    assert report["checks"]["migrations"]["version"] >= "0003"
    assert report["checks"]["worker"]["last_sweep_s"] < 1


async def test_a_receiver_needs_no_worker(pool: Pool, redis: Redis) -> None:
    async with pages(Checks(pool=pool, redis=redis)) as session:
        status, report = await told(session, "/readyz")
    assert status == 200
    assert "worker" not in report["checks"]


@pytest.mark.parametrize("ago", [None, 31.0])
async def test_a_worker_that_does_not_look_at_the_inbox_is_not_ready(
    pool: Pool, redis: Redis, ago: float | None
) -> None:
    worker = Pulse(None if ago is None else time.monotonic() - ago)
    async with pages(Checks(pool=pool, redis=redis, worker=worker)) as session:
        status, report = await told(session, "/readyz")
        alive, _ = await told(session, "/healthz")
    assert (status, report["status"]) == (503, "not_ready")
    assert not report["checks"]["worker"]["ok"]
    assert alive == 200


@pytest.mark.parametrize("ago", [None, 31.0])
async def test_a_timekeeper_that_is_stuck_is_not_ready(
    pool: Pool, redis: Redis, ago: float | None
) -> None:
    stuck = Pulse(None if ago is None else time.monotonic() - ago)
    checks = Checks(pool=pool, redis=redis, worker=Pulse(time.monotonic()), timekeeper=stuck)
    async with pages(checks) as session:
        status, report = await told(session, "/readyz")
    assert (status, report["status"]) == (503, "not_ready")
    assert not report["checks"]["timekeeper"]["ok"]
    assert report["checks"]["worker"]["ok"]


async def test_without_redis_it_is_degraded_and_still_ready(pool: Pool) -> None:
    gone = Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    async with gone as redis, pages(Checks(pool=pool, redis=redis)) as session:
        status, report = await told(session, "/readyz")
    assert (status, report["status"]) == (200, "degraded")
    assert report["checks"]["redis"]["error"] == "ConnectionError"


async def test_a_redis_that_says_nothing_delays_the_answer_by_a_second(pool: Pool) -> None:
    async with (
        nobody() as (host, port),
        Redis(host=host, port=port) as redis,
        pages(Checks(pool=pool, redis=redis)) as session,
    ):
        begun = time.monotonic()
        status, report = await told(session, "/readyz")
    assert time.monotonic() - begun < 3
    assert (status, report["status"]) == (200, "degraded")
    assert report["checks"]["redis"]["error"] == "no answer in time"


async def test_without_the_database_it_is_not_ready_but_alive(
    fresh_database_url: str, redis: Redis
) -> None:
    pool = await open_pool(fresh_database_url, size=2)
    async with pages(Checks(pool=pool, redis=redis)) as session:
        assert (await told(session, "/readyz"))[0] == 200
        await pool.close()
        await asyncio.sleep(health.REPORT_LIVES.total_seconds() + 0.1)
        status, report = await told(session, "/readyz")
        alive, _ = await told(session, "/healthz")
        async with session.get("/metrics") as response:
            measured = await response.text()
    assert (status, report["status"]) == (503, "not_ready")
    assert not report["checks"]["database"]["ok"]
    assert alive == 200
    assert "usual_database_up 0.0" in measured


async def test_a_database_that_lacks_a_migration_is_not_ready(
    fresh_database_url: str, redis: Redis
) -> None:
    pool = await open_pool(fresh_database_url, size=2)
    try:
        newest = await pool.fetchval(
            "DELETE FROM schema_migrations WHERE version = "
            "(SELECT max(version) FROM schema_migrations) RETURNING version"
        )
        async with pages(Checks(pool=pool, redis=redis)) as session:
            status, report = await told(session, "/readyz")
    finally:
        await pool.close()
    assert status == 503
    assert report["checks"]["migrations"]["missing"] == 1
    assert report["checks"]["migrations"]["version"] < newest


async def test_a_database_ahead_of_the_program_is_ready(
    fresh_database_url: str, redis: Redis
) -> None:
    pool = await open_pool(fresh_database_url, size=2)
    try:
        await pool.execute("INSERT INTO schema_migrations (version) VALUES ('9999')")
        async with pages(Checks(pool=pool, redis=redis)) as session:
            status, _ = await told(session, "/readyz")
    finally:
        await pool.close()
    assert status == 200


async def test_many_probes_at_once_ask_once() -> None:
    asked = 0

    async def check() -> Finding:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)
        return Finding(ok=True)

    readiness = Readiness({"database": check})
    reports = await asyncio.gather(*(readiness.report() for _ in range(50)))
    assert {report.status for report in reports} == {"ready"}
    assert asked == 1


async def test_what_is_measured_says_what_waits(pool: Pool, conn: Connection, redis: Redis) -> None:
    await fill(conn)
    async with (
        pages(Checks(pool=pool, redis=redis)) as session,
        session.get("/metrics") as response,
    ):
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        measured = (await response.text()).splitlines()
    assert "usual_database_up 1.0" in measured
    assert "usual_redis_up 1.0" in measured
    assert "usual_inbox_pending 2.0" in measured
    assert "usual_inbox_dead 1.0" in measured
    assert "usual_conversations_with_person 1.0" in measured
    assert "usual_companies_held 1.0" in measured
    assert 'usual_outbox_messages{status="held"} 1.0' in measured
    assert 'usual_outbox_messages{status="sending"} 0.0' in measured
    (lag,) = [line for line in measured if line.startswith("usual_inbox_lag_seconds ")]
    assert 60 <= float(lag.split()[1]) < 90


async def fill(conn: Connection) -> None:
    """A company with a backlog: one event due for a minute, one later, one parked; a send held."""
    now = system_clock()
    company = await conn.fetchval(
        "INSERT INTO companies (name, timezone, phone_number_id) VALUES ('Lumi', 'UTC', '1') "
        "RETURNING id"
    )
    customer = await conn.fetchval(
        "INSERT INTO customers (company_id, phone) VALUES ($1, '447911123456') RETURNING id",
        company,
    )
    talk = await conn.fetchval(
        "INSERT INTO dialog_contexts (company_id, customer_id, last_message_at, started_at, status,"
        " person_until) VALUES ($1, $2, $3, $3, 'person', 'infinity') RETURNING id",
        company,
        customer,
        now,
    )
    events = (("pending", -60), ("pending", 60), ("dead", 0))
    for key, (status, due) in enumerate(events):
        await conn.execute(
            "INSERT INTO inbox (company_id, dedup_key, conversation_id, kind, event, occurred_at,"
            " received_at, status, not_before) VALUES"
            " ($1, $2, $3, 'text', '{}', $4, $4, $5, $6)",
            company, str(key), talk, now, status, now + timedelta(seconds=due),
        )  # fmt: skip
    message = await conn.fetchval(
        "INSERT INTO messages (company_id, created_at, conversation_id, customer_id, direction,"
        " type, body, status) VALUES ($1, $2, $3, $4, 'out', 'text', '{}', 'queued') RETURNING id",
        company, now, talk, customer,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO outbox (company_id, id, created_at, conversation_id, status, not_before)"
        " VALUES ($1, $2, $3, $4, 'held', $3)",
        company, message, now, talk,
    )  # fmt: skip
