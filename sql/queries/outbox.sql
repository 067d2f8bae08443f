-- name: claim :many
-- Rows that are due and first in their conversation: one in flight per recipient, and in order. A row that somebody
-- else settles or claims meanwhile is skipped. Oldest due first, so that a company's backlog, put off by the
-- rate of its number, lets the others through.
WITH due AS MATERIALIZED (
    SELECT o.company_id, o.id
    FROM outbox AS o
    WHERE o.status = 'pending' AND o.not_before <= @now AND o.company_id <> ALL (@held::bigint[])
        AND NOT EXISTS (
            SELECT FROM outbox AS earlier
            WHERE earlier.company_id = o.company_id AND earlier.conversation_id = o.conversation_id
                AND earlier.status IN ('pending', 'sending', 'doubt', 'held') AND earlier.id < o.id
        )
    ORDER BY o.not_before
    LIMIT @most
    FOR UPDATE OF o SKIP LOCKED
)
UPDATE outbox AS o
SET status = 'sending', attempts = o.attempts + 1, lease_until = @lease_until
FROM due
WHERE o.company_id = due.company_id AND o.id = due.id
RETURNING o.company_id, o.id;

-- name: claim_of :many
-- The same for some conversations, each of which is known to have something that may be due.
WITH first AS MATERIALIZED (
    SELECT n.company_id, n.id, n.status, n.not_before
    FROM unnest(@company_ids::bigint[], @conversation_ids::bigint[]) AS f (company_id, conversation_id)
    CROSS JOIN LATERAL (
        SELECT o.company_id, o.id, o.status, o.not_before
        FROM outbox AS o
        WHERE o.company_id = f.company_id AND o.conversation_id = f.conversation_id
            AND o.status IN ('pending', 'sending', 'doubt', 'held')
        ORDER BY o.id
        LIMIT 1
    ) AS n
)
UPDATE outbox AS o
SET status = 'sending', attempts = o.attempts + 1, lease_until = @lease_until
FROM first
WHERE o.company_id = first.company_id AND o.id = first.id AND first.status = 'pending'
    AND first.not_before <= @now AND o.status = 'pending'
RETURNING o.company_id, o.id;

-- name: claim_probes :many
-- One held row of each company whose turn it is: whoever was tried longest ago, so that one message that can never
-- pass does not keep the others back.
WITH due AS MATERIALIZED (
    SELECT o.company_id, o.id
    FROM unnest(@company_ids::bigint[]) AS held (company_id)
    CROSS JOIN LATERAL (
        SELECT o.company_id, o.id
        FROM outbox AS o
        WHERE o.company_id = held.company_id AND o.status = 'held'
            AND NOT EXISTS (
                SELECT FROM outbox AS earlier
                WHERE earlier.company_id = o.company_id AND earlier.conversation_id = o.conversation_id
                    AND earlier.status IN ('pending', 'sending', 'doubt', 'held') AND earlier.id < o.id
            )
        ORDER BY o.not_before, o.id
        LIMIT 1
        FOR UPDATE OF o SKIP LOCKED
    ) AS o
)
UPDATE outbox AS o
SET status = 'sending', attempts = o.attempts + 1, lease_until = @lease_until
FROM due
WHERE o.company_id = due.company_id AND o.id = due.id
RETURNING o.company_id, o.id;

-- name: load :many
-- All that sending claimed rows takes.
SELECT
    o.company_id, o.id, o.created_at, o.conversation_id, co.phone_number_id, c.phone, c.bsuid, m.body, o.extras,
    o.attempts, d.last_inbound_at,
    CASE jsonb_typeof(co.settings -> 'messages_per_second')
        WHEN 'number' THEN least(greatest((co.settings ->> 'messages_per_second')::numeric, 1), 100000)::integer
        ELSE 80
    END AS messages_per_second,
    c.marketing_opted_out_at IS NOT NULL AS marketing_off
FROM unnest(@company_ids::bigint[], @ids::bigint[]) AS claimed (company_id, id)
JOIN outbox AS o ON o.company_id = claimed.company_id AND o.id = claimed.id
JOIN messages AS m ON m.company_id = o.company_id AND m.created_at = o.created_at AND m.id = o.id
JOIN dialog_contexts AS d ON d.company_id = o.company_id AND d.id = o.conversation_id
JOIN customers AS c ON c.company_id = m.company_id AND c.id = m.customer_id
JOIN companies AS co ON co.id = o.company_id
WHERE o.status = 'sending'
ORDER BY o.company_id, o.id;

