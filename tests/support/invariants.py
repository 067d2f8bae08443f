"""What must be true of the database at every moment, whatever has been done to it.

`check` runs after every test that uses the database (tests/conftest.py): every offer is made
exactly once, nobody is offered the same slot at the same time, no slot is sold twice, no freed slot
is forgotten while somebody who fits waits, nothing is sent twice.
"""

from __future__ import annotations

from datetime import datetime

from flows.matching import plan
from storage import desk
from storage.catalog import load
from storage.pool import Connection, connect

BROKEN = """
WITH live AS (
    SELECT *, tstzrange(offered_starts_at, offered_ends_at) AS during
    FROM waitlist
    WHERE status = 'notified'
),
visits AS (
    -- Groups, colour that sets and visits of several services may overlap: the claims tell.
    SELECT b.company_id, b.id::text, b.starts_at, max(b.ends_at) OVER before AS taken_until
    FROM bookings AS b
    JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
    WHERE b.status IN ('pending', 'confirmed') AND b.source <> 'import'
        AND s.capacity = 1 AND s.processing_minutes IS NULL
        AND EXISTS (
            SELECT FROM slot_claims AS c WHERE c.company_id = b.company_id AND c.booking_id = b.id
        )
        AND NOT EXISTS (
            SELECT FROM booking_services AS p
            WHERE p.company_id = b.company_id AND p.booking_id = b.id
        )
    WINDOW before AS (
        PARTITION BY b.company_id, b.staff_id ORDER BY b.starts_at, b.id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
claims AS (
    SELECT
        company_id, id::text, lower(during) AS starts_at,
        max(upper(during)) OVER before AS taken_until
    FROM slot_claims
    WHERE part = 'visit'
    WINDOW before AS (
        PARTITION BY company_id, claimant ORDER BY lower(during), id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
SELECT 'a slot is sold twice' AS what, company_id, id AS which
FROM visits
WHERE starts_at < taken_until
UNION ALL
SELECT 'two claims share a time', company_id, id
FROM claims
WHERE starts_at < taken_until
UNION ALL
SELECT 'a slot is on offer twice', a.company_id, a.id::text
FROM live AS a
JOIN live AS b
    ON b.company_id = a.company_id AND b.offered_staff_id = a.offered_staff_id AND b.id > a.id
    AND b.during && a.during AND b.offer_id <> a.offer_id
UNION ALL
SELECT 'somebody has two offers at a time', a.company_id, a.id::text
FROM live AS a
JOIN live AS b
    ON b.company_id = a.company_id AND b.customer_id = a.customer_id AND b.id > a.id
    AND b.during && a.during
UNION ALL
SELECT 'an offer does not keep its time', a.company_id, a.id::text
FROM live AS a
WHERE NOT EXISTS (
        SELECT FROM slot_claims AS c
        WHERE c.company_id = a.company_id AND c.claim_id = a.offer_id AND c.kind = 'offer'
    )
    AND NOT EXISTS (
        SELECT FROM inbox AS i
        JOIN dialog_contexts AS d ON d.company_id = i.company_id AND d.id = i.conversation_id
        WHERE i.company_id = a.company_id AND i.status = 'pending' AND d.customer_id IS NULL
    )
UNION ALL
SELECT 'a time is kept for nobody', c.company_id, c.claim_id::text
FROM slot_claims AS c
WHERE c.kind = 'offer' AND c.conversation_id IS NULL  -- else the desk keeps it for a choice
    AND EXISTS (SELECT FROM waitlist AS w WHERE w.company_id = c.company_id)
    AND NOT EXISTS (
        SELECT FROM live WHERE live.company_id = c.company_id AND live.offer_id = c.claim_id
    )
UNION ALL
SELECT 'an offer was not made exactly once', company_id, waitlist_id::text
FROM waitlist_history
WHERE offer_id IS NOT NULL
GROUP BY company_id, waitlist_id, offer_id
HAVING count(*) FILTER (WHERE outcome = 'offered') <> 1
    OR count(*) FILTER (WHERE outcome IN ('taken', 'passed', 'silent', 'lost', 'withdrawn')) > 1
UNION ALL
SELECT 'an offer was told twice', company_id, event_data ->> 'waitlist_id'
FROM analytics_events
WHERE event_type = 'waitlist_offered'
GROUP BY company_id, event_data ->> 'waitlist_id', event_data ->> 'offer_id'
HAVING count(*) > 1
UNION ALL
SELECT 'a message was sent twice', company_id, max(id)::text
FROM outbox
WHERE wamid IS NOT NULL
GROUP BY company_id, wamid
HAVING count(*) > 1
UNION ALL
SELECT 'a visit was booked twice from one offer', company_id, min(waitlist_id)::text
FROM waitlist_history
WHERE outcome = 'taken' AND offer_id IS NOT NULL
GROUP BY company_id, offer_id
HAVING count(*) > 1
UNION ALL
SELECT 'the places in a queue are not 1, 2, 3, …', company_id, service_id::text
FROM waitlist
WHERE status IN ('active', 'notified')
GROUP BY company_id, service_id
HAVING min(position_in_queue) <> 1 OR max(position_in_queue) <> count(*)
    OR count(DISTINCT position_in_queue) <> count(*)
"""
"""All rows of it are things that may not be."""

