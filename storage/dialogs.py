"""Conversations: read and written back whole, one turn at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

import asyncpg

from flows.effects import Payload
from flows.events import Internal
from flows.model import NOBODY, Customer, Usual
from flows.stored import dump_event
from flows.values import valueclass
from storage import queries
from storage.pool import Connection
from storage.preferences import usual_from

_Q = queries.of("dialogs")

Key: TypeAlias = tuple[int, int]
"""(company id, conversation id)"""


@valueclass(frozen=True, slots=True)
class Pending:
    """An event that waits in the inbox of a conversation."""

    id: int
    kind: str
    event: Mapping[str, Any]
    occurred_at: datetime
    attempts: int
    not_before: datetime


@valueclass(frozen=True, slots=True)
class Dialog:
    """A conversation with its next event; `more`: another one waits behind it.

    The desk has no customer. `stale`: the event is of a timer that was moved or cancelled since.
    """

    company_id: int
    id: int
    turn: int
    state: Mapping[str, Any]
    last_inbound_at: datetime | None
    person_until: datetime | None
    customer_id: int | None
    phone: str | None
    bsuid: str | None
    name: str | None
    locale: str | None
    opted_out: bool
    marketing_off: bool
    catalog_version: int
    waiting_sends: Sequence[int]  # outbox ids of this conversation that are not settled
    pending: Pending
    more: bool
    stale: bool = False
    expires_at: datetime | None = None
    usual: Usual | None = None
    next_visit_at: datetime | None = None  # of regulars, and of whoever types: the latest one
    area_id: int | None = None  # where the business comes to for this customer

    def customer(self, now: datetime) -> Customer:
        """Whose conversation it is, as flows know them."""
        if self.customer_id is None:
            return NOBODY
        return Customer(
            self.customer_id,
            self.name,
            self.locale,
            opted_out=self.opted_out,
            marketing_off=self.marketing_off,
            usual=self.usual,
            visit_ahead=self.next_visit_at is not None and self.next_visit_at > now,
        )


@valueclass(frozen=True, slots=True)
class Heard:
    """What an inbound message says about itself: kept with the message."""

    wamid: str | None
    type: str
    in_reply_to: str | None


@valueclass(frozen=True, slots=True)
class TimerOp:
    """A timer to be armed, or, with no due time, cancelled."""

    key: str
    name: str = ""
    due: datetime | None = None
    payload: Payload = field(default_factory=dict)


@valueclass(frozen=True, slots=True)
class ReminderOp:
    """What is noted of a reminder: that it is planned, dropped, sent now, or was answered."""

    op: Literal["plan", "drop", "sent", "answer"]
    booking_id: UUID
    kind: str
    due_at: datetime | None = None
    answer: str | None = None


@valueclass(frozen=True, slots=True)
class Telling:
    """An event for another conversation of the company (None: the desk), once per key."""

    to: int | None
    event: Internal
    key: str


@valueclass(frozen=True, slots=True)
class TurnRecord:
    """What a turn wants written; with `lease_until` this process sends the first message itself."""

    now: datetime
    state: Mapping[str, Any]
    status: str
    locale: str | None
    inbound_at: datetime | None
    person_until: datetime | None
    expires_at: datetime | None
    heard: Heard | None
    bodies: Sequence[Mapping[str, Any]]
    extras: Sequence[Mapping[str, Any]]
    records: Sequence[tuple[str, Mapping[str, Any]]]
    lease_until: datetime | None
    timers: Sequence[TimerOp] = ()  # one a key
    tells: Sequence[Telling] = ()
    reminders: Sequence[ReminderOp] = ()


@valueclass(frozen=True, slots=True)
class Saved:
    """What a turn became: outbox ids of its messages in order, and the conversations it told."""

    outbox_ids: Sequence[int]
    told: Sequence[int]


async def load(conn: Connection, keys: Sequence[Key]) -> list[Dialog | None]:
    """Read conversations with their next events; None for those that have none."""
    rows = await _Q["load"].many(
        conn,
        company_ids=[company_id for company_id, _ in keys],
        conversation_ids=[conversation_id for _, conversation_id in keys],
    )
    found: dict[Key, Dialog] = {}
    for row in rows:
        key = (row["company_id"], row["conversation_id"])
        first = found.get(key)
        found[key] = _dialog(row) if first is None else replace(first, more=True)
    return [found.get(key) for key in keys]


def _dialog(row: asyncpg.Record) -> Dialog:
    return Dialog(
        company_id=row["company_id"],
        id=row["conversation_id"],
        turn=row["turn"],
        state=row["state"],
        last_inbound_at=row["last_inbound_at"],
        person_until=row["person_until"],
        customer_id=row["customer_id"],
        phone=row["phone"],
        bsuid=row["bsuid"],
        name=row["name"],
        locale=row["locale"],
        opted_out=row["opted_out"],
        marketing_off=row["marketing_off"],
        catalog_version=row["catalog_version"],
        waiting_sends=row["waiting_sends"],
        pending=Pending(
            id=row["inbox_id"],
            kind=row["kind"],
            event=row["event"],
            occurred_at=row["occurred_at"],
            attempts=row["attempts"],
            not_before=row["not_before"],
        ),
        more=False,
        stale=row["stale"],
        expires_at=row["expires_at"],
        usual=usual_from(row),
        next_visit_at=row["next_visit_at"],
        area_id=row["area_id"],
    )


async def save(conn: Connection, turns: Sequence[tuple[Dialog, TurnRecord]]) -> list[Saved | None]:
    """Write turns of different conversations and mark their events handled.

    None for one whose event was handled, whose timer was moved or cancelled, or in whose
    conversation somebody else took a turn meanwhile: then nothing is written of it.
    """
    rows = await _Q["save"].many(conn, turns=[_as_record(*turn) for turn in turns])
    saved = {
        (row["company_id"], row["inbox_id"]): Saved(row["outbox_ids"], row["told"]) for row in rows
    }
    return [saved.get((dialog.company_id, dialog.pending.id)) for dialog, _ in turns]


def _as_record(dialog: Dialog, record: TurnRecord) -> dict[str, Any]:
    heard = record.heard
    return {
        "company_id": dialog.company_id,
        "conversation_id": dialog.id,
        "customer_id": dialog.customer_id,
        "phone": dialog.phone,
        "inbox_id": dialog.pending.id,
        "turn": dialog.turn,
        "now": record.now,
        "state": record.state,
        "status": record.status,
        "locale": record.locale,
        "inbound_at": record.inbound_at,
        "person_until": record.person_until,
        "expires_at": record.expires_at,
        "wamid": heard.wamid if heard else None,
        "type": heard.type if heard else None,
        "in_reply_to": heard.in_reply_to if heard else None,
        "occurred_at": dialog.pending.occurred_at,
        "said": [
            {"body": body, "extras": extras}
            for body, extras in zip(record.bodies, record.extras, strict=True)
        ],
        "records": record.records,
        "lease_until": record.lease_until,
        "timers": [_as_op(op) for op in record.timers],
        "tells": [_as_tell(telling) for telling in record.tells],
        # As text: an id that came from the database is of a class that JSON does not know.
        "reminders": [{**asdict(op), "booking_id": str(op.booking_id)} for op in record.reminders],
    }


def _as_op(op: TimerOp) -> dict[str, Any]:
    if op.due is None:
        return {"key": op.key}
    return {"key": op.key, "name": op.name, "due_at": op.due, "payload": op.payload}


def _as_tell(telling: Telling) -> dict[str, Any]:
    kind, event = dump_event(telling.event)
    return {"to": telling.to, "kind": kind, "event": event, "key": f"told:{telling.key}"}


async def desk(conn: Connection, company_id: int, *, now: datetime) -> int:
    """Find the company's conversation with nobody, or make it; returns its id."""
    found: int = await _Q["desk"].value(conn, company_id=company_id, now=now)
    return found


