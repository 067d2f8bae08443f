"""The long-running commands: `usual serve` and `usual work`."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot import app, health, logs, moved_clock
from bot.runtime import Runtime, ensure_migrated, running, servers
from bot.settings import Settings
from storage.clock import system_clock

log = structlog.get_logger("usual.process")

SHUTDOWN_S = 10.0


async def serve(settings: Settings, *, workers: bool) -> None:
    """Receive webhooks until told to stop; with workers, take the turns too."""
    settings.require_whatsapp()
    logs.configure(settings.log_format, settings.log_level)
    moved_clock.forget(settings)
    async with servers(settings) as ready:
        await ensure_migrated(ready)
        async with (
            running(ready, clock=system_clock, receiver=True, workers=workers) as runtime,
            listening(app.build_app(ready, runtime), ready.host, ready.port) as port,
        ):
            log.info("process.started", host=ready.host, port=port)
            await until_stopped(runtime)
        log.info("process.stopped")


async def work(settings: Settings, *, port: int | None) -> None:
    """Take turns and send until told to stop."""
    settings.require_whatsapp()
    logs.configure(settings.log_format, settings.log_level)
    moved_clock.forget(settings)
    async with servers(settings) as ready:
        await ensure_migrated(ready)
        async with running(ready, clock=system_clock, receiver=False, workers=True) as runtime:
            if port is None:
                log.info("process.started")
                await until_stopped(runtime)
            else:
                pages = web.Application()
                health.add_routes(pages, app.health_checks(runtime))
                async with listening(pages, ready.host, port) as bound:
                    log.info("process.started", host=ready.host, port=bound)
                    await until_stopped(runtime)
        log.info("process.stopped")


@asynccontextmanager
async def listening(application: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve an application; yields the port, which 0 leaves to the system."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024, reuse_address=True).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def until_stopped(runtime: Runtime) -> None:
    """Return on SIGINT or SIGTERM; raise what breaks a background task."""
    _spare_the_collector()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(logs.report_loop_error)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    waits = {asyncio.create_task(stop.wait()), asyncio.create_task(runtime.broken())}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waits:
            task.cancel()


def _spare_the_collector() -> None:
    """Let the garbage collector pass over what lives as long as the process, and look less often.

    A turn makes thousands of objects and hardly a cycle among them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
