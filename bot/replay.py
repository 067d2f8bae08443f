"""Post stored webhooks to a running bot, signed, the way Meta would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import typer

from bot.settings import Settings, SettingsError
from bot.whatsapp.signature import sign


async def run(settings: Settings, files: Sequence[Path], url: str) -> int:
    """Post every webhook of the files in order; returns 1 when any was not answered 200."""
    if not settings.app_secrets:
        raise SettingsError(
            "WHATSAPP_APP_SECRET must be set: replayed webhooks are signed with it."
        )
    target = url or f"http://{settings.host}:{settings.port}/webhook"
    bad = 0
    async with aiohttp.ClientSession() as session:
        for file in files:
            for number, stored in enumerate(_webhooks(file), start=1):
                status = await _post(session, target, stored, settings.app_secrets[0])
                bad += status != 200
                typer.echo(f"{status} {file.name}:{number}")
    return int(bad > 0)


async def _post(session: aiohttp.ClientSession, url: str, stored: Any, secret: bytes) -> int:
    raw = orjson.dumps(_body(stored))
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(raw, secret)}
    try:
        async with session.post(url, data=raw, headers=headers) as response:
            return response.status
    except aiohttp.ClientConnectionError as error:
        raise SettingsError(f"Nothing answers at {url}: {type(error).__name__}.") from None


def _webhooks(file: Path) -> Iterator[Any]:
    """Yield what a file holds: one JSON document, a list of them, or one a line."""
    raw = file.read_bytes()
    try:
        stored = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            yield from [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise SettingsError(f"{file} is neither JSON nor JSON Lines.") from None
        return
    yield from stored if isinstance(stored, list) else [stored]


def _body(stored: Any) -> Any:
    """Wrap a single change or value into the envelope that Meta sends."""
    if not isinstance(stored, dict) or "entry" in stored:
        return stored
    if "value" in stored:
        change = {"field": "messages", **stored}
    elif "metadata" in stored or "messages" in stored or "statuses" in stored:
        change = {"field": "messages", "value": stored}
    else:
        return stored
    return {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [change]}]}
