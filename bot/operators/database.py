"""`usual migrate | urls | seed`: the database, where it is, and what may be put into it."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress

from bot.moved_clock import clock_of
from bot.operators.common import connected
from bot.runtime import database_url, servers
from bot.settings import Settings
from storage import embedded, seeds
from storage import migrate as migrating


async def migrations(settings: Settings, *, down: int, status: bool) -> None:
    """Apply migrations, take some back, or say which are applied."""
    async with servers(settings) as ready:
        url = database_url(ready)
        if status:
            lines = [str(one) for one in await migrating.status(url)]
        elif down:
            lines = [f"taken back: {one}" for one in await migrating.down(url, steps=down)]
        else:
            lines = [f"applied: {one}" for one in await migrating.up(url)]
        typer.echo("\n".join(lines) or "nothing to do")


def urls(settings: Settings) -> int:
    """Print where the data is; 1 when the embedded servers are not running."""
    found = embedded.recorded(settings.data_dir)
    for name, configured, own in (
        ("DATABASE_URL", settings.database_url, found and found.database_url),
        ("REDIS_URL", settings.redis_url, found and found.redis_url),
    ):
        if configured is not None:
            typer.echo(f"{name}={configured.get_secret_value()}")
        elif own:
            typer.echo(f"{name}={own}")
    if settings.database_url is not None and settings.redis_url is not None:
        return 0
    if not embedded.is_running(settings.data_dir):
        typer.echo("The embedded servers are not running now.", err=True)
        return 1
    return 0


async def seed_demo(settings: Settings) -> None:
    """Make the two demo companies."""
    async with connected(settings) as conn:
        await seeds.demo(conn, now=clock_of(settings)())
    typer.echo("Salon Lumi: 100000000000001\nA1 Garage Doors: 100000000000002")


async def seed_load(
    settings: Settings, *, companies: int, bookings: int, messages: int, conversations: int
) -> None:
    """Make a lot of data."""
    async with connected(settings) as conn:
        with Progress(console=Console(stderr=True)) as bars:
            tasks: dict[str, Any] = {}

            def progress(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done)

            await seeds.load(
                conn,
                now=clock_of(settings)(),
                companies=companies,
                bookings=bookings,
                messages=messages,
                conversations=conversations,
                progress=progress,
            )
