"""As much data as one wants to measure with, the same for the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from flows.hours import instant
from flows.model import Catalog
from flows.slots import Need, need_of
from storage import queries
from storage.catalog import load as load_catalog
from storage.errors import Refused, translated
from storage.pool import Connection
from storage.seeds.plan import create
from storage.seeds.rows import Booking, Claim, Writer, copy, copy_bookings
from storage.seeds.shops import BENCH, numbered

_Q = queries.of("seeds")

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being made, how much of it is there, and how much there will be."""

_BATCH: Final = 10_000
_DAYS_AHEAD: Final = 28
_VISITS_A_DAY: Final = 6
_MOST_DAYS_BEHIND: Final = 6 * 365
_MESSAGE_DAYS: Final = 170  # older partitions are dropped
_OPENS, _OPEN = 9 * 3600, 10 * 3600  # as shops.numbered does
_APART_AHEAD: Final = 90 * 60
_MESSAGE: Final = (
    "company_id",
    "created_at",
    "conversation_id",
    "customer_id",
    "phone",
    "direction",
    "wamid",
    "type",
    "body",
    "status",
    "sent_at",
)


_T = TypeVar("_T")


class _Person(NamedTuple):
    customer_id: int
    phone: str
    conversation_id: int


async def load(
    conn: Connection,
    *,
    now: datetime,
    companies: int,
    bookings: int,
    messages: int,
    conversations: int,
    progress: Progress = lambda what, done, total: None,
) -> None:
    """Make the company for benches, and others with this much data in all; in one transaction.

    Where such companies are already, nothing is added to them.
    """
    with translated():
        async with conn.transaction():
            await create(conn, BENCH)
            made = await _companies(conn, companies, now, progress)
            if made:
                await _fill(conn, made, now, (bookings, messages, conversations), progress)
        # Not those that are empty: what is planned for a table that is known to be empty is of no
        # use once it fills, and a table that was never looked at is taken for a small one.
        await conn.execute(await _Q["analyze"].value(conn))


async def _companies(
    conn: Connection, number: int, now: datetime, progress: Progress
) -> list[Catalog]:
    made = []
    for i in range(number):
        company_id = await create(conn, numbered(i + 1))
        if company_id is None:
            return []
        made.append(await load_catalog(conn, company_id=company_id))
        progress("companies", i + 1, number)
    return made


async def _fill(
    conn: Connection,
    catalogs: Sequence[Catalog],
    now: datetime,
    numbers: tuple[int, int, int],
    progress: Progress,
) -> None:
    bookings, messages, conversations = (_shares(number, len(catalogs)) for number in numbers)
    since = now - timedelta(days=_MESSAGE_DAYS)
    days = max(_days_behind(catalog, n) for catalog, n in zip(catalogs, bookings, strict=True))
    first = min(since, now - timedelta(days=days + 15))
    await _Q["partitions"].many(conn, first=first.date(), last=now.date())
    people = []
    for i, catalog in enumerate(catalogs):
        number = max(conversations[i], min(1, bookings[i] + messages[i]))
        people.append(await _people(conn, catalog, i + 1, number, since))
        progress("conversations", sum(conversations[: i + 1]), sum(conversations))
    unwatched = await _Q["unwatched"].value(conn)
    done = 0
    for i, catalog in enumerate(catalogs):
        for some in _batches(_visits(catalog, people[i], bookings[i], now)):
            await copy_bookings(conn, [b for b, _ in some], [c for _, cs in some for c in cs])
            done += len(some)
            progress("bookings", done, sum(bookings))
    done = 0
    for i, catalog in enumerate(catalogs):
        # Not in batches: the server writes the ones while the next are made.
        await copy(conn, "messages", _MESSAGE, _messages(catalog, people[i], messages[i], now))
        done += messages[i]
        progress("messages", done, sum(messages))
    if unwatched:
        await _Q["watched"].one(conn)
        companies = [catalog.company.id for catalog in catalogs]
        strangers = await _Q["strangers"].value(conn, companies=companies)
        if strangers:
            raise Refused(f"{strangers} rows refer to what is not there")


