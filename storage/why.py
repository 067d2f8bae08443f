"""Why a time is not offered: the rules in memory and the claims in the database, asked once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from flows.hours import epoch, moment
from flows.why import Claimed, Reason, in_the_way, not_at_work, untimely
from storage import queries
from storage.pool import Connection
from storage.search import Search

_Q = queries.of("search")


async def why(
    conn: Connection, search: Search, at: int, *, now: datetime
) -> Mapping[int, Sequence[Reason]]:
    """What stands against a start, by staff member; nothing where the search lists it.

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
    return {
        staff_id: [
            *general,
            *not_at_work(search.calendar, staff_id, need, at),
            *in_the_way(need, claims[staff_id], at),
        ]
        for staff_id, need in search.needs.items()
    }


async def _claims(
    conn: Connection, search: Search, at: int, now: datetime
) -> Mapping[int, list[Claimed]]:
    rows = await _Q["in_the_way"].many(
        conn,
        company_id=search.catalog.company.id,
        staff_ids=list(search.needs),
        low=moment(at + min(need.begin for need in search.needs.values())),
        high=moment(at + max(need.end for need in search.needs.values())),
        now=now,
    )
    found: dict[int, list[Claimed]] = defaultdict(list)
    for row in rows:
        found[row["staff_id"]].append(Claimed(row["low"], row["high"], row["part"], row["kind"]))
    return found
