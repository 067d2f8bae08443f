"""`usual slots`: what the search finds, how long that took, and why a time is not offered."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

import typer

from bot.moved_clock import clock_of
from bot.operators.common import connected, print_json
from bot.settings import Settings, SettingsError
from flows.areas import area_named, seen_from
from flows.hours import epoch, moment
from flows.model import Catalog
from flows.values import valueclass
from flows.why import Reason, skipped
from storage.catalog import load
from storage.errors import Corrupt
from storage.pool import Connection
from storage.search import Search
from storage.taken import looker
from storage.why import why as ask_why

_SEARCHES: Final = 5
"""How many are timed; what is told is their median."""
_CODES: Final = 12
"""How many postal codes are named to whoever asks about one that is not served."""
_SENTENCES: Final = {
    "no_such_time": "the clocks skip this time",
    "second_coming": "the clocks show this time twice, and only its first coming is offered",
    "past": "it is over",
    "lead": "it is too soon: the first time is {end}",
    "horizon": "it is too far ahead: the horizon ends {end}",
    "closed": "they do not work then{between}",
    "holiday": "it is a holiday",
    "break": "they have a break from {start} to {end}",
    "too_long": "it would not be over when work ends {start}",
    "time_off": "they are off from {start} to {end}",
    "grid": "it is not on the grid, which is counted from {start}",
    "booked": "they have a visit from {start} to {end}",
    "held": "somebody is about to book from {start} to {end}",
    "on_offer": "it is offered to somebody on the waitlist from {start} to {end}",
    "external": "another calendar has something from {start} to {end}",
    "buffer": "it meets a buffer from {start} to {end}",
    "limit": "they have as many visits that day as they may",
    "resource": "every room or chair that it needs is taken from {start} to {end}",
    "full": "the group is full",
    "next_service": "nobody can go on with the next service from {start}",
}


@valueclass(frozen=True, slots=True)
class Wanted:
    """What is searched for, as it was typed."""

    company: int
    services: tuple[int, ...]
    staff: int | None
    since: str
    days: int
    area: str = ""


async def show(settings: Settings, wanted: Wanted, *, json: bool) -> None:
    """Print every start at which somebody is free, with who is."""
    async with _searching(settings, wanted) as (_, search, now):
        zone = search.catalog.zone
        first = _date(wanted.since) if wanted.since else now.astimezone(zone).date()
        low = search.calendar.bounds(first.toordinal()).start
        last = first.toordinal() + wanted.days - 1
        high = search.calendar.bounds(last).end - 1
        free = (await search.free(low, high)).starts  # reads the rules, prepares the statement
        spent = []
        for _ in range(_SEARCHES):
            began = time.perf_counter()
            free = (await search.free(low, high)).starts
            spent.append((time.perf_counter() - began) * 1000)
    starts = sorted(
        (at, place, staff_id)
        for place, (staff_id, ranges) in enumerate(free.items())
        for times in ranges
        for at in times
    )
    found = [(moment(at).astimezone(zone), staff_id) for at, _, staff_id in starts]
    ms = round(median(spent), 3)
    if json:
        slots = [{"start": start.isoformat(), "staff_id": staff_id} for start, staff_id in found]
        print_json({"slots": slots, "ms": ms})
        return
    for start, group in groupby(found, key=lambda slot: slot[0]):
        people = ", ".join(_named(search.catalog, start, staff_id) for _, staff_id in group)
        typer.echo(f"{start:%a %Y-%m-%d %H:%M %Z}  {people}")
    typer.echo(f"{len(found)} in {ms} ms")


async def explain(settings: Settings, wanted: Wanted, at: str, *, json: bool) -> None:
    """Print why a time is not offered, for everybody who does the service."""
    async with _searching(settings, wanted) as (conn, search, now):
        zone = search.catalog.zone
        asked = _moment(at)
        local = asked.replace(tzinfo=zone) if asked.tzinfo is None else asked.astimezone(zone)
        names = {person.id: person.name for person in search.catalog.staff}
        found: Mapping[int, Sequence[Reason]] = {
            staff_id: [Reason("no_such_time")] for staff_id in search.needs
        }
        if not skipped(local):
            found = await ask_why(conn, search, epoch(local), now=now)
    offered = any(not reasons for reasons in found.values())
    lines = [
        {"staff_id": staff_id, "rule": reason.rule, "text": _sentence(reason, local)}
        for staff_id, reasons in found.items()
        for reason in reasons
    ]
    if json:
        answer = {"at": local.isoformat(), "offered": offered, "reasons": lines}
        print_json(answer)
        return
    typer.echo(f"{local:%a %Y-%m-%d %H:%M %Z} is {'' if offered else 'not '}offered.")
    for staff_id, reasons in found.items():
        said = "; ".join(f"{one.rule}: {_sentence(one, local)}" for one in reasons)
        typer.echo(f"{names[staff_id]}: {said or 'free'}")


@asynccontextmanager
async def _searching(
    settings: Settings, wanted: Wanted
) -> AsyncIterator[tuple[Connection, Search, datetime]]:
    async with connected(settings) as conn:
        try:
            catalog = await load(conn, company_id=wanted.company)
        except Corrupt as error:
            raise SettingsError(f"{str(error).capitalize()}.") from None
        _check(catalog, wanted)
        now = clock_of(settings)()
        catalog = _seen(catalog, wanted)
        yield (
            conn,
            Search(
                looker(conn),
                catalog,
                wanted.services[0],
                wanted.staff,
                now=now,
                conversation_id=None,
                also=wanted.services[1:],
            ),
            now,
        )


def _check(catalog: Catalog, wanted: Wanted) -> None:
    for service in wanted.services:
        if service not in catalog.service_by_id:
            raise SettingsError(
                f"Company {wanted.company} has no service {service}, or it is not active."
            )
        if not catalog.staff_for(service):
            raise SettingsError(f"Nobody does service {service}.")
    if wanted.staff is None:
        return
    first = wanted.services[0]
    if wanted.staff not in catalog.staff_by_id:
        raise SettingsError(
            f"Company {wanted.company} has no staff member {wanted.staff}, or they are not active."
        )
    if first not in catalog.staff_by_id[wanted.staff].offers:
        raise SettingsError(f"Staff member {wanted.staff} does not do service {first}.")


def _seen(catalog: Catalog, wanted: Wanted) -> Catalog:
    """The catalogue on the clock of the area that is asked about, if any."""
    if not wanted.area:
        return catalog
    area = area_named(wanted.area, catalog)
    if area is None:
        codes = ", ".join(one.postal_code for one in catalog.areas[:_CODES]) or "none"
        more = " and more" if len(catalog.areas) > _CODES else ""
        raise SettingsError(
            f"Company {wanted.company} does not come to {wanted.area}. It comes to: {codes}{more}."
        )
    return seen_from(catalog, area.id)


def _named(catalog: Catalog, start: datetime, staff_id: int) -> str:
    """Somebody's name, and what their clocks show where that is something else."""
    person = catalog.staff_by_id[staff_id]
    zone = ZoneInfo(person.timezone) if person.timezone else catalog.company.zone
    there = start.astimezone(zone)
    if there.utcoffset() == start.utcoffset():
        return person.name
    day = "" if there.date() == start.date() else f"{there:%a} "
    return f"{person.name} ({day}{there:%H:%M %Z})"


def _sentence(reason: Reason, local: datetime) -> str:
    """A reason in words, with times on the clock that was asked about."""
    shown = {
        name: _shown(at, local) for name, at in (("start", reason.start), ("end", reason.end)) if at
    }
    between = ", only until {start} and from {end}" if len(shown) == 2 else ""
    if len(shown) == 1:
        between = ", only until {start}" if "start" in shown else ", only from {end}"
    return _SENTENCES[reason.rule].format(**shown, between=between.format(**shown)).strip()


def _shown(at: int, local: datetime) -> str:
    found = moment(at).astimezone(local.tzinfo)
    return f"{found:%H:%M}" if found.date() == local.date() else f"{found:%a %Y-%m-%d %H:%M}"


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text} is not a date; write it like 2026-11-24.") from None
    if not 2000 <= found.year <= 2200:
        raise SettingsError(f"{text} is too far away.")
    return found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{text} is not a time; write it like 2026-11-24 18:00.") from None
    _date(found.date().isoformat())
    return found - timedelta(seconds=found.second, microseconds=found.microsecond)
