"""Two lanes of conversations that want a turn: what people wait for goes before what a clock began.

When a hundred thousand timers are due in the same second, whoever writes then is answered at once.
"""

from __future__ import annotations

from collections import deque

from storage.dialogs import Key


class Lanes:
    """Conversations in the order to be looked at; each stands in one lane, once."""

    def __init__(self) -> None:
        self._lanes: dict[bool, deque[Key]] = {False: deque(), True: deque()}
        self._queued: dict[Key, bool] = {}

    def length(self, *, later: bool) -> int:
        """How many stand in a lane."""
        return len(self._lanes[later])

    def has(self, key: Key, *, later: bool) -> bool:
        """Whether it stands in this lane or in the faster one."""
        standing = self._queued.get(key)
        return standing is not None and standing <= later

    def add(self, key: Key, *, later: bool) -> None:
        """Put one that the lane does not have at its end.

        Who changes to the faster lane leaves a gap behind, which `take` comes across.
        """
        self._queued[key] = later
        self._lanes[later].append(key)

    def take(self) -> tuple[Key, bool] | None:
        """The next one and its lane, or None for a gap."""
        later = not self._lanes[False]
        key = self._lanes[later].popleft()
        if self._queued.get(key) != later:
            return None
        del self._queued[key]
        return key, later

    def clear(self) -> None:
        """Send everybody away."""
        for lane in self._lanes.values():
            lane.clear()
        self._queued.clear()
