"""The worker: takes the turns of conversations that have events.

A conversation is woken by the receiver of the same process directly, by other processes over
Redis, and by the sweep, which finds in the inbox whatever a lost wake-up or a dead process left.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Iterable
from typing import Final

import structlog
from redis.asyncio import Redis

from bot import metrics
from bot.engine import Engine, StaleTurn
from bot.lanes import Lanes
from storage import inbox, wakeups
from storage.clock import Clock, system_clock
from storage.errors import StorageError
from storage.pool import Pool, connection
from storage.redis import REDIS_ERRORS
from storage.wakeups import Key

log = structlog.get_logger("usual.worker")

SWEEP_EVERY_S: Final = 1.0
SWEEP_AT_MOST: Final = 1000
_SECOND_LOOK_S: Final = 0.05
_TURNS_IN_A_ROW: Final = 20  # then others come first
# Times the number of tasks: what would wait longer goes to other processes, if there are any.
_SHARE_BEYOND: Final = 2
_RETRY_S: Final = (
    0.02,
    0.1,
    0.5,
    1.0,
)  # pauses after storage trouble; the sweep goes on from there


class Worker:
    """Takes turns with a fixed number of tasks."""

    def __init__(
        self,
        engine: Engine,
        pool: Pool,
        redis: Redis,
        blocking_redis: Redis,
        *,
        tasks: int,
        clock: Clock,
    ) -> None:
        self._engine, self._pool, self._clock = engine, pool, clock
        self._redis, self._blocking_redis = redis, blocking_redis
        self._tasks = tasks
        self._lanes = Lanes()
        self._running: set[Key] = set()
        self._again: set[Key] = set()
        self._looked: set[Key] = set()
        self._sharing: set[asyncio.Task[None]] = set()
        self._work = asyncio.Semaphore(0)
        self._name = f"{os.getpid()}-{secrets.token_hex(3)}"
        self._others = 0
        self._stopping = False
        self.last_sweep: float | None = None

    def wake(self, keys: Iterable[Key], *, later: bool = False) -> None:
        """Have these conversations looked at soon; needless calls do no harm.

        `later`: behind all those for whom somebody waits.
        """
        overflow: list[Key] = []
        for key in keys:
            if key in self._running:
                self._again.add(key)
            elif self._lanes.has(key, later=later):
                continue
            elif self._others and self._lanes.length(later=later) >= _SHARE_BEYOND * self._tasks:
                overflow.append(key)
            else:
                self._lanes.add(key, later=later)
                self._work.release()
        if overflow:
            sharing = asyncio.create_task(self._share(overflow, later=later))
            self._sharing.add(sharing)
            sharing.add_done_callback(self._sharing.discard)

    def wake_later(self, keys: Iterable[Key]) -> None:
        """Have them looked at when nobody waits for anything."""
        self.wake(keys, later=True)

    async def run(self) -> None:
        """Work until cancelled; then turns under way are finished first."""
        takers = [asyncio.create_task(self._take()) for _ in range(self._tasks)]
        feeders = [
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._report_alive()),
        ]
        try:
            # wait, unlike gather, does not cancel what it waits for when it is cancelled itself.
            done, _ = await asyncio.wait([*takers, *feeders], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._stopping = True
            for task in feeders:
                task.cancel()
            self._lanes.clear()
            for _ in takers:
                self._work.release()
            await asyncio.wait(takers, timeout=5)
            for task in takers:
                task.cancel()
            await asyncio.gather(*takers, *feeders, *self._sharing, return_exceptions=True)

    async def _take(self) -> None:
        while True:
            await self._work.acquire()
            if self._stopping:
                return
            taken = self._lanes.take()
            if taken is None:
                continue
            key, later = taken
            self._running.add(key)
            try:
                again = await self._take_turns(key)
            finally:
                self._running.discard(key)
                again_asked = key in self._again
                self._again.discard(key)
            if again or again_asked:
                self.wake([key], later=later and not again_asked)

    async def _take_turns(self, key: Key) -> bool:
        """Take turns until nothing waits; True when it stopped early."""
        troubles = 0
        for _ in range(_TURNS_IN_A_ROW):
            self._again.discard(key)
            try:
                taken = await self._engine.take_turn(*key)
            except StorageError as error:
                if not error.retryable:
                    await self._set_aside(key, error)
                    return False
                metrics.TURNS_RETRIED.inc()
                if troubles == len(_RETRY_S):
                    log.warning("turn.postponed", company_id=key[0], error=type(error).__name__)
                    return False
                # When another process was quicker there is nothing to wait for.
                at_once = isinstance(error, StaleTurn) and troubles == 0
                await asyncio.sleep(0 if at_once else _RETRY_S[troubles])
                troubles += 1
                continue
            except Exception as error:
                await self._set_aside(key, error)
                return False
            troubles = 0
            if taken.turn:
                self._looked.discard(key)
            else:
                self._look_once_more(key)
            if not taken.more and key not in self._again:
                return False
        return True

    def _look_once_more(self, key: Key) -> None:
        """Come back to a conversation in which nothing was found, once.

        Another process may have it, and may have looked for events before the newest came.
        """
        if key in self._looked:
            self._looked.discard(key)
        else:
            self._looked.add(key)
            asyncio.get_running_loop().call_later(_SECOND_LOOK_S, self.wake, [key])

    async def _set_aside(self, key: Key, error: Exception) -> None:
        log.error(
            "turn.failed",
            company_id=key[0],
            conversation_id=key[1],
            error=type(error).__name__,
            exc_info=error,
        )
        metrics.TURNS_FAILED.inc()
        try:
            await self._engine.set_aside(*key, error)
        except StorageError as trouble:
            # The event is still pending, so the sweep brings it back.
            log.warning("turn.postponed", company_id=key[0], error=type(trouble).__name__)

    async def _sweep(self) -> None:
        while True:
            try:
                async with connection(self._pool) as conn:
                    keys = await inbox.pending_conversations(
                        conn, now=self._clock(), limit=SWEEP_AT_MOST
                    )
                self.last_sweep = time.monotonic()
                # Every process finds the same ones: if all began with the oldest, all would take
                # the same turns, and all but one in vain.
                random.shuffle(keys)
                # What is at work has been seen; the next sweep finds it if something is left.
                self.wake([key for key in keys if key not in self._running], later=True)
            except StorageError as error:
                log.warning("sweep.failed", error=type(error).__name__)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _listen(self) -> None:
        while True:
            most = _SHARE_BEYOND * self._tasks
            room = most - self._lanes.length(later=False)
            if room <= 0:
                await asyncio.sleep(0.01)
                continue
            behind = self._lanes.length(later=True) < most
            try:
                keys, later = await wakeups.pop(
                    self._blocking_redis, timeout_s=1.0, most=room, behind=behind
                )
            except REDIS_ERRORS as error:
                log.warning("wakeups.lost", error=type(error).__name__)
                await asyncio.sleep(1.0)
            else:
                self.wake(keys, later=later)

    async def _share(self, keys: list[Key], *, later: bool) -> None:
        try:
            await wakeups.push(self._redis, keys, later=later)
        except REDIS_ERRORS:
            self._others = 0
            self.wake(keys, later=later)

    async def _report_alive(self) -> None:
        """Keep count of the workers there are: work is shared only when somebody else is there."""
        try:
            while True:
                try:
                    alive = await wakeups.report_alive(self._redis, self._name, system_clock())
                    self._others = alive - 1
                except REDIS_ERRORS:
                    self._others = 0
                await asyncio.sleep(1.0)
        finally:
            try:
                async with asyncio.timeout(1):
                    await wakeups.report_gone(self._redis, self._name)
            except (*REDIS_ERRORS, TimeoutError):
                pass
