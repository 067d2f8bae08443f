"""What the databases hold of a run, to be compared with what its customers saw."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from storage.pool import connect
from tests.bench.load import PHONES_PER_RUN

_FLOOR: Final = """
SELECT
    count(*) FILTER (WHERE direction = 'in') AS received,
    count(*) FILTER (WHERE direction = 'out') AS said,
    (SELECT count(*) FROM peer.bookings WHERE phone BETWEEN $1 AND $2) AS booked,
    0::bigint AS unfinished
FROM peer.messages WHERE phone BETWEEN $1 AND $2
"""
_USUAL: Final = """
WITH theirs AS (
    SELECT c.company_id, c.id FROM customers AS c
    JOIN companies AS co ON co.id = c.company_id AND co.phone_number_id = $3
    WHERE c.phone BETWEEN $1 AND $2
)
SELECT
    count(m.id) FILTER (WHERE m.direction = 'in') AS received,
    count(m.id) FILTER (WHERE m.direction = 'out' AND m.status <> 'queued') AS said,
    (
        SELECT count(*) FROM bookings AS b JOIN theirs USING (company_id)
        WHERE b.customer_id = theirs.id AND b.status = 'confirmed'
    ) AS booked,
    (
        SELECT count(*) FROM inbox AS i
        JOIN dialog_contexts AS d ON d.company_id = i.company_id AND d.id = i.conversation_id
        JOIN theirs ON theirs.company_id = d.company_id AND theirs.id = d.customer_id
        WHERE i.status NOT IN ('done', 'kept')
    ) AS unfinished
FROM theirs
LEFT JOIN messages AS m ON m.company_id = theirs.company_id AND m.customer_id = theirs.id
"""
_DOUBLE: Final = """
SELECT count(*) FILTER (WHERE earlier_ends > starts_at)
FROM (
    SELECT starts_at, max(ends_at) OVER (
        PARTITION BY company_id, staff_id ORDER BY starts_at, id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS earlier_ends
    FROM bookings WHERE status = 'confirmed'
) AS b
"""
SETTLES_WITHIN: Final = 5.0


async def floor(database_url: str, run: dict[str, Any]) -> dict[str, Any]:
    """The floor bot's rows, and where they contradict its customers."""
    return await _compare(database_url, _FLOOR, run)


async def usual(database_url: str, run: dict[str, Any], phone_number_id: str) -> dict[str, Any]:
    """Our rows, and where they contradict our customers."""
    return await _compare(database_url, _USUAL, run, phone_number_id)


async def double_bookings(database_url: str) -> int:
    """Bookings that begin before an earlier one of the same person ends: there must be none."""
    conn = await connect(database_url)
    try:
        return int(await conn.fetchval(_DOUBLE))
    finally:
        await conn.close()


async def _compare(
    database_url: str, query: str, run: dict[str, Any], *values: str
) -> dict[str, Any]:
    first = run["first_phone"]
    reach = (str(first), str(first + PHONES_PER_RUN - 1))
    deadline = time.monotonic() + SETTLES_WITHIN
    conn = await connect(database_url)
    try:
        while True:
            found = dict(await conn.fetchrow(query, *reach, *values) or {})
            wrong = _contradictions(found, run)
            if not wrong or time.monotonic() > deadline:
                return {**found, "contradictions": wrong}
            await asyncio.sleep(0.25)  # the last replies may still be on their way into the rows
    finally:
        await conn.close()


def _contradictions(found: dict[str, Any], run: dict[str, Any]) -> list[str]:
    """Abandoned conversations may have come a step further than their customers saw."""
    slack = run["errors"]
    turns, booked = run["all_turns"], run["all_conversations"]
    said = turns + run["extra_replies"]
    wrong = []
    if not turns <= found["received"] <= turns + slack:
        wrong.append(f"{found['received']} messages received, customers had answers to {turns}")
    if not said <= found["said"] <= said + slack:
        wrong.append(f"{found['said']} messages said, customers saw {said}")
    if not booked <= found["booked"] <= booked + slack:
        wrong.append(f"{found['booked']} bookings, customers finished {booked}")
    if found["unfinished"] > slack:
        wrong.append(f"{found['unfinished']} events not handled")
    return wrong
