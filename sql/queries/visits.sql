-- name: confirm :value
-- The customer has said that they will come; saying it again changes nothing.
UPDATE bookings
SET confirmed_at = coalesce(confirmed_at, @now)
WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id
    AND status IN ('pending', 'confirmed') AND starts_at > @now
RETURNING id;

-- name: complete :value
-- Whoever was not said to have stayed away has come, unless the company's rule says otherwise: then nobody came, which is
-- counted.
WITH closed AS (
    UPDATE bookings AS b
    SET status = CASE WHEN stayed_away_by_rule(b, @rule) THEN 'no_show' ELSE 'completed' END,
        completed_at = CASE WHEN stayed_away_by_rule(b, @rule) THEN NULL ELSE @now::timestamptz END,
        no_show_by = CASE WHEN stayed_away_by_rule(b, @rule) THEN 'rule' END
    WHERE b.company_id = @company_id AND b.id = @booking_id AND b.customer_id = @customer_id
        AND b.status = 'confirmed' AND b.ends_at <= @before
    RETURNING b.id, b.customer_id, b.status
),
counted AS (
    UPDATE customers AS c
    SET no_shows = c.no_shows + 1
    FROM closed
    WHERE c.company_id = @company_id AND c.id = closed.customer_id AND closed.status = 'no_show'
)
SELECT id FROM closed;

-- name: rules :many
-- The companies that have said something of who stayed away.
SELECT id, settings FROM companies WHERE settings ? 'no_show_rule';

-- name: complete_due :many
-- The same for all visits that ended a while ago, some at a time. Company by company, so that each part is read off the
-- index by status; what somebody else is closing just now is left to them.
WITH ruled AS (
    SELECT company_id, rule, before
    FROM unnest(@company_ids::bigint[], @rules::text[], @befores::timestamptz[]) AS r (company_id, rule, before)
),
due AS MATERIALIZED (
    SELECT b.company_id, b.id, b.stayed_away
    FROM companies AS c
    LEFT JOIN ruled AS r ON r.company_id = c.id
    CROSS JOIN LATERAL (
        SELECT v.company_id, v.id, stayed_away_by_rule(v, r.rule) AS stayed_away
        FROM bookings AS v
        WHERE v.company_id = c.id AND v.status = 'confirmed' AND v.starts_at <= coalesce(r.before, @before)
            AND v.ends_at <= coalesce(r.before, @before)
        ORDER BY v.starts_at
        LIMIT @most
        FOR UPDATE SKIP LOCKED
    ) AS b
    LIMIT @most
),
closed AS (
    UPDATE bookings AS b
    SET status = CASE WHEN d.stayed_away THEN 'no_show' ELSE 'completed' END,
        completed_at = CASE WHEN d.stayed_away THEN NULL ELSE @now::timestamptz END,
        no_show_by = CASE WHEN d.stayed_away THEN 'rule' END
    FROM due AS d
    WHERE b.company_id = d.company_id AND b.id = d.id
    RETURNING b.company_id, b.customer_id, d.stayed_away
),
counted AS (
    UPDATE customers AS c
    SET no_shows = c.no_shows + s.visits
    FROM (
        SELECT company_id, customer_id, count(*) FILTER (WHERE stayed_away) AS visits
        FROM closed
        GROUP BY company_id, customer_id
    ) AS s
    WHERE c.company_id = s.company_id AND c.id = s.customer_id AND s.visits > 0
)
SELECT company_id, customer_id FROM closed;

-- name: rate :value
-- The latest word counts.
UPDATE bookings
SET rating = @rating
WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id AND ends_at <= @now
    AND status IN ('confirmed', 'completed')
RETURNING id;

-- name: by_code :one
-- For operators, to whom a customer names it.
SELECT b.id, b.code, b.status, b.customer_id, b.starts_at, c.no_shows
FROM booking_codes AS k
JOIN bookings AS b ON b.company_id = k.company_id AND b.id = k.booking_id
JOIN customers AS c ON c.company_id = b.company_id AND c.id = b.customer_id
WHERE k.company_id = @company_id AND k.code = @code;

-- name: mark_no_show :one
-- They stayed away, which is counted once; or they did come, and what was counted is taken back.
WITH old AS (
    SELECT id, customer_id, status
    FROM bookings
    WHERE company_id = @company_id AND id = @booking_id AND (starts_at <= @now OR status = 'no_show')
        AND status IN ('confirmed', CASE WHEN @stayed_away THEN 'completed' ELSE 'no_show' END)
    FOR UPDATE
),
marked AS (
    UPDATE bookings AS b
    SET status = CASE WHEN @stayed_away THEN 'no_show' ELSE 'completed' END,
        completed_at = CASE WHEN @stayed_away THEN NULL ELSE @now::timestamptz END,
        no_show_by = CASE WHEN @stayed_away THEN 'operator' END
    FROM old
    WHERE b.company_id = @company_id AND b.id = old.id
    RETURNING old.customer_id, CASE WHEN @stayed_away THEN 1 WHEN old.status = 'no_show' THEN -1 ELSE 0 END AS counts
)
UPDATE customers AS c
SET no_shows = greatest(c.no_shows + marked.counts, 0)
FROM marked
WHERE c.company_id = @company_id AND c.id = marked.customer_id
RETURNING c.id AS customer_id, c.no_shows;

-- name: no_shows :many
-- For operators: to which visits since a moment nobody came, who said so, and how often the customer has stayed away.
SELECT
    b.code, b.customer_id, c.no_shows, s.name AS service, p.name AS staff, b.starts_at, b.timezone,
    coalesce(b.no_show_by, 'operator') AS said_by
FROM bookings AS b
JOIN customers AS c ON c.company_id = b.company_id AND c.id = b.customer_id
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
WHERE b.company_id = @company_id AND b.status = 'no_show' AND b.starts_at >= @since
ORDER BY b.starts_at DESC
LIMIT @most;
