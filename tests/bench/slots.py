"""What a search for free times costs inside the process, with every rule on and much behind.

A shop of fifty people, each with breaks, buffers, processing time, a chair to work at, a limit on
visits a day, time off and dates of their own, and four visits a day for four weeks ahead, everybody
at other times. Behind it lie ten thousand visits, then a million.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from random import Random
from statistics import median, quantiles
from typing import Any, Final, TypeAlias

from flows.effects import FindEarliest
from flows.hours import Calendar, calendar_of, epoch
from flows.model import Catalog
from flows.slots import met_packed, need_of, ranges_of
from storage import migrate, slots
from storage.catalog import load
from storage.clock import system_clock
from storage.embedded import Servers
from storage.pool import UNHURRIED, Connection, connection, open_pool
from storage.popular import popular_times
from storage.search import Search
from storage.seeds.plan import CompanyPlan, ServicePlan, StaffPlan, create, on
from storage.seeds.rows import Claim, Writer, copy, copy_bookings
from storage.taken import begins_of, looker
from tests.support.database import create as create_database

HISTORIES: Final = (10_000, 1_000_000)
TEAMS: Final = (1, 10, 50)
DAYS: Final = 30
_VISITS_A_DAY, _DAYS_AHEAD = 4, 28
_WEEK: Final = range(1, 8)

Ask: TypeAlias = Callable[[], Awaitable[Any]]

_RULES: Final = """
    UPDATE services SET lead_minutes = 120, grid_minutes = 15, grid_offset_minutes = 5,
        processing_from_minutes = 15, processing_minutes = 15 WHERE company_id = $1;
    UPDATE staff SET most_visits_a_day = 12 WHERE company_id = $1;
    INSERT INTO resources (company_id, name, units)
        SELECT company_id, 'Chairs of ' || service_id, count(*)
        FROM staff_services WHERE company_id = $1 GROUP BY company_id, service_id;
    INSERT INTO service_resources (company_id, service_id, resource_id)
        SELECT $1, s.id, r.id FROM services AS s JOIN resources AS r
            ON r.company_id = s.company_id AND r.name = 'Chairs of ' || s.id
        WHERE s.company_id = $1;
    INSERT INTO time_off (company_id, staff_id, starts_at, ends_at)
        SELECT $1, id, now() + interval '9 days', now() + interval '10 days' FROM staff
        WHERE company_id = $1;
    INSERT INTO staff_schedules (company_id, staff_id, day, starts, ends)
        SELECT $1, id, current_date + 12, '12:00', '20:00' FROM staff WHERE company_id = $1;
    INSERT INTO holidays (company_id, day, name) VALUES ($1, current_date + 15, 'Founding day')
