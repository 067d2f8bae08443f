"""The status worker: what WhatsApp says of our messages, in batches.

Statuses come in any order, twice, before the answer to the send itself, or never. Each batch is one
transaction: claimed from the inbox, understood, applied by one statement, closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias

import structlog

from bot import metrics
from bot.batches import drain_for_ever
from bot.whatsapp.errors import GraphError
from bot.whatsapp.receipts import read_status
from storage import inbox, messages
from storage.clock import Clock
from storage.errors import StorageError
from storage.messages import Heard, StatusNews
from storage.outbox import Key
from storage.pool import Connection, Pool, savepoint, transaction

log = structlog.get_logger("usual.statuses")

SWEEP_EVERY_S: Final = 1.0
AT_ONCE: Final = 500

_LINGER_S: Final = 0.01  # statuses are in no hurry, and come in swarms
_Apply: TypeAlias = Callable[[Connection, Sequence[StatusNews]], Awaitable[list[Heard]]]


class Statuses:
    """Handles statuses; tells `freed` which conversations may send on, `failed` whom to wake."""

    def __init__(
        self,
        pool: Pool,
        *,
        clock: Clock,
        freed: Callable[[int, int], None] | None = None,
        failed: Callable[[Sequence[Key]], None] | None = None,
        held: Callable[[int, GraphError], None] | None = None,
    ) -> None:
        self._pool, self._clock = pool, clock
        self._freed, self._failed, self._held = freed, failed, held
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look soon: a status has come in."""
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled."""
        await drain_for_ever(
            self._news,
            self.drain,
            kind="status",
            at_once=AT_ONCE,
            every_s=SWEEP_EVERY_S,
            linger_s=_LINGER_S,
        )

    async def drain(self) -> int:
        """Handle what is due, up to a batch; returns how many statuses that were."""
        try:
            return await self._drain(self._apply)
        except StorageError as error:
            if error.retryable:
                raise
            # One of them is impossible: the others must not suffer for it.
            return await self._drain(self._apply_singly)

    async def _drain(self, apply: _Apply) -> int:
        now = self._clock()
        async with transaction(self._pool) as conn:
            waiting = await messages.claim_statuses(conn, most=AT_ONCE, now=now)
            if not waiting:
                return 0
            read = [read_status(one, now) for one in waiting]
            heard = await apply(conn, [news for news, _ in read])
        errors = {error.code: error for _, error in read if error is not None}
        for one in heard:
            self._tell(one, errors)
        return len(waiting)

    async def _apply(self, conn: Connection, news: Sequence[StatusNews]) -> list[Heard]:
        return await messages.apply_statuses(conn, news, now=self._clock())

    async def _apply_singly(self, conn: Connection, news: Sequence[StatusNews]) -> list[Heard]:
        heard: list[Heard] = []
        for one in news:
            try:
                async with savepoint(conn):
                    heard += await self._apply(conn, [one])
            except StorageError as error:
                if error.retryable:
                    raise
                log.exception("event.parked", company_id=one.company_id, inbox_id=one.inbox_id)
                kind = type(error).__name__
                await inbox.park(conn, one.company_id, one.inbox_id, now=self._clock(), error=kind)
        return heard

    def _tell(self, heard: Heard, errors: dict[int, GraphError]) -> None:
        if heard.status is None:
            if not heard.waits:
                metrics.STATUSES.labels("unmatched").inc()
            return
        metrics.STATUSES.labels(heard.status).inc()
        if heard.conversation_id is None:
            return
        key = heard.company_id, heard.conversation_id
        if heard.status == "failed":
            self._tell_failed(heard, key, errors)
        if self._freed is not None and heard.settled_from in {"doubt", "pending", "held"}:
            self._freed(*key)

    def _tell_failed(self, heard: Heard, key: Key, errors: dict[int, GraphError]) -> None:
        error = errors[heard.code or 0]
        log.warning(
            "send.failed",
            company_id=heard.company_id,
            conversation_id=heard.conversation_id,
            outbox_id=heard.message_id,
            outcome=heard.after,
            code=error.code,
            error=type(error).__name__,
        )
        if heard.after == "failed" and heard.before != "failed" and self._failed is not None:
            self._failed([key])
        if heard.act == "hold" and heard.after == "queued" and self._held is not None:
            self._held(heard.company_id, error)
