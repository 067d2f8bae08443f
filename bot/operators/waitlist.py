"""`usual waitlist`: a company's queue, its live offers, and the history of an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from bot.moved_clock import clock_of
from bot.operators.common import connected, print_json
from bot.settings import Settings, SettingsError
from flows.events import OfferPicked
from flows.matching import fitting
from flows.model import Catalog, Slot
from flows.values import valueclass
from storage import desk, dialogs, inbox, waitlist_views
from storage.catalog import load
from storage.errors import Corrupt
from storage.pool import Connection
from storage.waitlist import wishes_from


@valueclass(frozen=True, slots=True)
class Choice:
    """A time that is free, and somebody whom it would fit."""

    entry: int
    service: str
    staff: str
    start: datetime
    kept_until: datetime | None  # for you to choose; nobody else can book it meanwhile


async def show(settings: Settings, *, company: int, entry: int, offer: int, json: bool) -> None:
    """Show the queue or one entry, or have the desk offer what is free to an entry."""
    async with connected(settings) as conn:
        catalog, now = await _catalog(conn, company), clock_of(settings)()
        if offer:
            await _offer(conn, catalog, offer, now)
        elif entry:
            await _entry(conn, catalog, entry, json=json)
        else:
            await _queue(conn, catalog, now, json=json)


async def _catalog(conn: Connection, company: int) -> Catalog:
    try:
        return await load(conn, company_id=company)
    except Corrupt:
        raise SettingsError(f"There is no company {company}.") from None


async def _choices(conn: Connection, catalog: Catalog, now: datetime) -> list[Choice]:
    company_id = catalog.company.id
    desk_id = await dialogs.desk(conn, company_id, now=now)
    waiters, free = await desk.look(conn, catalog, now=now, desk_id=desk_id)
    kept = await desk.kept_for_choice(conn, company_id, desk_id=desk_id, now=now)

    def until(slot: Slot) -> datetime | None:
        theirs = [one for one in kept if one.staff_id == slot.staff_id]
        met = (one.until for one in theirs if one.start < slot.end and slot.start < one.end)
        return min(met, default=None)

    return [
        Choice(
            waiter.id,
            catalog.service_by_id[slot.service_id].name,
            catalog.staff_by_id[slot.staff_id].name,
            slot.start,
            until(slot),
        )
        for waiter, slot in fitting(catalog, waiters, free, now=now)
    ]


async def _offer(conn: Connection, catalog: Catalog, entry: int, now: datetime) -> None:
    if all(choice.entry != entry for choice in await _choices(conn, catalog, now)):
        raise SettingsError(f"Nothing is free that entry {entry} waits for, or it has an offer.")
    company_id = catalog.company.id
    desk_id = await dialogs.desk(conn, company_id, now=now)
    key = f"picked:{entry}:{now.isoformat()}"
    await inbox.put_internal(conn, company_id, desk_id, OfferPicked(entry), dedup_key=key, now=now)
    typer.echo(f"The desk offers it to entry {entry}.")


async def _queue(conn: Connection, catalog: Catalog, now: datetime, *, json: bool) -> None:
    queue = await waitlist_views.queue(conn, catalog.company.id)
    choices = await _choices(conn, catalog, now)
    policy = catalog.company.policy.waitlist_policy
    if json:
        shown = {
            "policy": policy,
            "queue": [asdict(row) for row in queue],
            "choices": [asdict(choice) for choice in choices],
        }
        print_json(shown)
        return
    zone = catalog.zone
    table = Table("entry", "service", "place", "wants", "status", "offered", "until", "asked")
    for row in queue:
        offered = f"{_at(row.offered, zone)} {row.offered_staff}" if row.offered else ""
        table.add_row(
            str(row.id),
            row.service,
            str(row.position),
            _wishes(row.wishes, catalog),
            row.status,
            offered,
            _at(row.until, zone),
            str(row.times_notified),
        )
    Console().print(table if queue else "Nobody waits.")
    if choices:
        Console().print(_table_of(choices, policy, zone))


def _table_of(choices: Sequence[Choice], policy: str, zone: ZoneInfo) -> Table:
    head = ("entry", "service", "with", "free at", "kept for your choice until")
    free = Table(*head, title=f"Free now ({policy})")
    for choice in choices:
        free.add_row(
            str(choice.entry),
            choice.service,
            choice.staff,
            _at(choice.start, zone),
            _at(choice.kept_until, zone),
        )
    return free


async def _entry(conn: Connection, catalog: Catalog, entry: int, *, json: bool) -> None:
    found = await waitlist_views.entry(conn, catalog.company.id, entry)
    if found is None:
        raise SettingsError(f"Company {catalog.company.id} has no entry {entry}.")
    history = await waitlist_views.history(conn, catalog.company.id, entry)
    if json:
        shown = asdict(found) | {"history": [asdict(step) for step in history]}
        print_json(shown)
        return
    zone = catalog.zone
    typer.echo(
        f"entry {found.id}: {found.service}, {_wishes(found.wishes, catalog)}, {found.status}"
        + (f", place {found.position}, told {found.place}" if found.position else "")
    )
    table = Table("at", "what", "status", "with", "visit at", "answer by")
    for step in history:
        table.add_row(
            _at(step.at, zone),
            step.outcome,
            step.status,
            step.staff or "",
            _at(step.starts, zone),
            _at(step.until, zone),
        )
    Console().print(table)


def _at(moment: datetime | None, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %d %b %H:%M}" if moment else ""


def _wishes(stored: Sequence[dict[str, Any]], catalog: Catalog) -> str:
    """Wishes in short: days, part of the day, with whom."""
    told = []
    for wanted in wishes_from(stored):
        days = f"{wanted.first:%d %b}"
        if wanted.last != wanted.first:
            days += f" to {wanted.last:%d %b}"
        person = catalog.staff_by_id.get(wanted.staff_id or 0)
        unwanted = catalog.staff_by_id.get(wanted.but or 0)
        parts = [days, wanted.part or "", f"with {person.name}" if person else ""]
        parts.append(f"not with {unwanted.name}" if unwanted else "")
        told.append(" ".join(filter(None, parts)))
    return "; ".join(told)
