"""Who may send now, and who has to wait: the rates of a number and of its recipients.

The buckets are shared by all processes through Redis. Redis is asked for all that wait at the
moment in one call per company, and for a few messages ahead of their time, so that most find their
place in this process. While Redis is gone, the process keeps buckets of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from redis.asyncio import Redis

from storage.clock import Clock
from storage.pacing import LONGEST_WAIT_S, Ask, Grant, Grants, LocalBuckets, RedisBuckets
from storage.redis import REDIS_ERRORS

log = structlog.get_logger("usual.pacing")

_PAIR_AHEAD: Final = 8  # of 45: what it takes to book
_PAIR_KEPT_S: Final = 30.0
_NUMBER_AHEAD_S: Final = 0.05  # of the number's rate, when it is busy
_NUMBER_KEPT_S: Final = 0.2
_BUSY_S: Final = 0.05  # asked again within that: ask for twice as many
_MOST_STOCKS: Final = 20_000
_AT_ONCE: Final = Grant(0.0)


@dataclass(slots=True)
class _Stock:
    """Places taken ahead, good until a moment."""

    left: int
    until: float


@dataclass(slots=True)
class _Demand:
    """How many places a number takes ahead, and when it last asked."""

    ahead: int
    asked_at: float


class Pacer:
    """Gives places in the queue; every method may be called for any company."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._shared, self._local = RedisBuckets(redis), LocalBuckets()
        self._clock = clock
        self._numbers: dict[int, _Stock] = {}
        self._pairs: dict[tuple[int, int], _Stock] = {}
        self._demand: dict[int, _Demand] = {}
        self._asking: dict[int, list[tuple[Ask, asyncio.Future[Grant]]]] = {}
        self._rates: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._alone = False

    async def place(self, company_id: int, conversation_id: int, rate: float) -> Grant:
        """Take a place for one message: how long to wait before it is sent.

        If that is more than storage.pacing.LONGEST_WAIT_S, there is no place: ask again then.
        """
        moment = self._clock().timestamp()
        key = company_id, conversation_id
        paired = _take_one(self._pairs.get(key), moment)
        if paired and _take_one(self._numbers.get(company_id), moment):
            return _AT_ONCE
        answer: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        ask = Ask(conversation_id, _PAIR_AHEAD, paired)
        self._asking.setdefault(company_id, []).append((ask, answer))
        self._rates[company_id] = rate
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ask())
        grant = await answer
        if paired and grant.wait > LONGEST_WAIT_S and key in self._pairs:
            self._pairs[key].left += 1
        return grant

    async def slow(self, company_id: int, rate: float, pause: float) -> None:
        """Stop a number for `pause` seconds and send half as fast for a while: Meta complained."""
        self._numbers.pop(company_id, None)
        now = self._clock()
        self._local.slow(company_id, rate, pause=pause, now=now)
        try:
            await self._shared.slow(company_id, rate, pause=pause, now=now)
        except REDIS_ERRORS as error:
            self._lost(error)

    async def empty_pair(self, company_id: int, conversation_id: int) -> None:
        """Note that a recipient has had all that the pair rate allows: Meta said so."""
        self._pairs.pop((company_id, conversation_id), None)
        now = self._clock()
        self._local.empty_pair(company_id, conversation_id, now=now)
        try:
            await self._shared.empty_pair(company_id, conversation_id, now=now)
        except REDIS_ERRORS as error:
            self._lost(error)

    def forget(self) -> None:
        """Drop what is of no use any more; to be called now and then."""
        moment = self._clock().timestamp()
        self._pairs = {key: one for key, one in self._pairs.items() if one.until > moment}
        self._local.forget_full(self._clock())

    async def _ask(self) -> None:
        while self._asking:
            asking, self._asking = self._asking, {}
            if len(asking) == 1:
                await self._ask_for(*asking.popitem())
            else:
                await asyncio.gather(*(self._ask_for(*one) for one in asking.items()))

    async def _ask_for(
        self, company_id: int, waiting: list[tuple[Ask, asyncio.Future[Grant]]]
    ) -> None:
        try:
            grants = await self._take(company_id, [ask for ask, _ in waiting])
        except BaseException as error:
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            raise
        for (_, answer), grant in zip(waiting, grants.each, strict=True):
            if not answer.done():
                answer.set_result(grant)

    async def _take(self, company_id: int, asks: list[Ask]) -> Grants:
        now, rate = self._clock(), self._rates[company_id]
        ahead = self._number_ahead(company_id, rate, len(asks), now.timestamp())
        try:
            grants = await self._shared.take(company_id, rate, asks, ahead=ahead, now=now)
        except REDIS_ERRORS as error:
            self._lost(error)
            return self._local.take(company_id, rate, asks, now=now)
        if self._alone:
            self._alone = False
            log.info("pacing.shared")
        self._stock_up(company_id, asks, grants, now)
        return grants

    def _number_ahead(self, company_id: int, rate: float, asks: int, moment: float) -> int:
        demand = self._demand.setdefault(company_id, _Demand(0, 0.0))
        busy = moment - demand.asked_at < _BUSY_S
        wanted = 2 * demand.ahead + asks if busy else 0
        demand.ahead, demand.asked_at = min(wanted, int(rate * _NUMBER_AHEAD_S)), moment
        return demand.ahead

    def _stock_up(self, company_id: int, asks: list[Ask], grants: Grants, now: datetime) -> None:
        moment = now.timestamp()
        self._numbers[company_id] = _Stock(grants.ahead, moment + _NUMBER_KEPT_S)
        if len(self._pairs) > _MOST_STOCKS:
            self._pairs.clear()
        for ask, grant in zip(asks, grants.each, strict=True):
            if grant.ahead:
                stock = _Stock(grant.ahead, moment + _PAIR_KEPT_S)
                self._pairs[company_id, ask.conversation_id] = stock

    def _lost(self, error: Exception) -> None:
        if not self._alone:
            self._alone = True
            log.warning("pacing.alone", error=type(error).__name__)


def _take_one(stock: _Stock | None, moment: float) -> bool:
    if stock is None or not stock.left or moment > stock.until:
        return False
    stock.left -= 1
    return True
