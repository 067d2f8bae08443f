-- name: book :one
-- Turns a hold into a booking, all of it or nothing. No look at when it lapses: as long as its rows are there,
-- nobody else has the time, and behind the gate (see claims.claim) nobody is just deleting them. A second tap finds
-- the booking that the first one made. A code that is in use leaves the booking to be given another one (`recode`).
WITH gate AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashint8extended(@staff_id, 2)) AS person
),
held AS MATERIALIZED (
    SELECT id, part, during
    FROM slot_claims
    WHERE (SELECT count(*) FROM gate) = 1 AND company_id = @company_id AND claim_id = @hold_id AND kind = 'hold'
        AND conversation_id = @conversation_id AND staff_id = @staff_id
    ORDER BY id
    FOR UPDATE
),
booked AS (
    INSERT INTO bookings (
        company_id, id, code, customer_id, service_id, staff_id, starts_at, ends_at, timezone, price_minor, currency,
        source, created_at
    )
    SELECT
        @company_id, @booking_id, @code, @customer_id, @service_id, @staff_id, @starts_at, @ends_at, @timezone,
        @price_minor, @currency, @source, @now
    WHERE EXISTS (SELECT FROM held WHERE part = 'visit' AND lower(during) = @starts_at)
    RETURNING id
),
coded AS (
    INSERT INTO booking_codes (company_id, code, booking_id)
    SELECT @company_id, @code, id FROM booked
    ON CONFLICT ON CONSTRAINT booking_codes_pkey DO NOTHING
    RETURNING code
),
kept AS (
    UPDATE slot_claims AS c
    SET kind = 'booking', booking_id = booked.id, expires_at = NULL
    FROM held, booked
    WHERE c.company_id = @company_id AND c.id = held.id
)
SELECT
    EXISTS (SELECT FROM booked) AS booked,
    EXISTS (SELECT FROM coded) AS coded,
    (
        SELECT booking_id FROM slot_claims
        WHERE company_id = @company_id AND claim_id = @hold_id AND kind = 'booking'
            AND conversation_id = @conversation_id
        LIMIT 1
    ) AS booked_before;

-- name: recode :value
-- Another code for a booking; nothing when that one is in use as well.
WITH coded AS (
    INSERT INTO booking_codes (company_id, code, booking_id)
    VALUES (@company_id, @code, @booking_id)
    ON CONFLICT ON CONSTRAINT booking_codes_pkey DO NOTHING
    RETURNING code
)
UPDATE bookings AS b
SET code = coded.code
FROM coded
WHERE b.company_id = @company_id AND b.id = @booking_id
RETURNING b.code;

