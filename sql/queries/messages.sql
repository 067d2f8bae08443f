-- name: claim_statuses :many
-- What WhatsApp says of our messages, oldest first; whoever has a row keeps others off it.
SELECT company_id, id, event, received_at, attempts
FROM inbox
WHERE status = 'pending' AND kind = 'status' AND not_before <= @now
ORDER BY not_before, id
LIMIT @most
FOR UPDATE SKIP LOCKED;

-- name: lock_told_of :exec
-- Whoever settles a send that statuses tell of is waited for before they are applied: a statement that had to wait
-- in its middle would go by what it saw of the message before, and could lose the status.
SELECT FROM outbox AS o
WHERE (o.company_id, o.id) IN (
    SELECT h.company_id, coalesce(k.id, w.id)
    FROM jsonb_to_recordset(@statuses) AS h (company_id bigint, wamid text, outbox_id bigint, known boolean)
    LEFT JOIN outbox AS k ON k.company_id = h.company_id AND k.id = h.outbox_id
    LEFT JOIN LATERAL (
        SELECT id FROM outbox WHERE company_id = h.company_id AND wamid = h.wamid LIMIT 1
    ) AS w ON k.id IS NULL
    WHERE h.known
)
ORDER BY o.company_id, o.id
FOR UPDATE;

