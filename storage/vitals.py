"""Signs of life: what an operator or a probe asks of the database, over all companies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("vitals")

MOST_COUNTED: Final = 100_000
"""Counting goes no further: whoever has so many knows enough."""


@valueclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and how long the most overdue event has been due."""

    pending: int
    lag_seconds: float
    dead: int
    companies_held: int
    with_person: int
    outbox: Mapping[str, int]  # by status
    timers_overdue: int
    timers_lag_seconds: float
    timers_dead: int
    waiting: int = 0  # places on waitlists
    longest_queue: int = 0


async def backlog(conn: Connection, *, now: datetime) -> Backlog:
    """Count what waits now."""
    [row] = await _Q["backlog"].many(conn, now=now, most=MOST_COUNTED)
    due_since, timers_since = row["due_since"], row["timers_due_since"]
    return Backlog(
        pending=row["pending"],
        lag_seconds=max((now - due_since).total_seconds(), 0.0) if due_since else 0.0,
        dead=row["dead"],
        companies_held=row["companies_held"],
        with_person=row["with_person"],
        outbox=row["outbox"],
        timers_overdue=row["timers_overdue"],
        timers_lag_seconds=max((now - timers_since).total_seconds(), 0.0) if timers_since else 0.0,
        timers_dead=row["timers_dead"],
        waiting=row["waiting"],
        longest_queue=row["longest_queue"],
    )


async def applied_versions(conn: Connection) -> frozenset[str]:
    """The migrations this database has."""
    return frozenset(row["version"] for row in await _Q["applied_versions"].many(conn))