-- name: settle :many
-- What became of sends, and the next row of each conversation whose first is done: one statement for all results
-- that have gathered. A row that was claimed again since (attempts) is left alone, unless the news is that it was
-- sent: that is true whoever has it now. What a status has settled before us stays settled.
-- Rows are locked in the order of their ids, here and where statuses settle them, so that the two cannot
-- lock each other up. They are looked up by arrays of their keys (see dialogs.save), and of the partitions of messages
-- only those are opened that the oldest and the newest are in.
WITH result AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@results) AS r (
        company_id bigint, id bigint, conversation_id bigint, tried integer, outcome text, attempts integer,
        wamid text, code integer, not_before timestamptz, lease_until timestamptz, mark text, error text, body jsonb
    )
),
mine AS MATERIALIZED (
    SELECT r.*, o.created_at
    FROM (SELECT * FROM result ORDER BY company_id, id) AS r
    CROSS JOIN LATERAL (
        SELECT * FROM outbox WHERE company_id = r.company_id AND id = r.id LIMIT 1 FOR UPDATE
    ) AS o
    WHERE CASE r.outcome
        WHEN 'sent' THEN o.status IN ('sending', 'doubt', 'pending', 'held')
        ELSE o.status = 'sending' AND o.attempts = r.tried
    END
),
settled AS (
    UPDATE outbox AS o
    SET status = r.outcome, attempts = r.attempts, wamid = coalesce(r.wamid, o.wamid), error_code = r.code,
        not_before = coalesce(r.not_before, o.not_before), lease_until = r.lease_until,
        settled_at = CASE WHEN r.outcome IN ('sent', 'failed') THEN @now::timestamptz END,
        extras = CASE WHEN r.error IS NULL THEN o.extras ELSE o.extras || jsonb_build_object('error', r.error) END
    FROM mine AS r
    WHERE o.company_id = ANY (ARRAY(SELECT company_id FROM mine)) AND o.id = ANY (ARRAY(SELECT id FROM mine))
        AND o.company_id = r.company_id AND o.id = r.id
),
told AS (
    UPDATE messages AS m
    SET status = CASE WHEN m.status = 'queued' THEN r.outcome ELSE m.status END,
        wamid = coalesce(r.wamid, m.wamid),
        body = coalesce(r.body, m.body),
        type = coalesce(r.body ->> 'type', m.type),
        sent_at = CASE WHEN r.outcome = 'sent' THEN coalesce(m.sent_at, @now::timestamptz) ELSE m.sent_at END,
        failed_at = CASE WHEN r.outcome = 'failed' THEN @now ELSE m.failed_at END,
        error_code = CASE WHEN r.outcome = 'failed' THEN r.code ELSE m.error_code END
    FROM mine AS r
    WHERE m.created_at BETWEEN @oldest AND @newest AND m.id = ANY (ARRAY(SELECT id FROM mine))
        AND m.company_id = r.company_id AND m.created_at = r.created_at AND m.id = r.id
        AND r.outcome IN ('sent', 'failed')
),
reported AS (
    INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
    SELECT
        company_id, conversation_id, 'send_failed:' || id, 'send_failed',
        jsonb_build_object('code', code, 'outbox_id', id), @now, @now, @now
    FROM mine
    WHERE outcome = 'failed'
    ON CONFLICT (company_id, dedup_key) DO NOTHING
),
marked AS (
    UPDATE customers AS c
    SET unreachable_at = CASE WHEN r.mark = 'unreachable' THEN @now ELSE c.unreachable_at END,
        marketing_opted_out_at = CASE
            WHEN r.mark = 'opted_out' THEN coalesce(c.marketing_opted_out_at, @now) ELSE c.marketing_opted_out_at
        END
    FROM mine AS r
    JOIN dialog_contexts AS d
        ON d.company_id = ANY (ARRAY(SELECT company_id FROM mine))
        AND d.id = ANY (ARRAY(SELECT conversation_id FROM mine))
        AND d.company_id = r.company_id AND d.id = r.conversation_id
    WHERE r.mark IS NOT NULL AND c.company_id = d.company_id AND c.id = d.customer_id
),
following AS MATERIALIZED (
    SELECT n.company_id, n.id
    FROM (
        SELECT company_id, conversation_id, max(id) AS id
        FROM result
        WHERE outcome IN ('sent', 'failed')
        GROUP BY company_id, conversation_id
    ) AS done
    CROSS JOIN LATERAL (
        SELECT o.company_id, o.id, o.status, o.not_before
        FROM outbox AS o
        WHERE o.company_id = done.company_id AND o.conversation_id = done.conversation_id AND o.id > done.id
            AND o.status IN ('pending', 'sending', 'doubt', 'held')
        ORDER BY o.id
        LIMIT 1
    ) AS n
    WHERE n.status = 'pending' AND n.not_before <= @now
)
UPDATE outbox AS o
SET status = 'sending', attempts = o.attempts + 1, lease_until = @lease_until
FROM following AS f
WHERE o.company_id = ANY (ARRAY(SELECT company_id FROM following)) AND o.id = ANY (ARRAY(SELECT id FROM following))
    AND o.company_id = f.company_id AND o.id = f.id AND o.status = 'pending'
RETURNING o.company_id, o.id;

-- name: renew :exec
-- What waits in a living process for longer than usual stays its own.
UPDATE outbox
SET lease_until = @lease_until
WHERE status = 'sending' AND (company_id, id) IN (SELECT * FROM unnest(@company_ids::bigint[], @ids::bigint[]));

-- name: expire :many
-- Whoever had these has died: they may have been sent, so a status is waited for; and where none came in that time,
-- they were not.
UPDATE outbox
SET status = CASE status WHEN 'sending' THEN 'doubt' ELSE 'pending' END,
    lease_until = CASE status WHEN 'sending' THEN @doubt_until::timestamptz END,
    not_before = @now
WHERE lease_until <= @now AND status IN ('sending', 'doubt')
RETURNING company_id, id, status;

-- name: held_companies :many
-- Companies with rows that wait until somebody acts.
SELECT DISTINCT company_id FROM outbox WHERE status = 'held';

-- name: release :exec
-- What held this company is over.
UPDATE outbox SET status = 'pending', not_before = @now WHERE company_id = @company_id AND status = 'held';

-- name: purge :exec
-- Some at a time, so that no transaction is long.
DELETE FROM outbox
WHERE (company_id, id) IN (
    SELECT company_id, id FROM outbox WHERE created_at < @before AND settled_at < @before LIMIT @most
);
