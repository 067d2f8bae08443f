"""How much a number may send: per second in all, and per customer."""

from collections.abc import Callable

from bot.simulator.errors import Refusal
from bot.simulator.model import Customer, Number
from bot.simulator.settings import Rules

Seconds = Callable[[], float]


class Bucket:
    """A token bucket: `most` at once, refilled at `per_second`."""

    __slots__ = ("_at", "_left", "_most", "_per_second")

    def __init__(self, *, most: float, per_second: float, now: float) -> None:
        self._most = most
        self._per_second = per_second
        self._left = most
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token; False when there is none."""
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Rates:
    """The buckets of all numbers and pairs. `seconds` is a clock that never goes back."""

    def __init__(self, *, rules: Rules, seconds: Seconds) -> None:
        self._rules = rules
        self._seconds = seconds
        self._numbers: dict[str, Bucket] = {}
        self._pairs: dict[tuple[str, str], Bucket] = {}

    def take_number(self, number: Number) -> None:
        """One send of this number, or 130429."""
        if not self._rules.number_rate:
            return
        now = self._seconds()
        rate = float(number.messages_per_second)
        bucket = self._numbers.setdefault(
            number.phone_number_id, Bucket(most=rate, per_second=rate, now=now)
        )
        if not bucket.take(now):
            raise Refusal(130429, "This number sends more messages a second than it may.")

    def count_inbound(self, number: Number) -> None:
        """One message to this number: what comes in counts as well, and is never refused."""
        now = self._seconds()
        rate = float(number.messages_per_second)
        bucket = self._numbers.setdefault(
            number.phone_number_id, Bucket(most=rate, per_second=rate, now=now)
        )
        bucket.take(now)

    def take_pair(self, number: Number, customer: Customer) -> None:
        """One send of this number to this customer, or 131056."""
        if not self._rules.pair_rate:
            return
        now = self._seconds()
        bucket = self._pairs.setdefault(
            (number.phone_number_id, customer.id),
            Bucket(most=self._rules.pair_burst, per_second=1 / self._rules.pair_seconds, now=now),
        )
        if not bucket.take(now):
            raise Refusal(
                131056,
                "This number has written to this recipient too often in too short a time.",
            )
