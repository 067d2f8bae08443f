"""`usual company add | list`: the businesses and their WhatsApp numbers."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table

from bot.operators.common import connected, print_json
from bot.settings import Settings, SettingsError
from storage import companies
from storage.errors import ConstraintViolated
from storage.sentences import sentence


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
        print_json(rows)
        return
    table = Table("id", "name", "vertical", "phone_number_id", "time zone")
    for row in rows:
        table.add_row(str(row.id), row.name, row.vertical, row.phone_number_id, row.timezone)
    Console().print(table)