_WAITING = """
SELECT w.company_id
FROM waitlist AS w
WHERE w.status = 'active'
GROUP BY w.company_id
HAVING NOT EXISTS (
    SELECT FROM inbox AS i
    JOIN dialog_contexts AS d ON d.company_id = i.company_id AND d.id = i.conversation_id
    WHERE i.company_id = w.company_id AND i.status = 'pending' AND d.customer_id IS NULL
)
AND NOT EXISTS (
    SELECT FROM timers AS t
    JOIN dialog_contexts AS d ON d.company_id = t.company_id AND d.id = t.conversation_id
    WHERE t.company_id = w.company_id AND t.status = 'armed' AND t.due_at <= $1
        AND d.customer_id IS NULL
)
"""
"""Companies where somebody waits and the desk has nothing more to look at by a moment."""

_NOW = """
SELECT greatest(
    (SELECT max(changed_at) FROM waitlist),
    (SELECT max(received_at) FROM inbox),
    (SELECT max(done_at) FROM inbox)
)
"""


async def broken(conn: Connection) -> list[str]:
    """Return what is not as it must be."""
    rows = await conn.fetch(BROKEN)
    return [f"{row['what']} ({row['company_id']}, {row['which']})" for row in rows]


async def forgotten(conn: Connection) -> list[str]:
    """Return what is free and wanted, and neither on offer nor about to be."""
    now: datetime | None = await conn.fetchval(_NOW)
    if now is None:
        return []
    found = []
    for row in await conn.fetch(_WAITING, now):
        catalog = await load(conn, company_id=row["company_id"])
        if catalog.company.policy.waitlist_policy == "staff_picks":
            continue
        waiters, free = await desk.look(conn, catalog, now=now)
        found += [
            f"{offer.slot} is free and {offer.waiters[0].id} waits for it"
            for offer in plan(catalog, waiters, free, now=now).offers
        ]
    return found


async def check(conn: Connection) -> None:
    """Fail when something is not as it must be."""
    wrong = await broken(conn)
    if await conn.fetchval("SELECT EXISTS (SELECT FROM waitlist)"):
        wrong += await forgotten(conn)
    assert not wrong, "\n".join(wrong)


async def check_at(database_url: str) -> None:
    """Check a database by its address, if it still has the schema."""
    conn = await connect(database_url)
    try:
        if await conn.fetchval("SELECT to_regclass('waitlist_history') IS NOT NULL"):
            await check(conn)
    finally:
        await conn.close()