-- name: move :one
-- Gives a visit its new time and frees the old one, or does nothing. It comes after claims.pass_gate, so that the look
-- whether anybody else has the time holds until the insert. The hold and the visit's own claims go first where they
-- may be in the way, so that the new time may lie across them; claims of other people's time go last.
WITH visit AS MATERIALIZED (
    SELECT id
    FROM bookings
    WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id
        AND status IN ('pending', 'confirmed') AND starts_at > @now
    FOR UPDATE
),
wanted AS MATERIALIZED (
    SELECT low, high, part
    FROM unnest(@lows::timestamptz[], @highs::timestamptz[], @parts::text[]) AS p (low, high, part)
),
near AS MATERIALIZED (
    SELECT
        id, during, part, expires_at <= @now AS lapsed,
        (booking_id = @booking_id OR (kind = 'hold' AND conversation_id = @conversation_id)) IS TRUE AS own
    FROM slot_claims
    WHERE int8range(company_id, company_id, '[]') && int8range(@company_id, @company_id, '[]')
        AND int8range(staff_id, staff_id, '[]') && int8range(@staff_id, @staff_id, '[]')
        AND during && tstzrange(@low, @high)
),
taken AS MATERIALIZED (
    SELECT EXISTS (
        SELECT FROM near AS n JOIN wanted AS w ON n.during && tstzrange(w.low, w.high)
        WHERE 'visit' IN (n.part, w.part) AND NOT n.own AND n.lapsed IS NOT TRUE
    ) AS yes
),
go AS MATERIALIZED (
    SELECT visit.id FROM visit, taken WHERE NOT taken.yes
),
gone AS (
    DELETE FROM slot_claims AS c
    USING near AS n, go
    WHERE c.company_id = @company_id AND c.id = n.id AND (n.own OR n.lapsed)
    RETURNING c.id
),
kept AS (
    INSERT INTO slot_claims (
        company_id, claim_id, staff_id, during, part, kind, booking_id, conversation_id, created_at
    )
    SELECT
        @company_id, @hold_id, @staff_id, tstzrange(w.low, w.high), w.part, 'booking', go.id, @conversation_id, @now
    FROM wanted AS w, go
    WHERE (SELECT count(*) FROM gone) >= 0
    ORDER BY w.low
    ON CONFLICT DO NOTHING
    RETURNING id
),
elsewhere AS (
    DELETE FROM slot_claims AS c
    USING go
    WHERE (SELECT count(*) FROM kept) >= 0 AND c.company_id = @company_id
        AND c.booking_id = go.id AND c.id NOT IN (SELECT id FROM gone)
),
moved AS (
    UPDATE bookings AS b
    SET staff_id = @staff_id, starts_at = @starts_at, ends_at = @ends_at, price_minor = @price_minor,
        timezone = @timezone, moves = b.moves + 1, confirmed_at = NULL
    FROM go
    WHERE b.company_id = @company_id AND b.id = go.id
        AND (SELECT count(*) FROM kept) = cardinality(@parts::text[])
    RETURNING b.*
)
SELECT
    EXISTS (SELECT FROM visit) AS found, taken.yes AS taken,
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name
FROM taken
LEFT JOIN (
    moved AS b
    JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
    JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
) ON true;

-- name: cancel :one
-- Cancels a visit that is still ahead and frees its time.
WITH cancelled AS (
    UPDATE bookings
    SET status = 'cancelled', cancelled_at = @now, cancelled_by = @cancelled_by, cancel_reason = nullif(@reason, '')
    WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id
        AND status IN ('pending', 'confirmed') AND starts_at > @now
    RETURNING *
),
freed AS (
    DELETE FROM slot_claims AS c
    USING cancelled AS b
    WHERE c.company_id = @company_id AND c.booking_id = b.id
)
SELECT
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name
FROM cancelled AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id;

-- name: visit :one
-- One visit of a customer: the id alone opens nothing.
SELECT
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name,
    (
        SELECT r.sent_at FROM reminders AS r
        WHERE r.company_id = b.company_id AND r.booking_id = b.id AND r.kind = '24h'
    ) AS reminded_at
FROM bookings AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
WHERE b.company_id = @company_id AND b.id = @booking_id AND b.customer_id = @customer_id;

-- name: visits :many
-- A customer's visits ahead, soonest first, then, if wanted, those behind them, latest first.
SELECT
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name,
    (
        SELECT r.sent_at FROM reminders AS r
        WHERE r.company_id = b.company_id AND r.booking_id = b.id AND r.kind = '24h'
    ) AS reminded_at, b.ahead
FROM (
    (
        SELECT *, true AS ahead
        FROM bookings
        WHERE company_id = @company_id AND customer_id = @customer_id AND starts_at > @now::timestamptz - interval '2 days'
            AND ends_at > @now AND status IN ('pending', 'confirmed')
        ORDER BY starts_at
        LIMIT @most_ahead
    )
    UNION ALL
    (
        SELECT *, false AS ahead
        FROM bookings
        WHERE @past AND company_id = @company_id AND customer_id = @customer_id AND starts_at <= @now
            AND ends_at <= @now AND status <> 'cancelled'
        ORDER BY starts_at DESC
        LIMIT @most_past
    )
) AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
ORDER BY b.ahead DESC, CASE WHEN b.ahead THEN b.starts_at END, b.starts_at DESC;

-- name: maintain_partitions :one
-- Partitions ahead are made, and those older than what is kept are dropped.
SELECT
    maintain_bookings_partitions(@today) AS bookings,
    maintain_messages_partitions(@today) AS messages,
    maintain_analytics_events_partitions(@today) AS analytics_events;
