"""Claims on people's time: a conversation keeps an offered time while its customer decides.

Whether a time is offered at all is decided by the sweep that also finds times (`flows.slots`);
whether it is still free, by the constraint on slot_claims alone. Losing a race is an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flows.effects import HoldSlot
from flows.events import SlotHeld, SlotTaken
from flows.hours import Interval, cut, epoch, moment
from flows.model import Catalog, Hold, Slot
from storage import queries
from storage.pool import Connection
from storage.search import Search

_Q = queries.of("claims")

Part = tuple[int, int, str]
"""A stretch of a claim: from, to (epoch seconds), and "visit" or "buffer"."""


async def hold(
    conn: Connection,
    catalog: Catalog,
    ask: HoldSlot,
    *,
    now: datetime,
    conversation_id: int,
    new_id: UUID,
) -> SlotHeld | SlotTaken:
    """Keep an offered time for a conversation under `new_id`, letting go of what it held before.

    For anyone, those who are free then are tried in turn. Two statements for anyone, one otherwise.
    """
    search = Search(
        conn,
        catalog,
        ask.service_id,
        ask.staff_id,
        now=now,
        conversation_id=conversation_id,
        moving=ask.moving,
    )
    candidates = await _candidates(search, ask)
    old = [] if ask.moving is None else await _of_visit(conn, catalog, ask.moving, conversation_id)
    at = epoch(ask.start)
    for staff_id in candidates:
        parts = _beside(
            search.needs[staff_id].parts(at), [part for owner, part in old if owner == staff_id]
        )
        claimed = await claim(
            conn,
            company_id=catalog.company.id,
            staff_id=staff_id,
            parts=parts,
            claim_id=new_id,
            conversation_id=conversation_id,
            until=ask.until,
            now=now,
            anyone=ask.staff_id is None,
        )
        if claimed:
            return SlotHeld(Hold(new_id, search.slot(at, staff_id), ask.until))
    await release(conn, company_id=catalog.company.id, conversation_id=conversation_id)
    return SlotTaken()


async def claim(
    conn: Connection,
    *,
    company_id: int,
    staff_id: int,
    parts: Sequence[Part],
    claim_id: UUID,
    conversation_id: int,
    until: datetime,
    now: datetime,
    anyone: bool = False,
) -> bool:
    """Hold these stretches of somebody's time, all of them or none; tells which.

    When they are held, what the conversation held before is let go. Whoever may go on to claim
    somebody else's time in the same transaction says `anyone`.
    """
    kept: int = await _Q["claim"].value(
        conn,
        company_id=company_id,
        staff_id=staff_id,
        claim_id=claim_id,
        conversation_id=conversation_id,
        until=until,
        now=now,
        anyone=anyone,
        **arrays(parts),
    )
    if 0 < kept < len(parts):
        await _Q["undo"].exec(conn, company_id=company_id, claim_id=claim_id)
    return kept == len(parts)


async def pass_gate(conn: Connection, *, staff_id: int) -> None:
    """Be the only one to give out somebody's time until the transaction ends."""
    await _Q["pass_gate"].value(conn, staff_id=staff_id)


async def release(conn: Connection, *, company_id: int, conversation_id: int) -> None:
    """Let go of what a conversation holds."""
    await _Q["release"].exec(conn, company_id=company_id, conversation_id=conversation_id)


async def free_lapsed(conn: Connection, *, shift: timedelta) -> int:
    """Delete holds that have lapsed by PostgreSQL's clock, 500 rows at most; how many there were.

    `shift` is how far the time is ahead of that clock on purpose (storage.clock.shift_of).
    """
    return await _Q["free_lapsed"].exec(conn, shift=shift)


async def forget_past(conn: Connection, *, now: datetime) -> int:
    """Delete claims that guard nothing any more, ten thousand rows at most; how many there were."""
    return await _Q["forget_past"].exec(conn, now=now)


def parts_of(search: Search, slot: Slot, *, now: datetime, lapsed: bool) -> list[Part] | None:
    """What a slot that was offered once takes today; None when it is not offered as it was.

    Whoever had a hold may come a little late: after it lapsed, hours and length of the visit must
    still be the same, but the lead time is not asked for again.
    """
    need, at = search.needs.get(slot.staff_id), epoch(slot.start)
    if need is None or moment(at + need.length) != slot.end:
        return None
    if lapsed and (slot.start <= now or not search.offers(slot.staff_id, at)):
        return None
    return need.parts(at)


def arrays(parts: Sequence[Part]) -> dict[str, Any]:
    """Parts as the arguments of the queries that insert them."""
    return {
        "lows": [moment(low) for low, _, _ in parts],
        "highs": [moment(high) for _, high, _ in parts],
        "parts": [part for _, _, part in parts],
        "low": moment(min((low for low, _, _ in parts), default=0)),
        "high": moment(max((high for _, high, _ in parts), default=0)),
    }


async def _candidates(search: Search, ask: HoldSlot) -> list[int]:
    """Who may take the visit, first choice first."""
    at = epoch(ask.start)
    if moment(at) != ask.start or not search.earliest <= at <= search.latest:
        return []
    if ask.staff_id is not None:
        return [ask.staff_id] if search.offers(ask.staff_id, at) else []
    bounds = search.calendar.bounds(search.calendar.day_of(at))
    free = await search.free(bounds.start, bounds.end - 1, turns=True)
    return [
        staff_id
        for staff_id in free.order(bounds.start, bounds.end)
        if any(at in times for times in free.starts[staff_id])
    ]


async def _of_visit(
    conn: Connection, catalog: Catalog, booking_id: UUID, conversation_id: int
) -> list[tuple[int, Part]]:
    rows = await _Q["of_visit"].many(
        conn,
        company_id=catalog.company.id,
        booking_id=booking_id,
        conversation_id=conversation_id,
    )
    return [(row["staff_id"], (epoch(row["low"]), epoch(row["high"]), row["part"])) for row in rows]


def _beside(parts: Sequence[Part], old: Sequence[Part]) -> list[Part]:
    """What of a new time is not the visit's already: a visit may move across its own old time.

    The rest is enough to keep others away until the move, which then claims all of it anew.
    """
    visits: list[Interval] = [(low, high) for low, high, part in old if part == "visit"]
    everything: list[Interval] = [(low, high) for low, high, _ in old]
    return [
        (start, end, part)
        for low, high, part in parts
        for start, end in cut([(low, high)], everything if part == "visit" else visits)
    ]
