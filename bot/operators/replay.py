"""Posts stored webhooks to a running bot, signed, the way Meta would, and says what became of them.

Each event of each webhook is one of

    accepted   it is in the inbox, and was not before
    duplicate  it had come before: nothing happens again
    kept       it is stored and nothing is done about it (`why`), or it is a stray of no business
    refused    the webhook was not answered 200 (`why` is what was answered)
    lost       it was answered 200 and is nowhere: that must never be

What became of an event is read from the database of the bot. Where that is not at hand, only the
answers are told: an event is then `answered` or `refused`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp
import orjson
import typer

from bot.addressing import Addressing
from bot.intake import set_aside_key
from bot.settings import Settings, SettingsError
from bot.whatsapp import payloads
from bot.whatsapp.bodies import Malformed
from bot.whatsapp.fields import listed, mapped
from bot.whatsapp.signature import sign
from flows.values import valueclass
from storage import embedded, inbox
from storage.clock import system_clock
from storage.companies import Directory
from storage.errors import Unavailable
from storage.inbox import NewEvent
from storage.pool import Pool, connection, open_pool

Fate = Literal["accepted", "duplicate", "kept", "refused", "lost", "answered"]

_WHY: Final = {
    400: "the body is no JSON object",
    401: "the signature is wrong",
    408: "it did not arrive in time",
    413: "the body is too large",
    503: "the events cannot be stored now",
}
_ADDRESSED: Final = frozenset(("metadata", "messages", "statuses", "message_echoes"))
_WHY_KEPT: Final = {"account": "news about the account", "kept": "nothing is to be done about it"}


@valueclass(frozen=True, slots=True)
class Stored:
    """A webhook of a file; `number` counts from 1."""

    file: str
    number: int
    raw: bytes


@valueclass(frozen=True, slots=True)
class Outcome:
    """What became of one event; `kind` is None for a webhook without any."""

    file: str
    number: int
    http: int
    fate: Fate
    kind: str | None
    key: str | None
    why: str | None


@valueclass(frozen=True, slots=True)
class Plan:
    """How webhooks are posted: where to, in which order (None: as stored), how often each, and to
    which phone_number_id instead of the stored ones."""

    url: str
    shuffle: int | None = None
    duplicate: int = 1
    number: str = ""


async def run(settings: Settings, files: Sequence[Path], plan: Plan, *, json: bool) -> int:
    """Replay files and print a report; 1 when an event was refused or lost."""
    stored = [one for file in files for one in webhooks(file, number=plan.number)]
    fates: Counter[str] = Counter()

    def tell(outcome: Outcome) -> None:
        fates[outcome.fate] += 1
        typer.echo(as_json(outcome) if json else as_line(outcome))

    async with _database(settings) as pool:
        if pool is None:
            typer.echo("The database is not at hand: only the answers are told.", err=True)
        await play(settings, stored, plan, pool=pool, tell=tell)
    typer.echo(", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())), err=True)
    return int(fates["refused"] + fates["lost"] > 0)


async def play(
    settings: Settings,
    stored: Sequence[Stored],
    plan: Plan,
    *,
    pool: Pool | None,
    tell: Callable[[Outcome], None],
) -> None:
    """Post webhooks one after the other and tell what became of each event."""
    if not settings.app_secrets:
        raise SettingsError(
            "WHATSAPP_APP_SECRET must be set: replayed webhooks are signed with it."
        )
    url = plan.url or f"http://{settings.host}:{settings.port}/webhook"
    witness = _Witness(pool) if pool else None
    async with aiohttp.ClientSession() as session:
        for one in in_order(stored, plan):
            events = read(one.raw)
            before = await witness.look(events) if witness else {}
            http = await _post(session, url, one.raw, settings.app_secrets[0])
            after = await witness.look(events) if witness else {}
            for outcome in _outcomes(one, events, http, before, after, known=witness is not None):
                tell(outcome)


def in_order(stored: Sequence[Stored], plan: Plan) -> list[Stored]:
    """Webhooks as often as wanted, in the order that is wanted: the same for the same seed."""
    posted = [one for one in stored for _ in range(plan.duplicate)]
    if plan.shuffle is not None:
        random.Random(plan.shuffle).shuffle(posted)  # noqa: S311 - an order, no secret
    return posted


def webhooks(file: Path, *, number: str = "") -> Iterator[Stored]:
    """What a file holds: one JSON document, a list of them, or one a line."""
    raw = file.read_bytes()
    try:
        found = orjson.loads(raw)
        parts = found if isinstance(found, list) else [found]
    except orjson.JSONDecodeError:
        try:
            parts = [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise SettingsError(f"{file} is neither JSON nor JSON Lines.") from None
    for count, part in enumerate(parts, start=1):
        body = completed(part)
        yield Stored(file.name, count, orjson.dumps(readdressed(body, number) if number else body))


def readdressed(body: Any, number: str) -> Any:
    """The same to another phone_number_id, wherever a value says to which it came."""
    for entry in listed(mapped(body).get("entry")):
        for change in listed(mapped(entry).get("changes")):
            value = mapped(mapped(change).get("value"))
            if value.keys() & _ADDRESSED:
                value["metadata"] = {**mapped(value.get("metadata")), "phone_number_id": number}
    return body


def completed(stored: Any) -> Any:
    """A whole body, of which perhaps only a change or a value was stored."""
    if not isinstance(stored, dict) or "entry" in stored:
        return stored
    if "value" in stored:
        change = {"field": "messages", **stored}
    elif stored.keys() & {"metadata", "messages", "statuses", "contacts"}:
        change = {"field": "messages", "value": stored}
    else:
        return stored
    return {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [change]}]}


def read(raw: bytes) -> list[NewEvent]:
    """The events that the bot will read in a body."""
    try:
        return payloads.read(raw, received_at=system_clock())
    except Malformed:
        return []


class _Witness:
    """Looks up what became of events."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self, events: Sequence[NewEvent]) -> dict[str, str]:
        """What is known of events, by key: their status in the inbox, or why they are strays."""
        # A new directory each time: a company may have been added meanwhile.
        routed, strays = await Addressing(self._pool, Directory()).route(events)
        keys = [(company_id, event.dedup_key) for company_id, event in routed]
        aside = {set_aside_key(event): event.dedup_key for event in events}
        async with connection(self._pool) as conn:
            fates = await inbox.fates(conn, keys)
            stray = await inbox.stray_fates(
                conn, [*(event.dedup_key for _, event in strays), *aside]
            )
        found = {key: status for (_, key), status in fates.items()}
        return found | {aside.get(key, key): f"stray: {why}" for key, why in stray.items()}