"""
_HISTORY: Final = """
    INSERT INTO bookings (company_id, id, code, customer_id, service_id, staff_id, starts_at,
        ends_at, timezone, utc_offset_seconds, status, price_minor, currency, source, created_at)
    SELECT $1, (lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
        'PAST', $2, $3, $4 + n % 50, made + interval '2 days',
        made + interval '2 days 45 minutes', 'UTC', 0, 'completed', 1000, 'EUR', 'quick', made
    FROM (
        SELECT n, $6::timestamptz - interval '4 days' - n * interval '1 year' / $5::integer AS made
        FROM generate_series(1, $5::integer) AS n
    ) AS past
"""


async def measure(servers: Servers, *, quick: bool) -> list[dict[str, Any]]:
    """Every search, with each history; they take turns, so that all have the same machine."""
    histories = HISTORIES[:1] if quick else HISTORIES
    async with AsyncExitStack() as stack:
        cases: dict[int, Mapping[str, Ask]] = {}
        for number in histories:
            sys.stderr.write(f"· slots with {number} visits behind\n")
            url = await create_database(servers.database_url, f"slots_{number}")
            await migrate.up(url)
            pool = await open_pool(url, size=1, timeouts=UNHURRIED)
            stack.push_async_callback(pool.close)
            conn = await stack.enter_async_context(connection(pool))
            cases[number] = _cases(conn, await _shop(conn, number))
        return [
            row for what in cases[histories[0]] for row in await _in_turn(what, cases, quick=quick)
        ]


async def _shop(conn: Connection, history: int) -> Catalog:
    now = system_clock()
    names = [f"By {count}" for count in TEAMS]
    plan = CompanyPlan(
        "Rules",
        "100000000000009",
        "America/New_York",
        [ServicePlan(name, 45, 1000, buffer_before=5, buffer_after=10) for name in names],
        [
            StaffPlan(
                f"Person {n}",
                on(_WEEK, ("09:00", "13:00"), ("13:45", "19:00"), ("16:00", "16:20", "break")),
                [name for name, count in zip(names, TEAMS, strict=True) if n < count],
            )
            for n in range(TEAMS[-1])
        ],
        settings={"horizon_days": 60},
    )
    company_id = await create(conn, plan)
    assert company_id is not None
    for statement in _RULES.split(";"):
        await conn.execute(statement, company_id)
    catalog = await load(conn, company_id=company_id)
    await _fill(conn, catalog, now, history)
    await conn.execute("ANALYZE")
    return catalog


async def _fill(conn: Connection, catalog: Catalog, now: datetime, history: int) -> None:
    """Visits behind and ahead, those ahead with their claims on people and chairs."""
    first = now - timedelta(days=380)
    for month in range(14):
        await conn.execute(
            "SELECT create_bookings_partition($1)", (first + timedelta(days=30 * month)).date()
        )
    customer_id = await conn.fetchval(
        "INSERT INTO customers (company_id, phone) VALUES ($1, '1') RETURNING id",
        catalog.company.id,
    )
    service, staff = catalog.services[-1], catalog.staff
    await conn.execute(
        _HISTORY,
        catalog.company.id,
        customer_id,
        service.id,
        min(person.id for person in staff),
        history,
        now,
        timeout=600,
    )
    writer = Writer(catalog, now, Random(1))  # noqa: S311
    bookings, claims, chairs = [], list[Claim](), list[tuple[Any, ...]]()
    resource_id = service.resources[0]
    for unit, person in enumerate(staff, start=1):
        need = need_of(service, person.offers[service.id], catalog.company.policy)
        for start in _starts(calendar_of(catalog), now, Random(unit)):  # noqa: S311
            booking = writer.booking(
                customer_id=customer_id,
                service_id=service.id,
                staff_id=person.id,
                start=start,
                end=start + need.length,
            )
            bookings.append(booking)
            made = writer.claims(booking, need.parts(start))
            claims += made
            whole = made[0]._replace(
                during=type(made[0].during)(booking.starts_at, booking.ends_at)
            )
            chairs.append((*whole._replace(part="visit"), resource_id, unit))
    await copy_bookings(conn, bookings, claims)
    await copy(conn, "slot_claims", (*Claim._fields, "resource_id", "unit"), chairs)


def _starts(calendar: Calendar, now: datetime, rng: Random) -> list[int]:
    """Between breaks, on the grid."""
    today = calendar.day_of(epoch(now))
    return [
        calendar.bounds(today + day).start + 9 * 3600 + 300 + place * 9000 + rng.randrange(3) * 900
        for day in range(1, _DAYS_AHEAD + 1)
        for place in range(_VISITS_A_DAY)
    ]


async def _in_turn(
    what: str, cases: Mapping[int, Mapping[str, Ask]], *, quick: bool
) -> list[dict[str, Any]]:
    """What one search takes with each history, and how much more with the longer one."""
    spent: dict[int, list[float]] = {number: [] for number in cases}
    for _ in range((50 if quick else 200) + 3):
        for number, asks in cases.items():
            began = time.perf_counter()
            await asks[what]()
            spent[number].append((time.perf_counter() - began) * 1000)
    rows: list[dict[str, Any]] = []
    for number, times in spent.items():
        spread = quantiles(times[3:], n=20)
        rows.append(
            {
                "what": what,
                "history": number,
                "p50_ms": round(median(times[3:]), 3),
                "p95_ms": round(spread[-1], 3),
            }
        )
    if len(rows) > 1:
        rows[-1]["growth"] = round(rows[-1]["p50_ms"] / rows[0]["p50_ms"] - 1, 3)
    return rows


def _cases(conn: Connection, catalog: Catalog) -> dict[str, Ask]:
    now = system_clock()
    by = dict(zip(TEAMS, catalog.services, strict=True))
    calendar = calendar_of(catalog)
    today = calendar.day_of(epoch(now))
    low, high = calendar.bounds(today).start, calendar.bounds(today + DAYS).end

    def search(count: int, *also: int) -> Search:
        services = tuple(by[other].id for other in also)
        return Search(
            looker(conn), catalog, by[count].id, None, now=now, conversation_id=None, also=services
        )

    async def whole(count: int, *also: int) -> Any:
        return (await search(count, *also).free(low, high)).starts

    async def anew(count: int) -> Any:
        for kept in (met_packed, ranges_of, begins_of):
            kept.cache_clear()
        return await whole(count)

    async def check() -> Any:
        at = calendar.bounds(today + 5).start + 11 * 3600
        return (await search(1).free(at, at)).starts

    async def popular() -> Any:
        catalog.memo.pop("popular", None)
        return await popular_times(conn, catalog, now)

    cases: dict[str, Ask] = {
        f"{DAYS} days, {count} staff": partial(whole, count) for count in TEAMS
    }
    # As if everybody's calendar had changed since somebody looked at it last.
    cases |= {f"{DAYS} days, {count} staff, all changed": partial(anew, count) for count in TEAMS}
    cases[f"{DAYS} days, two services, 10 staff"] = partial(whole, 10, 10)
    cases["slot check"] = check
    cases["next free, 10 staff"] = lambda: slots.answer(
        slots.sight(conn), catalog, FindEarliest(by[10].id), now=now, conversation_id=None
    )
    cases["popular times, 90 days"] = popular
    return cases
