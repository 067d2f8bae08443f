"""The two businesses of the demo: three months behind them, and visits ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from flows.hours import Interval, calendar_of, epoch
from flows.model import Catalog, Staff
from flows.slots import Busy, Need, free_starts, need_of
from flows.values import valueclass
from storage import queries
from storage.catalog import load
from storage.errors import translated
from storage.pool import Connection
from storage.seeds.plan import create
from storage.seeds.rows import Booking, Claim, Writer, copy_bookings
from storage.seeds.shops import GARAGE, LUMI

_Q = queries.of("seeds")

_DAYS_BEHIND, _DAYS_AHEAD = 90, 10
_VISITS_A_DAY: Final = 7  # tried; those that find no time are left out
_LIKED: Final = tuple(h * 3600 + m * 60 for h, m in ((10, 0), (11, 30), (15, 0), (17, 30)))
_FIRST_NAMES: Final = """
    Ana Ben Carla Dmitri Elena Farid Grace Hugo Irina Jack Kira Liam Maria
    Nora Oleg Paula Quinn Rosa Sergey Tina Uma Victor Wendy Xenia Yuri Zoe
"""


@valueclass(frozen=True, slots=True)
class _Visit:
    staff_id: int
    service_id: int
    start: int
    need: Need


async def demo(conn: Connection, *, now: datetime) -> None:
    """Make Salon Lumi and A1 Garage Doors where they are missing; what is there stays as it is."""
    with translated():
        for plan in (LUMI, GARAGE):
            async with conn.transaction():
                company_id = await create(conn, plan)
                if company_id is not None:
                    await _live(conn, await load(conn, company_id=company_id), now)


async def _live(conn: Connection, catalog: Catalog, now: datetime) -> None:
    """Give a new company customers, a history and visits ahead."""
    rng = Random(catalog.company.phone_number_id)  # noqa: S311 - the same demo everywhere
    since = now - timedelta(days=_DAYS_BEHIND + 20)
    await _Q["partitions"].many(conn, first=since.date(), last=now.date())
    names = _FIRST_NAMES.split() * 5
    customers = await _Q["customers"].many(
        conn,
        company_id=catalog.company.id,
        phones=[f"19175550{100 + n}" for n in range(len(names))],
        names=names,
        created_at=since,
    )
    writer = Writer(catalog, now, rng)
    bookings: list[Booking] = []
    claims: list[Claim] = []
    for visit in _visits(catalog, calendar_of(catalog).day_of(epoch(now)), rng):
        booking = writer.booking(
            customer_id=rng.choice(customers)["id"],
            service_id=visit.service_id,
            staff_id=visit.staff_id,
            start=visit.start,
            end=visit.start + visit.need.length,
        )
        bookings.append(booking)
        if booking.ends_at > now:
            claims += writer.claims(booking, visit.need.parts(visit.start))
    await copy_bookings(conn, bookings, claims)


def _visits(catalog: Catalog, today: int, rng: Random) -> Iterator[_Visit]:
    """Visits day by day: three in four of those tried behind, fewer and fewer ahead."""
    for day in range(today - _DAYS_BEHIND, today + _DAYS_AHEAD + 1):
        ahead = max(day - today, 0)
        share = 0.6 * (1 - ahead / (_DAYS_AHEAD + 4)) if day >= today else 0.75
        for person in catalog.staff:
            yield from _day(catalog, person, day, round(_VISITS_A_DAY * share), rng)


def _day(catalog: Catalog, person: Staff, day: int, tries: int, rng: Random) -> Iterator[_Visit]:
    """Somebody's visits of a day, each at a free time, popular ones more often."""
    calendar = calendar_of(catalog)
    bounds = calendar.bounds(day)
    visits: list[Interval] = []
    buffers: list[Interval] = []
    for _ in range(tries):
        service_id = rng.choice(sorted(person.offers))
        need = need_of(
            catalog.service_by_id[service_id], person.offers[service_id], catalog.company.policy
        )
        busy = Busy(visits, buffers)
        free = free_starts(calendar, person.id, need, busy, bounds.start, bounds.end - 1)
        starts = [at for times in free for at in times]
        if not starts:
            continue
        liked = [at for at in starts if calendar.second_of(at, bounds) in _LIKED]
        start = rng.choice(liked if liked and rng.random() < 0.6 else starts)
        for low, high, part in need.parts(start):
            (visits if part == "visit" else buffers).append((low, high))
        yield _Visit(person.id, service_id, start, need)
