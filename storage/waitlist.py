"""The waitlist: places in the queue, and offers of time to those who wait.

Whatever changes a company's waitlist passes its gate first and has it to the end of the
transaction, so that positions stay true and an offer has one answer. An offer claims its time like
a booking does (`slot_claims`, kind `offer`): nobody else can take it, and when the claim goes, the
database tells the desk that there is free time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from flows.effects import BookSlot, JoinWaitlist, LeaveWaitlist, PassOffer, TakeOffer
from flows.events import (
    OfferGone,
    OfferPassed,
    OfferTaken,
    PlacesFound,
    SlotTaken,
    TimesStillFree,
    WaitlistJoined,
    WaitlistLeft,
)
from flows.hours import calendar_of, epoch
from flows.matching import starts_of
from flows.model import Catalog, Hold, Slot
from flows.model_waitlist import Place, Wanted
from flows.slots import within
from storage import bookings, queries
from storage.errors import Conflict
from storage.pool import Connection
from storage.search import Search
from storage.taken import looker

_Q = queries.of("waitlist")

MOST_WISHES = 5
"""How many wishes a place can have; a further one takes the place of the oldest."""
_SHOWN = 20

Declined = list[tuple[int, int, int]]
"""Starts that somebody does not want: (staff id, first, last) in epoch seconds."""


async def join(
    conn: Connection,
    catalog: Catalog,
    ask: JoinWaitlist,
    *,
    now: datetime,
    customer_id: int,
    conversation_id: int,
) -> WaitlistJoined | TimesStillFree:
    """Give somebody a place at the end of the queue, or their place a further wish.

    When there is time for the wish already, that is the answer, unless they want to wait anyway:
    then what is free now is what they do not want.
    """
    company_id = catalog.company.id
    await _Q["pass_gate"].value(conn, company_id=company_id)
    slots, declined = await _free_now(conn, catalog, ask, now=now, conversation_id=conversation_id)
    if slots and not ask.anyway:
        return TimesStillFree(tuple(slots))
    ids = {"company_id": company_id, "customer_id": customer_id, "service_id": ask.service_id}
    known = await _Q["of_customer"].one(conn, **ids)
    values = {"company_id": company_id, "declined": declined, "now": now}
    if known is not None:
        joined = await _add(conn, ask, known, values)
    else:
        values |= {"conversation_id": conversation_id, "ends_at": ask.ends}
        row = await _Q["join"].one(conn, **(ids | values), **_summed_up((ask.wanted,)))
        if row is None:
            raise Conflict("the waitlist gave no place")
        place = Place(row["id"], ask.service_id, (ask.wanted,), row["place"], ask.ends)
        joined = WaitlistJoined(place, "joined")
    await _Q["tell_desk"].value(conn, company_id=company_id)
    return joined


async def _add(
    conn: Connection, ask: JoinWaitlist, known: asyncpg.Record, values: dict[str, Any]
) -> WaitlistJoined:
    """Add a wish to a place, if it is a new one."""
    before = wishes_from(known["wishes"])
    wishes = (*(one for one in before if one != ask.wanted), ask.wanted)[-MOST_WISHES:]
    ends = max(ask.ends, known["ends_at"])
    position = known["place"]
    if ask.wanted not in before:
        summed_up = _summed_up(wishes)
        position = await _Q["add_wish"].value(
            conn, id=known["id"], ends_at=ends, **summed_up, **values
        )
    place = Place(known["id"], ask.service_id, wishes, position, ends)
    return WaitlistJoined(place, "known" if ask.wanted in before else "added")


async def places(conn: Connection, *, company_id: int, customer_id: int) -> PlacesFound:
    """What a customer waits for, in the order in which they joined."""
    rows = await _Q["places"].many(conn, company_id=company_id, customer_id=customer_id)
    return PlacesFound(tuple(_place(row) for row in rows))


async def leave(
    conn: Connection, company_id: int, ask: LeaveWaitlist, *, now: datetime, customer_id: int
) -> WaitlistLeft:
    """Give up a place; one whose days are said to be over only when they are."""
    await _Q["pass_gate"].value(conn, company_id=company_id)
    row = await _Q["leave"].one(
        conn,
        company_id=company_id,
        id=ask.waitlist_id,
        customer_id=customer_id,
        over=ask.over,
        now=now,
    )
    return WaitlistLeft(None if row is None else _place(row))


async def take(
    conn: Connection,
    catalog: Catalog,
    ask: TakeOffer,
    *,
    now: datetime,
    customer_id: int,
    conversation_id: int,
    new_id: UUID,
) -> OfferTaken | OfferGone:
    """Book what is on offer under `new_id`; a second tap finds what the first one booked.

    Whoever comes too late still gets the time if it is free.
    """
    slot = ask.slot
    ids = {"company_id": catalog.company.id, "customer_id": customer_id}
    await _Q["pass_gate"].value(conn, company_id=catalog.company.id)
    search = Search(
        looker(conn), catalog, slot.service_id, slot.staff_id, now=now, conversation_id=None
    )
    won = None
    if search.offers(slot.staff_id, epoch(slot.start)):  # else the desk is about to take it back
        won = await _Q["accept"].one(
            conn,
            id=ask.waitlist_id,
            offer_id=ask.offer_id,
            conversation_id=conversation_id,
            **ids,
        )
    if won is not None:
        slot = offered_slot(won)
    made = await bookings.book(
        conn,
        catalog,
        BookSlot(Hold(ask.offer_id, slot, now), source="waitlist"),
        now=now,
        customer_id=customer_id,
        conversation_id=conversation_id,
        new_id=new_id,
    )
    if isinstance(made, SlotTaken):
        if won is not None:
            raise Conflict("an offer that was accepted could not be booked")
        return OfferGone()
    visit = made.visit
    await _Q["booked"].exec(conn, id=ask.waitlist_id, booking_id=visit.id, now=now, **ids)
    row = await _Q["later_visit"].one(conn, service_id=visit.service_id, after=visit.start, **ids)
    later = None if row is None else bookings.visit_from(row)
    return OfferTaken(visit, later, shared=won is not None and won["shared"])


async def pass_on(
    conn: Connection, company_id: int, ask: PassOffer, *, now: datetime, customer_id: int
) -> OfferPassed | OfferGone:
    """Give what is on offer to the next in line; the place stays."""
    await _Q["pass_gate"].value(conn, company_id=company_id)
    row = await _Q["pass_on"].one(
        conn,
        company_id=company_id,
        id=ask.waitlist_id,
        customer_id=customer_id,
        offer_id=ask.offer_id,
        outcome=ask.outcome,
        now=now,
    )
    return OfferGone() if row is None else OfferPassed(_place(row), offered_slot(row))


async def desk_with_news(conn: Connection, company_id: int) -> int | None:
    """The company's desk, if there is something for it to hear."""
    found: int | None = await _Q["desk_with_news"].value(conn, company_id=company_id)
    return found


