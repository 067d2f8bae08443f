"""Wake-ups between processes: hints over Redis that a conversation has something to do.

A hint may be lost; the workers' sweep of the inbox finds what it would have told, a second later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from redis.asyncio import Redis

_CONVERSATIONS: Final = "usual:{wake}:conversations"
_WORKERS: Final = "usual:{wake}:workers"
_MOST_KEPT: Final = 10_000  # more hints than this are worth nothing: the sweep is as quick
_ALIVE: Final = timedelta(seconds=5)

Key = tuple[int, int]
"""(company id, conversation id)"""


async def push(redis: Redis, keys: Iterable[Key]) -> None:
    """Tell one worker of any process about each conversation."""
    hints = [f"{company}:{conversation}" for company, conversation in keys]
    if not hints:
        return
    async with redis.pipeline(transaction=False) as pipe:
        _ = pipe.rpush(_CONVERSATIONS, *hints)
        _ = pipe.ltrim(_CONVERSATIONS, -_MOST_KEPT, -1)
        await pipe.execute()


async def pop(redis: Redis, *, timeout_s: float, most: int) -> Sequence[Key]:
    """Wait for hints; empty when none came in time. `redis` must be one that may block."""
    found = await redis.blmpop(timeout_s, 1, _CONVERSATIONS, direction="LEFT", count=most)
    if not found:
        return ()
    return [_key(hint) for hint in found[1]]


def _key(hint: object) -> Key:
    text = hint.decode() if isinstance(hint, bytes) else str(hint)
    company, _, conversation = text.partition(":")
    return int(company), int(conversation)


async def report_alive(redis: Redis, worker: str, now: datetime) -> int:
    """Say that a worker process lives; returns how many do, this one included."""
    async with redis.pipeline(transaction=False) as pipe:
        _ = pipe.zadd(_WORKERS, {worker: now.timestamp()})
        _ = pipe.zremrangebyscore(_WORKERS, "-inf", (now - _ALIVE).timestamp())
        _ = pipe.zcard(_WORKERS)
        *_, alive = await pipe.execute()
    return int(alive)


async def report_gone(redis: Redis, worker: str) -> None:
    """Say that a worker process has ended."""
    await redis.zrem(_WORKERS, worker)
