"""Checks for operators: what can never be booked, and visits whose wall time is another by now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import ValidationError

from flows.hours import epoch, offset_at
from flows.impossible import Finding, never_bookable
from flows.model import Policy
from flows.values import valueclass
from storage import queries
from storage.catalog import is_zone, load
from storage.pool import Connection

_Q = queries.of("checks")


@valueclass(frozen=True, slots=True)
class CompanyFinding:
    """Something that cannot be booked at a company, and why."""

    company_id: int
    rule: str
    service_id: int | None
    staff_id: int | None
    text: str


@valueclass(frozen=True, slots=True)
class ChangedTime:
    """A visit that will not be at the wall time that its customer was told.

    `told` and `now` are that wall time and what the clocks will show, as its zone's rules are now.
    """

    company_id: int
    booking_id: UUID
    code: str
    timezone: str
    told: datetime
    now: datetime


async def catalogs(
    conn: Connection, *, company_id: int | None, now: datetime
) -> list[CompanyFinding]:
    """Everything that can never be booked, at one company or at all of them."""
    found = []
    for company in await _Q["companies"].many(conn, company_id=company_id):
        id_ = company["id"]
        found += [
            CompanyFinding(id_, finding.rule, finding.service_id, finding.staff_id, finding.text)
            for finding in await _of_company(conn, company, now)
        ]
    return found


async def _of_company(conn: Connection, company: asyncpg.Record, now: datetime) -> list[Finding]:
    found = list(_settings(company))
    for row in await _Q["clocks"].many(conn, company_id=company["id"]):
        if not is_zone(row["timezone"]):
            text = f"{row['name']} has the time zone {row['timezone']}, which is unknown."
            staff_id = row["id"] if row["kind"] == "staff" else None
            found.append(Finding("unknown_zone", text, staff_id=staff_id))
    if not is_zone(company["timezone"]):
        text = f"{company['name']} has the time zone {company['timezone']}, which is unknown."
        return [Finding("unknown_zone", text), *found]
    found += never_bookable(await load(conn, company_id=company["id"]), now)
    return found


def _settings(company: asyncpg.Record) -> Iterator[Finding]:
    try:
        Policy.model_validate(company["settings"])
    except ValidationError as exc:
        for error in exc.errors():
            where = ".".join(map(str, error["loc"]))
            text = f"The setting {where} is left at its default: {error['msg'].lower()}."
            yield Finding("setting_refused", text)


async def times(conn: Connection, *, company_id: int | None, now: datetime) -> list[ChangedTime]:
    """Visits ahead whose wall time was changed by new rules of their zone."""
    found = []
    for row in await _Q["ahead"].many(conn, company_id=company_id, now=now):
        told = row["utc_offset_seconds"]
        if told is None or not is_zone(row["timezone"]):
            continue
        offset = offset_at(epoch(row["starts_at"]), ZoneInfo(row["timezone"]))
        if offset != told:
            wall = row["starts_at"].replace(tzinfo=None)
            found.append(
                ChangedTime(
                    row["company_id"],
                    row["id"],
                    row["code"],
                    row["timezone"],
                    wall + timedelta(seconds=told),
                    wall + timedelta(seconds=offset),
                )
            )
    return found
