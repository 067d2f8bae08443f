"""Claims on people's time: a conversation keeps an offered time while its customer decides.

Whether a time is offered at all is decided by the sweep that also finds times (`flows.slots`);
whether it is still free, by the constraint on slot_claims alone. Losing a race is an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from flows.effects import HoldSlot
from flows.events import SlotHeld, SlotTaken
from flows.hours import cut, epoch, moment
from flows.model import Catalog, Hold, Slot
from flows.slots import whose_turn
from storage import queries
from storage.pool import Connection
from storage.rows import Row, Rows, rows_of
from storage.search import Free, Search
from storage.taken import looker

log = structlog.get_logger("usual.claims")

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

    For anyone, those who are free then are tried in turn. Two statements for anyone, one otherwise;
    one more where more than a person's time decides.
    """
    search = _search(conn, catalog, ask, now=now, conversation_id=conversation_id)
    if search.guarded:
        await pass_gates(conn, search)
    free, candidates = await _candidates(search, ask)
    old = [] if ask.moving is None else await _of_visit(conn, catalog, ask.moving, conversation_id)
    for tried, staff_id in enumerate(candidates):
        slot = search.slot_at(epoch(ask.start), staff_id, free)
        rows = None if slot is None else await rows_of(conn, search, slot, free.taken, now=now)
        if slot is None or rows is None:
            continue
        claimed = await claim_rows(
            conn,
            company_id=catalog.company.id,
            rows=rows.replaced(_beside(rows.rows, old)),
            claim_id=new_id,
            conversation_id=conversation_id,
            until=ask.until,
            now=now,
            anyone=ask.staff_id is None or search.guarded,
        )
        if claimed:
            if ask.staff_id is None and len(search.needs) > 1:
                _explain(search, free, candidates[tried:], epoch(ask.start))
            return SlotHeld(Hold(new_id, slot, ask.until))
    await release(conn, company_id=catalog.company.id, conversation_id=conversation_id)
    return SlotTaken()


def _search(
    conn: Connection, catalog: Catalog, ask: HoldSlot, *, now: datetime, conversation_id: int
) -> Search:
    return Search(
        looker(conn),
        catalog,
        ask.service_id,
        ask.staff_id,
        now=now,
        conversation_id=conversation_id,
        moving=ask.moving,
        also=ask.also,
        but=ask.but,
    )


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
    kind: str = "hold",
) -> bool:
    """Hold or offer these stretches of somebody's time, all of them or none; tells which.

    When they are held, what the conversation held before is let go. Whoever may go on to claim
    somebody else's time in the same transaction says `anyone`.
    """
    first = min((low for low, _, part in parts if part == "visit"), default=0)
    rows = Rows(
        tuple(Row(staff_id, low, high, part, leads=low == first) for low, high, part in parts)
    )
    return await claim_rows(
        conn,
        company_id=company_id,
        rows=rows,
        claim_id=claim_id,
        conversation_id=conversation_id,
        until=until,
        now=now,
        anyone=anyone,
        kind=kind,
    )


async def claim_rows(
    conn: Connection,
    *,
    company_id: int,
    rows: Rows,
    claim_id: UUID,
    conversation_id: int | None,
    until: datetime,
    now: datetime,
    anyone: bool = False,
    kind: str = "hold",
) -> bool:
    """The same for whatever a visit takes: people, rooms, a place in a group."""
    kept: int = await _Q["claim"].value(
        conn,
        company_id=company_id,
        claim_id=claim_id,
        conversation_id=conversation_id,
        until=until,
        now=now,
        anyone=anyone,
        kind=kind,
        service_id=rows.service_id,
        session_id=rows.session_id,
        **rows.arrays(),
    )
    if 0 < kept < len(rows.rows):
        made = any(row.shared for row in rows.rows)
        await _Q["undo"].exec(
            conn, company_id=company_id, claim_id=claim_id, session_id=rows.session_id, made=made
        )
    return kept == len(rows.rows)


