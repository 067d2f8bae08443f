-- name: load :many
-- All that turns need to know, in one round trip for as many conversations as want one. At most two rows for each: the
-- event to handle, and the sign that another one waits. Nothing is locked: save is the fence.
SELECT
    d.company_id, d.id AS conversation_id, d.turn, d.state, d.last_inbound_at, d.person_until,
    c.id AS customer_id, c.phone, c.bsuid, coalesce(c.first_name, c.profile_name) AS name,
    coalesce(d.locale, c.locale) AS locale, c.whatsapp_opted_out_at IS NOT NULL AS opted_out,
    co.catalog_version,
    i.id AS inbox_id, i.kind, i.event, i.occurred_at, i.attempts, i.not_before,
    ARRAY(
        SELECT o.id FROM outbox AS o
        WHERE o.company_id = d.company_id AND o.conversation_id = d.id
            AND o.status IN ('pending', 'sending', 'doubt', 'held')
    ) AS waiting_sends
FROM unnest(@company_ids::bigint[], @conversation_ids::bigint[]) AS wanted (company_id, id)
JOIN dialog_contexts AS d ON d.company_id = wanted.company_id AND d.id = wanted.id
JOIN companies AS co ON co.id = d.company_id
JOIN customers AS c ON c.company_id = d.company_id AND c.id = d.customer_id
CROSS JOIN LATERAL (
    SELECT id, kind, event, occurred_at, attempts, not_before
    FROM inbox
    WHERE company_id = d.company_id AND conversation_id = d.id AND status = 'pending'
    ORDER BY occurred_at, id
    LIMIT 2
) AS i
ORDER BY i.occurred_at, i.id;

-- name: save :many
-- Everything that turns wanted, in one statement for as many as are ready. Both fences must hold for each: its event is
-- still to be handled and nobody took a turn meanwhile; otherwise nothing is written of it, and no row says that
-- it was saved. Times that are in an index change only when that matters: a row of which no index hears is far
-- cheaper to write. Events are locked in the order of their ids, so that no two batches wait for each other.
WITH wanted AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@turns) AS t (
        company_id bigint, conversation_id bigint, customer_id bigint, phone text, inbox_id bigint, turn bigint,
        now timestamptz, state jsonb, status text, locale text, inbound_at timestamptz, person_until timestamptz,
        expires_at timestamptz, wamid text, type text, in_reply_to text, occurred_at timestamptz, said jsonb,
        records jsonb, lease_until timestamptz
    )
),
pending AS MATERIALIZED (
    SELECT i.company_id, i.id, i.event
    FROM inbox AS i
    WHERE (i.company_id, i.id) IN (SELECT company_id, inbox_id FROM wanted) AND i.status = 'pending'
    ORDER BY i.company_id, i.id
    FOR NO KEY UPDATE
),
talk AS (
    UPDATE dialog_contexts AS d
    SET state = w.state, turn = d.turn + 1, status = w.status, locale = coalesce(w.locale, d.locale),
        last_inbound_at = greatest(d.last_inbound_at, w.inbound_at),
        last_message_at = CASE WHEN d.last_message_at > w.now - interval '1 minute' THEN d.last_message_at ELSE w.now END,
        person_until = w.person_until,
        expires_at = CASE
            WHEN d.expires_at > w.expires_at - interval '1 hour' THEN d.expires_at ELSE w.expires_at
        END
    FROM wanted AS w
    JOIN pending AS p ON p.company_id = w.company_id AND p.id = w.inbox_id
    WHERE d.company_id = w.company_id AND d.id = w.conversation_id AND d.turn = w.turn
    RETURNING d.company_id, d.id AS conversation_id
),
taken AS MATERIALIZED (
    SELECT w.*, p.event
    FROM talk
    JOIN wanted AS w ON w.company_id = talk.company_id AND w.conversation_id = talk.conversation_id
    JOIN pending AS p ON p.company_id = w.company_id AND p.id = w.inbox_id
),
handled AS (
    UPDATE inbox AS i
    SET status = 'done', done_at = t.now, attempts = i.attempts + 1
    FROM taken AS t
    WHERE i.company_id = t.company_id AND i.id = t.inbox_id
),
heard AS (
    INSERT INTO messages (
        company_id, created_at, conversation_id, customer_id, phone, direction, wamid, type, body, status,
        sent_at, in_reply_to
    )
    SELECT
        company_id, now, conversation_id, customer_id, phone, 'in', wamid, type, event -> 'message', 'received',
        occurred_at, in_reply_to
    FROM taken
    WHERE type IS NOT NULL
),
said AS MATERIALIZED (
    SELECT
        nextval('messages_id_seq') AS id, s.n, s.message, t.company_id, t.conversation_id, t.customer_id, t.phone,
        t.now, CASE WHEN s.n = 1 THEN t.lease_until END AS lease_until
    FROM taken AS t, jsonb_array_elements(t.said) WITH ORDINALITY AS s (message, n)
),
written AS (
    INSERT INTO messages (
        company_id, created_at, id, conversation_id, customer_id, phone, direction, type, body, status
    )
    SELECT
        company_id, now, id, conversation_id, customer_id, phone, 'out', message -> 'body' ->> 'type',
        message -> 'body', 'queued'
    FROM said
),
queued AS (
    INSERT INTO outbox (company_id, id, created_at, conversation_id, status, attempts, not_before, lease_until, extras)
    SELECT
        company_id, id, now, conversation_id,
        CASE WHEN lease_until IS NULL THEN 'pending' ELSE 'sending' END,
        CASE WHEN lease_until IS NULL THEN 0 ELSE 1 END,
        now, lease_until, message -> 'extras'
    FROM said
),
recorded AS (
    INSERT INTO analytics_events (company_id, created_at, conversation_id, event_type, event_data)
    SELECT t.company_id, t.now, t.conversation_id, r.record ->> 0, r.record -> 1
    FROM taken AS t, jsonb_array_elements(t.records) AS r (record)
)
SELECT
    t.company_id, t.inbox_id,
    ARRAY(
        SELECT s.id FROM said AS s
        WHERE s.company_id = t.company_id AND s.conversation_id = t.conversation_id
        ORDER BY s.n
    ) AS outbox_ids
FROM taken AS t;

-- name: set_locale :exec
-- The customer's language outlives the conversation.
UPDATE customers SET locale = @locale WHERE company_id = @company_id AND id = @customer_id;

-- name: set_opted_out :exec
-- STOP covers marketing too; START gives back only what STOP took.
UPDATE customers
SET whatsapp_opted_out_at = @opted_out_at::timestamptz,
    marketing_opted_out_at = coalesce(marketing_opted_out_at, @opted_out_at::timestamptz)
WHERE company_id = @company_id AND id = @customer_id;

-- name: cleanup_expired :value
-- Conversations left in the middle of something for too long start anew when the customer writes again.
SELECT cleanup_expired_dialog_contexts(@now);
