"""What the desk asks: who waits, what of it is free, and times to be kept for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from flows.areas import seen_from
from flows.effects import FindWaiters, OfferTimes
from flows.events import PlaceLost, TimesOffered, WaitersFound
from flows.hours import calendar_of, epoch, moment
from flows.model import Catalog, Slot, Span
from flows.model_waitlist import Kept, Offer, Waiter
from flows.slots import need_of
from flows.values import valueclass
from storage import queries
from storage.claims import claim_rows, claimable
from storage.clock import uuid7
from storage.pool import Connection
from storage.search import Search
from storage.taken import looker
from storage.waitlist import offered_slot, wishes_from

_Q = queries.of("waitlist")

ABANDONED: Final = timedelta(minutes=5)
"""An offer that has been over for so long has nobody who ends it."""
RATE_OVER: Final = timedelta(days=7)
"""The days whose offers say how many are answered."""


@valueclass(frozen=True, slots=True)
class ForChoice:
    """A time that is kept for staff to choose whom it is offered to."""

    staff_id: int
    start: datetime
    end: datetime
    until: datetime


async def find_waiters(
    conn: Connection,
    catalog: Catalog,
    ask: FindWaiters,
    *,
    now: datetime,
    conversation_id: int,
    inbox_id: int,
) -> WaitersFound:
    """Look at everybody who waits and at all that is free of what they want.

    Offers whose time is gone are taken back on the way. Other events that would have the desk look
    (not `inbox_id`, for which it is looking) are marked handled: this look sees what they are of.
    """
    company_id = catalog.company.id
    await _Q["pass_gate"].value(conn, company_id=company_id)
    await _Q["swallow"].exec(
        conn,
        company_id=company_id,
        conversation_id=conversation_id,
        but=inbox_id,
        version=catalog.version,
        now=now,
    )
    lost, look_at = await _withdraw(conn, catalog, now)
    desk_id = conversation_id if ask.picked else None
    waiters, free = await look(conn, catalog, now=now, desk_id=desk_id)
    rate = await _Q["rate"].one(conn, company_id=company_id, since=now - RATE_OVER)
    answered, silent = (rate["answered"], rate["silent"]) if rate else (0, 0)
    return WaitersFound(waiters, free, tuple(lost), look_at, answered, silent)


async def look(
    conn: Connection, catalog: Catalog, *, now: datetime, desk_id: int | None = None
) -> tuple[tuple[Waiter, ...], Mapping[int, Mapping[int, Sequence[range]]]]:
    """The same look for somebody who only wants to see: nothing is changed by it.

    What `desk_id` keeps for staff to choose about is free.
    """
    rows = await _Q["waiters"].many(conn, company_id=catalog.company.id, now=now)
    offered: dict[int, list[Span]] = {}  # what customers have on offer, by their ids
    for row in rows:
        if row["offered"]:
            span = Span(row["offered_starts_at"], row["offered_ends_at"])
            offered.setdefault(row["customer_id"], []).append(span)
    waiters = tuple(_waiter(row, offered.get(row["customer_id"], ())) for row in rows)
    free = {
        service_id: await _free(conn, catalog, service_id, waiters, now, desk_id)
        for service_id in dict.fromkeys(waiter.service_id for waiter in waiters)
        if service_id in catalog.service_by_id
    }
    return waiters, free


async def offer_times(
    conn: Connection, catalog: Catalog, ask: OfferTimes, *, now: datetime, conversation_id: int
) -> TimesOffered:
    """Keep times for those they are offered to, or for a choice, each all of it or not at all."""
    company_id = catalog.company.id
    made: list[tuple[UUID, Offer]] = []
    for offer in ask.offers:
        offer_id = uuid7(now)
        if ask.picked:
            await _make_way(conn, catalog, offer.slot, now, conversation_id)
        if await _kept(conn, catalog, offer, offer_id, now):
            made.append((offer_id, offer))
            await _Q["offered"].exec(
                conn,
                company_id=company_id,
                ids=[waiter.id for waiter in offer.waiters],
                offer_id=offer_id,
                staff_id=offer.slot.staff_id,
                starts_at=offer.slot.start,
                ends_at=offer.slot.end,
                price_minor=offer.slot.price_minor,
                until=offer.until,
                now=now,
            )
    kept = [one for one in ask.keep if await _chosen(conn, catalog, one, now, conversation_id)]
    lost = len(made) < len(ask.offers) or len(kept) < len(ask.keep)
    return TimesOffered(tuple(made), lost, tuple(kept))


async def kept_for_choice(
    conn: Connection, company_id: int, *, desk_id: int, now: datetime
) -> list[ForChoice]:
    """The times that a desk keeps for staff to choose about."""
    rows = await _Q["kept_for_choice"].many(
        conn, company_id=company_id, conversation_id=desk_id, now=now
    )
    return [ForChoice(*row) for row in rows]


async def _chosen(
    conn: Connection, catalog: Catalog, one: Kept, now: datetime, conversation_id: int
) -> bool:
    """Keep a time for a choice: it is claimed like an offer, but the desk has it."""
    claim_id, company_id = uuid7(now), catalog.company.id
    if not await _kept(conn, catalog, Offer(one.slot, one.until, ()), claim_id, now):
        return False
    ids = {"company_id": company_id, "claim_id": claim_id, "conversation_id": conversation_id}
    await _Q["keep_for_choice"].exec(conn, **ids)
    return True


async def _make_way(
    conn: Connection, catalog: Catalog, slot: Slot, now: datetime, conversation_id: int
) -> None:
    """Let go of what is kept for a choice where the chosen time meets it."""
    need = need_of(
        catalog.service_by_id[slot.service_id],
        catalog.staff_by_id[slot.staff_id].offers[slot.service_id],
        catalog.company.policy,
    )
    parts = need.parts(epoch(slot.start))
    await _Q["make_way"].exec(
        conn,
        company_id=catalog.company.id,
        conversation_id=conversation_id,
        staff_id=slot.staff_id,
        low=moment(min(low for low, _, _ in parts)),
        high=moment(max(high for _, high, _ in parts)),
        now=now,
    )


async def _kept(
    conn: Connection, catalog: Catalog, offer: Offer, offer_id: UUID, now: datetime
) -> bool:
    """Claim all that a visit takes, for nobody yet: whoever answers first gets it."""
    slot = offer.slot
    search = Search(
        looker(conn), catalog, slot.service_id, slot.staff_id, now=now, conversation_id=None
    )
    rows = await claimable(conn, search, slot, now=now, lapsed=False)
    return rows is not None and await claim_rows(
        conn,
        company_id=catalog.company.id,
        rows=rows,
        claim_id=offer_id,
        conversation_id=None,
        until=offer.until,
        now=now,
        anyone=True,
        kind="offer",
    )


async def _withdraw(
    conn: Connection, catalog: Catalog, now: datetime
) -> tuple[list[tuple[int, PlaceLost]], datetime | None]:
    """Take back the offers that cannot be kept.

    Returns whom to tell what they lost, and when the first of the others is over for too long.
    """
    ended: list[tuple[asyncpg.Record, str]] = []
    look_at: datetime | None = None
    for row in await _Q["live_offers"].many(conn, company_id=catalog.company.id):
        expires = row["notification_expires_at"]
        look_again = expires + ABANDONED
        if now < look_again and row["taken"] and not row["kept"]:
            ended.append((row, "lost"))
        elif expires <= now and row["ending"]:  # its customer will hear that it went on
            look_at = min(look_at or now + ABANDONED, now + ABANDONED)
        elif look_again <= now:
            ended.append((row, ""))
        elif expires > now and not (row["kept"] and _stands(conn, catalog, row, now)):
            ended.append((row, "withdrawn"))
        else:
            look_at = min(look_at or look_again, look_again)
    if ended:
        await _Q["withdraw"].exec(
            conn,
            company_id=catalog.company.id,
            ids=[row["id"] for row, _ in ended],
            outcomes=[outcome or "withdrawn" for _, outcome in ended],
            offer_ids=[row["offer_id"] for row, _ in ended],
            now=now,
        )
    told = [
        (
            row["conversation_id"],
            PlaceLost(row["id"], row["offer_id"], offered_slot(row), taken=outcome == "lost"),
        )
        for row, outcome in ended
        if outcome
    ]
    return told, look_at


def _stands(conn: Connection, catalog: Catalog, row: asyncpg.Record, now: datetime) -> bool:
    """Tell whether the hours still have the time that is on offer."""
    slot = offered_slot(row)
    search = Search(
        looker(conn), catalog, slot.service_id, slot.staff_id, now=now, conversation_id=None
    )
    return search.offers(slot.staff_id, epoch(slot.start))


async def _free(
    conn: Connection,
    catalog: Catalog,
    service_id: int,
    waiters: Sequence[Waiter],
    now: datetime,
    desk_id: int | None,
) -> Mapping[int, Sequence[range]]:
    """What is free of all days that anybody waits for."""
    search = Search(looker(conn), catalog, service_id, None, now=now, conversation_id=desk_id)
    days = {
        (bounds.start, bounds.end)
        for waiter in waiters
        if waiter.service_id == service_id
        for wanted in waiter.wanted
        for day in (wanted.first, wanted.last)
        for bounds in [calendar_of(seen_from(catalog, waiter.area_id)).bounds(day.toordinal())]
    }
    free = await search.free(min(days)[0], max(end for _, end in days) - 1)
    return free.starts


def _waiter(row: asyncpg.Record, offered: Sequence[Span]) -> Waiter:
    visits = zip(row["starts"] or (), row["ends"] or (), strict=True)
    engaged = [Span(start, end) for start, end in visits] + list(offered)
    return Waiter(
        id=row["id"],
        customer_id=row["customer_id"],
        conversation_id=row["conversation_id"],
        service_id=row["service_id"],
        wanted=wishes_from(row["wishes"]),
        joined=row["joined_at"],
        flexible=row["flexible"],
        offered=row["offered"],
        silent=row["silent"],
        person_until=row["person_until"],
        declined=tuple((who, first, last) for who, first, last in row["declined"]),
        engaged=tuple(engaged),
        area_id=row["area_id"],
    )
