"""Catching a turn in the middle of its transaction, in a process that knows nothing of it.

The turn that books writes to its conversation last of all. While somebody else holds that row, it
waits inside its transaction, with all its locks; then its process is stopped, and the row let go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from storage.pool import Connection
from tests.chaos.harness import first_that_leads_on
from tests.support.graph import Phone

HOLD_ROW = """
SELECT FROM dialog_contexts AS d JOIN customers AS c
    ON c.company_id = d.company_id AND c.id = d.customer_id
WHERE c.phone = $1
FOR NO KEY UPDATE OF d
"""
WAITS_FOR_US = """
SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)) LIMIT 1
"""
LIVES = "SELECT pid FROM pg_stat_activity WHERE pid = $1"


async def found(conn: Connection, query: str, *values: Any, seconds: float = 20.0) -> Any:
    """Ask PostgreSQL until there is an answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = await conn.fetchval(query, *values)
        if answer is not None:
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing within {seconds} s: {query}")


async def about_to_book(phone: Phone) -> None:
    """Choose a service, somebody and a time; all that is left to tap is `Book it`."""
    await phone.say("women's cut", wait=False)
    while "Book it" not in (await phone.reply(seconds=20)).buttons:
        await phone.tap(first_that_leads_on(phone.last.rows), wait=False)


async def caught(hand: Connection, phone: Phone, stop: Callable[[], object]) -> int:
    """Stop whoever takes the turn that books once it holds locks; the backend that holds them."""
    await about_to_book(phone)
    async with hand.transaction():
        await hand.execute(HOLD_ROW, phone.number)
        await phone.tap("Book it", wait=False)
        pid: int = await found(hand, WAITS_FOR_US)
        stop()
    await found(hand, f"{LIVES} AND state = 'idle in transaction'", pid)
    return pid


async def let_go(hand: Connection, pid: int) -> bool:
    """Whether a backend is gone, and with it all that it held."""
    return await hand.fetchval(LIVES, pid) is None