def _outcomes(
    stored: Stored,
    events: Sequence[NewEvent],
    http: int,
    before: dict[str, str],
    after: dict[str, str],
    *,
    known: bool,
) -> Iterator[Outcome]:
    if not events:
        fate: Fate = "answered" if http == 200 else "refused"
        why = "it holds no event" if http == 200 else _WHY.get(http)
        yield Outcome(stored.file, stored.number, http, fate, None, None, why)
    seen = set(before)
    for event in events:
        key = event.dedup_key
        why = None
        if http != 200:
            fate, why = "refused", _WHY.get(http, "the bot did not answer 200")
        elif not known:
            fate = "answered"
        elif key not in after:
            fate = "lost"
        elif key in seen:
            fate = "duplicate"
        elif after[key].startswith("stray"):
            fate, why = "kept", after[key]
        elif after[key] == "kept":
            fate, why = "kept", _WHY_KEPT.get(event.kind)
        else:
            fate = "accepted"
        seen.add(key)
        yield Outcome(stored.file, stored.number, http, fate, event.kind, key, why)


def as_line(outcome: Outcome) -> str:
    """An outcome for a reader: no key of an event, for it may hold a phone number."""
    where = f"{outcome.file}:{outcome.number}"
    why = f"  ({outcome.why})" if outcome.why else ""
    return f"{outcome.http} {outcome.fate:<9} {outcome.kind or '-':<7} {where}{why}"


def as_json(outcome: Outcome) -> str:
    """An outcome for a program."""
    found = {name: getattr(outcome, name) for name in ("file", "number", "http", "fate", "kind")}
    return orjson.dumps({**found, "why": outcome.why}).decode()


async def _post(session: aiohttp.ClientSession, url: str, raw: bytes, secret: bytes) -> int:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(raw, secret)}
    try:
        async with session.post(url, data=raw, headers=headers) as response:
            await response.read()
            return response.status
    except aiohttp.ServerDisconnectedError:
        return 0
    except aiohttp.ClientConnectionError as error:
        raise SettingsError(f"Nothing answers at {url}: {type(error).__name__}.") from None


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Pool | None]:
    """The database of the bot, if it is running; None where it is not at hand."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    if url is None and embedded.is_running(settings.data_dir):
        found = embedded.recorded(settings.data_dir)
        url = found.database_url if found else None
    if not url:
        yield None
        return
    try:
        pool = await open_pool(url, size=1, patience=timedelta(seconds=2))
    except Unavailable:
        yield None
        return
    try:
        yield pool
    finally:
        await pool.close()
