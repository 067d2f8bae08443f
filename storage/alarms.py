"""The alarm clock: in Redis, the timers that are due soon, so that somebody wakes up on time.

It is an index and not the truth. It may be empty, late or wrong at any moment: what rings is fired
only as far as the row in PostgreSQL says so, and what does not ring is found by a sweep. So nothing
is written here before the transaction that wanted it has committed.

A timer is a member of one of SHARDS sorted sets, scored by the millisecond it is due. Whoever
claims it moves it to the shard's lease, from where it comes back if that process dies. A shard's
epoch says that it was filled: when it is missing, Redis was emptied. The keys of a shard share a
hash tag, and no command or script touches two shards, so that a cluster will do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import NoScriptError

from flows.values import valueclass
from storage.clock import EPOCH, MILLISECOND
from storage.timers import Key, Upcoming

SHARDS: Final = 8
LEASE: Final = timedelta(seconds=5)
"""How long whoever claimed a timer has before somebody else may; being wrong about it costs a
statement that finds nothing to do."""
CLAIMED_AT_ONCE: Final = 128
"""From one shard."""

# KEYS: due, lease, epoch. ARGV: now, until when what is claimed is leased, how many.
# Answers whether the shard was filled, when its next timer is due ("" for none), and what is due.
_CLAIM: Final = """
local now, most = ARGV[1], ARGV[3]
local dropped = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, most)
for _, member in ipairs(dropped) do
    redis.call('ZREM', KEYS[2], member)
    redis.call('ZADD', KEYS[1], 'NX', now, member)
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most)
if #due > 0 then
    local leased = {}
    for i, member in ipairs(due) do
        leased[2 * i - 1], leased[2 * i] = ARGV[2], member
    end
    redis.call('ZREM', KEYS[1], unpack(due))
    redis.call('ZADD', KEYS[2], unpack(leased))
end
local head = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {redis.call('EXISTS', KEYS[3]), head[2] or '', due}
"""


@dataclass(slots=True)
class Changes:
    """What is to be told to the alarm clock."""

    due: dict[Key, datetime] = field(default_factory=dict)  # armed or moved, or not due after all
    dropped: set[Key] = field(default_factory=set)
    done: set[Key] = field(default_factory=set)  # claimed by us, and dealt with

    def __bool__(self) -> bool:
        return bool(self.due or self.dropped or self.done)

    def set(self, key: Key, due: datetime) -> None:
        """Have a timer ring at a moment."""
        self.dropped.discard(key)
        self.due[key] = due

    def drop(self, key: Key) -> None:
        """Have a timer not ring."""
        self.due.pop(key, None)
        self.dropped.add(key)


@valueclass(frozen=True, slots=True)
class Rung:
    """What was claimed; per shard that was asked, when its next timer is due; who was emptied."""

    claimed: Sequence[Key]
    heads: Mapping[int, datetime | None]
    emptied: Collection[int]


class Alarms:
    """The shared alarm clock; every call is one round trip and raises REDIS_ERRORS."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim: str | None = None

    async def ring(self, changes: Changes, shards: Collection[int], *, now: datetime) -> Rung:
        """Tell it what changed, and claim what is due in these shards."""
        answers = await self._ask(changes, shards, now)
        unknown = [shard for shard, one in answers.items() if isinstance(one, NoScriptError)]
        if unknown:  # the server is new, or its scripts were flushed
            self._claim = None
            answers |= await self._ask(Changes(), unknown, now)
        for answer in answers.values():
            if isinstance(answer, Exception):
                raise answer
        return _rung(answers)

    async def _ask(
        self, changes: Changes, shards: Collection[int], now: datetime
    ) -> dict[int, Any]:
        if self._claim is None and shards:
            self._claim = await self._redis.script_load(_CLAIM)
        claiming = (_passed(now), _ms(now + LEASE), CLAIMED_AT_ONCE)
        async with self._redis.pipeline(transaction=False) as pipe:
            told = _tell(pipe, changes)
            for shard in shards:
                _ = pipe.evalsha(self._claim or "", 3, *_keys(shard), *claiming)
            answers = await pipe.execute(raise_on_error=False)
        for answer in answers[:told]:
            if isinstance(answer, Exception):
                raise answer
        return dict(zip(shards, answers[told:], strict=True))

    async def fill(self, timers: Iterable[Upcoming]) -> None:
        """Add timers; one that is there already rings at the earlier of both times."""
        shards: dict[int, dict[str, int]] = {}
        for timer in timers:
            key = (timer.company_id, timer.key)
            shards.setdefault(shard_of(key), {})[_member(key)] = _ms(timer.due)
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard, members in shards.items():
                _ = pipe.zadd(_keys(shard)[0], members, lt=True)
            await pipe.execute()

    async def filled(self) -> None:
        """Note that all shards hold what they should."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(SHARDS):
                _ = pipe.set(_keys(shard)[2], 1)
            await pipe.execute()

    async def may_fill(self, lasting: timedelta, *, again: bool = False) -> bool:
        """Whether to fill it (again) is up to this process; no other is told so for a while."""
        key = "usual:{timers}:refilling" if again else "usual:{timers}:filling"
        return bool(await self._redis.set(key, 1, nx=True, px=lasting // MILLISECOND))


def shard_of(key: Key) -> int:
    """The shard that a timer is in."""
    return crc32(_member(key).encode()) % SHARDS


def _tell(pipe: Pipeline, changes: Changes) -> int:
    """Put changes into a pipeline; how many commands that makes."""
    due: dict[int, dict[str, int]] = {}
    gone: dict[int, list[str]] = {}
    done: dict[int, list[str]] = {}
    for key, moment in changes.due.items():
        due.setdefault(shard_of(key), {})[_member(key)] = _ms(moment)
    for key in changes.dropped:
        gone.setdefault(shard_of(key), []).append(_member(key))
    for key in changes.done:
        done.setdefault(shard_of(key), []).append(_member(key))
    for shard, scores in due.items():
        _ = pipe.zadd(_keys(shard)[0], scores)
    for shard, members in gone.items():
        _ = pipe.zrem(_keys(shard)[0], *members)
    for shard, members in done.items():
        _ = pipe.zrem(_keys(shard)[1], *members)
    return len(due) + len(gone) + len(done)


def _rung(answers: Mapping[int, Any]) -> Rung:
    claimed: list[Key] = []
    heads: dict[int, datetime | None] = {}
    emptied: set[int] = set()
    for shard, (filled, head, members) in answers.items():
        heads[shard] = EPOCH + int(float(head)) * MILLISECOND if head else None
        claimed += [_key(member) for member in members]
        if not filled:
            emptied.add(shard)
    return Rung(claimed, heads, emptied)


def _keys(shard: int) -> tuple[str, str, str]:
    tag = f"usual:{{timers-{shard}}}"
    return f"{tag}:due", f"{tag}:lease", f"{tag}:epoch"


def _member(key: Key) -> str:
    return f"{key[0]}:{key[1]}"


def _key(member: object) -> Key:
    text = member.decode() if isinstance(member, bytes) else str(member)
    company, _, key = text.partition(":")
    return int(company), key


def _ms(moment: datetime) -> int:
    """The first millisecond that is not before a moment."""
    return -((EPOCH - moment) // MILLISECOND)


def _passed(moment: datetime) -> int:
    """The last millisecond that is not after a moment."""
    return (moment - EPOCH) // MILLISECOND
