"""Tells whoever looks at the phones what changed: the chat page, the terminal, the tests."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

Change = dict[str, Any]
RESYNC: Change = {"type": "resync"}


class Subscription:
    """The changes since it was made, in order. One that is not read in time loses them all
    and finds a `resync` instead: its reader has to look at everything afresh."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: deque[Change] = deque()
        self._news = asyncio.Event()
        self._closed = False

    def put(self, change: Change) -> None:
        """Add a change; never blocks."""
        if len(self._waiting) >= self._room:
            self._waiting.clear()
            change = RESYNC
        self._waiting.append(change)
        self._news.set()

    def close(self) -> None:
        """Say that nothing more will come."""
        self._closed = True
        self._news.set()

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed and not self._waiting

    async def next(self, patience: float) -> Change | None:
        """The next change, or None when nothing happened for `patience` seconds."""
        if not self._waiting and not self._closed:
            self._news.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None


class Changes:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._waiters: set[asyncio.Event] = set()
        self.closed = False
        self.count = 0

    def publish(self, change: Change) -> None:
        """Tell everybody."""
        self.count += 1
        for subscription in self._subscriptions:
            subscription.put(change)
        for waiter in self._waiters:
            waiter.set()

    def touch(self) -> None:
        """Note that something changed of which nobody has to be told."""
        self.count += 1

    def subscribe(self, room: int = 500) -> Subscription:
        """Begin to listen."""
        subscription = Subscription(room)
        if self.closed:
            subscription.close()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop listening."""
        self._subscriptions.discard(subscription)

    async def until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until `true()` holds after some change; False when it did not in time."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    waiter.clear()
                    await waiter.wait()
        except TimeoutError:
            return true()
        finally:
            self._waiters.discard(waiter)
        return True

    def close(self) -> None:
        """End all subscriptions, so that streams end before the server stops."""
        self.closed = True
        for subscription in self._subscriptions:
            subscription.close()