async def set_locale(conn: Connection, *, company_id: int, customer_id: int, locale: str) -> None:
    """Speak this language with the customer from now on."""
    await _Q["set_locale"].exec(conn, company_id=company_id, customer_id=customer_id, locale=locale)


async def set_area(conn: Connection, *, company_id: int, customer_id: int, area_id: int) -> None:
    """Come to this area when the customer books, from now on."""
    await _Q["set_area"].exec(conn, company_id=company_id, customer_id=customer_id, area_id=area_id)


async def set_opted_out(
    conn: Connection, *, company_id: int, customer_id: int, at: datetime | None
) -> None:
    """Note that the customer wants no messages from a moment on, or wants them again (None)."""
    await _Q["set_opted_out"].exec(
        conn, company_id=company_id, customer_id=customer_id, opted_out_at=at
    )


async def set_marketing(
    conn: Connection, *, company_id: int, customer_id: int, off_since: datetime | None
) -> None:
    """Note that the customer wants no suggestions from a moment on, or wants them again (None)."""
    await _Q["set_marketing"].exec(
        conn, company_id=company_id, customer_id=customer_id, off_since=off_since
    )


async def cleanup_expired(conn: Connection, *, now: datetime) -> int:
    """Let conversations rest that were left in the middle of something; returns how many."""
    return int(await _Q["cleanup_expired"].value(conn, now=now))
