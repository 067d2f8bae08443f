"""The inbox: what has happened and is to be handled, each event once.

An event is `pending` until a turn (or, for a status, its worker) has handled it. What nothing is to
be done about is `kept`; what failed too often is `dead` until an operator has it replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from flows.events import Internal
from flows.stored import dump_event
from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("inbox")

KEPT_FOR: Final = timedelta(days=8)
"""How long a handled event is recognised when it comes again: Meta tries for seven days."""
STRAYS_KEPT_FOR: Final = timedelta(days=30)
_PURGED_AT_ONCE: Final = 5_000

Kind: TypeAlias = Literal["message", "system", "echo", "status", "notice", "account", "kept"]
"""What Meta tells of: what a customer sent, a new number or id of theirs, what somebody wrote to
them by hand, how far a message of ours has got, a template or a customer's wish, the account, and
what is of no use or not understood. The last two are only kept."""

StrayReason: TypeAlias = Literal["unknown_number", "unknown_account", "unreadable"]


@valueclass(frozen=True, slots=True)
class Identity:
    """Who somebody is to WhatsApp: the number, the business-scoped id, or both."""

    phone: str | None = None  # digits only
    bsuid: str | None = None
    parent_bsuid: str | None = None
    username: str | None = None
    profile_name: str | None = None


@valueclass(frozen=True, slots=True)
class NewEvent:
    """An event as it came from Meta; `event` is what Meta sent, whole.

    `phone_number_id` and `waba_id` say whose it is, `field` in which of Meta's fields it came.
    `moved_to` is who the customer is now, for `system`.
    """

    phone_number_id: str | None
    waba_id: str | None
    kind: Kind
    dedup_key: str
    event: Mapping[str, Any]
    occurred_at: datetime
    identity: Identity | None = None
    moved_to: Identity | None = None
    field: str = "messages"

    @property
    def who(self) -> Identity | None:
        """Who it is about, as they are known from now on."""
        return self.moved_to or self.identity


@valueclass(frozen=True, slots=True)
class Received:
    """An event that is in the inbox now and was not before."""

    company_id: int
    id: int
    conversation_id: int | None
    kind: str


@valueclass(frozen=True, slots=True)
class Parked:
    """An event that failed too often."""

    company_id: int
    id: int
    conversation_id: int | None
    kind: str
    received_at: datetime
    attempts: int
    last_error: str | None


@valueclass(frozen=True, slots=True)
class WaitingNotice:
    """A notice in the inbox, as Meta sent it."""

    company_id: int
    inbox_id: int
    event: Mapping[str, Any]
    occurred_at: datetime


Addressed: TypeAlias = tuple[int, int | None, NewEvent]
"""(company id, conversation id or None, event)"""


async def put(conn: Connection, events: Sequence[Addressed], *, now: datetime) -> list[Received]:
    """Add events and return those that had not come before; at most one statement."""
    if not events:
        return []
    added = await _Q["put"].many(conn, events=[as_row(*one) for one in events], now=now)
    return [Received(*row) for row in added]


def as_row(company_id: int, conversation_id: int | None, event: NewEvent) -> dict[str, Any]:
    """Return what statements are told of an event."""
    return {
        "company_id": company_id,
        "conversation_id": conversation_id,
        "dedup_key": event.dedup_key,
        "kind": event.kind,
        "event": event.event,
        "occurred_at": event.occurred_at,
    }


async def fates(conn: Connection, events: Sequence[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The status of events by company id and key; what has never come is left out."""
    keys = [{"company_id": company, "dedup_key": key} for company, key in events]
    rows = await _Q["fates"].many(conn, events=keys)
    return {(row["company_id"], row["dedup_key"]): row["status"] for row in rows}


async def stray_fates(conn: Connection, keys: Sequence[str]) -> dict[str, StrayReason]:
    """Why events are strays, by key; those that are none are left out."""
    rows = await _Q["stray_fates"].many(conn, dedup_keys=list(keys))
    return {row["dedup_key"]: row["reason"] for row in rows}


