"""What operators read and count of turns."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import structlog

from bot import metrics
from flows.effects import Alert
from flows.events import Event
from flows.machine import Turn
from storage.dialogs import Dialog, Heard

log = structlog.get_logger("usual.engine")


def alerted(dialog: Dialog, alerts: Sequence[Alert]) -> None:
    """Tell operators what the desk has noticed, once each time that it begins or ends."""
    for alert in alerts:
        if alert.over:
            metrics.WAITLIST_ALERTS.labels(alert.what).inc()
        log.log(
            logging.WARNING if alert.over else logging.INFO,
            "waitlist.alerted" if alert.over else "waitlist.calmed",
            company_id=dialog.company_id,
            reason=alert.what,
            count=alert.value,
            threshold=alert.threshold,
        )


def committed(
    dialog: Dialog,
    event: Event,
    turn: Turn,
    step_from: str,
    asked: int,
    seconds: float,
    heard: Heard | None,
) -> None:
    """Write the one canonical line of a turn."""
    step_to = turn.state.step
    metrics.turn_taken(step_to, seconds)
    log.info(
        "turn.committed",
        company_id=dialog.company_id,
        customer_id=dialog.customer_id,
        conversation_id=dialog.id,
        turn=dialog.turn + 1,
        event_kind=type(event).__name__,
        step_from=step_from,
        step_to=step_to,
        effects=[type(effect).__name__ for effect in turn.effects],
        asks=asked,
        duration_ms=round(seconds * 1000, 2),
        wamid=heard.wamid if heard else None,
    )
