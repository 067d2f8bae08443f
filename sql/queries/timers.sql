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

-- name: fire_due :many
-- Moves what is due by the server's own clock to the inbox: both or neither, so that nothing is lost on the way, and
-- rows that somebody else is firing or moving are theirs. statement_timestamp, because an index can be asked for it. The
-- limit is written out and the update is an upsert, so that each row is found by its key whatever the planner believes
-- of the table: it fills and empties faster than statistics follow.
WITH due AS MATERIALIZED (
    SELECT *
    FROM timers
    WHERE status = 'armed' AND due_at <= statement_timestamp() + @shift::interval - @grace::interval
    ORDER BY due_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
fired AS (
    INSERT INTO timers AS t (company_id, key, conversation_id, name, due_at, scheduled_at)
    SELECT company_id, key, conversation_id, name, due_at, scheduled_at FROM due
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
SELECT company_id, conversation_id, name, extract(epoch FROM started_at - due_at)::float8 AS late_s FROM fired;

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

-- name: purge :exec
-- Some at a time, so that no transaction is long.
DELETE FROM timers
WHERE (company_id, key) IN (
    SELECT company_id, key FROM timers
    WHERE scheduled_at < @before AND completed_at < @before
    LIMIT @most
    FOR UPDATE SKIP LOCKED
);
