"""The sender: everything that goes to a customer goes through here, and nothing else does.

Theory of operation
-------------------
A turn writes its messages into the outbox and, once committed, hands the first to `deliver`;
whatever else is due (further messages, retries, what a dead process left) the clerk leases from the
outbox. Each conversation has a lane: one thing at a time, in order. A lane takes a place in the
queue of its number, sends, and tells the clerk what became of it.

When the first message of a lane cannot go now, those behind it go back to the outbox, where order
is a matter of ids; `_behind` remembers for a while what they wait for, because a turn that was
under way may still hand in a later one.

A send whose outcome is unknown is never repeated before a status had time to say that it arrived.
The same holds for rows of a process that died: their leases run out, and then they are in doubt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from redis.asyncio import Redis

from bot import metrics
from bot.clerk import FINAL, Clerk
from bot.delivery import Delivered, Delivery, put_back
from bot.pacing import Pacer
from bot.settings import Settings
from bot.templates import TemplateBook
from bot.whatsapp.client import GraphClient
from bot.whatsapp.errors import Act, GraphError, PairThrottled, Undeliverable
from flows.values import valueclass
from storage.clock import Clock
from storage.errors import StorageError
from storage.outbox import LEASE, Key, Outgoing, Result
from storage.pacing import LONGEST_WAIT_S
from storage.pool import Pool

log = structlog.get_logger("usual.sender")

AT_ONCE: Final = 64
"""Sends in flight."""
STOP_WITHIN_S: Final = 10.0

_REMEMBERED_S: Final = 60.0
_READ_WITHIN_S: Final = 1.0
_READS_A_SECOND: Final = 40
"""Half of what a number may send: replies come first, and say more than blue ticks."""
_BUSY_LANES: Final = 16  # so many at work: then nobody needs to be told that we are typing


@valueclass(frozen=True, slots=True)
class _Seen:
    """A message of the customer that is to be shown as read."""

    phone_number_id: str
    wamid: str
    typing: bool
    until: float


@dataclass(slots=True)
class _Lane:
    """What one conversation is to get, in order."""

    key: Key
    queue: deque[Outgoing | _Seen] = field(default_factory=deque)
    sending: Outgoing | None = None


class Sender:
    """Sends what turns say; `wake` is told of conversations that have learned of a failure."""

    def __init__(
        self,
        pool: Pool,
        redis: Redis,
        client: GraphClient,
        *,
        clock: Clock,
        settings: Settings,
        wake: Callable[[Sequence[Key]], None] | None = None,
    ) -> None:
        self._client, self._clock = client, clock
        in_doubt = timedelta(seconds=settings.in_doubt_seconds)
        self._pacer = Pacer(redis, clock)
        self._clerk = Clerk(
            pool, clock, in_doubt=in_doubt, take=self._take, failed=wake or (lambda keys: None)
        )
        self._delivery = Delivery(
            client,
            clock,
            book=TemplateBook(pool, clock),
            in_doubt=in_doubt,
            may_send=self._may_send,
        )
        self._lanes: dict[Key, _Lane] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._behind: dict[Key, tuple[int, float]] = {}
        self._later: dict[int, datetime] = {}
        self._reads, self._reads_since = 0, 0.0
        self._stopping = False

    def deliver(self, sends: Sequence[Outgoing]) -> None:
        """Send rows that are committed and leased to this process."""
        for row in sends:
            behind = self._behind.get((row.company_id, row.conversation_id))
            if behind is not None and behind[0] < row.id and behind[1] > _now():
                self._clerk.note(put_back(row, self._clock()))
            else:
                self._add(row, row.created_at + LEASE)

    def holds(self, waiting: Sequence[int]) -> bool:
        """Tell whether all these unsettled outbox rows are in this process's hands."""
        return self._clerk.hands.have(waiting)

    def nudge(self, company_id: int, conversation_id: int) -> None:
        """Look for rows of this conversation that wait behind what another process is sending."""
        self._clerk.nudge((company_id, conversation_id))

    def wake(self) -> None:
        """Look at once for whatever is due."""
        self._clerk.sweep()

    def release(self, company_id: int) -> None:
        """Send what is held of a company: somebody has mended what was wrong."""
        self._clerk.release(company_id)

    def hold(self, company_id: int, error: GraphError) -> None:
        """Send nothing of a company for now: a status says that nothing of it passes."""
        self._clerk.holds.add(company_id, error)

    def mark_read(
        self,
        *,
        company_id: int,
        conversation_id: int,
        phone_number_id: str,
        wamid: str,
        typing: bool,
    ) -> None:
        """Show the customer that their message was seen; dropped when there is too much to do."""
        if self._stopping or len(self._lanes) >= _BUSY_LANES or not self._may_read():
            return
        seen = _Seen(phone_number_id, wamid, typing, _now() + _READ_WITHIN_S)
        self._enqueue((company_id, conversation_id), seen)

    async def run(self) -> None:
        """Settle, sweep and lease until stopped."""
        tidying = asyncio.create_task(self._tidy())
        try:
            await self._clerk.run()
        finally:
            tidying.cancel()

    async def stop(self) -> None:
        """Finish what is in flight and put the rest back; what does not end in time is in doubt."""
        self._stopping = True
        for lane in self._lanes.values():
            self._put_rest_back(lane)
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=STOP_WITHIN_S)
        for lane in list(self._lanes.values()):
            if lane.sending is not None:
                self._clerk.note(self._doubt(lane.sending))
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        try:
            await self._clerk.close()
        except StorageError as error:
            log.warning("outbox.unreachable", error=type(error).__name__)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_REMEMBERED_S)
            self._pacer.forget()
            now, moment = self._clock(), _now()
            self._behind = {key: one for key, one in self._behind.items() if one[1] > moment}
            self._later = {key: at for key, at in self._later.items() if at > now}

    def _may_send(self, row: Outgoing) -> bool:
        return not self._stopping and self._clerk.hands.may_send(row)

    def _may_read(self) -> bool:
        if _now() - self._reads_since >= 1:
            self._reads, self._reads_since = 0, _now()
        self._reads += 1
        return self._reads <= _READS_A_SECOND

    def _take(self, rows: Sequence[Outgoing]) -> None:
        """Send what the clerk has leased: each is the first of its conversation."""
        lease_until = self._clock() + LEASE
        for row in rows:
            self._behind.pop((row.company_id, row.conversation_id), None)
            self._add(row, lease_until)

    def _add(self, row: Outgoing, lease_until: datetime) -> None:
        if self._stopping:
            self._clerk.note(put_back(row, self._clock()))
            return
        self._clerk.hands.add(row, lease_until)
        self._enqueue((row.company_id, row.conversation_id), row)

    def _enqueue(self, key: Key, item: Outgoing | _Seen) -> None:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key)
            task = asyncio.get_running_loop().create_task(self._work(lane))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        lane.queue.append(item)

    async def _work(self, lane: _Lane) -> None:
        try:
            while lane.queue:
                item = lane.queue.popleft()
                if isinstance(item, _Seen):
                    await self._show_seen(lane, item)
                else:
                    lane.sending = item
                    await self._send(lane, item)
                    lane.sending = None
        except Exception:  # a bug: what waits in this lane is for another one
            log.exception("lane.broken", company_id=lane.key[0], conversation_id=lane.key[1])
        finally:
            self._put_rest_back(lane)
            del self._lanes[lane.key]

    async def _show_seen(self, lane: _Lane, seen: _Seen) -> None:
        if lane.queue or _now() > seen.until:
            return  # the reply is here: it says more than two blue ticks
        try:
            async with self._slots:
                await self._client.mark_read(seen.phone_number_id, seen.wamid, typing=seen.typing)
        except GraphError as error:
            metrics.send_answered("unread", error=type(error).__name__)

    async def _send(self, lane: _Lane, row: Outgoing) -> None:
        try:
            delivered = await self._deliver(row)
        except Exception:  # a bug must not stop the lane, nor send twice
            log.exception("send.broken", company_id=row.company_id, outbox_id=row.id)
            delivered = Delivered(self._doubt(row))
        result, error = delivered.result, delivered.error
        if result.outcome not in FINAL:
            self._behind[lane.key] = row.id, _now() + _REMEMBERED_S
            self._put_rest_back(lane)
        self._clerk.note(result)
        self._clerk.probing.discard(row.id)
        if error is not None and error.act is Act.HOLD:
            self._clerk.holds.add(row.company_id, error)
        elif row.company_id in self._clerk.holds and _passed(result, error):
            self._clerk.release(row.company_id)
        if error is None:
            metrics.send_answered(result.outcome)
        else:
            await self._learn(row, result, error)

    async def _deliver(self, row: Outgoing) -> Delivered:
        if row.company_id in self._clerk.holds and row.id not in self._clerk.probing:
            now = self._clock()
            return Delivered(Result(row, "held", row.attempts - 1, not_before=now))
        grant = await self._pacer.place(
            row.company_id, row.conversation_id, row.messages_per_second
        )
        if grant.wait > LONGEST_WAIT_S:
            return Delivered(put_back(row, self._turn_of(row, grant.wait, grant.of_pair)))
        if grant.wait:
            await asyncio.sleep(grant.wait)
        async with self._slots:
            return await self._delivery.deliver(row)

    def _turn_of(self, row: Outgoing, wait: float, of_pair: bool) -> datetime:
        """When to try again: those who find a number busy come back one after the other."""
        at = self._clock() + timedelta(seconds=wait)
        if not of_pair:
            at = max(at, self._later.get(row.company_id, at))
            self._later[row.company_id] = at + timedelta(seconds=1 / row.messages_per_second)
        return at

    async def _learn(self, row: Outgoing, result: Result, error: GraphError) -> None:
        kind = type(error).__name__
        metrics.send_answered(result.outcome, error=kind)
        say = log.error if error.fault in {"ours", "owner"} else log.warning
        say(
            "send.failed",
            company_id=row.company_id,
            conversation_id=row.conversation_id,
            outbox_id=row.id,
            attempt=row.attempts,
            outcome=result.outcome,
            code=error.code,
            error=kind,
        )
        match error.act:
            case Act.SLOW:
                await self._pacer.slow(row.company_id, row.messages_per_second, error.pause)
            case Act.DOUBT:
                metrics.SENDS_IN_DOUBT.inc()
            case Act.RETRY if isinstance(error, PairThrottled):
                await self._pacer.empty_pair(row.company_id, row.conversation_id)

    def _put_rest_back(self, lane: _Lane) -> None:
        now = self._clock()
        for item in lane.queue:
            if not isinstance(item, _Seen):
                self._clerk.note(put_back(item, now))
        lane.queue.clear()

    def _doubt(self, row: Outgoing) -> Result:
        return Result(
            row, "doubt", row.attempts, lease_until=self._clock() + self._delivery.in_doubt
        )


def _now() -> float:
    return asyncio.get_running_loop().time()


def _passed(result: Result, error: GraphError | None) -> bool:
    """Whether Meta took a message, or refused it for a reason that is the message's own."""
    if error is None:
        return result.outcome == "sent"
    return isinstance(error, Undeliverable) and error.http is not None
