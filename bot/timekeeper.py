"""The timekeeper: moves timers that are due into the inbox and has their conversations looked at.

Theory of operation
-------------------
It decides nothing: what a timer means is for the turn that hears it. Rows in PostgreSQL are the
truth; firing one is a statement that finds the row armed and due, or does nothing. Redis is the
alarm clock (storage.alarms) and may be empty, wrong or gone. Four nets, each by itself enough:

- a shard of the alarm clock that says it was never filled is filled from the table at once;
- every LOAD_EVERY one process tells the alarm clock what is due within HORIZON. What is due later
  is not in Redis, so that millions of far timers cost it nothing;
- every SWEEP_EVERY_S each process fires what has been due for GRACE; while Redis does not answer
  it fires whatever is due, and sleeps until the next one is;
- all of that happens when it starts.

One clock decides for all processes, PostgreSQL's. A process knows it from its own monotonic clock,
compared at every sweep: a machine whose time of day is wrong fires nothing early and nothing late.
The demo's clock is ahead of it on purpose, by a shift that goes along with every statement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from redis.asyncio import Redis

from bot import metrics
from storage import claims, timers
from storage.alarms import CLAIMED_AT_ONCE, SHARDS, Alarms, Changes, shard_of
from storage.clock import Clock, ServerTime, shift_of
from storage.dialogs import Key, TimerOp
from storage.errors import StorageError
from storage.pool import Pool, connection
from storage.redis import REDIS_ERRORS
from storage.timers import FIRED_AT_ONCE, Fired, Upcoming

log = structlog.get_logger("usual.timekeeper")

HORIZON: Final = timedelta(minutes=2)
LOAD_EVERY: Final = timedelta(seconds=30)
REFILL_WITHIN: Final = timedelta(milliseconds=500)
"""Who fills an emptied alarm clock has so long before somebody else tries."""
SWEEP_EVERY_S: Final = 1.0
GRACE: Final = timedelta(seconds=1)
LOOK_EVERY_S: Final = 0.1
"""How long it takes to notice that the alarm clock was emptied, or what others armed for now."""
UNAIDED_EVERY_S: Final = 0.25
"""How often PostgreSQL is asked without an alarm clock, at least."""
DRAIN_S: Final = 8.0
_PAGE: Final = 1_000
_SHARDS: Final = frozenset(range(SHARDS))


class Timekeeper:
    """Fires timers; any number of processes may do so at once."""

    def __init__(
        self,
        pool: Pool,
        redis: Redis,
        *,
        wake: Callable[[Collection[Key]], object],  # conversations to look at
        clock: Clock,
    ) -> None:
        self._pool, self._wake, self._clock = pool, wake, clock
        self._alarms = Alarms(redis)
        self._server = ServerTime()
        self._changes = Changes()
        self._heads: dict[int, datetime | None] = {}
        self._looked = 0.0
        self._aided = True
        self._stopping = False
        self._news = asyncio.Event()  # for the loop that listens to the alarm clock
        self._moved = asyncio.Event()  # for the sweep
        self._empty = asyncio.Event()  # for the loader
        self.last_sweep: float | None = None

    def look(self) -> None:
        """Look at once for what is due: the clock was moved."""
        self._heads.clear()
        for event in (self._news, self._moved, self._empty):
            event.set()

    def armed(self, company_id: int, ops: Sequence[TimerOp]) -> None:
        """Tell the alarm clock of timers that were armed, moved or cancelled.

        Of what is due within the horizon at once, of the rest with the next look: what rings and is
        not due has no effect.
        """
        metrics.TIMERS_ARMED.inc(sum(op.due is not None for op in ops))
        if not self._aided or not self._server.known:
            return
        beyond = self._now() + HORIZON
        for op in ops:
            key = (company_id, op.key)
            if op.due is None or op.due > beyond:
                self._changes.drop(key)
            else:
                self._changes.set(key, op.due)
                self._news.set()

    async def run(self) -> None:
        """Fire what is due until cancelled; what is being fired then is finished first."""
        loops = [asyncio.create_task(loop()) for loop in (self._sweep, self._listen, self._load)]
        try:
            # wait, unlike gather, does not cancel what it waits for when it is cancelled itself.
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._stopping = True
            self.look()
            await asyncio.wait(loops, timeout=DRAIN_S)
            for task in loops:
                task.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    # --- with the alarm clock ---

    async def _listen(self) -> None:
        while not self._stopping:
            self._news.clear()
            try:
                full = self._server.known and await self._ring()
            except REDIS_ERRORS as error:
                self._unaided(error)
                full = False
            except StorageError as error:
                # What was claimed comes back when its lease is over, or is swept up before.
                log.warning("timers.waited", error=type(error).__name__)
                await asyncio.sleep(LOOK_EVERY_S)
                full = False
            if not full:
                await _until(self._news, self._pause())
        with suppress(*REDIS_ERRORS, TimeoutError):
            async with asyncio.timeout(1):
                await self._alarms.ring(self._taken(), (), now=self._now())

    def _pause(self) -> float:
        """How long there is nothing to do, in seconds."""
        if not self._aided or not self._server.known:
            return LOOK_EVERY_S
        heads = [head for head in self._heads.values() if head is not None]
        if not heads:
            return LOOK_EVERY_S
        return min((min(heads) - self._now()).total_seconds(), LOOK_EVERY_S)

    async def _ring(self) -> bool:
        """Say what is new, and fire what rings; True when more of it waits."""
        now = self._now()
        shards = self._asked(now)
        changes = self._taken()
        if not shards and not changes:
            return False
        rung = await self._alarms.ring(changes, shards, now=now)
        if shards == _SHARDS:
            self._aid()
        self._heads.update(rung.heads)
        for key, due in changes.due.items():
            self._expect(key, due)
        if rung.emptied:
            self._empty.set()
        if not rung.claimed:
            return False
        await self._fire(rung.claimed)
        return len(rung.claimed) >= CLAIMED_AT_ONCE

    def _asked(self, now: datetime) -> Collection[int]:
        """The shards that have something due, as far as known; all of them from time to time."""
        moment = time.monotonic()
        if moment - self._looked >= LOOK_EVERY_S or len(self._heads) < SHARDS:
            self._looked = moment
            return _SHARDS
        return [shard for shard, head in self._heads.items() if head and head <= now]

    def _expect(self, key: timers.Key, due: datetime) -> None:
        shard = shard_of(key)
        head = self._heads.get(shard)
        if head is None or due < head:
            self._heads[shard] = due

    async def _fire(self, claimed: Sequence[timers.Key]) -> None:
        async with connection(self._pool) as conn:
            found = await timers.fire(conn, claimed, shift=shift_of(self._clock))
        beyond = self._now() + HORIZON
        for one in found:
            if one.late_s < 0 and one.due <= beyond:
                self._changes.set((one.company_id, one.key), one.due)
        self._changes.done.update(claimed)
        self._tell([one for one in found if one.late_s >= 0])

    def _taken(self) -> Changes:
        changes, self._changes = self._changes, Changes()
        return changes

    def _aid(self) -> None:
        if not self._aided:
            log.info("alarms.returned")
            self._empty.set()  # of what was armed meanwhile it knows nothing
        self._aided = True
        metrics.ALARM_CLOCK_UP.set(1)

    def _unaided(self, error: Exception) -> None:
        if self._aided:
            log.warning("alarms.lost", error=type(error).__name__)
        self._aided = False
        self._heads.clear()
        metrics.ALARM_CLOCK_UP.set(0)
        self._moved.set()

    # --- without it ---

    async def _sweep(self) -> None:
        while not self._stopping:
            pause = SWEEP_EVERY_S
            try:
                pause = await self._sweep_once()
            except StorageError as error:
                log.warning("timers.waited", error=type(error).__name__)
            await _until(self._moved, pause)

    async def _sweep_once(self) -> float:
        """Fire what nobody was woken for and free lapsed holds; how long until the next time."""
        shift, at_once = shift_of(self._clock), self._moved.is_set() or self.last_sweep is None
        self._moved.clear()
        async with connection(self._pool) as conn:
            sent = time.monotonic()
            self._server.note(await timers.server_time(conn), sent, time.monotonic())
            grace = GRACE if self._aided and not at_once else timedelta()
            fired = await timers.fire_due(conn, shift=shift, grace=grace)
            lapsed = await claims.free_lapsed(conn, shift=shift)
            following = None if self._aided else await timers.next_due(conn)
        self.last_sweep = time.monotonic()
        self._tell(fired)
        if FIRED_AT_ONCE in (len(fired), lapsed):
            self._moved.set()
            return 0.0
        if self._aided:
            return SWEEP_EVERY_S
        wait = UNAIDED_EVERY_S
        if following is not None:
            wait = min(wait, (following - self._now()).total_seconds())
        return wait

    # --- what the alarm clock has to know ---

    async def _load(self) -> None:
        while not self._stopping:
            emptied = self._empty.is_set()
            self._empty.clear()
            lasting = REFILL_WITHIN if emptied else LOAD_EVERY / 2
            try:
                if await self._alarms.may_fill(lasting, again=emptied):
                    await self._fill()
            except (*REDIS_ERRORS, StorageError) as error:
                log.warning("alarms.not_filled", error=type(error).__name__)
            await _until(self._empty, LOAD_EVERY.total_seconds())

    async def _fill(self) -> None:
        """Tell the alarm clock of everything within the horizon, a page at a time."""
        started, count = time.perf_counter(), 0
        shift, last = shift_of(self._clock), None
        page: list[Upcoming] = []
        while (last is None or len(page) == _PAGE) and not self._stopping:
            async with connection(self._pool) as conn:
                page = await timers.upcoming(
                    conn, shift=shift, horizon=HORIZON, after=last, limit=_PAGE
                )
            if not page:
                break
            await self._alarms.fill(page)
            last, count = page[-1], count + len(page)
        await self._alarms.filled()
        self._heads.clear()
        self._news.set()
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        log.info("alarms.filled", count=count, took_ms=took_ms)

    def _now(self) -> datetime:
        return self._server.now() + shift_of(self._clock)

    def _tell(self, fired: Sequence[Fired]) -> None:
        if not fired:
            return
        self._wake({(one.company_id, one.conversation_id) for one in fired})
        for one in fired:
            metrics.timer_fired(one.name, one.late_s)
        latest = max(one.late_s for one in fired)
        log.info("timer.fired", count=len(fired), lag_ms=round(latest * 1000, 1))


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not for longer."""
    if seconds > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
