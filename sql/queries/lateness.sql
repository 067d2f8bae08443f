-- name: note :value
-- The visit that somebody is late for is the next one they have, or one that has just begun; what is said again counts.
UPDATE bookings AS b
SET late_minutes = @minutes, late_said_at = @now
FROM (
    SELECT id
    FROM bookings
    WHERE company_id = @company_id AND customer_id = @customer_id AND status IN ('pending', 'confirmed')
        AND starts_at > @since AND starts_at < @until AND ends_at > @now
    ORDER BY starts_at
    LIMIT 1
) AS next
WHERE b.company_id = @company_id AND b.id = next.id
RETURNING b.id;

-- name: late :many
-- For operators: visits from a moment on whose customers said that they will be late, the next one first.
SELECT
    b.code, b.customer_id, s.name AS service, p.name AS staff, b.starts_at, b.timezone, b.late_minutes AS minutes,
    b.late_said_at AS said_at
FROM bookings AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
WHERE b.company_id = @company_id AND b.starts_at >= @since AND b.late_said_at IS NOT NULL
    AND b.status IN ('pending', 'confirmed')
ORDER BY b.starts_at
LIMIT @most;
