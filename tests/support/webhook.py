"""The webhook alone, as a real HTTP server over a real inbox, and Meta's side of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any, Final

import aiohttp
import orjson
from aiohttp import web
from pydantic import SecretStr

from bot import webhook
from bot.intake import Intake
from bot.settings import Settings
from bot.whatsapp.signature import sign
from storage.clock import Clock, system_clock
from storage.companies import Directory
from storage.inbox import Received
from storage.pool import Pool
from tests.support.graph import APP_SECRET

VERIFY_TOKEN: Final = "verify-token-of-the-tests"  # noqa: S105


@dataclass
class Hook:
    """Posts to the webhook; `received` is what workers were woken for."""

    url: str
    intake: Intake
    session: aiohttp.ClientSession
    received: list[Received] = field(default_factory=list)

    async def post(self, body: Any, *, secret: str = APP_SECRET) -> int:
        """Post a body (JSON value or raw bytes), signed; the status of the answer."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.send(BytesIO(raw), signature=sign(raw, secret.encode()))

    async def send(self, data: Any, *, signature: str | None, **headers: str) -> int:
        """Post anything with any signature; the status of the answer."""
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        async with self.session.post(self.url, data=data, headers=headers) as answer:
            await answer.read()
            return answer.status


def settings(**more: Any) -> Settings:
    """Settings with the secrets of the tests."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        **{
            "whatsapp_app_secret": SecretStr(APP_SECRET),
            "whatsapp_verify_token": SecretStr(VERIFY_TOKEN),
            **more,
        },
    )


@asynccontextmanager
async def running_webhook(
    pool: Pool,
    *,
    clock: Clock = system_clock,
    body_within: timedelta = webhook.BODY_WITHIN,
    **more: Any,
) -> AsyncIterator[Hook]:
    """Serve the webhook on a free port."""
    received: list[Received] = []

    def note(events: Sequence[Received]) -> None:
        received.extend(events)

    intake = Intake(pool, Directory(), clock=clock, on_received=note)
    app = web.Application()
    webhook.add_routes(app, settings(**more), intake, body_within=body_within)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession() as session:
            yield Hook(f"http://{host}:{port}{webhook.PATH}", intake, session, received)
    finally:
        await runner.cleanup()
