"""The web application: webhook and health over a runtime; no globals."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bot import health, webhook
from bot.runtime import Runtime
from bot.settings import Settings

RUNTIME: Final = web.AppKey("runtime", Runtime)


def build_app(settings: Settings, runtime: Runtime) -> web.Application:
    """Assemble the routes of a process that receives webhooks."""
    app = web.Application(client_max_size=settings.webhook_max_bytes)
    app[RUNTIME] = runtime
    webhook.add_routes(app, settings, runtime.intake)
    health.add_routes(app, health_checks(runtime))
    return app


def health_checks(runtime: Runtime) -> health.Checks:
    """Say what readiness means for this process."""
    return health.Checks(
        pool=runtime.pool,
        redis=runtime.redis,
        worker=runtime.worker,
        timekeeper=runtime.timekeeper,
        clock=runtime.clock,
    )
