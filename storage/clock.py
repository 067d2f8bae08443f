"""The one source of time, and ids that carry it."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

Clock: TypeAlias = Callable[[], datetime]
"""What says the time: always aware, always UTC."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def system_clock() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


class ShiftedClock:
    """A clock that runs ahead of another one, and can be moved further ahead (never back)."""

    __slots__ = ("_base", "_offset", "_watchers")

    def __init__(self, base: Clock = system_clock, *, offset: timedelta = timedelta()) -> None:
        self._base = base
        self._offset = offset
        self._watchers: list[Callable[[], object]] = []

    def __call__(self) -> datetime:
        return self._base() + self._offset

    @property
    def offset(self) -> timedelta:
        """How far ahead of its base the clock runs."""
        return self._offset

    def advance(self, by: timedelta) -> datetime:
        """Move the clock ahead and return the new time; ValueError for a negative step."""
        if by < timedelta():
            raise ValueError("a clock moves forward only")
        self._offset += by
        for watcher in self._watchers:
            watcher()
        return self()

    def watch(self, told: Callable[[], object]) -> None:
        """Have somebody told each time the clock was moved."""
        self._watchers.append(told)


def shift_of(clock: Clock) -> timedelta:
    """How far a clock is ahead on purpose.

    What is due is decided by one clock for all processes, PostgreSQL's: a machine whose own clock
    is wrong fires nothing early. A clock that was moved ahead says by how much, and so far ahead of
    PostgreSQL's is then the time.
    """
    return clock.offset if isinstance(clock, ShiftedClock) else timedelta()


class ServerTime:
    """PostgreSQL's clock as this process knows it, by its own monotonic one.

    Never ahead of it: what is known is what the server said at least, before its answer travelled.
    """

    __slots__ = ("_ahead",)

    def __init__(self) -> None:
        self._ahead: float | None = None

    @property
    def known(self) -> bool:
        """Whether the server was ever asked."""
        return self._ahead is not None

    def note(self, shown: datetime, sent: float, received: float) -> None:
        """Take note of what the server showed between two moments of `time.monotonic`."""
        moment = (shown - EPOCH).total_seconds()
        if self._ahead is None or not moment - received <= self._ahead <= moment - sent:
            self._ahead = moment - received

    def now(self) -> datetime:
        """The time; it has to be known."""
        if self._ahead is None:
            raise RuntimeError("the server was never asked for the time")
        return EPOCH + timedelta(seconds=self._ahead + time.monotonic())


def uuid7(now: datetime) -> UUID:
    """An RFC 9562 id that sorts by `now` to the millisecond; the other 74 bits are random."""
    milliseconds = (now - EPOCH) // MILLISECOND
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=value)
