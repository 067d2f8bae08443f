"""What the tables know of one WhatsApp message: for people who want to see how it was handled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from flows.values import valueclass
from storage import queries
from storage.messages import STATUSES
from storage.pool import Connection

_Q = queries.of("traces")

Row: TypeAlias = Mapping[str, Any]
"""A row of a table, as JSON."""

_NOTHING: Final[Sequence[Any]] = ()


@valueclass(frozen=True, slots=True)
class Trace:
    """A message's rows.

    `event` is what the turn handled that heard or said the message: the message itself where a
    customer wrote it. `said` are the turn's messages with their outbox rows, `records` its steps of
    the funnel, `statuses` what WhatsApp told of the message; `conversation` stands as it does now.
    """

    company_id: int
    event: Row | None
    outbox: Row | None
    message: Row | None
    said: Sequence[Row]
    records: Sequence[Row]
    statuses: Sequence[Row]
    conversation: Row | None
    timers: Sequence[Row]


async def find(
    conn: Connection, phone_number_id: str, wamid: str, *, now: datetime
) -> Trace | None:
    """Collect what is there of a message of a business number; None when nothing is."""
    found = await _Q["find"].one(
        conn,
        phone_number_id=phone_number_id,
        wamid=wamid,
        dedup_key=f"{phone_number_id}:in:{wamid}",
    )
    if found is None or (found["event"] is None and found["outbox"] is None):
        return None
    company_id = found["company_id"]
    talk = {"company_id": company_id, "conversation_id": found["conversation_id"]}
    turn = {**talk, "at": found["turn_at"]}
    event, took_turn = found["event"], found["turn_at"] is not None
    if event is None and took_turn:
        event = await _Q["event_of_turn"].value(conn, **turn)
    keys = [f"{phone_number_id}:status:{wamid}:{status}" for status in STATUSES]
    statuses = await _Q["events"].many(conn, company_id=company_id, keys=keys)
    said = await _Q["said_by_turn"].many(conn, **turn) if took_turn else _NOTHING
    records = await _Q["recorded_by_turn"].many(conn, **turn) if took_turn else _NOTHING
    return Trace(
        company_id=company_id,
        event=event,
        outbox=found["outbox"],
        message=found["message"],
        said=[dict(row) for row in said],
        records=[dict(row) for row in records],
        statuses=[row["event"] for row in statuses],
        conversation=await _Q["conversation"].value(conn, **talk),
        timers=[row["timer"] for row in await _Q["timers"].many(conn, **talk, now=now)],
    )