def wishes_from(stored: Sequence[dict[str, Any]]) -> tuple[Wanted, ...]:
    """Wishes as they lie in the database."""
    return tuple(
        Wanted(
            date.fromisoformat(one["from"]),
            date.fromisoformat(one["until"]),
            one.get("part"),
            one.get("staff"),
            one.get("but"),
        )
        for one in stored
    )


async def _free_now(
    conn: Connection,
    catalog: Catalog,
    ask: JoinWaitlist,
    *,
    now: datetime,
    conversation_id: int,
) -> tuple[list[Slot], Declined]:
    """What is free of a wish: the first times of each person in turn, and all of it as ranges."""
    search = Search(
        looker(conn),
        catalog,
        ask.service_id,
        ask.wanted.staff_id,
        now=now,
        conversation_id=conversation_id,
        but=ask.wanted.but,
    )
    spans = list(starts_of(ask.wanted, calendar_of(catalog)))
    free = await search.free(spans[0][0], spans[-1][1] - 1)
    found = {
        staff_id: [part for low, high in spans for part in within(ranges, low, high)]
        for staff_id, ranges in free.starts.items()
    }
    starts = sorted(
        {
            start: staff_id
            for staff_id, ranges in found.items()
            for part in ranges
            for start in part
        }.items()
    )
    slots = list(search.slots((start, staff_id, False) for start, staff_id in starts[:_SHOWN]))
    return slots, [(id_, part[0], part[-1]) for id_, ranges in found.items() for part in ranges]


def _summed_up(wishes: Sequence[Wanted]) -> dict[str, Any]:
    """Wishes, and the columns that sum them up."""
    staff = {one.staff_id for one in wishes}
    parts = {one.part for one in wishes}
    return {
        "wishes": [
            {
                "from": one.first.isoformat(),
                "until": one.last.isoformat(),
                "part": one.part,
                "staff": one.staff_id,
            }
            | ({} if one.but is None else {"but": one.but})
            for one in wishes
        ],
        "staff_id": next(iter(staff)) if len(staff) == 1 else None,
        "wanted_from": min(one.first for one in wishes),
        "wanted_until": max(one.last for one in wishes),
        "part": next(iter(parts)) if len(parts) == 1 else None,
        "flexible": any(
            one.part is None and one.staff_id is None and one.but is None for one in wishes
        ),
    }


def _place(row: asyncpg.Record) -> Place:
    return Place(
        id=row["id"],
        service_id=row["service_id"],
        wanted=wishes_from(row["wishes"]),
        position=row["place"],
        ends=row["ends_at"],
    )


def offered_slot(row: asyncpg.Record) -> Slot:
    return Slot(
        service_id=row["service_id"],
        staff_id=row["offered_staff_id"],
        start=row["offered_starts_at"],
        end=row["offered_ends_at"],
        price_minor=row["offered_price_minor"],
    )
