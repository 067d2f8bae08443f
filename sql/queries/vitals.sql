-- name: backlog :many
-- What waits, over all companies: for whoever watches the machine. Every part reads an index that holds unfinished
-- rows only, and stops counting where more makes no difference.
SELECT
    (SELECT count(*) FROM (SELECT FROM inbox WHERE status = 'pending' LIMIT @most) AS i) AS pending,
    (SELECT min(not_before) FROM inbox WHERE status = 'pending') AS due_since,
    (SELECT count(*) FROM (SELECT FROM inbox WHERE status = 'dead' LIMIT @most) AS i) AS dead,
    (
        SELECT count(*) FROM (
            SELECT FROM dialog_contexts WHERE status = 'person' AND person_until > @now LIMIT @most
        ) AS d
    ) AS with_person,
    (
        SELECT count(*) FROM (
            SELECT FROM timers WHERE status = 'armed' AND due_at <= @now::timestamptz - interval '1 second' LIMIT @most
        ) AS t
    ) AS timers_overdue,
    (SELECT due_at FROM timers WHERE status = 'armed' ORDER BY due_at LIMIT 1) AS timers_due_since,
    (SELECT count(*) FROM (SELECT FROM timers WHERE status = 'dead' LIMIT @most) AS t) AS timers_dead,
    (
        SELECT count(*) FROM (SELECT FROM waitlist WHERE position_in_queue IS NOT NULL LIMIT @most) AS w
    ) AS waiting,
    (
        SELECT coalesce(max(position_in_queue), 0) FROM (
            SELECT position_in_queue FROM waitlist WHERE position_in_queue IS NOT NULL LIMIT @most
        ) AS w
    ) AS longest_queue,
    (SELECT count(DISTINCT company_id) FROM outbox WHERE status = 'held') AS companies_held,
    (
        SELECT coalesce(jsonb_object_agg(status, n), '{}')
        FROM (
            SELECT status, count(*) AS n
            FROM (
                SELECT status FROM outbox WHERE status IN ('pending', 'sending', 'doubt', 'held') LIMIT @most
            ) AS waiting
            GROUP BY status
        ) AS o
    ) AS outbox;

-- name: applied_versions :many
-- Readiness compares them with the files it was shipped with.
SELECT version FROM schema_migrations;
