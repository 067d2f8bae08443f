"""The demo: the whole bot in one process against a simulated WhatsApp."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing
from datetime import timedelta
from itertools import product
from typing import Final

import structlog
import typer
from pydantic import SecretStr

from bot import app, logs, maintenance, moved_clock
from bot.processes import listening, until_stopped
from bot.runtime import database_url, ensure_migrated, running, servers
from bot.settings import Settings
from bot.simulator import Number, Simulator, Template, running_simulator
from bot.simulator.memory import clock_moved
from bot.tracing import Tracer
from bot.turns import LatestTurns
from flows.catalogues import CATALOGUES
from flows.templates import TEMPLATES, numbered, text
from storage import companies, seeds
from storage.clock import ShiftedClock
from storage.pool import connect

log = structlog.get_logger("usual.demo")

_PORTS_TRIED: Final = 50


async def run(settings: Settings) -> None:
    """Start everything, say where the chat page is, and stop all of it on Ctrl-C."""
    logs.configure(settings.log_format, settings.log_level)
    # Secrets of the moment will do, unless webhooks are to be replayed from outside.
    settings = settings.model_copy(
        update={
            "whatsapp_app_secret": settings.whatsapp_app_secret or SecretStr(secrets.token_hex(16)),
            "whatsapp_verify_token": SecretStr(secrets.token_hex(16)),
            "whatsapp_access_token": SecretStr(secrets.token_hex(16)),
        }
    )
    memory = settings.data_dir / "phones.json"
    clock = ShiftedClock(offset=clock_moved(memory))
    moved_clock.note(settings, clock.offset)
    clock.watch(lambda: moved_clock.note(settings, clock.offset))
    async with servers(settings) as ready:
        await ensure_migrated(ready)
        numbers = await _seeded(ready, clock)
        port = _free_port(ready.host, ready.port)
        async with running_simulator(
            webhook_url=f"http://{ready.host}:{port}/webhook",
            app_secret=ready.app_secrets[0].decode(),
            numbers=numbers,
            clock=clock,
            advance=lambda by: _move(ready, clock, by),
            templates=approved_templates(),
            host=ready.host,
            port=_free_port(ready.host, ready.simulator_port, but_not=port),
            memory=memory,
        ) as simulator:
            ready = ready.model_copy(update={"whatsapp_api_url": simulator.base_url})
            with closing(LatestTurns(ready.data_dir / "turns.jsonl")) as turns:
                await _talk(ready, simulator, clock, turns, port)
    typer.echo("Stopped.")


async def _talk(
    settings: Settings, simulator: Simulator, clock: ShiftedClock, turns: LatestTurns, port: int
) -> None:
    """Run the bot until it is stopped, and let the chat page look inside."""
    async with (
        running(settings, clock=clock, receiver=True, workers=True, watcher=turns) as runtime,
        listening(app.build_app(settings, runtime), settings.host, port),
    ):
        simulator.trace = Tracer(runtime.pool, turns, clock)
        _welcome(simulator.base_url, settings.host, port, clock.offset)
        await until_stopped(runtime)


async def _seeded(settings: Settings, clock: ShiftedClock) -> list[Number]:
    """Make the demo companies where they are missing; returns all numbers there are."""
    conn = await connect(database_url(settings))
    try:
        await seeds.demo(conn, now=clock())
        rows = await companies.all_of_them(conn)
    finally:
        await conn.close()
    return [
        Number(
            phone_number_id=row.phone_number_id,
            name=row.name,
            display_phone=row.phone or "+1 555 010 0000",
            waba_id=row.waba_id or "200000000000001",
            timezone=row.timezone,
        )
        for row in rows
    ]


def approved_templates() -> list[Template]:
    """Our templates as if Meta had approved them all."""
    return [
        Template(
            template.name,
            numbered(template, language),
            language=language,
            category="marketing" if template.category == "MARKETING" else "utility",
            footer=text(template.footer, language) if template.footer else None,
            buttons=tuple(text(button, language) for button in template.buttons),
        )
        for template, language in product(TEMPLATES, CATALOGUES)
    ]


async def _move(settings: Settings, clock: ShiftedClock, by: timedelta) -> None:
    """Move the clock; what hourly housekeeping would have made until then has to be there."""
    await maintenance.maintain(database_url(settings), lambda: clock() + by)
    clock.advance(by)


def _free_port(host: str, wanted: int, *, but_not: int | None = None) -> int:
    """Return the wanted port, or the next one that nobody listens on: two demos may run at once."""
    for port in range(wanted, wanted + _PORTS_TRIED):
        if port == but_not:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return 0


def _welcome(chat_url: str, host: str, port: int, ahead: timedelta) -> None:
    moved = f"  The clock is {ahead} ahead, as you left it.\n\n" if ahead else ""
    typer.echo(
        f"\n  Chat with Salon Lumi:  {chat_url}\n"
        f"  In the terminal:       usual chat --url {chat_url}\n"
        f"  Health and metrics:    http://{host}:{port}/readyz  http://{host}:{port}/metrics\n"
        f"\n{moved}  Ctrl-C stops everything; the data stays.\n"
    )
