-- name: put :many
-- All events of a commit in one statement; a key that is there already makes no row. Ids follow arrival, because they
-- break ties between events of one second, while rows go in by key: two processes with the same events then
-- wait for each other instead of locking each other up.
WITH arrived AS MATERIALIZED (
    SELECT nextval('inbox_id_seq') AS id, a.*, a.kind IN ('account', 'kept') AS is_kept
    FROM jsonb_to_recordset(@events) AS a (
        company_id bigint, conversation_id bigint, dedup_key text, kind text, event jsonb, occurred_at timestamptz
    )
)
INSERT INTO inbox (
    company_id, id, dedup_key, conversation_id, kind, event, occurred_at, received_at, not_before, status, done_at
)
OVERRIDING SYSTEM VALUE
SELECT
    company_id, id, dedup_key, conversation_id, kind, event, occurred_at, @now, @now,
    CASE WHEN is_kept THEN 'kept' ELSE 'pending' END,
    CASE WHEN is_kept THEN @now::timestamptz END
FROM arrived
ORDER BY company_id, dedup_key
ON CONFLICT (company_id, dedup_key) DO NOTHING
RETURNING company_id, id, conversation_id, kind;

-- name: put_strays :exec
-- In the order of their keys, for the same reason.
INSERT INTO strays (received_at, reason, phone_number_id, dedup_key, body)
SELECT @now, reason, phone_number_id, dedup_key, body
FROM jsonb_to_recordset(@strays) AS s (reason text, phone_number_id text, dedup_key text, body jsonb)
ORDER BY dedup_key
ON CONFLICT (dedup_key) DO NOTHING;

-- name: put_internal :value
-- An event of our own making for a conversation.
INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
VALUES (@company_id, @conversation_id, @dedup_key, @kind, @event, @now, @now, @now)
ON CONFLICT (company_id, dedup_key) DO NOTHING
RETURNING id;

-- name: pending_conversations :many
-- What a lost wake-up or a dead process left behind, longest due first. The inner limit keeps a sweep cheap
-- however much waits; the next one sees the rest.
SELECT company_id, conversation_id
FROM (
    SELECT company_id, conversation_id, not_before
    FROM inbox
    WHERE status = 'pending' AND not_before <= @now AND conversation_id IS NOT NULL
    ORDER BY not_before
    LIMIT @most
) AS due
GROUP BY company_id, conversation_id
ORDER BY min(not_before);

-- name: claim_notices :many
-- What concerns no conversation; whoever has a row keeps others off it.
SELECT company_id, id, event, occurred_at
FROM inbox
WHERE status = 'pending' AND kind = 'notice' AND not_before <= @now
ORDER BY not_before, id
LIMIT @most
FOR UPDATE SKIP LOCKED;

-- name: finish :exec
-- In the transaction that claimed them.
UPDATE inbox
SET status = 'done', done_at = @now, attempts = attempts + 1
WHERE status = 'pending' AND (company_id, id) IN (SELECT * FROM unnest(@company_ids::bigint[], @ids::bigint[]));

-- name: retry :exec
-- Not now: a turn failed on it.
UPDATE inbox
SET attempts = attempts + 1, not_before = @not_before, last_error = @error
WHERE company_id = @company_id AND id = @id AND status = 'pending';

-- name: park :exec
-- Never by itself again: an operator decides. not_before says since when.
UPDATE inbox
SET status = 'dead', attempts = attempts + 1, not_before = @now, last_error = @error
WHERE company_id = @company_id AND id = @id AND status = 'pending';

-- name: set_by :exec
-- What a timer said that was moved or cancelled since.
UPDATE inbox SET status = 'kept', done_at = @now WHERE company_id = @company_id AND id = @id AND status = 'pending';

-- name: dead :many
-- For operators; latest first.
SELECT company_id, id, conversation_id, kind, received_at, attempts, last_error
FROM inbox
WHERE status = 'dead' AND (@company_id::bigint IS NULL OR company_id = @company_id)
ORDER BY received_at DESC, id DESC
LIMIT @most;

-- name: replay :value
-- The events keep their place in their conversations; timers among them have all their attempts again.
WITH again AS (
    UPDATE inbox
    SET status = 'pending', attempts = 0, not_before = @now
    WHERE status = 'dead'
        AND (@company_id::bigint IS NULL OR company_id = @company_id)
        AND (@ids::bigint[] IS NULL OR id = ANY (@ids))
    RETURNING company_id, kind, event
),
revived AS (
    UPDATE timers AS t
    SET status = 'fired', attempts = 0
    FROM again AS a
    WHERE a.kind = 'timer_fired' AND t.company_id = a.company_id AND t.key = a.event ->> 'key'
        AND t.generation = (a.event ->> 'generation')::bigint AND t.status = 'dead'
)
SELECT count(*) FROM again;

-- name: purge :exec
-- Kept for as long as Meta may send an event again, since the row is what recognises it; some at a time, so that no
-- transaction is long.
DELETE FROM inbox
WHERE (company_id, id) IN (
    SELECT company_id, id FROM inbox WHERE received_at < @before AND done_at < @before LIMIT @most
);

-- name: purge_strays :exec
-- Long enough for somebody to notice that a number was never connected.
DELETE FROM strays
WHERE id IN (SELECT id FROM strays WHERE received_at < @before ORDER BY received_at LIMIT @most);

-- name: fates :many
-- What became of these events; for operators who replay them.
SELECT a.company_id, a.dedup_key, i.status
FROM jsonb_to_recordset(@events) AS a (company_id bigint, dedup_key text)
JOIN inbox AS i ON i.company_id = a.company_id AND i.dedup_key = a.dedup_key;

-- name: stray_fates :many
-- Which events are strays, and why; for operators who replay them.
SELECT dedup_key, reason FROM strays WHERE dedup_key = ANY (@dedup_keys::text[]);
