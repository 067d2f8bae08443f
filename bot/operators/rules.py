"""A business's rules: `usual company rules` shows them, `usual company set` changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from bot.operators.common import asked_for, connected, print_json
from bot.settings import Settings, SettingsError
from flows.model import Policy
from storage import companies
from storage.catalog import policy
from storage.pool import Connection, own_transaction


async def show(settings: Settings, *, company: int, json: bool) -> None:
    """Print all rules of a business; those that differ from what is usual are marked."""
    async with connected(settings) as conn:
        await asked_for(conn, company)
        found = policy(await companies.settings(conn, company), company_id=company)
    _print(found, json=json)


async def change(settings: Settings, *, company: int, changes: Sequence[str], json: bool) -> None:
    """Set rules, `NAME=VALUE` each, or `NAME=` for what is usual: all of them or none."""
    wanted = dict(map(_split, changes))
    async with connected(settings) as conn:
        await asked_for(conn, company)
        async with own_transaction(conn):
            found = await _changed(conn, company, wanted)
    _print(found, json=json)


async def _changed(conn: Connection, company: int, wanted: Mapping[str, str]) -> Policy:
    stored = await companies.settings(conn, company)
    kept = {key: value for key, value in stored.items() if key not in wanted}
    given = {key: value for key, value in wanted.items() if value}
    try:
        read = Policy.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(map(_sentence, error.errors()))) from None
    # As JSON has them, and not as they were typed: SQL reads some, too.
    typed = read.model_dump(mode="json", include=set(given))
    await companies.set_settings(conn, company, {**kept, **typed})
    return policy({**kept, **typed}, company_id=company)


def _split(change: str) -> tuple[str, str]:
    name, sign, value = change.partition("=")
    if not sign:
        raise SettingsError(f"{change}: write it like hold_minutes=10.")
    if name not in Policy.model_fields:
        raise SettingsError(f"There is no rule {name}; `usual company rules` lists them.")
    return name, value.strip()


def _sentence(error: Mapping[str, Any]) -> str:
    reason = str(error["msg"]).removeprefix("Input ")
    return f"{error['loc'][0]} {reason}."


def _print(found: Policy, *, json: bool) -> None:
    values = found.model_dump(mode="json")
    if json:
        print_json(values)
        return
    usual = Policy().model_dump(mode="json")
    table = Table("rule", "here", "usually")
    for name, value in values.items():
        differs = value != usual[name]
        table.add_row(name, _text(value), _text(usual[name]) if differs else "")
    Console().print(table)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