async def _people(
    conn: Connection, catalog: Catalog, company: int, number: int, since: datetime
) -> list[_Person]:
    """Customers, each with a conversation."""
    found = []
    every = timedelta(days=_MESSAGE_DAYS) / max(number, 1)
    for low in range(0, number, _BATCH):
        batch = range(low, min(low + _BATCH, number))
        customers = await _Q["customers"].many(
            conn,
            company_id=catalog.company.id,
            phones=[f"1{company:04}{n:07}" for n in batch],
            names=[f"Customer {n}" for n in batch],
            created_at=since,
        )
        dialogs = await _Q["dialogs"].many(
            conn,
            company_id=catalog.company.id,
            customer_ids=[customer["id"] for customer in customers],
            since=since + every * low,
            every=every,
        )
        found += [
            _Person(customer["id"], customer["phone"], dialog["id"])
            for customer, dialog in zip(customers, dialogs, strict=True)
        ]
    return found


def _visits(
    catalog: Catalog, people: Sequence[_Person], number: int, now: datetime
) -> Iterator[tuple[Booking, list[Claim]]]:
    """A tenth of the visits ahead, as far as there is room, the others behind."""
    rng = Random(catalog.company.phone_number_id)  # noqa: S311 - the same data everywhere
    writer = Writer(catalog, now, rng)
    today = now.astimezone(catalog.zone).toordinal()
    opens = _Mornings(catalog)
    needs = [_need(catalog, service.id) for service in catalog.services]
    room = len(catalog.staff) * _VISITS_A_DAY * _DAYS_AHEAD
    ahead = min(number // 10, room)
    days = _days_behind(catalog, number)
    a_day = -(-(number - ahead) // (len(catalog.staff) * days)) or 1
    apart = max(_OPEN // a_day // 300 * 300, 300)
    for k in range(number):
        turn, who = divmod(k, len(catalog.staff))
        if k < ahead:
            place, day = divmod(turn, _DAYS_AHEAD)
            start, longest = opens[today + 1 + day] + place * _APART_AHEAD, _APART_AHEAD
        else:
            place, day = divmod((k - ahead) // len(catalog.staff), days)
            start, longest = opens[today - 1 - day] + place * apart, apart
        i = rng.randrange(len(needs))
        booking = writer.booking(
            customer_id=rng.choice(people).customer_id,
            service_id=catalog.services[i].id,
            staff_id=catalog.staff[who].id,
            start=start,
            end=start + min(needs[i].length, longest),
        )
        claims = writer.claims(booking, needs[i].parts(start)) if k < ahead else []
        yield booking, claims


def _messages(
    catalog: Catalog, people: Sequence[_Person], number: int, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """What customers and the bot wrote in turn, evenly over the months that are kept."""
    since, span = now - timedelta(days=_MESSAGE_DAYS), timedelta(days=_MESSAGE_DAYS)
    for k in range(number):
        turn, who = divmod(k, len(people))
        inbound, at = turn % 2 == 0, since + span * k / number
        yield (
            catalog.company.id,
            at,
            people[who].conversation_id,
            people[who].customer_id,
            people[who].phone,
            "in" if inbound else "out",
            f"wamid.load.{catalog.company.phone_number_id}.{k}",
            "text",
            {"type": "text", "text": {"body": f"Message {k}"}},
            "received" if inbound else "read",
            at,
        )


class _Mornings(dict[int, int]):
    """When a company opens, by local date: epoch seconds by ordinal."""

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._zone = catalog.zone

    def __missing__(self, day: int) -> int:
        self[day] = found = instant(day, _OPENS, self._zone)
        return found


def _need(catalog: Catalog, service_id: int) -> Need:
    offer = catalog.staff[0].offers[service_id]
    return need_of(catalog.service_by_id[service_id], offer, catalog.company.policy)


def _days_behind(catalog: Catalog, number: int) -> int:
    wanted = -(-number // (len(catalog.staff) * _VISITS_A_DAY))
    return min(max(wanted, 90), _MOST_DAYS_BEHIND)


def _shares(number: int, among: int) -> list[int]:
    """A number cut into nearly equal parts."""
    return [number // among + (i < number % among) for i in range(among)]


def _batches(rows: Iterator[_T]) -> Iterator[list[_T]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
