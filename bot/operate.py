"""Commands for whoever runs the bot: migrations, seeds, parked events, companies."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.runtime import database_url, ensure_migrated, servers
from bot.settings import Settings, SettingsError
from flows.events import PersonReturned
from storage import companies, embedded, seeds
from storage import inbox as inbox_rows
from storage import migrate as migrating
from storage import timers as timer_rows
from storage.clock import system_clock
from storage.errors import ConstraintViolated
from storage.pool import Connection, connect
from storage.sentences import sentence


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Connection]:
    """Give a connection to a database that is up to date."""
    async with servers(settings) as ready:
        await ensure_migrated(ready)
        conn = await connect(database_url(ready))
        try:
            yield conn
        finally:
            await conn.close()


async def asked_for(conn: Connection, company: int) -> int | None:
    """Return the company that was asked for, None for all; SettingsError when there is none."""
    if company and all(one.id != company for one in await companies.all_of_them(conn)):
        raise SettingsError(f"There is no company {company}.")
    return company or None


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
        await seeds.demo(conn, now=system_clock())
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
                now=system_clock(),
                companies=companies,
                bookings=bookings,
                messages=messages,
                conversations=conversations,
                progress=progress,
            )


async def inbox(
    settings: Settings, *, company: int, ids: Sequence[int], everything: bool, json: bool
) -> None:
    """List parked events, or have them handled again."""
    async with connected(settings) as conn:
        whose = await asked_for(conn, company)
        if ids or everything:
            count = await inbox_rows.replay(
                conn, whose, None if everything else ids, now=system_clock()
            )
            if ids and not count:
                raise SettingsError("No event that is parked has such a number.")
            typer.echo(f"{count} to be handled again")
            return
        parked = await inbox_rows.dead(conn, whose, limit=1000)
    if json:
        sys.stdout.buffer.write(orjson.dumps(parked) + b"\n")
        return
    table = Table("company", "id", "conversation", "kind", "received", "attempts", "error")
    for row in parked:
        table.add_row(
            str(row.company_id),
            str(row.id),
            str(row.conversation_id or ""),
            row.kind,
            f"{row.received_at:%Y-%m-%d %H:%M:%S}",
            str(row.attempts),
            row.last_error or "",
        )
    Console().print(table if parked else "No event is parked.")


async def _try_timers(conn: Connection, whose: int | None, keys: Sequence[str] | None) -> None:
    found = await timer_rows.parked(conn, whose, keys=keys, limit=100_000)
    ids = [row.inbox_id for row in found if row.inbox_id is not None]
    if keys and not ids:
        raise SettingsError("No timer that is parked has such a key.")
    count = await inbox_rows.replay(conn, whose, ids, now=system_clock())
    typer.echo(f"{count} to be tried again")


async def timers(
    settings: Settings,
    *,
    company: int,
    keys: Sequence[str],
    everything: bool,
    next_ones: int,
    json: bool,
) -> None:
    """Show how timers stand, or have parked ones tried again."""
    async with connected(settings) as conn:
        now, whose = system_clock(), await asked_for(conn, company)
        if keys or everything:
            await _try_timers(conn, whose, None if everything else keys)
            return
        counts = await timer_rows.counts(conn, whose, now=now)
        parked = await timer_rows.parked(conn, whose, limit=1000)
        following = await timer_rows.following(conn, whose, limit=next_ones)
    if json:
        told = {"counts": counts, "parked": parked, "next": following}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        return
    typer.echo(
        f"{counts.armed} armed ({counts.due} due, {counts.late} late), "
        f"{counts.waiting} fired and waiting for a turn, {counts.parked} parked"
    )
    table = Table("", "company", "key", "conversation", "due", "attempts", "error")
    for row in (*parked, *following):
        state = "parked" if row.inbox_id else "late" if row.due <= now else "next"
        table.add_row(
            state,
            str(row.company_id),
            row.key,
            str(row.conversation_id),
            f"{row.due:%Y-%m-%d %H:%M:%S}",
            str(row.attempts),
            row.last_error or "",
        )
    if parked or following:
        Console().print(table)


async def give_back(settings: Settings, *, company: int, conversation: int) -> None:
    """Put the event into the inbox that makes the bot speak again."""
    now = system_clock()
    async with connected(settings) as conn:
        try:
            await inbox_rows.put_internal(
                conn,
                company,
                conversation,
                PersonReturned(),
                dedup_key=f"person_returned:{conversation}:{now.isoformat()}",
                now=now,
            )
        except ConstraintViolated:
            raise SettingsError(f"Company {company} has no conversation {conversation}.") from None
    typer.echo("The bot has it again.")


async def add_company(settings: Settings, values: Mapping[str, str]) -> None:
    """Add a business; every impossible value is answered by a sentence."""
    try:
        ZoneInfo(values["timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError(
            f"{values['timezone']} is not a time zone; write it like Europe/Berlin."
        ) from None
    async with connected(settings) as conn:
        try:
            company_id = await companies.add(conn, **values)
        except ConstraintViolated as error:
            raise SettingsError(sentence(error)) from None
    typer.echo(f"company {company_id}")


async def list_companies(settings: Settings, *, json: bool) -> None:
    """List the businesses with their numbers."""
    async with connected(settings) as conn:
        rows = await companies.all_of_them(conn)
    if json:
        sys.stdout.buffer.write(orjson.dumps(rows) + b"\n")
        return
    table = Table("id", "name", "vertical", "phone_number_id", "time zone")
    for row in rows:
        table.add_row(str(row.id), row.name, row.vertical, row.phone_number_id, row.timezone)
    Console().print(table)
