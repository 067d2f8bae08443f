"""Connections at hand: asyncpg's pool, without its books for what goes right.

A lease through asyncpg costs a task, a timer and a future, as much as a small statement; the bot
takes two of them for each message.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from storage.errors import FOREIGN

ACQUIRE_SECONDS: Final = 10.0
RELEASE_SECONDS: Final = 2.0
"""How long a connection whose statement was broken off has to come to rest; then it is dropped."""

_STAYS: Final = 1_000

_Lent: TypeAlias = tuple[PoolConnectionProxy, int]


class Pool(asyncpg.Pool):
    """A pool of connections; storage.pool opens it, and lends them.

    What comes back in order stays at hand: asyncpg's own books cost as much as a small statement.
    When somebody waits, when something went wrong, and every now and then (asyncpg counts uses), a
    connection goes back through them.
    """

    begin: str = "BEGIN"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at_hand: list[_Lent] = []
        self._most_at_hand = self.get_max_size() // 2
        self._wanted = 0

    async def lend(self) -> _Lent:
        """A connection, and how often it may still stay at hand."""
        while self._at_hand:
            lent = self._at_hand.pop()
            if not is_closed(lent[0]):
                return lent
            await _give_back(self, lent[0])
        self._wanted += 1
        try:
            return await self.acquire(timeout=ACQUIRE_SECONDS), _STAYS
        finally:
            self._wanted -= 1

    async def take_back(self, lent: _Lent, *, in_order: bool) -> None:
        """Have a connection back, `in_order` when nothing went wrong with it."""
        conn, left = lent
        at_hand = in_order and left and not self._wanted and not is_closed(conn)
        if at_hand and len(self._at_hand) < self._most_at_hand:
            self._at_hand.append((conn, left - 1))
        else:
            await _give_back(self, conn)

    async def close(self) -> None:
        """Wait until all connections are back, and close them."""
        self._most_at_hand = 0
        while self._at_hand:
            await _give_back(self, self._at_hand.pop()[0])
        await super().close()


def is_closed(conn: asyncpg.Connection | PoolConnectionProxy) -> bool:
    """Tell whether nothing can be asked of a connection any more."""
    try:
        return bool(conn.is_closed())
    except asyncpg.InterfaceError:  # asyncpg has taken it away
        return True


async def _give_back(pool: Pool, conn: PoolConnectionProxy) -> None:
    """Return a connection to its pool; what is wrong with it is nobody's trouble any more."""
    with suppress(*FOREIGN):  # then it is thrown away, and the pool opens another
        await pool.release(conn, timeout=RELEASE_SECONDS)
