"""Clients of Redis that a dead Redis cannot hold up.

Redis holds nothing here that cannot be lost or rebuilt: wake-ups, rate limits, the alarm clock. So
a command waits a second at most, is tried once more on a fresh connection, and after a failure
Redis is left alone for a moment: whoever asks meanwhile is told at once.
"""

from __future__ import annotations

import time
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

REDIS_ERRORS: Final = (RedisError, OSError)
"""Everything a command can raise when Redis is gone, full, busy or not to be asked right now."""

TIMEOUT_S: Final = 1.0
LEFT_ALONE_S: Final = 1.0
LEFT_ALONE_AT_MOST_S: Final = 15.0

_LOST: Final = (RedisConnectionError, RedisTimeoutError, OSError)


class RedisLeftAlone(RedisConnectionError):
    """Redis failed a moment ago and is not asked again yet."""


class _Circuit:
    """Whether Redis may be asked: not for ten times as long as a failure took."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = 0.0

    def enter(self) -> float:
        """The moment, unless Redis is to be left alone."""
        now = time.monotonic()
        if now < self._until:
            raise RedisLeftAlone("Redis failed a moment ago")
        return now

    def failed(self, began: float) -> None:
        now = time.monotonic()
        patience = min(LEFT_ALONE_AT_MOST_S, 10 * (now - began))
        self._until = now + max(LEFT_ALONE_S, patience)


class _GuardedPipeline(Pipeline):
    circuit: _Circuit

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        began = self.circuit.enter()
        try:
            return await super().execute(raise_on_error)
        except _LOST:
            self.circuit.failed(began)
            raise


class _GuardedRedis(Redis):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._circuit = _Circuit()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        began = self._circuit.enter()
        try:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except _LOST:
            self._circuit.failed(began)
            raise

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        pipeline = _GuardedPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )
        pipeline.circuit = self._circuit
        return pipeline


def open_redis(url: str) -> Redis:
    """A client for commands that answer at once; close it with `aclose`."""
    return _opened(_GuardedRedis, url, TIMEOUT_S, retries=1)


def open_blocking_redis(url: str) -> Redis:
    """A client for commands that wait (BLPOP and its like): it waits as long as they do."""
    return _opened(Redis, url, None, retries=0)


async def eviction_policy(redis: Redis) -> str | None:
    """What Redis does when it is full; None when it does not say.

    Anything but `noeviction` may drop timers and limits without telling.
    """
    try:
        found = await redis.config_get("maxmemory-policy")
    except REDIS_ERRORS:  # managed servers forbid CONFIG
        return None
    return found.get("maxmemory-policy")


def _opened(kind: type[Redis], url: str, timeout: float | None, *, retries: int) -> Redis:
    return kind.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=TIMEOUT_S,
        # The library's own ten retries with pauses keep a caller waiting for a minute. Only what
        # broke is tried again, for the connection may have been an old one; what is slow is not.
        retry=Retry(NoBackoff(), retries, supported_errors=(RedisConnectionError,)),
    )
