"""Many wait and much comes free at once: all of it is given out, and nothing twice."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

from storage.pool import Pool, connection
from tests.support.bot import another_process, running_scene
from tests.support.shop import column, row
from tests.support.waiting import ZONE

WAITERS, CANCELLED = 1_000, 200
WITHIN_S = 60.0

SETUP = """
WITH people AS (
    INSERT INTO staff (company_id, name)
    SELECT $1, 'Stylist ' || n FROM generate_series(1, 10) AS n
    RETURNING id
),
skills AS (
    INSERT INTO staff_services (company_id, staff_id, service_id)
    SELECT $1, p.id, $2 FROM people AS p
)
INSERT INTO staff_hours (company_id, staff_id, weekday, starts, ends)
SELECT $1, p.id, d, '09:00', '18:00' FROM people AS p, generate_series(1, 7) AS d
"""
BOOKED = """
INSERT INTO bookings (
    company_id, id, code, customer_id, service_id, staff_id, starts_at, ends_at, timezone,
    price_minor, currency, source, created_at
)
SELECT
    $1, uuidv7(), 'X', (SELECT min(id) FROM customers WHERE company_id = $1), $2, s.id, g.at,
    g.at + interval '1 hour', 'America/New_York', 8200, 'USD', 'quick', now()
FROM staff AS s, generate_series(0, 13) AS day, generate_series(9, 17) AS hour,
    LATERAL (
        SELECT ($3::date + day + make_interval(hours => hour)) AT TIME ZONE 'America/New_York' AS at
    ) AS g
WHERE s.company_id = $1 AND s.name LIKE 'Stylist %'
"""
CLAIMED = """
INSERT INTO slot_claims (company_id, claim_id, staff_id, during, kind, booking_id, created_at)
SELECT company_id, id, staff_id, tstzrange(starts_at, ends_at), 'booking', id, now()
FROM bookings
WHERE company_id = $1 AND code = 'X'
"""
WAITING = """
WITH c AS (
    INSERT INTO customers (company_id, phone)
    SELECT $1, (15550000000 + n)::text FROM generate_series(1, $3::integer) AS n
    RETURNING id
),
d AS (
    INSERT INTO dialog_contexts (
        company_id, customer_id, last_inbound_at, last_message_at, started_at
    )
    SELECT $1, id, $4, $4, $4 FROM c
    RETURNING id, customer_id
)
INSERT INTO waitlist (
    company_id, customer_id, conversation_id, service_id, wishes, wanted_from, wanted_until,
    flexible, joined_at, ends_at, changed_at
)
SELECT
    $1, customer_id, id, $2, $5::jsonb, $6::date, $6::date + 13, true,
    $4::timestamptz + customer_id * interval '1 ms', $4::timestamptz + interval '14 days', $4
FROM d
ORDER BY customer_id
"""
CANCEL = """
WITH gone AS (
    UPDATE bookings SET status = 'cancelled', cancelled_at = now(), cancelled_by = 'customer'
    WHERE company_id = $1 AND id = $2
    RETURNING id
)
DELETE FROM slot_claims AS c USING gone WHERE c.company_id = $1 AND c.booking_id = gone.id
"""
LIVE = "SELECT count(*) FROM waitlist WHERE status = 'notified'"


async def test_a_thousand_wait_and_two_hundred_cancel_at_once(
    database_url: str, redis_url: str, pool: Pool
) -> None:
    async with running_scene(database_url, redis_url) as scene:
        now = scene.clock()
        noon = datetime.combine(now.astimezone(ZONE).date(), datetime.min.time(), ZONE)
        noon += timedelta(days=1, hours=12)
        scene.pass_time(noon.astimezone(now.tzinfo) - now)
        now, first = scene.clock(), noon.date() + timedelta(days=1)
        async with connection(pool) as conn:
            found = await row(
                conn, "SELECT company_id, id FROM services WHERE name = 'Women''s cut'"
            )
            company_id, service_id = found["company_id"], found["id"]
            await conn.execute("DELETE FROM staff_services WHERE service_id = $1", service_id)
            await conn.execute(SETUP, company_id, service_id)
            await conn.execute(BOOKED, company_id, service_id, first)
            await conn.execute(CLAIMED, company_id)
            await conn.fetchval("SELECT desk_of($1, $2)", company_id, now)
            wishes = [{"from": str(first), "until": str(first + timedelta(days=13))}]
            await conn.execute(WAITING, company_id, service_id, WAITERS, now, wishes, first)
            visits = await column(
                conn, "SELECT id FROM bookings WHERE code = 'X' ORDER BY md5(id::text)"
            )
        for number in range(1, WAITERS + 1):
            scene.graph.customer(f"No. {number}", phone=str(15550000000 + number)).open_window()
        async with another_process(scene, database_url, redis_url):
            started = time.monotonic()
            await asyncio.gather(*(cancel(pool, company_id, id_) for id_ in visits[:CANCELLED]))
            while await value(pool, LIVE) < CANCELLED:
                assert time.monotonic() - started < WITHIN_S, await value(pool, LIVE)
                await asyncio.sleep(0.1)
            await scene.graph.wait_for(CANCELLED, seconds=WITHIN_S)
        assert time.monotonic() - started < WITHIN_S
        asked = await value(pool, "SELECT max(times_notified) FROM waitlist")
        assert asked == 1
        assert await value(pool, LIVE) == CANCELLED
        last = await value(
            pool, "SELECT max(position_in_queue) FROM waitlist WHERE status = 'notified'"
        )
        assert last == CANCELLED, "whoever waits longest is asked first"


async def cancel(pool: Pool, company_id: int, booking_id: object) -> None:
    async with connection(pool) as conn:
        await conn.execute(CANCEL, company_id, booking_id)


async def value(pool: Pool, query: str) -> int:
    async with connection(pool) as conn:
        found: int = await conn.fetchval(query)
        return found