async def pass_gates(conn: Connection, search: Search) -> None:
    """Be the only one to give out the time of whoever may do a visit, until the transaction ends.

    What was given out before is seen by what is asked from now on.
    """
    staff_ids = {id_ for stage in search.plan.stages for id_ in stage.needs}
    await _Q["pass_gate"].value(
        conn, company_id=search.catalog.company.id, staff_ids=sorted(staff_ids), anyone=True
    )


async def pass_gate(conn: Connection, *, staff_id: int) -> None:
    """Be the only one to give out somebody's time until the transaction ends."""
    await _Q["pass_gate"].value(conn, company_id=0, staff_ids=[staff_id], anyone=False)


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


async def claimable(
    conn: Connection, search: Search, slot: Slot, *, now: datetime, lapsed: bool
) -> Rows | None:
    """What a slot that was offered once takes today; None when it is not offered as it was.

    Whoever had a hold may come a little late: after it lapsed, hours and length of the visit must
    still be the same, but the lead time is not asked for again. Where more than one person's time
    decides, their gates are passed first.
    """
    at = epoch(slot.start)
    doers = [piece.staff_id for piece in slot.pieces] or [slot.staff_id]
    if not search.done_by(doers) or search.slot_of(at, doers).end != slot.end:
        return None
    if lapsed and (slot.start <= now or not search.offers(slot.staff_id, at)):
        return None
    taken = Free().taken
    if search.guarded:
        await pass_gates(conn, search)
        taken = await search.taken(doers[:1], at, at)
        if not any(at in times for times in search.plan.free(doers[:1], taken, at, at)[doers[0]]):
            return None
    return await rows_of(conn, search, slot, taken, now=now)


async def _candidates(search: Search, ask: HoldSlot) -> tuple[Free, list[int]]:
    """Who may take the visit, first choice first."""
    at, nobody = epoch(ask.start), (Free(), list[int]())
    if moment(at) != ask.start or not search.earliest <= at <= search.latest:
        return nobody
    if ask.staff_id is not None and not search.guarded:
        return (Free(), [ask.staff_id]) if search.offers(ask.staff_id, at) else nobody
    bounds = search.calendar.bounds(search.calendar.day_of(at))
    free = await search.free(bounds.start, bounds.end - 1, turns=ask.staff_id is None)
    return free, free.at(at, free.order(bounds.start, bounds.end))


def _explain(search: Search, free: Free, candidates: Sequence[int], at: int) -> None:
    """Log who got a visit for anyone, and why they and nobody else."""
    bounds = search.calendar.bounds(search.calendar.day_of(at))
    visits = free.visits(bounds.start, bounds.end)
    log.info(
        "slot.assigned",
        company_id=search.catalog.company.id,
        service_id=search.service_id,
        staff_id=candidates[0],
        reason=whose_turn(candidates, visits, free.taken.last_booked, free.weights or {}),
        candidates=len(candidates),
        visits=visits.get(candidates[0], 0),
    )


async def _of_visit(
    conn: Connection, catalog: Catalog, booking_id: UUID, conversation_id: int
) -> list[tuple[int, Part]]:
    rows = await _Q["of_visit"].many(
        conn,
        company_id=catalog.company.id,
        booking_id=booking_id,
        conversation_id=conversation_id,
    )
    return [(row["claimant"], (epoch(row["low"]), epoch(row["high"]), row["part"])) for row in rows]


def _beside(rows: Iterable[Row], old: Sequence[tuple[int, Part]]) -> list[Row]:
    """What of a new time is not the visit's already: a visit may move across its own old time.

    The rest is enough to keep others away until the move, which then claims all of it anew.
    """
    left = []
    for row in rows:
        cuts = [
            (low, high)
            for claimant, (low, high, part) in old
            if claimant == row.claimant and row.part != "seat" and "visit" in (part, row.part)
        ]
        left += [row._replace(low=low, high=high) for low, high in cut([(row.low, row.high)], cuts)]
    return left