-- name: apply_statuses :many
-- A batch of statuses in one statement: messages found by our own key in them, else by wamid, and taken forward only,
-- in whatever order statuses come (failed ranks between sent and delivered). Outbox rows whose outcome was not
-- known are settled. What failed may go again, if nothing was said after it and it has not been tried too often.
-- A failure of a row that is on its way this moment waits until its own answer is in, and so does what no message
-- is found for: the rest of its batch goes on.
-- Rows of the outbox are locked in the order of their ids, as where sends are settled.
WITH heard AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@statuses) AS h (
        company_id bigint, inbox_id bigint, wamid text, outbox_id bigint, status text, at timestamptz, code integer,
        category text, price_type text, price_model text, free boolean, act text, tries integer, wait float8,
        mark text, known boolean, again_at timestamptz
    )
),
found AS MATERIALIZED (
    SELECT h.*, coalesce(o.id, w.id) AS id, coalesce(o.created_at, w.created_at) AS created_at
    FROM heard AS h
    LEFT JOIN outbox AS o ON o.company_id = h.company_id AND o.id = h.outbox_id
    LEFT JOIN LATERAL (
        SELECT id, created_at
        FROM outbox
        WHERE company_id = h.company_id AND wamid = h.wamid
        LIMIT 1
    ) AS w ON o.id IS NULL
    WHERE h.known
),
locked AS MATERIALIZED (
    SELECT o.company_id, o.id, o.conversation_id, o.status, o.attempts, o.wamid, o.extras
    FROM outbox AS o
    WHERE (o.company_id, o.id) IN (SELECT f.company_id, f.id FROM found AS f)
    ORDER BY o.company_id, o.id
    FOR UPDATE
),
news AS MATERIALIZED (
    SELECT f.*,
        -- A message that was sent twice is one message; that one of the two failed says nothing.
        NOT (f.status = 'failed' AND l.wamid IS NOT NULL AND l.wamid <> f.wamid) AS counts,
        array_position(ARRAY['queued', 'sent', 'failed', 'delivered', 'read', 'played'], f.status) AS rank,
        CASE
            WHEN f.act IS NULL OR l.id IS NULL OR EXISTS (
                SELECT FROM outbox AS later
                WHERE later.company_id = l.company_id AND later.conversation_id = l.conversation_id
                    AND later.id > l.id
            ) THEN false
            WHEN f.act = 'retry' THEN l.attempts < f.tries
            WHEN f.act = 'template' THEN l.extras ? 'template' AND NOT l.extras ? 'use_template'
            ELSE f.act = 'hold'
        END AS again
    FROM found AS f
    LEFT JOIN locked AS l ON l.company_id = f.company_id AND l.id = f.id
    WHERE f.id IS NOT NULL AND NOT (f.status = 'failed' AND l.status IS NOT DISTINCT FROM 'sending')
),
told AS MATERIALIZED (
    SELECT
        company_id, created_at, id, max(rank) AS rank,
        min(at) FILTER (WHERE status = 'sent') AS sent_at,
        min(at) FILTER (WHERE status = 'delivered') AS delivered_at,
        min(at) FILTER (WHERE status IN ('read', 'played')) AS read_at,
        min(at) FILTER (WHERE status = 'failed') AS failed_at,
        (array_agg(wamid ORDER BY rank DESC))[1] AS wamid,
        max(code) AS code, max(act) AS act, max(wait) AS wait, max(mark) AS mark, bool_or(again) AS again,
        max(category) AS category, max(price_type) AS price_type, max(price_model) AS price_model,
        bool_or(free) AS free
    FROM news
    WHERE counts
    GROUP BY company_id, created_at, id
),
turned AS (
    UPDATE messages AS m
    SET status = CASE
            WHEN t.rank = 3 AND t.again AND m.status IN ('queued', 'sent') THEN 'queued'
            ELSE (ARRAY['queued', 'sent', 'failed', 'delivered', 'read', 'played'])[greatest(
                t.rank,
                array_position(ARRAY['queued', 'sent', 'failed', 'delivered', 'read', 'played'], m.status)
            )]
        END,
        wamid = coalesce(m.wamid, t.wamid),
        sent_at = coalesce(m.sent_at, t.sent_at),
        delivered_at = coalesce(m.delivered_at, t.delivered_at),
        read_at = coalesce(m.read_at, t.read_at),
        failed_at = coalesce(m.failed_at, t.failed_at),
        error_code = coalesce(m.error_code, t.code),
        price_category = coalesce(t.category, m.price_category),
        price_type = coalesce(t.price_type, m.price_type),
        price_model = coalesce(t.price_model, m.price_model),
        cost_minor = CASE
            WHEN t.free THEN 0
            WHEN t.category IS NULL THEN m.cost_minor
            WHEN jsonb_typeof(co.settings #> ARRAY['message_prices', t.category]) = 'number'
                THEN (co.settings #>> ARRAY['message_prices', t.category])::numeric
            ELSE m.cost_minor
        END
    FROM told AS t
    JOIN companies AS co ON co.id = t.company_id
    WHERE m.company_id = t.company_id AND m.created_at = t.created_at AND m.id = t.id
        AND m.created_at >= @since
    RETURNING
        m.company_id, m.id, m.conversation_id, m.customer_id, old.status AS before, new.status AS after,
        t.rank, t.wamid, t.code, t.act, t.wait, t.mark
),
settled AS (
    UPDATE outbox AS o
    SET status = CASE
            WHEN t.after = 'failed' THEN 'failed'
            WHEN t.after <> 'queued' THEN 'sent'
            WHEN t.act = 'hold' THEN 'held'
            ELSE 'pending'
        END,
        wamid = coalesce(o.wamid, t.wamid),
        error_code = t.code,
        lease_until = NULL,
        settled_at = CASE WHEN t.after <> 'queued' THEN @now::timestamptz END,
        not_before = CASE WHEN t.after = 'queued' THEN @now + make_interval(secs => t.wait) ELSE o.not_before END,
        extras = CASE
            WHEN t.after = 'queued' AND t.act = 'template' THEN o.extras || '{"use_template": true}' ELSE o.extras
        END
    FROM turned AS t
    WHERE o.company_id = t.company_id AND o.id = t.id AND (
        o.status IN ('pending', 'sending', 'doubt', 'held')
        OR (o.status = 'sent' AND t.rank = 3 AND t.after IN ('queued', 'failed'))
    )
    RETURNING o.company_id, o.id, old.status AS before
),
reported AS (
    INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
    SELECT
        company_id, conversation_id, 'send_failed:' || id, 'send_failed',
        jsonb_build_object('code', code, 'outbox_id', id), @now, @now, @now
    FROM turned
    WHERE after = 'failed' AND before <> 'failed'
    ORDER BY company_id, id
    ON CONFLICT (company_id, dedup_key) DO NOTHING
),
marked AS (
    UPDATE customers AS c
    SET unreachable_at = CASE
            WHEN k.reached THEN NULL WHEN k.lost THEN coalesce(c.unreachable_at, @now) ELSE c.unreachable_at
        END,
        marketing_opted_out_at = CASE
            WHEN k.opted_out THEN coalesce(c.marketing_opted_out_at, @now) ELSE c.marketing_opted_out_at
        END
    FROM (
        SELECT
            company_id, customer_id, bool_or(rank > 3) AS reached,
            coalesce(bool_or(mark = 'unreachable'), false) AS lost,
            coalesce(bool_or(mark = 'opted_out'), false) AS opted_out
        FROM turned
        GROUP BY company_id, customer_id
    ) AS k
    WHERE c.company_id = k.company_id AND c.id = k.customer_id
        AND (k.lost OR k.opted_out OR (k.reached AND c.unreachable_at IS NOT NULL))
),
closed AS (
    UPDATE inbox AS i
    SET attempts = i.attempts + 1,
        status = CASE WHEN NOT h.known THEN 'kept' WHEN h.done THEN 'done' ELSE 'pending' END,
        done_at = CASE WHEN h.done OR NOT h.known THEN @now END,
        not_before = CASE WHEN h.done OR NOT h.known THEN i.not_before ELSE h.again_at END
    FROM (
        SELECT h.company_id, h.inbox_id, h.known, h.again_at, n.id IS NOT NULL OR h.again_at IS NULL AS done
        FROM heard AS h
        LEFT JOIN news AS n ON n.company_id = h.company_id AND n.inbox_id = h.inbox_id
    ) AS h
    WHERE i.company_id = h.company_id AND i.id = h.inbox_id
    RETURNING i.company_id, i.id, i.status
)
SELECT
    c.company_id, c.status AS inbox_status, n.id AS message_id, t.conversation_id, n.status, t.before, t.after, n.act,
    n.code, s.before AS settled_from
FROM closed AS c
LEFT JOIN news AS n ON n.company_id = c.company_id AND n.inbox_id = c.id
LEFT JOIN turned AS t ON t.company_id = n.company_id AND t.id = n.id
LEFT JOIN settled AS s ON s.company_id = n.company_id AND s.id = n.id;
