-- name: past_visits :many
-- What customers came to, latest first: enough of it to tell what is usual.
SELECT w.company_id, w.customer_id, b.service_id, b.staff_id, b.starts_at, b.timezone
FROM unnest(@company_ids::bigint[], @customer_ids::bigint[]) AS w (company_id, customer_id)
CROSS JOIN LATERAL (
    SELECT service_id, staff_id, starts_at, timezone
    FROM bookings
    WHERE company_id = w.company_id AND customer_id = w.customer_id AND status = 'completed'
    ORDER BY starts_at DESC
    LIMIT @most
) AS b
ORDER BY w.company_id, w.customer_id, b.starts_at DESC;

-- name: put :exec
-- Counted here and not where it was learned: only the latest visits are read there. In the order of keys, so that two
-- processes wait for each other instead of locking each other up.
INSERT INTO customer_preferences AS p (
    company_id, customer_id, favorite_staff_id, favorite_service_id, preferred_weekday, preferred_hour, time_of_day,
    average_gap_days, last_visit_at, next_suggested_on, visits_counted, confidence
)
SELECT
    l.company_id, l.customer_id, l.favorite_staff_id, l.favorite_service_id, l.preferred_weekday, l.preferred_hour,
    l.time_of_day, l.average_gap_days, l.last_visit_at, l.next_suggested_on, counted.visits, l.confidence
FROM jsonb_to_recordset(@learned) AS l (
    company_id bigint, customer_id bigint, favorite_staff_id bigint, favorite_service_id bigint,
    preferred_weekday smallint, preferred_hour smallint, time_of_day text, average_gap_days numeric,
    last_visit_at timestamptz, next_suggested_on date, confidence numeric
)
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS visits
    FROM bookings
    WHERE company_id = l.company_id AND customer_id = l.customer_id AND status = 'completed'
) AS counted
ORDER BY l.company_id, l.customer_id
ON CONFLICT (company_id, customer_id) DO UPDATE
SET favorite_staff_id = excluded.favorite_staff_id, favorite_service_id = excluded.favorite_service_id,
    preferred_weekday = excluded.preferred_weekday, preferred_hour = excluded.preferred_hour,
    time_of_day = excluded.time_of_day, average_gap_days = excluded.average_gap_days,
    last_visit_at = excluded.last_visit_at, next_suggested_on = excluded.next_suggested_on,
    visits_counted = excluded.visits_counted, confidence = excluded.confidence;

-- name: forget :exec
-- Whoever came to nothing has no usual: their only visit turned out to be none.
DELETE FROM customer_preferences AS p
USING unnest(@company_ids::bigint[], @customer_ids::bigint[]) AS w (company_id, customer_id)
WHERE p.company_id = w.company_id AND p.customer_id = w.customer_id;

-- name: of_customer :one
-- As dialogs.load reads it with the conversation.
SELECT favorite_service_id, favorite_staff_id, preferred_weekday, preferred_hour, average_gap_days, last_visit_at,
    next_suggested_on, visits_counted, confidence
FROM customer_preferences
WHERE company_id = @company_id AND customer_id = @customer_id;
