"""How fast may be sent: one bucket per business number, one per number and recipient.

Both are kept as the moment at which the bucket will be full again (the generic cell rate
algorithm): one figure per bucket, no refilling, and the answer to "may I?" is how long to wait. The
buckets stand in Redis, shared by all processes; `LocalBuckets` are the same within one process, for
when Redis is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from flows.values import valueclass

PAIR_EVERY_S: Final = 6.0
PAIR_BURST: Final = 45
LONGEST_WAIT_S: Final = 2.0
"""What would have to wait longer gets no place in the queue."""

SLOWED_FOR_S: Final = 60.0
SLOWEST: Final = 16.0
_SHORT_BURST: Final = 0.1  # of a second's worth
_SHORTEST_WAIT_S: Final = 0.001


@valueclass(frozen=True, slots=True)
class Ask:
    """One message wants to go to a conversation; `ahead` more are likely to follow soon.

    `paired`: its place in the pair's bucket was taken ahead, and only the number is asked.
    """

    conversation_id: int
    ahead: int = 0
    paired: bool = False


@valueclass(frozen=True, slots=True)
class Grant:
    """It may go after `wait` seconds; beyond LONGEST_WAIT_S nothing was reserved.

    `of_pair`: the recipient has had too much, not the number sent too much.
    """

    wait: float
    ahead: int = 0
    of_pair: bool = False


@valueclass(frozen=True, slots=True)
class Grants:
    """The answers to some asks, in order; `ahead` messages more may go from the number at once."""

    each: Sequence[Grant]
    ahead: int = 0


# KEYS: the number, how much it is slowed, then one per ask.
# ARGV: now, longest wait, interval and burst of the number, how many ahead, interval and burst of a
# pair, then how many ahead per ask (-1: the pair is not asked).
# Answers microseconds to wait, how many ahead and whether the pair is to blame, per ask; then how
# many ahead for the number.
_TAKE: Final = """
local now, longest = tonumber(ARGV[1]), tonumber(ARGV[2])
local slowed = tonumber(redis.call('GET', KEYS[2]) or '1')
local every, most = tonumber(ARGV[3]) * slowed, tonumber(ARGV[4])
local pair_every, pair_most = tonumber(ARGV[6]), tonumber(ARGV[7])
local function full_at(key)
    return math.max(tonumber(redis.call('GET', key) or '0'), now)
end
local function keep(key, at)
    redis.call('SET', key, string.format('%.6f', at), 'PX', math.ceil((at - now) * 1000) + 1)
