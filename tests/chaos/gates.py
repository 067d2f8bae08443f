"""Catching a turn in the middle of its transaction, in a process that knows nothing of it.

Whoever gives out somebody's time passes a gate (sql/queries/claims.sql). With the gates shut, a
turn that does waits inside its transaction; then its process is stopped, and the gates are opened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from storage.pool import Connection
from tests.chaos.harness import first_that_leads_on
from tests.support.graph import Phone

SHUT_GATES = """
SELECT pg_advisory_lock(hashint8extended(id, 1)) FROM companies
UNION ALL
SELECT pg_advisory_lock(hashint8extended(id, 2)) FROM staff
"""

WAITS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted LIMIT 1"
HOLDS = "SELECT pid FROM pg_stat_activity WHERE pid = $1"


async def found(conn: Connection, query: str, *values: Any, seconds: float = 20.0) -> Any:
    """Ask PostgreSQL until there is an answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = await conn.fetchval(query, *values)
        if answer is not None:
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing within {seconds} s: {query}")


async def before_choosing_a_time(phone: Phone) -> str:
    """Go as far as the choice of a time; the first one."""
    await phone.say("women's cut", wait=False)
    await phone.reply(seconds=20)
    while True:
        first = first_that_leads_on(phone.last.rows)
        if ":" in first:
            return first
        await phone.tap(first, wait=False)
        await phone.reply(seconds=20)


async def caught(hand: Connection, phone: Phone, stop: Callable[[], object]) -> int:
    """Stop whoever takes this customer's turn once it holds locks; the backend that holds them."""
    wanted = await before_choosing_a_time(phone)
    await hand.execute(SHUT_GATES)
    await phone.tap(wanted, wait=False)
    pid: int = await found(hand, WAITS)
    stop()
    await hand.execute("SELECT pg_advisory_unlock_all()")
    await found(hand, f"{HOLDS} AND state = 'idle in transaction'", pid)
    return pid


async def let_go(hand: Connection, pid: int) -> bool:
    """Whether a backend is gone, and with it all that it held."""
    return await hand.fetchval(HOLDS, pid) is None
