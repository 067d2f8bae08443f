-- name: arm :value
-- For whoever has a transaction and no turn; turns write theirs with everything else (dialogs.save). Whatever became of
-- the timer before: it is armed anew, and what still waits in the inbox of it is out of date.
INSERT INTO timers AS t (
    company_id, key, conversation_id, name, due_at, payload, priority, max_attempts, scheduled_at
)
VALUES (@company_id, @key, @conversation_id, @name, @due_at, @payload, @priority, @max_attempts, @now)
ON CONFLICT ON CONSTRAINT timers_pkey DO UPDATE
SET conversation_id = excluded.conversation_id, name = excluded.name, due_at = excluded.due_at,
    generation = t.generation + 1, status = 'armed', payload = excluded.payload, priority = excluded.priority,
    attempts = 0, max_attempts = excluded.max_attempts, last_error = NULL, turn = NULL,
    scheduled_at = excluded.scheduled_at, started_at = NULL, completed_at = NULL
RETURNING generation;

-- name: cancel :exec
-- What fired but was not heard yet is cancelled as well. In the order of keys, so that nobody waits in a circle.
UPDATE timers
SET status = 'cancelled', completed_at = @now
WHERE (company_id, key) IN (
    SELECT company_id, key FROM timers
    WHERE company_id = @company_id AND key = ANY (@keys) AND status <> 'cancelled'
        AND (status <> 'fired' OR completed_at IS NULL)
    ORDER BY company_id, key
    FOR NO KEY UPDATE
);

-- name: fire :many
-- Moves timers that are due by the server's own clock to the inbox: both or neither, so that nothing is lost on the
-- way, and rows that somebody else is firing or moving are theirs. Either those that are named, or, where keys is NULL,
-- whatever has been due for so long. statement_timestamp, because an index can be asked for it. The limit is written out,
-- named rows are looked up one by one and the update is an upsert, so that each row is found by its key whatever the
-- planner believes of a table that fills and empties faster than statistics follow. What is named and not due yet is told
-- with the seconds left (late_s < 0).
WITH named AS MATERIALIZED (
    SELECT t.*
    FROM unnest(@company_ids::bigint[], @keys::text[]) AS w (company_id, key)
    CROSS JOIN LATERAL (
        SELECT * FROM timers
        -- A CASE, so that they are found by their keys and not among all that are armed.
        WHERE company_id = w.company_id AND key = w.key AND CASE WHEN key <> '' THEN status = 'armed' END
        LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS t
),
overdue AS MATERIALIZED (
    SELECT *
    FROM timers
    WHERE @keys::text[] IS NULL AND status = 'armed'
        AND due_at <= statement_timestamp() + @shift::interval - @grace::interval
    ORDER BY due_at, company_id, key
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
fired AS (
    INSERT INTO timers AS t (company_id, key, conversation_id, name, due_at, scheduled_at)
    SELECT company_id, key, conversation_id, name, due_at, scheduled_at
    FROM (SELECT * FROM named UNION ALL SELECT * FROM overdue) AS due
    WHERE due_at <= statement_timestamp() + @shift::interval
    ON CONFLICT ON CONSTRAINT timers_pkey DO UPDATE
    SET status = 'fired', started_at = statement_timestamp() + @shift::interval
    RETURNING t.company_id, t.key, t.conversation_id, t.name, t.due_at, t.generation, t.payload, t.priority, t.started_at
),
moved AS (
    INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
    SELECT
        company_id, conversation_id, 'timer:' || key || ':' || generation, 'timer_fired',
        jsonb_build_object('name', name, 'key', key, 'payload', payload, 'generation', generation),
        due_at, started_at, due_at
    FROM fired
    ORDER BY priority DESC, due_at, key
    ON CONFLICT ON CONSTRAINT inbox_events_come_once DO NOTHING
)
SELECT company_id, key, conversation_id, name, due_at, extract(epoch FROM started_at - due_at)::float8 AS late_s
FROM fired
UNION ALL
SELECT
    company_id, key, conversation_id, name, due_at,
    extract(epoch FROM statement_timestamp() + @shift::interval - due_at)::float8
FROM named
WHERE due_at > statement_timestamp() + @shift::interval;

-- name: upcoming :many
-- What the alarm clock has to know: a page of what is due within the horizon, after the last one of the page before.
SELECT company_id, key, due_at
FROM timers
WHERE status = 'armed' AND due_at <= statement_timestamp() + @shift::interval + @horizon::interval
    AND (due_at, company_id, key) > (@after_due::timestamptz, @after_company_id::bigint, @after_key::text)
ORDER BY due_at, company_id, key
LIMIT @most;

-- name: server_time :value
-- The clock that all processes share.
SELECT clock_timestamp();

-- name: next_due :value
-- When there will be something to fire; for whoever has no alarm clock.
SELECT due_at FROM timers WHERE status = 'armed' ORDER BY due_at LIMIT 1;

-- name: failed :value
-- The turn of a timer failed: the status says whether it may be tried again (fired) or has to wait for a person (dead).
-- Nothing: it was moved or cancelled meanwhile.
UPDATE timers
SET attempts = attempts + 1, last_error = @error,
    status = CASE WHEN attempts + 1 >= max_attempts THEN 'dead' ELSE 'fired' END
WHERE company_id = @company_id AND key = @key AND generation = @generation AND status IN ('fired', 'dead')
RETURNING status;

-- name: counts :one
-- For operators, over all companies or one. Every part reads an index that holds unfinished rows only.
SELECT
    count(*) FILTER (WHERE status = 'armed') AS armed,
    count(*) FILTER (WHERE status = 'armed' AND due_at <= @now) AS due,
    count(*) FILTER (WHERE status = 'armed' AND due_at <= @now::timestamptz - interval '1 second') AS late,
    count(*) FILTER (WHERE status = 'dead') AS parked,
    (
        SELECT count(*) FROM inbox
        WHERE status = 'pending' AND kind = 'timer_fired' AND (@company_id::bigint IS NULL OR company_id = @company_id)
    ) AS waiting,
    min(due_at) FILTER (WHERE status = 'armed' AND due_at > @now) AS next_due
FROM timers
WHERE status IN ('armed', 'dead') AND (@company_id::bigint IS NULL OR company_id = @company_id);

-- name: parked :many
-- Longest due first, with the event that waits to be tried again.
SELECT t.company_id, t.key, t.name, t.conversation_id, t.due_at, t.attempts, t.last_error, i.id AS inbox_id
FROM timers AS t
LEFT JOIN inbox AS i ON i.company_id = t.company_id AND i.dedup_key = 'timer:' || t.key || ':' || t.generation
WHERE t.status = 'dead' AND (@company_id::bigint IS NULL OR t.company_id = @company_id)
    AND (@keys::text[] IS NULL OR t.key = ANY (@keys))
ORDER BY t.due_at, t.company_id, t.key
LIMIT @most;

-- name: following :many
-- What is late and what comes next, soonest first.
SELECT company_id, key, name, conversation_id, due_at, attempts, last_error, NULL::bigint AS inbox_id
FROM timers
WHERE status = 'armed' AND (@company_id::bigint IS NULL OR company_id = @company_id)
ORDER BY due_at, company_id, key
LIMIT @most;

-- name: purge :exec
-- Some at a time, so that no transaction is long.
DELETE FROM timers
WHERE (company_id, key) IN (
    SELECT company_id, key FROM timers
    WHERE scheduled_at < @before AND completed_at < @before
    LIMIT @most
    FOR UPDATE SKIP LOCKED
);