end
local before, out = full_at(KEYS[1]), {}
local number = before
for i = 3, #KEYS do
    local wanted, ahead, pair, pair_free = tonumber(ARGV[5 + i]), 0, now, 0
    if wanted >= 0 then
        pair = full_at(KEYS[i])
        pair_free = pair - (pair_most - 1) * pair_every
    end
    local free = number - (most - 1) * every
    local wait = math.max(pair_free - now, free - now)
    if wait < 0.001 then wait = 0 end
    if wait <= longest then
        number = number + every
        if wanted >= 0 then
            pair = pair + pair_every
            while ahead < wanted and pair - now < pair_most * pair_every / 2 do
                ahead = ahead + 1
                pair = pair + pair_every
            end
            keep(KEYS[i], pair)
        end
    end
    out[#out + 1] = math.ceil(wait * 1000000)
    out[#out + 1] = ahead
    out[#out + 1] = pair_free > free and 1 or 0
end
local ahead = 0
while ahead < tonumber(ARGV[5]) and number - (most - 1) * every <= now do
    ahead = ahead + 1
    number = number + every
end
if number > before then keep(KEYS[1], number) end
out[#out + 1] = ahead
return out
"""

# KEYS: the number, how much it is slowed. ARGV: now, pause, interval and burst of the number, the
# most it can be slowed, for how many milliseconds.
_SLOW: Final = """
local slowed = math.min(tonumber(ARGV[5]), tonumber(redis.call('GET', KEYS[2]) or '1') * 2)
redis.call('SET', KEYS[2], slowed, 'PX', ARGV[6])
local wait = tonumber(ARGV[2]) + (tonumber(ARGV[4]) - 1) * tonumber(ARGV[3]) * slowed
local at = string.format('%.6f', tonumber(ARGV[1]) + wait)
redis.call('SET', KEYS[1], at, 'PX', math.ceil(wait * 1000) + 1)
return 1
"""


class RedisBuckets:
    """The buckets that all processes share; calls raise REDIS_ERRORS."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._loaded: dict[str, str] = {}

    async def take(
        self, company_id: int, rate: float, asks: Sequence[Ask], *, ahead: int, now: datetime
    ) -> Grants:
        """Take a place for each ask, in one round trip; `rate` is messages a second."""
        keys = [_number(company_id), _slowed(company_id)]
        keys += [_pair(company_id, ask.conversation_id) for ask in asks]
        found = await self._run(
            _TAKE,
            keys,
            _seconds(now),
            LONGEST_WAIT_S,
            1 / rate,
            _burst(rate),
            ahead,
            PAIR_EVERY_S,
            PAIR_BURST,
            *(-1 if ask.paired else ask.ahead for ask in asks),
        )
        each = [
            Grant(found[n] / 1_000_000, found[n + 1], bool(found[n + 2]))
            for n in range(0, 3 * len(asks), 3)
        ]
        return Grants(each, found[-1])

    async def slow(self, company_id: int, rate: float, *, pause: float, now: datetime) -> None:
        """Stop a number for `pause` seconds, and let it send half as fast for a while."""
        await self._run(
            _SLOW,
            [_number(company_id), _slowed(company_id)],
            _seconds(now),
            pause,
            1 / rate,
            _burst(rate),
            SLOWEST,
            int(SLOWED_FOR_S * 1000),
        )

    async def empty_pair(self, company_id: int, conversation_id: int, *, now: datetime) -> None:
        """Note that a recipient has had all that the pair rate allows, but for one try more."""
        span = PAIR_EVERY_S * (PAIR_BURST - 1)
        key = _pair(company_id, conversation_id)
        await self._redis.set(key, f"{now.timestamp() + span:.6f}", px=int(span * 1000))

    async def _run(self, script: str, keys: list[str], *args: str | float) -> list[int]:
        sha = self._loaded.get(script)
        for _ in range(2):
            if sha is None:
                sha = self._loaded[script] = await self._redis.script_load(script)
            try:
                found: list[int] = await self._redis.evalsha(sha, len(keys), *keys, *args)
            except NoScriptError:  # the server is new, or its scripts were flushed
                sha = None
            else:
                return found
        raise NoScriptError


class LocalBuckets:
    """The same buckets for this process alone."""

    def __init__(self) -> None:
        self._numbers: dict[int, float] = {}
        self._slowed: dict[int, tuple[float, float]] = {}
        self._pairs: dict[tuple[int, int], float] = {}

    def take(self, company_id: int, rate: float, asks: Sequence[Ask], *, now: datetime) -> Grants:
        """Take a place for each ask; nothing is given ahead, for asking costs nothing here."""
        moment = now.timestamp()
        every, most = self._factor(company_id, moment) / rate, _burst(rate)
        number = max(self._numbers.get(company_id, 0.0), moment)
        each = []
        for ask in asks:
            key = (company_id, ask.conversation_id)
            pair = max(self._pairs.get(key, 0.0), moment)
            pair_free = 0.0 if ask.paired else pair - (PAIR_BURST - 1) * PAIR_EVERY_S
            free = number - (most - 1) * every
            wait = max(pair_free - moment, free - moment)
            wait = 0.0 if wait < _SHORTEST_WAIT_S else wait
            if wait <= LONGEST_WAIT_S:
                number += every
                self._pairs[key] = pair + PAIR_EVERY_S * (not ask.paired)
            each.append(Grant(wait, of_pair=pair_free > free))
        self._numbers[company_id] = number
        return Grants(each)

    def slow(self, company_id: int, rate: float, *, pause: float, now: datetime) -> None:
        """Stop a number for `pause` seconds, and let it send half as fast for a while."""
        moment = now.timestamp()
        factor = min(SLOWEST, 2 * self._factor(company_id, moment))
        self._slowed[company_id] = factor, moment + SLOWED_FOR_S
        self._numbers[company_id] = moment + pause + (_burst(rate) - 1) * factor / rate

    def empty_pair(self, company_id: int, conversation_id: int, *, now: datetime) -> None:
        """Note that a recipient has had all that the pair rate allows, but for one try more."""
        full_at = now.timestamp() + PAIR_EVERY_S * (PAIR_BURST - 1)
        self._pairs[company_id, conversation_id] = full_at

    def forget_full(self, now: datetime) -> None:
        """Drop the buckets that are full again, as if they had never been."""
        moment = now.timestamp()
        self._pairs = {key: at for key, at in self._pairs.items() if at > moment}
        self._numbers = {key: at for key, at in self._numbers.items() if at > moment}

    def _factor(self, company_id: int, moment: float) -> float:
        factor, until = self._slowed.get(company_id, (1.0, 0.0))
        return factor if until > moment else 1.0


def _burst(rate: float) -> int:
    return max(1, int(rate * _SHORT_BURST))


def _seconds(now: datetime) -> str:
    return f"{now.timestamp():.6f}"


def _number(company_id: int) -> str:
    return f"usual:{{c{company_id}}}:number"


def _slowed(company_id: int) -> str:
    return f"usual:{{c{company_id}}}:number:slowed"


def _pair(company_id: int, conversation_id: int) -> str:
    return f"usual:{{c{company_id}}}:pair:{conversation_id}"
