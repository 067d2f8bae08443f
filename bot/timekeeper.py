"""The timekeeper: moves timers that are due into the inbox and has their conversations looked at.

It decides nothing: what a timer means is for the turn that hears it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

import structlog

from bot import metrics
from storage import timers
from storage.clock import Clock, shift_of
from storage.dialogs import Key, TimerOp
from storage.errors import StorageError
from storage.pool import Pool, connection
from storage.timers import FIRED_AT_ONCE, Fired

log = structlog.get_logger("usual.timekeeper")

LOOKS_EVERY_S: Final = 0.25


class Timekeeper:
    """Fires timers; any number of processes may do so at once."""

    def __init__(
        self, pool: Pool, *, wake: Callable[[Collection[Key]], object], clock: Clock
    ) -> None:
        self._pool, self._wake, self._clock = pool, wake, clock
        self._looking = asyncio.Event()
        self.last_sweep: float | None = None

    def look(self) -> None:
        """Look at once for what is due: the clock was moved."""
        self._looking.set()

    def armed(self, company_id: int, ops: Sequence[TimerOp]) -> None:
        """Take note of timers that were armed, moved or cancelled."""
        soon = self._clock() + timedelta(seconds=LOOKS_EVERY_S)
        if any(op.due is not None and op.due < soon for op in ops):
            self._looking.set()

    async def run(self) -> None:
        """Fire what is due until cancelled."""
        while True:
            self._looking.clear()
            try:
                pause = await self._fire()
            except StorageError as error:
                log.warning("timers.waited", error=type(error).__name__)
                pause = LOOKS_EVERY_S
            try:
                async with asyncio.timeout(pause):
                    await self._looking.wait()
            except TimeoutError:
                pass

    async def _fire(self) -> float:
        async with connection(self._pool) as conn:
            fired = await timers.fire_due(conn, shift=shift_of(self._clock))
        self.last_sweep = time.monotonic()
        self._tell(fired)
        return 0.0 if len(fired) == FIRED_AT_ONCE else LOOKS_EVERY_S

    def _tell(self, fired: Sequence[Fired]) -> None:
        if not fired:
            return
        self._wake({(one.company_id, one.conversation_id) for one in fired})
        for one in fired:
            metrics.timer_fired(one.name, one.late_s)
        log.info("timers.fired", count=len(fired), lag_ms=round(fired[0].late_s * 1000, 1))
