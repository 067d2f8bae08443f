"""What customers usually do: learned anew whenever a visit of theirs is closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import time
from typing import TypeAlias

import asyncpg

from flows.model import Usual
from flows.preferences import VISITS, Past, learned
from storage import queries
from storage.pool import Connection

_Q = queries.of("preferences")

Who: TypeAlias = tuple[int, int]
"""(company id, customer id)"""


async def learn(conn: Connection, customers: Collection[Who]) -> None:
    """Learn what is usual for these customers from what they came to."""
    if not customers:
        return
    rows = await _Q["past_visits"].many(conn, **_arrays(customers), most=VISITS)
    visits: dict[Who, list[Past]] = {who: [] for who in sorted(customers)}
    for row in rows:
        past = Past(row["service_id"], row["staff_id"], row["starts_at"], row["timezone"])
        visits[row["company_id"], row["customer_id"]].append(past)
    found = {who: learned(theirs) for who, theirs in visits.items()}
    known = [
        {"company_id": who[0], "customer_id": who[1], **asdict(preferences)}
        for who, preferences in found.items()
        if preferences is not None
    ]
    if known:
        await _Q["put"].exec(conn, learned=known)
    if strangers := [who for who, preferences in found.items() if preferences is None]:
        await _Q["forget"].exec(conn, **_arrays(strangers))


async def usual(conn: Connection, company_id: int, customer_id: int) -> Usual | None:
    """What a customer usually books, or None when not enough is known."""
    row = await _Q["of_customer"].one(conn, company_id=company_id, customer_id=customer_id)
    return None if row is None else usual_from(row)


def usual_from(row: asyncpg.Record) -> Usual | None:
    """Read the columns of preferences out of a row that may have none."""
    if row["favorite_service_id"] is None or row["favorite_staff_id"] is None:
        return None
    gap = row["average_gap_days"]
    return Usual(
        service_id=row["favorite_service_id"],
        staff_id=row["favorite_staff_id"],
        weekday=row["preferred_weekday"],
        at=time(row["preferred_hour"]),
        visits=row["visits_counted"],
        last_visit=row["last_visit_at"],
        confidence=float(row["confidence"]),
        gap_days=None if gap is None else float(gap),
        next_on=row["next_suggested_on"],
    )


def _arrays(customers: Collection[Who]) -> dict[str, list[int]]:
    return {
        "company_ids": [company_id for company_id, _ in customers],
        "customer_ids": [customer_id for _, customer_id in customers],
    }
