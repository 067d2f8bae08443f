-- name: times :many
-- The starts, as seconds of the local day, that customers chose most, recent choices counting more: a booking made a
-- month before another counts half. The newest bookings are enough to know: they lie side by side, in the newest
-- partitions, and what lies behind them costs nothing, however much it is. The lower bound on the id is found once, and
-- not for every row.
SELECT b.second
FROM (
    SELECT
        date_part('epoch', (starts_at AT TIME ZONE @timezone)::time)::int AS second,
        power(0.5, date_part('epoch', @now - created_at) / (30 * 86400)) AS weight,
        created_at
    FROM bookings
    WHERE company_id = @company_id AND id >= (SELECT uuid7_floor(@since)) AND status <> 'cancelled'
    ORDER BY id DESC
    LIMIT @newest
) AS b
WHERE b.created_at >= @since AND b.created_at <= @now
GROUP BY b.second
HAVING count(*) >= @at_least
ORDER BY sum(b.weight) DESC, b.second
LIMIT @most;