async def put_strays(
    conn: Connection, strays: Sequence[tuple[StrayReason, NewEvent]], *, now: datetime
) -> int:
    """Keep events that no company can be found for; returns how many had not come before."""
    if not strays:
        return 0
    rows = [
        {
            "reason": reason,
            "phone_number_id": event.phone_number_id,
            "dedup_key": event.dedup_key,
            "body": event.event,
        }
        for reason, event in strays
    ]
    return await _Q["put_strays"].exec(conn, strays=rows, now=now)


async def put_internal(
    conn: Connection,
    company_id: int,
    conversation_id: int,
    event: Internal,
    *,
    dedup_key: str,
    now: datetime,
) -> int | None:
    """Add an event of our own making for a conversation; its id, or None if it is there already."""
    kind, stored = dump_event(event)
    added: int | None = await _Q["put_internal"].value(
        conn,
        company_id=company_id,
        conversation_id=conversation_id,
        kind=kind,
        event=stored,
        dedup_key=dedup_key,
        now=now,
    )
    return added


async def pending_conversations(
    conn: Connection, *, now: datetime, limit: int
) -> list[tuple[int, int]]:
    """Find (company id, conversation id) where events are due; the most overdue first."""
    rows = await _Q["pending_conversations"].many(conn, now=now, most=limit)
    return [(row["company_id"], row["conversation_id"]) for row in rows]


async def claim_notices(conn: Connection, *, most: int, now: datetime) -> list[WaitingNotice]:
    """Take notices that wait, oldest first, until the transaction ends."""
    rows = await _Q["claim_notices"].many(conn, most=most, now=now)
    return [WaitingNotice(*row) for row in rows]


async def finish(conn: Connection, notices: Sequence[WaitingNotice], *, now: datetime) -> None:
    """Mark notices as handled."""
    await _Q["finish"].exec(
        conn,
        company_ids=[one.company_id for one in notices],
        ids=[one.inbox_id for one in notices],
        now=now,
    )


async def retry(
    conn: Connection, company_id: int, inbox_id: int, *, not_before: datetime, error: str
) -> None:
    """Put a pending event off; `error` must not say anything personal."""
    await _Q["retry"].exec(
        conn, company_id=company_id, id=inbox_id, not_before=not_before, error=error
    )


async def park(
    conn: Connection, company_id: int, inbox_id: int, *, now: datetime, error: str
) -> None:
    """Give a pending event up until an operator has it replayed."""
    await _Q["park"].exec(conn, company_id=company_id, id=inbox_id, now=now, error=error)


async def set_by(conn: Connection, company_id: int, inbox_id: int, *, now: datetime) -> None:
    """Keep a pending event that nothing is to be done about any more."""
    await _Q["set_by"].exec(conn, company_id=company_id, id=inbox_id, now=now)


async def dead(conn: Connection, company_id: int | None, *, limit: int) -> list[Parked]:
    """List parked events, of one company or of all, latest first."""
    rows = await _Q["dead"].many(conn, company_id=company_id, most=limit)
    return [Parked(*row) for row in rows]


async def replay(
    conn: Connection, company_id: int | None, ids: Sequence[int] | None, *, now: datetime
) -> int:
    """Have parked events handled again: these, or all (None); returns how many."""
    count: int = await _Q["replay"].value(conn, company_id=company_id, ids=ids, now=now)
    return count


async def purge(conn: Connection, *, now: datetime) -> int:
    """Delete what was handled or strayed long ago, a part at a time; returns how many rows."""
    gone = 0
    for query, age in (("purge", KEPT_FOR), ("purge_strays", STRAYS_KEPT_FOR)):
        deleted = _PURGED_AT_ONCE
        while deleted == _PURGED_AT_ONCE:
            deleted = await _Q[query].exec(conn, before=now - age, most=_PURGED_AT_ONCE)
            gone += deleted
    return gone
