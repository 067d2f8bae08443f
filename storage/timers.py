"""Timers: what is due when, and what became of it.

A timer is `armed` until it is due, then `fired`: an event in the inbox, which its conversation
hears in a turn unless the timer was moved or cancelled meanwhile. One whose turn failed too often
is `dead` until an operator has it tried again. Due is what is due by PostgreSQL's clock (see
storage.clock.shift_of).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from flows.effects import Payload
from flows.values import valueclass
from storage import queries
from storage.clock import EPOCH
from storage.pool import Connection

_Q = queries.of("timers")

KEPT_FOR: Final = timedelta(days=30)
"""How long a finished timer can be looked up."""
MAX_ATTEMPTS: Final = 4

Key: TypeAlias = tuple[int, str]
"""(company id, the timer's own key)"""

FIRED_AT_ONCE: Final = 500
_PURGED_AT_ONCE: Final = 5_000


@valueclass(frozen=True, slots=True)
class Fired:
    """A timer that is in its conversation's inbox now; `late_s` is how long after it was due."""

    company_id: int
    key: str
    conversation_id: int
    name: str
    due: datetime
    late_s: float


@valueclass(frozen=True, slots=True)
class Upcoming:
    """A timer that is armed."""

    company_id: int
    key: str
    due: datetime


@valueclass(frozen=True, slots=True)
class Listed:
    """A timer as operators see it; `inbox_id` is the event of one that is parked."""

    company_id: int
    key: str
    name: str
    conversation_id: int
    due: datetime
    attempts: int
    last_error: str | None
    inbox_id: int | None


@valueclass(frozen=True, slots=True)
class Counts:
    """How many timers are armed, how many of them due and late by a second, and so on.

    `waiting` have fired and their turn is to come.
    """

    armed: int
    due: int
    late: int
    parked: int
    waiting: int
    next_due: datetime | None


async def arm(
    conn: Connection,
    *,
    company_id: int,
    conversation_id: int,
    key: str,
    name: str,
    due: datetime,
    now: datetime,
    payload: Payload | None = None,
    priority: int = 0,
    max_attempts: int = MAX_ATTEMPTS,
) -> int:
    """Arm a timer, or move it, in the caller's transaction; returns its generation."""
    generation: int = await _Q["arm"].value(
        conn,
        company_id=company_id,
        conversation_id=conversation_id,
        key=key,
        name=name,
        due_at=due,
        now=now,
        payload=payload or {},
        priority=priority,
        max_attempts=max_attempts,
    )
    return generation


async def cancel(conn: Connection, *, company_id: int, keys: Sequence[str], now: datetime) -> int:
    """Cancel what has not been heard of these timers, in the caller's transaction; how many."""
    return await _Q["cancel"].exec(conn, company_id=company_id, keys=keys, now=now)


async def fire(conn: Connection, keys: Sequence[Key], *, shift: timedelta) -> list[Fired]:
    """Move these to the inbox as far as they are armed and due.

    Those that are armed but not due yet are in the answer too, with a negative `late_s`.
    """
    rows = await _Q["fire"].many(
        conn,
        company_ids=[company_id for company_id, _ in keys],
        keys=[key for _, key in keys],
        shift=shift,
        grace=timedelta(),
    )
    return [Fired(*row) for row in rows]


async def fire_due(
    conn: Connection, *, shift: timedelta, grace: timedelta = timedelta()
) -> list[Fired]:
    """Move timers that have been due for `grace` to the inbox, FIRED_AT_ONCE at most."""
    rows = await _Q["fire"].many(conn, company_ids=None, keys=None, shift=shift, grace=grace)
    return [Fired(*row) for row in rows]


async def upcoming(
    conn: Connection, *, shift: timedelta, horizon: timedelta, after: Upcoming | None, limit: int
) -> list[Upcoming]:
    """List timers that are due or will be within `horizon`, a page at a time, soonest first."""
    last = after or Upcoming(0, "", EPOCH)
    rows = await _Q["upcoming"].many(
        conn,
        shift=shift,
        horizon=horizon,
        after_due=last.due,
        after_company_id=last.company_id,
        after_key=last.key,
        most=limit,
    )
    return [Upcoming(*row) for row in rows]


async def server_time(conn: Connection) -> datetime:
    """What PostgreSQL's clock shows."""
    moment: datetime = await _Q["server_time"].value(conn)
    return moment


async def next_due(conn: Connection) -> datetime | None:
    """When the next armed timer is due."""
    found: datetime | None = await _Q["next_due"].value(conn)
    return found


async def failed(
    conn: Connection, *, company_id: int, key: str, generation: int, error: str
) -> Literal["fired", "dead"] | None:
    """Note that a timer's turn failed: `dead` when it was for the last time, None when stale."""
    status: Literal["fired", "dead"] | None = await _Q["failed"].value(
        conn, company_id=company_id, key=key, generation=generation, error=error
    )
    return status


async def counts(conn: Connection, company_id: int | None, *, now: datetime) -> Counts:
    """Count unfinished timers, of one company or of all."""
    row = await _Q["counts"].one(conn, company_id=company_id, now=now)
    return Counts(*row) if row else Counts(0, 0, 0, 0, 0, None)


async def parked(
    conn: Connection, company_id: int | None, *, keys: Sequence[str] | None = None, limit: int
) -> list[Listed]:
    """List timers that failed too often (only these keys), longest due first."""
    rows = await _Q["parked"].many(conn, company_id=company_id, keys=keys, most=limit)
    return [Listed(*row) for row in rows]


async def following(conn: Connection, company_id: int | None, *, limit: int) -> list[Listed]:
    """List armed timers, soonest first; those that are late come before all others."""
    rows = await _Q["following"].many(conn, company_id=company_id, most=limit)
    return [Listed(*row) for row in rows]


async def purge(conn: Connection, *, now: datetime) -> int:
    """Delete timers that were finished long ago, a part at a time; returns how many."""
    gone, deleted = 0, _PURGED_AT_ONCE
    while deleted == _PURGED_AT_ONCE:
        deleted = await _Q["purge"].exec(conn, before=now - KEPT_FOR, most=_PURGED_AT_ONCE)
        gone += deleted
    return gone
