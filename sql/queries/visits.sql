-- name: confirm :value
-- The customer has said that they will come; saying it again changes nothing.
UPDATE bookings
SET confirmed_at = coalesce(confirmed_at, @now)
WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id
    AND status IN ('pending', 'confirmed') AND starts_at > @now
RETURNING id;

-- name: complete :value
-- Whoever was not said to have stayed away has come.
UPDATE bookings
SET status = 'completed', completed_at = @now
WHERE company_id = @company_id AND id = @booking_id AND customer_id = @customer_id
    AND status = 'confirmed' AND ends_at <= @now
RETURNING id;

-- name: complete_due :many
-- The same for all visits that ended a while ago, some at a time. Company by company, so that each part is read off the
-- index by status; what somebody else is closing just now is left to them.
WITH due AS MATERIALIZED (
    SELECT b.company_id, b.id
    FROM companies AS c
    CROSS JOIN LATERAL (
        SELECT company_id, id
        FROM bookings
        WHERE company_id = c.id AND status = 'confirmed' AND starts_at <= @before AND ends_at <= @before
        ORDER BY starts_at
        LIMIT @most
        FOR UPDATE SKIP LOCKED
    ) AS b
    LIMIT @most
)
UPDATE bookings AS b
SET status = 'completed', completed_at = @now
FROM due AS d
WHERE b.company_id = d.company_id AND b.id = d.id
RETURNING b.company_id, b.customer_id;

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
-- They stayed away, which is counted once; or they did come after all, and it is taken back.
WITH marked AS (
    UPDATE bookings
    SET status = CASE WHEN @stayed_away THEN 'no_show' ELSE 'completed' END,
        completed_at = CASE WHEN @stayed_away THEN NULL ELSE @now::timestamptz END
    WHERE company_id = @company_id AND id = @booking_id AND starts_at <= @now
        AND CASE WHEN @stayed_away THEN status IN ('confirmed', 'completed') ELSE status = 'no_show' END
    RETURNING customer_id
)
UPDATE customers AS c
SET no_shows = greatest(c.no_shows + CASE WHEN @stayed_away THEN 1 ELSE -1 END, 0)
FROM marked
WHERE c.company_id = @company_id AND c.id = marked.customer_id
RETURNING c.id AS customer_id, c.no_shows;
