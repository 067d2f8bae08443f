"""`usual inbox | timers | give-back`: what stands still, and setting it going again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table

from bot.moved_clock import clock_of
from bot.operators.common import asked_for, connected, print_json
from bot.settings import Settings, SettingsError
from flows.events import PersonReturned
from storage import inbox as inbox_rows
from storage import timers as timer_rows
from storage.errors import ConstraintViolated
from storage.pool import Connection


async def inbox(
    settings: Settings, *, company: int, ids: Sequence[int], everything: bool, json: bool
) -> None:
    """List parked events, or have them handled again."""
    async with connected(settings) as conn:
        now, whose = clock_of(settings)(), await asked_for(conn, company)
        if ids or everything:
            count = await inbox_rows.replay(conn, whose, None if everything else ids, now=now)
            if ids and not count:
                raise SettingsError("No event that is parked has such a number.")
            typer.echo(f"{count} to be handled again")
            return
        parked = await inbox_rows.dead(conn, whose, limit=1000)
    if json:
        print_json(parked)
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


async def _try_timers(
    conn: Connection, whose: int | None, keys: Sequence[str] | None, now: datetime
) -> None:
    found = await timer_rows.parked(conn, whose, keys=keys, limit=100_000)
    ids = [row.inbox_id for row in found if row.inbox_id is not None]
    if keys and not ids:
        raise SettingsError("No timer that is parked has such a key.")
    count = await inbox_rows.replay(conn, whose, ids, now=now)
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
        now, whose = clock_of(settings)(), await asked_for(conn, company)
        if keys or everything:
            await _try_timers(conn, whose, None if everything else keys, now)
            return
        counts = await timer_rows.counts(conn, whose, now=now)
        parked = await timer_rows.parked(conn, whose, limit=1000)
        following = await timer_rows.following(conn, whose, limit=next_ones)
    if json:
        told = {"counts": counts, "parked": parked, "next": following}
        print_json(told)
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
    now = clock_of(settings)()
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
