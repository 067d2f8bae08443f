"""`usual booking no-show`: who did not come, as an operator says."""

from __future__ import annotations

import sys

import orjson
import typer

from bot.operate import connected
from bot.settings import Settings, SettingsError
from storage import visits
from storage.clock import system_clock


async def no_show(
    settings: Settings, *, company: int, code: str, stayed_away: bool, json: bool
) -> None:
    """Mark a visit by its code; SettingsError in a sentence where that cannot be true."""
    async with connected(settings) as conn:
        visit = await visits.by_code(conn, company, code)
        if visit is None:
            raise SettingsError(f"Company {company} has no visit {code.strip().upper()}.")
        count = await visits.mark_no_show(
            conn, company, visit, stayed_away=stayed_away, now=system_clock()
        )
    if count is None:
        raise SettingsError(f"Visit {visit.code} is {visit.status}: {_why(visit.status)}")
    if json:
        found = {"code": visit.code, "customer_id": visit.customer_id, "no_shows": count}
        sys.stdout.buffer.write(orjson.dumps(found) + b"\n")
        return
    what = "nobody came" if stayed_away else "they came after all"
    typer.echo(f"{visit.code}: {what}. No-shows of this customer: {count}")


def _why(status: str) -> str:
    """Why it cannot be marked."""
    if status == "no_show":
        return "that is noted already."
    if status == "cancelled":
        return "nobody was to come."
    return "it has not begun yet, or nothing was noted that could be taken back."
