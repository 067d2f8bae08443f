"""Takes events into the inbox; what `receive` has returned for is committed.

Theory of operation
-------------------
POSTs that come together share a commit (bot/together.py). A batch is a single statement, which
finds or enrols customers that are not remembered; a transaction only when one of them has moved, or
when there are strays. Statuses and news of accounts, for which nobody waits, go with the next
message, or without one after a moment.

A batch fails as a whole only with the database. When it is an event's own fault, the batch is
halved until the culprit stands alone; it goes to the strays, and its neighbours are stored.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog

from bot import metrics
from bot.addressing import Addressing, Routed, Stray, moves
from bot.together import MOST, Together
from bot.whatsapp.fields import digest
from storage import customers, inbox
from storage.clock import Clock
from storage.companies import Directory
from storage.errors import ConstraintViolated, Refused, StorageError
from storage.inbox import NewEvent, Received
from storage.pool import Pool, connection, transaction

log = structlog.get_logger("usual.intake")

MOST_EVENTS: Final = 1_000
"""From so many on, a batch takes no further POST."""
_PAUSES_S: Final = (0.0, 0.05, 0.2)
_FAULTS_OF_DATA: Final = frozenset(("22", "54"))  # classes of SQLSTATE


class Intake:
    """Stores events, many POSTs at a time; `on_received` hears what is new after each commit."""

    def __init__(
        self,
        pool: Pool,
        directory: Directory,
        *,
        clock: Clock,
        on_received: Callable[[Sequence[Received]], None],
    ) -> None:
        self.clock = clock
        self._pool, self._on_received = pool, on_received
        self._addressing = Addressing(pool, directory)
        self._posts: Together[Sequence[NewEvent], StorageError | None] = Together(
            self._store_posts, weigh=lambda events: len(events) * MOST / MOST_EVENTS
        )

    async def receive(self, events: Sequence[NewEvent]) -> None:
        """Return when all the events are committed, now or before; else raise StorageError."""
        if not events:
            return
        # Most POSTs tell how far messages of ours have got.
        patient = all(event.who is None for event in events)
        error = await self._posts.do(events, patient=patient)
        if error is not None:
            raise error

    async def _store_posts(
        self, posts: Sequence[Sequence[NewEvent]]
    ) -> Sequence[StorageError | None]:
        try:
            received = await self._store([event for post in posts for event in post])
        except StorageError as error:  # the fault of none of them, so it is everybody's
            return [error] * len(posts)
        if received:
            self._on_received(received)
        return [None] * len(posts)

    async def _store(self, events: Sequence[NewEvent]) -> list[Received]:
        """Store events, in one commit unless one of them cannot be stored."""
        pauses = iter(_PAUSES_S)
        while True:
            try:
                return await self._commit(events)
            except StorageError as error:
                pause = next(pauses, None) if self._may_pass(error) else None
                if pause is None:
                    return await self._store_apart(events, error)
            await asyncio.sleep(pause)

    def _may_pass(self, error: StorageError) -> bool:
        """Tell whether to try again, having forgotten what is no longer true."""
        if not isinstance(error, ConstraintViolated):
            return error.retryable
        if error.constraint == "inbox_conversation_fkey":
            self._addressing.forget_customers()
        elif error.constraint.endswith("_company_fkey"):
            self._addressing.forget_companies()
        else:
            return _is_race(error)
        return True

    async def _commit(self, events: Sequence[NewEvent]) -> list[Received]:
        routed, strays = await self._addressing.route(events)
        now = self.clock()
        # A statement is a commit by itself; what takes more of them is one all the same.
        several = moves(routed) or (strays and routed)
        async with transaction(self._pool) if several else connection(self._pool) as conn:
            await inbox.put_strays(conn, strays, now=now)
            received, learned = await self._addressing.put(conn, routed, now=now)
        self._addressing.learn(learned, routed)
        _report(routed, strays, received)
        return received

    async def _store_apart(self, events: Sequence[NewEvent], error: StorageError) -> list[Received]:
        # Of events that stand in each other's way, the later ones find what the earlier ones did.
        if len(events) > 1 and (_is_of_data(error) or _is_race(error)):
            middle = len(events) // 2
            return await self._store(events[:middle]) + await self._store(events[middle:])
        if not _is_of_data(error):
            raise error
        await self._set_aside(events[0], error)
        return []

    async def _set_aside(self, event: NewEvent, error: StorageError) -> None:
        """Keep what cannot be stored as it is in a form that can."""
        stray = replace(
            event,
            phone_number_id=None,
            dedup_key=set_aside_key(event),
            event={"unreadable": ascii(event.event)},
        )
        async with connection(self._pool) as conn:
            await inbox.put_strays(conn, [("unreadable", stray)], now=self.clock())
        metrics.EVENTS_STRAY.inc()
        log.error("event.strayed", reason="unreadable", error=error, sqlstate=error.sqlstate)


def set_aside_key(event: NewEvent) -> str:
    """Under which key an event is kept that cannot be stored as it is."""
    return f"unreadable:{digest([ascii(event.dedup_key), ascii(event.event)])}"


def _is_race(error: StorageError) -> bool:
    return isinstance(error, ConstraintViolated) and error.constraint in customers.RACES


def _is_of_data(error: StorageError) -> bool:
    """Tell whether what was to be stored is at fault, and not the database."""
    if isinstance(error, ConstraintViolated):
        return not _is_race(error)
    # Without a code it is the driver that could not write a value.
    return isinstance(error, Refused) and (error.sqlstate or "22")[:2] in _FAULTS_OF_DATA


def _report(
    routed: Sequence[Routed], strays: Sequence[Stray], received: Sequence[Received]
) -> None:
    kinds = Counter(event.kind for event in received)
    for kind, count in kinds.items():
        metrics.EVENTS.inc(kind, count)
    duplicates = len(routed) - len(received)
    if duplicates:
        metrics.EVENTS_DUPLICATE.inc(duplicates)
    log.debug("webhook.accepted", kinds=kinds, duplicates=duplicates, strays=len(strays))
    kept = Counter(event.field for _, event in routed if event.kind in ("account", "kept"))
    for field, count in kept.items():
        log.info("event.kept", field=field, count=count)
    for reason, count in Counter(reason for reason, _ in strays).items():
        metrics.EVENTS_STRAY.inc(count)
        log.warning("event.strayed", reason=reason, count=count)
