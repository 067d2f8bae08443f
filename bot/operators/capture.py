"""Stands before a running bot, passes everything on, and stores what arrives, scrubbed.

Point a number's or an account's own callback address at it for a while: what Meta posts goes on to
the bot byte for byte with its signature, and the bot's answer goes back, so that nobody notices.
Each JSON body that Meta signed becomes a line of the file (what is left of it: `.scrubbing`), and
`usual replay` plays them again. The same `--key` gives the same pseudonyms in the next capture.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson
import typer
from aiohttp import web

from bot.operators.scrubbing import Scrubber
from bot.processes import listening
from bot.settings import Settings, SettingsError
from bot.whatsapp import signature

_PASSED: Final = ("Content-Type", "User-Agent", signature.HEADER)
_PATIENCE: Final = aiohttp.ClientTimeout(total=30)


@dataclass(slots=True)
class Count:
    """How many webhooks were passed on, and how many of them stored."""

    passed: int = 0
    stored: int = 0


class Tap:
    """Passes requests on to `target`; `store` gets what is left of each signed JSON body."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: str,
        *,
        app_secrets: tuple[bytes, ...],
        scrubber: Scrubber,
        store: Callable[[bytes], object],
        most_bytes: int,
    ) -> None:
        self.count = Count()
        self._session, self._target = session, target
        self._secrets, self._scrubber, self._store = app_secrets, scrubber, store
        self._most_bytes = most_bytes

    def app(self) -> web.Application:
        """The application to serve."""
        app = web.Application(client_max_size=self._most_bytes)
        app.router.add_route("*", "/{path:.*}", self.pass_on)
        return app

    async def pass_on(self, request: web.Request) -> web.Response:
        """Hand a request to the bot and its answer back; 502 when the bot does not answer."""
        raw = await request.read()
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        try:
            async with self._session.request(
                request.method,
                self._target,
                params=request.query,
                data=raw or None,
                headers=headers,
                timeout=_PATIENCE,
                allow_redirects=False,
            ) as answer:
                body, status = await answer.read(), answer.status
                kind = answer.content_type
        except (aiohttp.ClientError, TimeoutError, OSError):
            return web.Response(status=502)
        self.count.passed += 1
        if raw:
            self._keep(request.headers.get(signature.HEADER), raw)
        return web.Response(status=status, body=body, content_type=kind)

    def _keep(self, claimed: str | None, raw: bytes) -> None:
        given = signature.parse(claimed)
        if given is None or not signature.is_right(given, raw, self._secrets):
            return  # anybody may post anything
        line = scrubbed(raw, self._scrubber)
        if line is not None:
            self._store(line)
            self.count.stored += 1


def scrubbed(raw: bytes, scrubber: Scrubber) -> bytes | None:
    """A body without anything personal as a line of JSON; None for what is no JSON."""
    try:
        found: Any = orjson.loads(raw)
        return orjson.dumps(scrubber.scrub(found)) + b"\n"
    except (orjson.JSONDecodeError, TypeError, RecursionError):
        return None


async def run(settings: Settings, file: Path, *, port: int, target: str, key: str) -> None:
    """Capture to a file until told to stop."""
    if not settings.app_secrets:
        raise SettingsError("WHATSAPP_APP_SECRET must be set: only what it signed is stored.")
    url = target or f"http://{settings.host}:{settings.port}/webhook"
    scrubber = Scrubber(key.encode() or secrets.token_bytes(32))
    with file.open("ab", buffering=0) as lines:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            tap = Tap(
                session,
                url,
                app_secrets=settings.app_secrets,
                scrubber=scrubber,
                store=lines.write,
                most_bytes=settings.webhook_max_bytes + 1,
            )
            async with listening(tap.app(), settings.host, port) as bound:
                typer.echo(f"http://{settings.host}:{bound} passes on to {url}; Ctrl-C ends it.")
                await _told_to_stop()
    typer.echo(f"{tap.count.passed} passed on, {tap.count.stored} stored in {file}.")


async def _told_to_stop() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
