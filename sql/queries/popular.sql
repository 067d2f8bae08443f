-- name: times :many
-- The starts, as seconds of the local day, that customers chose most, recent choices counting more: a booking made a
-- month before another counts half. The lower bound on the id spares partitions that are older.
SELECT b.second
FROM (
    SELECT
        date_part('epoch', (starts_at AT TIME ZONE @timezone)::time)::int AS second,
        power(0.5, date_part('epoch', @now - created_at) / (30 * 86400)) AS weight
    FROM bookings
    WHERE company_id = @company_id AND id >= uuid7_floor(@since) AND created_at >= @since AND created_at <= @now
        AND status <> 'cancelled'
) AS b
GROUP BY b.second
HAVING count(*) >= @at_least
ORDER BY sum(b.weight) DESC, b.second
LIMIT @most;
