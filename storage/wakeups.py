"""Wake-ups between processes: hints over Redis that a conversation has something to do.

A hint may be lost; the workers' sweep of the inbox finds what it would have told, a second later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from redis.asyncio import Redis

_CONVERSATIONS: Final = "usual:{wake}:conversations"
_LATER: Final = "usual:{wake}:later"
_WORKERS: Final = "usual:{wake}:workers"
_MOST_KEPT: Final = 10_000  # more hints than this are worth nothing: the sweep is as quick
_ALIVE: Final = timedelta(seconds=5)

Key = tuple[int, int]
"""(company id, conversation id)"""


async def push(redis: Redis, keys: Iterable[Key], *, later: bool = False) -> None:
    """Tell one worker of any process about each conversation; `later`: behind all others."""
    lane = _LATER if later else _CONVERSATIONS
    hints = [f"{company}:{conversation}" for company, conversation in keys]
    if not hints:
        return
    async with redis.pipeline(transaction=False) as pipe:
        _ = pipe.rpush(lane, *hints)
        _ = pipe.ltrim(lane, -_MOST_KEPT, -1)
        await pipe.execute()


async def pop(
    redis: Redis, *, timeout_s: float, most: int, behind: bool = True
) -> tuple[Sequence[Key], bool]:
    """Wait for hints, and for those that stand `behind` all others too; none: it took too long.

    Returns them and whether they stood behind. `redis` must be one that may block.
    """
    lanes = (_CONVERSATIONS, _LATER) if behind else (_CONVERSATIONS,)
    found = await redis.blmpop(timeout_s, len(lanes), *lanes, direction="LEFT", count=most)
    if not found:
        return (), False
    lane, hints = found
    return [_key(hint) for hint in hints], lane in (_LATER, _LATER.encode())


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
