"""What becomes of an event that a turn failed on: tried again with growing pauses, then parked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from bot import metrics
from flows.events import TimerFired, TurnFailed
from flows.stored import kind_of
from storage import dialogs, inbox, timers
from storage.dialogs import Dialog
from storage.pool import Connection

log = structlog.get_logger("usual.engine")

MAX_ATTEMPTS: Final = 4
"""How often an event is tried before it is parked; timers have a limit of their own."""
_LONGEST_PAUSE_S: Final = 300.0
_TIMER: Final = kind_of(TimerFired)


async def set_aside(
    conn: Connection, company_id: int, conversation_id: int, error: str, *, now: datetime
) -> None:
    """Put off a conversation's oldest event, or park it; one that is parked is told as TurnFailed.

    `error` is the kind of trouble, and nothing personal.
    """
    (dialog,) = await dialogs.load(conn, [(company_id, conversation_id)])
    if dialog is None:
        return
    event = dialog.pending
    if await _may_try_again(conn, dialog, error):
        pause = timedelta(seconds=min(0.5 * 4**event.attempts, _LONGEST_PAUSE_S))
        await inbox.retry(conn, company_id, event.id, not_before=now + pause, error=error)
        return
    await inbox.park(conn, company_id, event.id, now=now, error=error)
    if event.kind != kind_of(TurnFailed):
        await inbox.put_internal(
            conn,
            company_id,
            conversation_id,
            TurnFailed(),
            dedup_key=f"turn_failed:{event.id}",
            now=now,
        )
    metrics.EVENTS_PARKED.inc()
    log.error(
        "event.parked",
        company_id=company_id,
        conversation_id=conversation_id,
        inbox_id=event.id,
        event_kind=event.kind,
        timer=event.event.get("name") if event.kind == _TIMER else None,
        error=error,
    )


async def _may_try_again(conn: Connection, dialog: Dialog, error: str) -> bool:
    event = dialog.pending
    if event.kind != _TIMER or dialog.stale:
        return event.attempts + 1 < MAX_ATTEMPTS
    status = await timers.failed(
        conn,
        company_id=dialog.company_id,
        key=event.event["key"],
        generation=event.event["generation"],
        error=error,
    )
    if status == "dead":
        metrics.TIMERS_PARKED.inc()
    return status != "dead"
