-- name: book :one
-- Turns a hold into a booking, all of it or nothing. One that has lapsed has to be claimed again: others may have
-- removed a part of it. Behind the gate (see claims.claim) nobody is just doing so. A second tap finds the booking that
-- the first one made. A code that is in use leaves the booking to be given another one (`recode`).
-- A visit of several services gets a row for each; whoever sits in a group is sure to have it.
WITH gate AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashint8extended(@staff_id, 2)) AS person
),
held AS MATERIALIZED (
    SELECT id, part, during, session_id
    FROM slot_claims
    WHERE (SELECT count(*) FROM gate) = 1 AND company_id = @company_id AND claim_id = @hold_id
        AND kind IN ('hold', 'offer') AND conversation_id = @conversation_id AND expires_at > @now
    ORDER BY id
    FOR UPDATE
),
booked AS (
    INSERT INTO bookings (
        company_id, id, code, customer_id, service_id, staff_id, area_id, starts_at, ends_at, timezone,
        utc_offset_seconds, price_minor, currency, source, created_at
    )
    SELECT
        @company_id, @booking_id, @code, @customer_id, @service_id, @staff_id, @area_id, @starts_at, @ends_at,
        @timezone, @utc_offset_seconds, @price_minor, @currency, @source, @now
    WHERE EXISTS (SELECT FROM held WHERE part IN ('visit', 'seat') AND lower(during) = @starts_at)
    RETURNING id
),
coded AS (
    INSERT INTO booking_codes (company_id, code, booking_id)
    SELECT @company_id, @code, id FROM booked
    ON CONFLICT ON CONSTRAINT booking_codes_pkey DO NOTHING
    RETURNING code
),
listed AS (
    INSERT INTO booking_services (
        company_id, booking_id, position, service_id, staff_id, starts_at, ends_at, price_minor
    )
    SELECT @company_id, booked.id, p.n, p.service_id, p.staff_id, p.starts_at, p.ends_at, p.price_minor
    FROM booked, unnest(
        @service_ids::bigint[], @staff_ids::bigint[], @all_start::timestamptz[], @all_end::timestamptz[],
        @prices::bigint[]
    ) WITH ORDINALITY AS p (service_id, staff_id, starts_at, ends_at, price_minor, n)
),
kept AS (
    UPDATE slot_claims AS c
    SET kind = 'booking', booking_id = booked.id, expires_at = NULL
    FROM held, booked
    WHERE c.company_id = @company_id AND c.id = held.id
),
sure AS (
    UPDATE slot_claims AS c
    SET expires_at = NULL, conversation_id = NULL
    FROM held, booked
    WHERE held.session_id IS NOT NULL AND c.company_id = @company_id AND c.claim_id = held.session_id
        AND c.kind = 'session'
)
SELECT
    EXISTS (SELECT FROM booked) AS booked,
    EXISTS (SELECT FROM coded) AS coded,
    (
        SELECT booking_id FROM slot_claims
        WHERE company_id = @company_id AND claim_id = @hold_id AND kind = 'booking'
            AND conversation_id = @conversation_id
        LIMIT 1
    ) AS booked_before,
    (
        SELECT id FROM waitlist
        WHERE company_id = @company_id AND customer_id = @customer_id AND service_id = @service_id
            AND status IN ('active', 'notified')
    ) AS waiting;

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
-- Gives a visit its new time, and services that are added to it, and frees the old one; or does nothing. It comes after
-- claims.pass_gate, so that the look whether anybody else has the time holds until the insert. The hold and the visit's
-- own claims go first where they may be in the way, so that the new time may lie across them; claims of other people's
-- time go last.
WITH visit AS MATERIALIZED (
    SELECT id
    FROM bookings
    WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id
        AND status IN ('pending', 'confirmed') AND starts_at > @now
    FOR UPDATE
),
wanted AS MATERIALIZED (
    SELECT staff_id, resource_id, unit, low, high, part, shared, leads, claimant
    FROM unnest(
        @staff_ids::bigint[], @resource_ids::bigint[], @units::integer[], @lows::timestamptz[], @highs::timestamptz[],
        @parts::text[], @shared::boolean[], @leads::boolean[], @claimants::bigint[]
    ) AS p (staff_id, resource_id, unit, low, high, part, shared, leads, claimant)
),
near AS MATERIALIZED (
    SELECT n.*
    FROM (SELECT DISTINCT claimant AS id FROM wanted) AS w
    CROSS JOIN LATERAL (
        SELECT
            id, claim_id, claimant, during, part, unit, expires_at <= @now AS lapsed,
            (
                booking_id = @booking_id
                OR (kind IN ('hold', 'session') AND conversation_id = @conversation_id)
            ) IS TRUE AS own
        FROM slot_claims AS c
        WHERE int8range(company_id, company_id, '[]') && int8range(@company_id, @company_id, '[]')
            AND int8range(c.claimant, c.claimant, '[]') && int8range(w.id, w.id, '[]')
            AND during && tstzrange(@low, @high)
    ) AS n
),
taken AS MATERIALIZED (
    SELECT EXISTS (
        SELECT FROM near AS n JOIN wanted AS w ON n.claimant = w.claimant AND n.during && tstzrange(w.low, w.high)
        WHERE NOT n.own AND n.lapsed IS NOT TRUE
            AND CASE
                WHEN 'seat' IN (n.part, w.part) THEN n.part = w.part AND n.unit = w.unit
                ELSE 'visit' IN (n.part, w.part)
            END
    ) AS yes
),
go AS MATERIALIZED (
    SELECT visit.id FROM visit, taken WHERE NOT taken.yes
),
gone AS (
    DELETE FROM slot_claims AS c
    USING go
    WHERE c.company_id = @company_id
        AND (
            c.id IN (SELECT id FROM near WHERE own)
            OR (c.claim_id IN (SELECT claim_id FROM near WHERE lapsed) AND c.expires_at <= @now)
        )
    RETURNING c.id
),
kept AS (
    INSERT INTO slot_claims (
        company_id, claim_id, staff_id, resource_id, unit, during, part, leads, kind, service_id, session_id,
        booking_id, conversation_id, created_at
    )
    SELECT
        @company_id, CASE WHEN w.shared THEN @session_id::uuid ELSE @hold_id::uuid END, w.staff_id, w.resource_id, w.unit,
        tstzrange(w.low, w.high), w.part, w.leads, CASE WHEN w.shared THEN 'session' ELSE 'booking' END,
        CASE WHEN w.shared OR w.part = 'seat' THEN @service_id::bigint END,
        CASE WHEN w.part = 'seat' THEN @session_id::uuid END,
        CASE WHEN NOT w.shared THEN go.id END, CASE WHEN NOT w.shared THEN @conversation_id::bigint END, @now
    FROM wanted AS w, go
    WHERE (SELECT count(*) FROM gone) >= 0
    ORDER BY w.low
    ON CONFLICT DO NOTHING
    RETURNING id
),
joined AS (
    UPDATE slot_claims AS c
    SET expires_at = NULL, conversation_id = NULL
    FROM go
    WHERE (SELECT count(*) FROM kept) >= 0 AND c.company_id = @company_id AND c.claim_id = @session_id
        AND c.kind = 'session' AND c.id NOT IN (SELECT id FROM gone)
),
elsewhere AS (
    DELETE FROM slot_claims AS c
    USING go
    WHERE (SELECT count(*) FROM kept) >= 0 AND c.company_id = @company_id
        AND (c.booking_id = go.id OR (c.claim_id = @hold_id AND c.kind = 'hold')) AND c.id NOT IN (SELECT id FROM gone)
),
moved AS (
    UPDATE bookings AS b
    SET staff_id = @staff_id, starts_at = @starts_at, ends_at = @ends_at, price_minor = @price_minor,
        currency = @currency, timezone = @timezone, utc_offset_seconds = @utc_offset_seconds,
        area_id = coalesce(@area_id, b.area_id), moves = b.moves + 1, confirmed_at = NULL,
        late_minutes = NULL, late_said_at = NULL
    FROM go
    WHERE b.company_id = @company_id AND b.id = go.id
        AND (SELECT count(*) FROM kept) = cardinality(@parts::text[])
    RETURNING b.*
),
listed AS (
    INSERT INTO booking_services AS l (
        company_id, booking_id, position, service_id, staff_id, starts_at, ends_at, price_minor
    )
    SELECT @company_id, moved.id, p.n, p.service_id, p.staff_id, p.starts_at, p.ends_at, p.price_minor
    FROM moved, unnest(
        @service_ids::bigint[], @doers::bigint[], @all_start::timestamptz[], @all_end::timestamptz[], @prices::bigint[]
    ) WITH ORDINALITY AS p (service_id, staff_id, starts_at, ends_at, price_minor, n)
    ON CONFLICT ON CONSTRAINT booking_services_pkey DO UPDATE
    SET staff_id = excluded.staff_id, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        price_minor = excluded.price_minor
)
SELECT
    EXISTS (SELECT FROM visit) AS found, taken.yes AS taken,
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.area_id, b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name, NULL::jsonb AS pieces
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
    b.area_id, b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name,
    (SELECT l.pieces FROM visit_pieces AS l WHERE l.company_id = b.company_id AND l.booking_id = b.id) AS pieces
