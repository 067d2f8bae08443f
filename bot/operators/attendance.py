"""`usual booking no-show | came | no-shows | late`: who did not come, or not in time."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from bot.moved_clock import clock_of
from bot.operators.common import asked_for, connected, print_json
from bot.settings import Settings, SettingsError
from storage import lateness, visits

_MOST_SHOWN = 1000
_BEGUN = timedelta(hours=4)  # visits that began so long ago are still shown


async def no_show(
    settings: Settings, *, company: int, code: str, stayed_away: bool, json: bool
) -> None:
    """Mark a visit by its code; SettingsError in a sentence where that cannot be true."""
    async with connected(settings) as conn:
        visit = await visits.by_code(conn, company, code)
        if visit is None:
            raise SettingsError(f"Company {company} has no visit {code.strip().upper()}.")
        count = await visits.mark_no_show(
            conn, company, visit, stayed_away=stayed_away, now=clock_of(settings)()
        )
    if count is None:
        raise SettingsError(f"Visit {visit.code} is {visit.status}: {_why(visit.status)}")
    if json:
        found = {"code": visit.code, "customer_id": visit.customer_id, "no_shows": count}
        print_json(found)
        return
    came = "they came after all" if visit.status == "no_show" else "they came"
    what = "nobody came" if stayed_away else came
    typer.echo(f"{visit.code}: {what}. No-shows of this customer: {count}")


async def no_shows(settings: Settings, *, company: int, days: int, json: bool) -> None:
    """List to which visits of the last days nobody came, and who said so."""
    async with connected(settings) as conn:
        await asked_for(conn, company)
        since = clock_of(settings)() - timedelta(days=days)
        found = await visits.no_shows(conn, company, since=since, limit=_MOST_SHOWN)
    if json:
        print_json(found)
        return
    table = Table("visit", "at", "what", "with", "customer", "their no-shows", "said by")
    for one in found:
        table.add_row(
            one.code,
            f"{one.starts_at.astimezone(ZoneInfo(one.timezone)):%a %d %b %H:%M}",
            one.service,
            one.staff,
            str(one.customer_id),
            str(one.no_shows),
            one.said_by,
        )
    Console().print(table if found else "Everybody came.")


async def late(settings: Settings, *, company: int, json: bool) -> None:
    """List visits that have begun lately, or will, whose customers wrote that they will be late."""
    async with connected(settings) as conn:
        await asked_for(conn, company)
        since = clock_of(settings)() - _BEGUN
        found = await lateness.late(conn, company, since=since, limit=_MOST_SHOWN)
    if json:
        print_json(found)
        return
    table = Table("visit", "at", "what", "with", "customer", "late by", "said at")
    for one in found:
        zone = ZoneInfo(one.timezone)
        table.add_row(
            one.code,
            f"{one.starts_at.astimezone(zone):%a %d %b %H:%M}",
            one.service,
            one.staff,
            str(one.customer_id),
            f"{one.minutes} min" if one.minutes else "?",
            f"{one.said_at.astimezone(zone):%H:%M}",
        )
    Console().print(table if found else "Nobody wrote that they will be late.")


def _why(status: str) -> str:
    """Why it cannot be marked."""
    match status:
        case "no_show":
            return "that is noted already."
        case "cancelled":
            return "nobody was to come."
        case "completed":
            return "that they came is noted already."
        case _:
            return "it has not begun yet."
