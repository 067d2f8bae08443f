"""`usual check`: what can never be booked, and visits that new rules of the clocks have moved."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from bot.moved_clock import clock_of
from bot.operators.common import asked_for, connected, print_json
from bot.settings import Settings
from storage import checks


async def catalog(settings: Settings, *, company: int, json: bool) -> int:
    """Print everything that can never be booked; 1 when there is something."""
    async with connected(settings) as conn:
        whose = await asked_for(conn, company)
        found = await checks.catalogs(conn, company_id=whose, now=clock_of(settings)())
    table = Table("company", "service", "staff", "rule", "why")
    for one in found:
        ids = (one.company_id, one.service_id, one.staff_id)
        table.add_row(*("" if id_ is None else str(id_) for id_ in ids), one.rule, one.text)
    return _told(found, table, "Everything can be booked.", json=json)


async def times(settings: Settings, *, company: int, json: bool) -> int:
    """Print visits whose customers were told another wall time than it will be; 1 if there are."""
    async with connected(settings) as conn:
        whose = await asked_for(conn, company)
        found = await checks.times(conn, company_id=whose, now=clock_of(settings)())
    table = Table("company", "booking", "code", "time zone", "told", "now")
    for one in found:
        table.add_row(
            str(one.company_id),
            str(one.booking_id),
            one.code,
            one.timezone,
            f"{one.told:%a %Y-%m-%d %H:%M}",
            f"{one.now:%a %Y-%m-%d %H:%M}",
        )
    return _told(found, table, "Every visit is at the time that was told.", json=json)


def _told(found: list[Any], table: Table, well: str, *, json: bool) -> int:
    if json:
        print_json(found)
    elif found:
        Console().print(table)
    else:
        typer.echo(well)
    return 1 if found else 0
