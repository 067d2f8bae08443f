"""What WhatsApp says of the messages that we sent: statuses, prices, failures that come late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from flows.values import valueclass
from storage import queries
from storage.pool import Connection

_Q = queries.of("messages")

STATUSES: Final = ("sent", "delivered", "read", "played", "failed")
"""What a message can become; anything else that WhatsApp says is kept and changes nothing."""

FOUND_WITHIN: Final = timedelta(days=40)
"""How old a message can be for a status of it to be looked for: Meta delivers for 30 days."""

Again: TypeAlias = Literal["retry", "template", "hold"]


@valueclass(frozen=True, slots=True)
class WaitingStatus:
    """A status in the inbox, as Meta sent it."""

    company_id: int
    inbox_id: int
    event: Mapping[str, Any]
    received_at: datetime
    attempts: int


@valueclass(frozen=True, slots=True)
class StatusNews:
    """A status as understood.

    `outbox_id` is our own key, echoed. `act` says that what failed may go again, after `wait`
    seconds and as long as it went out fewer than `tries` times. `again_at` is when to look for the
    message again if there is none by that name yet; None gives up.
    """

    company_id: int
    inbox_id: int
    wamid: str
    status: str
    at: datetime
    outbox_id: int | None = None
    code: int | None = None
    category: str | None = None
    price_type: str | None = None
    price_model: str | None = None
    free: bool = False
    act: Again | None = None
    tries: int = 0
    wait: float = 0.0
    mark: str | None = None
    again_at: datetime | None = None


@valueclass(frozen=True, slots=True)
class Heard:
    """What became of one status.

    `message_id` None: there is no such message (yet, if `waits`). `after` is what the message is
    now, `settled_from` what its outbox row was before the status settled it.
    """

    company_id: int
    waits: bool
    message_id: int | None
    conversation_id: int | None
    status: str | None
    before: str | None
    after: str | None
    act: str | None
    code: int | None
    settled_from: str | None


async def claim_statuses(conn: Connection, *, most: int, now: datetime) -> list[WaitingStatus]:
    """Lock statuses that are to be handled, oldest first, until the transaction ends."""
    rows = await _Q["claim_statuses"].many(conn, most=most, now=now)
    return [WaitingStatus(*row) for row in rows]


async def apply_statuses(
    conn: Connection, news: Sequence[StatusNews], *, now: datetime
) -> list[Heard]:
    """Take messages forward, settle the outbox and close the statuses; in a transaction."""
    statuses = [_as_record(one) for one in news]
    await _Q["lock_told_of"].exec(conn, statuses=statuses)
    rows = await _Q["apply_statuses"].many(
        conn,
        statuses=statuses,
        since=now - FOUND_WITHIN,
        now=now,
    )
    return [
        Heard(
            company_id=row["company_id"],
            waits=row["inbox_status"] == "pending",
            message_id=row["message_id"],
            conversation_id=row["conversation_id"],
            status=row["status"],
            before=row["before"],
            after=row["after"],
            act=row["act"],
            code=row["code"],
            settled_from=row["settled_from"],
        )
        for row in rows
    ]


def _as_record(news: StatusNews) -> dict[str, Any]:
    return {
        "company_id": news.company_id,
        "inbox_id": news.inbox_id,
        "wamid": news.wamid,
        "outbox_id": news.outbox_id,
        "status": news.status,
        "at": news.at,
        "code": news.code,
        "category": news.category,
        "price_type": news.price_type,
        "price_model": news.price_model,
        "free": news.free,
        "act": news.act,
        "tries": news.tries,
        "wait": news.wait,
        "mark": news.mark,
        "known": news.status in STATUSES,
        "again_at": news.again_at,
    }