FROM cancelled AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id;

-- name: visit :one
-- One visit of a customer: the id alone opens nothing.
SELECT
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.area_id, b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name,
    (SELECT l.pieces FROM visit_pieces AS l WHERE l.company_id = b.company_id AND l.booking_id = b.id) AS pieces,
    (
        SELECT r.sent_at FROM reminders AS r
        WHERE r.company_id = b.company_id AND r.booking_id = b.id AND r.kind = '24h'
    ) AS reminded_at
FROM bookings AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
WHERE b.company_id = @company_id AND b.id = @booking_id AND b.customer_id = @customer_id;

-- name: visits :many
-- A customer's visits ahead, soonest first, then, if wanted, those behind them, latest first; and whether they wait for
-- one, which is told also when there are none.
SELECT
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.area_id, b.moves, b.confirmed_at, b.rating, b.service_name, b.staff_name, b.pieces, b.reminded_at, b.ahead,
    w.waiting
FROM (
    SELECT EXISTS (
        SELECT FROM waitlist
        WHERE company_id = @company_id AND customer_id = @customer_id AND status IN ('active', 'notified')
    ) AS waiting
) AS w
LEFT JOIN (
    SELECT
        v.*, s.name AS service_name, p.name AS staff_name,
        (SELECT l.pieces FROM visit_pieces AS l WHERE l.company_id = v.company_id AND l.booking_id = v.id) AS pieces,
        (
            SELECT r.sent_at FROM reminders AS r
            WHERE r.company_id = v.company_id AND r.booking_id = v.id AND r.kind = '24h'
        ) AS reminded_at
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
    ) AS v
    JOIN services AS s ON s.company_id = v.company_id AND s.id = v.service_id
    JOIN staff AS p ON p.company_id = v.company_id AND p.id = v.staff_id
) AS b ON true
ORDER BY b.ahead DESC, CASE WHEN b.ahead THEN b.starts_at END, b.starts_at DESC;

-- name: maintain_partitions :one
-- Partitions ahead are made, and those older than what is kept are dropped.
SELECT
    maintain_bookings_partitions(@today) AS bookings,
    maintain_messages_partitions(@today) AS messages,
    maintain_analytics_events_partitions(@today) AS analytics_events;
