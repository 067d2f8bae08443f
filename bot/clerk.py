"""Keeps the outbox in step with what the sender does, in as few statements as possible.

Results gather while the last statement runs and are settled together by the next one, which also
leases the next message of each conversation that has become free. Everything goes through one task,
so what a statement leases is in the sender's hands before another statement looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from bot import metrics
from bot.hands import Hands, Holds
from bot.whatsapp.client import LONGEST_CALL
from storage import outbox
from storage.clock import Clock
from storage.errors import StorageError
from storage.outbox import LEASE, Key, Outgoing, Result
from storage.pool import Connection, Pool, connection

log = structlog.get_logger("usual.sender")

SWEEP_EVERY_S: Final = 1.0
CLAIMED_AT_ONCE: Final = 500
MOST_IN_HAND: Final = 1000
SETTLED_AT_ONCE: Final = 200
PROBE_EVERY: Final = timedelta(minutes=1)
FINAL: Final = frozenset(("sent", "failed"))

_LINGER_S: Final = 0.01  # results that come meanwhile share the statement
_LOOK_FOR_HELD_EVERY: Final = 5  # sweeps
_TROUBLE_PAUSE_S: Final = 0.5


class Clerk:
    """Settles, leases and sweeps; `take` gets what was leased, `failed` whom to tell."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        *,
        in_doubt: timedelta,
        take: Callable[[Sequence[Outgoing]], None],
        failed: Callable[[Sequence[Key]], None],
    ) -> None:
        self._pool, self._clock = pool, clock
        # Whoever lost a row may still be sending it.
        self._doubt = max(in_doubt, timedelta(seconds=LONGEST_CALL + 1))
        self._take, self._tell_failed = take, failed
        self.hands, self.holds = Hands(clock), Holds(clock)
        self.probing: set[int] = set()  # rows that go out although their company is held
        self._results: list[Result] = []
        self._nudged: set[Key] = set()
        self._released: set[int] = set()
        self._news = asyncio.Event()
        self._lock = asyncio.Lock()
        self._sweeps = 0
        self._sweep_due = self._closing = False

    def note(self, result: Result) -> None:
        """Have a result settled soon."""
        if result.outcome not in FINAL:
            self.hands.drop(result.row.id)
        self._results.append(result)
        self._news.set()

    def nudge(self, conversation: Key) -> None:
        """Look whether a conversation has a message that may go."""
        self._nudged.add(conversation)
        self._news.set()

    def sweep(self) -> None:
        """Look at once for whatever is due."""
        self._sweep_due = True
        self._news.set()

    def release(self, company_id: int) -> None:
        """Send what is held of a company."""
        self.holds.drop(company_id)
        self._released.add(company_id)
        self._news.set()

    async def run(self) -> None:
        """Work until closed."""
        ticking = asyncio.create_task(self._tick())
        try:
            while not self._closing:
                await self._news.wait()
                if not self._nudged:
                    await asyncio.sleep(_LINGER_S)
                self._news.clear()
                try:
                    await self._round()
                except StorageError as error:
                    if not error.retryable:
                        log.exception("outbox.broken")
                    else:
                        log.warning("outbox.unreachable", error=type(error).__name__)
                    await asyncio.sleep(_TROUBLE_PAUSE_S)
                    self._news.set()
        finally:
            ticking.cancel()

    async def close(self) -> None:
        """Settle what there is and end; raises StorageError when that cannot be done."""
        self._closing = True
        self._news.set()
        async with self._lock:
            await self._settle_all()

    async def _tick(self) -> None:
        while True:
            self.sweep()
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _round(self) -> None:
        async with self._lock:
            if self._closing:
                return
            await self._settle_all()
            await self._release_all()
            if self._nudged:
                nudged, self._nudged = self._nudged, set()
                await self._claim(lambda conn: outbox.claim_of(conn, nudged, now=self._clock()))
            if self._sweep_due:
                self._sweep_due = False
                await self._sweep()

    async def _claim(
        self, claim: Callable[[Connection], Awaitable[list[Outgoing]]]
    ) -> list[Outgoing]:
        """Lease rows and hand them over, but not before that is committed."""
        async with connection(self._pool) as conn:
            rows = await claim(conn)
        if rows:
            self._take(rows)
        return rows

    async def _settle_all(self) -> None:
        while self._results:
            results = self._results[:SETTLED_AT_ONCE]
            del self._results[:SETTLED_AT_ONCE]
            await self._settle(results)

    async def _settle(self, results: list[Result]) -> None:
        try:
            await self._claim(lambda conn: outbox.settle(conn, results, now=self._clock()))
        except StorageError as error:
            if error.retryable:
                self._results[:0] = results
                raise
            await self._settle_singly(results, error)
            return
        failed = []
        for result in results:
            if result.outcome in FINAL:
                self.hands.drop(result.row.id)
            if result.outcome == "failed":
                failed.append((result.row.company_id, result.row.conversation_id))
        if failed:
            self._tell_failed(failed)

    async def _settle_singly(self, results: list[Result], error: StorageError) -> None:
        """One result is impossible: the others must not suffer for it."""
        if len(results) == 1:
            row = results[0].row
            self.hands.drop(row.id)
            log.error("send.unsettled", company_id=row.company_id, outbox_id=row.id, exc_info=error)
            return
        rest = list(results)
        try:
            while rest:
                await self._settle([rest.pop(0)])
        finally:
            self._results[:0] = rest

    async def _release_all(self) -> None:
        while self._released:
            company_id = next(iter(self._released))
            async with connection(self._pool) as conn:
                await outbox.release(conn, company_id, now=self._clock())
            self._released.discard(company_id)
            self.holds.drop(company_id)  # it may have been found held meanwhile
            self._sweep_due = True

    async def _sweep(self) -> None:
        now = self._clock()
        async with connection(self._pool) as conn:
            if rows := self.hands.running_out(now):
                await outbox.renew(conn, rows, now=now)
                self.hands.renewed(rows, now + LEASE)
            doubted, _ = await outbox.expire(conn, now=now, doubt=self._doubt)
            if self._sweeps % _LOOK_FOR_HELD_EVERY == 0:
                self.holds.found(await outbox.held_companies(conn))
        self._sweeps += 1
        if doubted:
            metrics.SENDS_IN_DOUBT.inc(doubted)
            log.warning("sends.doubted", count=doubted)
        await self._probe()
        room = min(CLAIMED_AT_ONCE, MOST_IN_HAND - len(self.hands))
        if room > 0:
            held = self.holds.companies()
            rows_due = await self._claim(
                lambda conn: outbox.claim(conn, held=held, most=room, now=self._clock())
            )
            if len(rows_due) == room:
                self.sweep()

    async def _probe(self) -> None:
        due = self.holds.due(PROBE_EVERY)
        if not due:
            return
        async with connection(self._pool) as conn:
            probes = await outbox.claim_probes(conn, due, now=self._clock())
        self.probing.update(row.id for row in probes)
        self._take(probes)
        for company_id in set(due) - {row.company_id for row in probes}:
            self.holds.drop(company_id)  # nothing is held any more: somebody has released it
