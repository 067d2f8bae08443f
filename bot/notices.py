"""The notice worker: what Meta tells of templates, and customers of marketing, is noted.

Notices are few and concern no conversation. Each batch is one transaction: claimed from the inbox,
understood, noted, closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from bot.batches import drain_for_ever
from bot.whatsapp.notices import Notice, read_notice
from storage import customers, inbox, templates
from storage.clock import Clock
from storage.customers import MarketingWish
from storage.errors import StorageError
from storage.inbox import WaitingNotice
from storage.pool import Connection, Pool, savepoint, transaction
from storage.templates import TemplateNews

log = structlog.get_logger("usual.notices")

SWEEP_EVERY_S: Final = 5.0
AT_ONCE: Final = 100
_ALARMING: Final = frozenset(("PAUSED", "DISABLED", "REJECTED", "FLAGGED"))


class Notices:
    """Handles notices, one at a time: they are few."""

    def __init__(self, pool: Pool, *, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look soon: a notice has come in."""
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await drain_for_ever(
            self._news,
            self.drain,
            kind="notice",
            at_once=AT_ONCE,
            every_s=SWEEP_EVERY_S,
        )

    async def drain(self) -> int:
        """Handle what is due, up to a batch; returns how many notices that were."""
        now = self._clock()
        async with transaction(self._pool) as conn:
            waiting = await inbox.claim_notices(conn, most=AT_ONCE, now=now)
            done = [one for one in waiting if await self._note(conn, one)]
            await inbox.finish(conn, done, now=now)
        return len(waiting)

    async def _note(self, conn: Connection, waiting: WaitingNotice) -> bool:
        """Note what a notice says; False when it was parked, for it cannot be noted."""
        notices = read_notice(waiting)
        try:
            async with savepoint(conn):
                await _write(conn, notices)
        except StorageError as error:
            if error.retryable:
                raise
            kind = type(error).__name__
            log.exception("event.parked", company_id=waiting.company_id, inbox_id=waiting.inbox_id)
            await inbox.park(
                conn, waiting.company_id, waiting.inbox_id, now=self._clock(), error=kind
            )
            return False
        for notice in notices:
            _tell(notice)
        return True


async def _write(conn: Connection, notices: Sequence[Notice]) -> None:
    await templates.put(conn, [one for one in notices if isinstance(one, TemplateNews)])
    await customers.note_wishes(conn, [one for one in notices if isinstance(one, MarketingWish)])


def _tell(notice: Notice) -> None:
    if isinstance(notice, MarketingWish):
        outcome = "resumed" if notice.wanted else "stopped"
        log.info("marketing.chosen", company_id=notice.company_id, outcome=outcome)
        return
    alarming = notice.status in _ALARMING or notice.quality == "RED"
    say = log.warning if alarming or notice.category == "MARKETING" else log.info
    say(
        "template.changed",
        company_id=notice.company_id,
        template=notice.name,
        status=notice.status,
        kind=notice.category,
        outcome=notice.quality,
        reason=notice.rejected_reason,
    )
