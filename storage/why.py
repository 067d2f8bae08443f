"""Why a time is not offered: the rules in memory and the claims in the database, asked once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from flows.hours import epoch, moment
from flows.slots import Need
from flows.visits import Board, Stage, Taken, of_things
from flows.why import Claimed, Reason, in_the_way, not_at_work, untimely
from storage import queries
from storage.pool import Connection
from storage.search import Search

_Q = queries.of("taken")

_Claims = Mapping[int, Sequence[Claimed]]


async def why(
    conn: Connection, search: Search, at: int, *, now: datetime
) -> Mapping[int, Sequence[Reason]]:
    """What stands against a start, by who does the first service; nothing where it is listed.

    Whoever is not in `search.needs` does not do the service, or not any more.
    """
    if not search.needs:
        return {}
    general = list(
        untimely(
            search.calendar, at, now=epoch(now), earliest=search.earliest, latest=search.latest
        )
    )
    claims = await _claims(conn, search, at, now)
    taken = await search.taken(list(search.needs), at, at)
    board = Board(search.plan, taken, at, at)
    found = {}
    for staff_id in search.needs:
        seats = taken.sessions.get(staff_id, {}).get(at, -1)
        joins = 0 <= seats < search.plan.capacity
        reasons = [*general, *_alone(search, 0, staff_id, at, claims, taken, joins=joins)]
        if seats >= search.plan.capacity:
            reasons = [*general, Reason("full")]
        if not reasons and board.doers(at, staff_id, []) is None:
            reasons = _followed(search, staff_id, at, claims, taken)
        found[staff_id] = reasons
    return found


def _followed(
    search: Search, staff_id: int, at: int, claims: _Claims, taken: Taken
) -> list[Reason]:
    """Why a visit of several services cannot go on after the first: of who could do the second."""
    begins = at + search.needs[staff_id].length
    needs = search.plan.stages[1].needs
    doer = staff_id if staff_id in needs else next(iter(needs))
    reasons = list(_alone(search, 1, doer, begins, claims, taken, joins=False))
    return [*(one for one in reasons if one.rule != "grid"), Reason("next_service", begins)]


def _alone(
    search: Search,
    number: int,
    staff_id: int,
    at: int,
    claims: _Claims,
    taken: Taken,
    *,
    joins: bool,
) -> Iterator[Reason]:
    """What stands against one service of a visit by one person; of a group, against joining it."""
    plan = search.plan
    stage = plan.stages[number]
    need = stage.needs[staff_id]
    for reason in not_at_work(plan.calendar, staff_id, need, at):
        if not (joins and reason.rule == "grid"):
            yield reason
    if joins:
        return
    yield from in_the_way(need, claims[staff_id], at)
    if staff_id in plan.limits and any(plan.full_days(staff_id, taken, at, at)):
        yield Reason("limit")
    yield from _without_room(stage, need, at, claims)


def _without_room(stage: Stage, need: Need, at: int, claims: _Claims) -> Iterator[Reason]:
    for units in stage.units:
        ways = [list(in_the_way(of_things(need), claims[unit], at)) for unit in units]
        if all(ways):
            yield Reason("resource", ways[0][0].start, ways[0][0].end)


async def _claims(conn: Connection, search: Search, at: int, now: datetime) -> _Claims:
    before, after = search.plan.reach
    rows = await _Q["in_the_way"].many(
        conn,
        company_id=search.catalog.company.id,
        claimants=search.plan.claimants(search.needs),
        low=moment(at + before),
        high=moment(at + after),
        now=now,
    )
    found: dict[int, list[Claimed]] = defaultdict(list)
    for row in rows:
        found[row["claimant"]].append(Claimed(row["low"], row["high"], row["part"], row["kind"]))
    return found
