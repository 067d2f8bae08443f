-- name: load :many
-- All that turns need to know, in one round trip for as many conversations as want one. At most two rows for each: the
-- event to handle, and the sign that another one waits. Nothing is locked: save is the fence. The desk has no customer.
-- Stale is what a timer said before it was moved or cancelled. Whether somebody has a visit ahead matters to regulars,
-- and to what is typed ("can I come an hour later?"); taps of others ask nothing.
SELECT
    d.company_id, d.id AS conversation_id, d.turn, d.state, d.last_inbound_at, d.person_until, d.expires_at,
    c.id AS customer_id, c.phone, c.bsuid, coalesce(c.first_name, c.profile_name) AS name,
    coalesce(d.locale, c.locale) AS locale, c.whatsapp_opted_out_at IS NOT NULL AS opted_out,
    c.marketing_opted_out_at IS NOT NULL AS marketing_off, c.area_id, co.catalog_version,
    p.favorite_service_id, p.favorite_staff_id, p.preferred_weekday, p.preferred_hour, p.average_gap_days,
    p.last_visit_at, p.next_suggested_on, p.visits_counted, p.confidence,
    CASE WHEN p.visits_counted > 1 OR i.event #>> '{message,type}' = 'text'
        THEN latest_visit_of(d.company_id, d.customer_id)
    END AS next_visit_at,
    i.id AS inbox_id, i.kind, i.event, i.occurred_at, i.attempts, i.not_before,
    ARRAY(
        SELECT o.id FROM outbox AS o
        WHERE o.company_id = d.company_id AND o.conversation_id = d.id
            AND o.status IN ('pending', 'sending', 'doubt', 'held')
    ) AS waiting_sends,
    i.kind = 'timer_fired' AND (
        SELECT t.generation FROM timers AS t
        WHERE t.company_id = d.company_id AND t.key = i.event ->> 'key' AND t.status IN ('fired', 'dead')
        LIMIT 1
    ) IS DISTINCT FROM (i.event ->> 'generation')::bigint AS stale
FROM unnest(@company_ids::bigint[], @conversation_ids::bigint[]) AS wanted (company_id, id)
JOIN dialog_contexts AS d
    ON d.company_id = ANY (@company_ids) AND d.id = ANY (@conversation_ids)
    AND d.company_id = wanted.company_id AND d.id = wanted.id
JOIN companies AS co ON co.id = d.company_id
LEFT JOIN customers AS c ON c.company_id = d.company_id AND c.id = d.customer_id
LEFT JOIN customer_preferences AS p ON p.company_id = d.company_id AND p.customer_id = d.customer_id
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
-- cheaper to write. Events are locked in the order of their ids and timers in that of their keys, so that no two batches
-- wait for each other. Rows are looked up by arrays of their keys before they are joined, and timers one by one and
-- written by an upsert: then they are found by their keys, however few the planner believes there are. (It believes so
-- of a table that was empty when it last looked, and would read all of it, for each turn, once it is full.) Armed beats heard beats cancelled where a turn, or two
-- of a batch, want different things of one timer. What few turns want is written by functions.
WITH wanted AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@turns) AS t (
        company_id bigint, conversation_id bigint, customer_id bigint, phone text, inbox_id bigint, turn bigint,
        now timestamptz, state jsonb, status text, locale text, inbound_at timestamptz, person_until timestamptz,
        expires_at timestamptz, wamid text, type text, in_reply_to text, occurred_at timestamptz, said jsonb,
        records jsonb, lease_until timestamptz, timers jsonb, tells jsonb, reminders jsonb
    )
),
pending AS MATERIALIZED (
    SELECT i.company_id, i.id, i.kind, i.event
    FROM inbox AS i
    WHERE i.company_id = ANY (ARRAY(SELECT company_id FROM wanted)) AND i.id = ANY (ARRAY(SELECT inbox_id FROM wanted))
        -- A CASE, so that they are found by their keys and not among all that wait.
        AND CASE WHEN i.id > 0 THEN i.status = 'pending' END
    ORDER BY i.company_id, i.id
    FOR NO KEY UPDATE
),
keys AS MATERIALIZED (
    SELECT company_id, event ->> 'key' AS key FROM pending WHERE kind = 'timer_fired'
    UNION
    SELECT w.company_id, o.op ->> 'key' FROM wanted AS w, jsonb_array_elements(w.timers) AS o (op)
    ORDER BY company_id, key
),
known AS MATERIALIZED (
    SELECT t.*
    FROM keys AS k
    CROSS JOIN LATERAL (
        SELECT * FROM timers WHERE company_id = k.company_id AND key = k.key LIMIT 1 FOR NO KEY UPDATE
    ) AS t
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
    WHERE d.company_id = ANY (ARRAY(SELECT company_id FROM wanted))
        AND d.id = ANY (ARRAY(SELECT conversation_id FROM wanted))
        AND d.company_id = w.company_id AND d.id = w.conversation_id AND d.turn = w.turn
        AND (p.kind <> 'timer_fired' OR (p.company_id, p.event ->> 'key', (p.event ->> 'generation')::bigint) IN (
            SELECT company_id, key, generation FROM known WHERE status IN ('fired', 'dead')
        ))
    RETURNING d.company_id, d.id AS conversation_id
),
taken AS MATERIALIZED (
    SELECT w.*, p.kind, p.event
    FROM talk
    JOIN wanted AS w ON w.company_id = talk.company_id AND w.conversation_id = talk.conversation_id
    JOIN pending AS p ON p.company_id = w.company_id AND p.id = w.inbox_id
),
handled AS (
    UPDATE inbox AS i
    SET status = 'done', done_at = t.now, attempts = i.attempts + 1
    FROM taken AS t
    WHERE i.company_id = ANY (ARRAY(SELECT company_id FROM taken)) AND i.id = ANY (ARRAY(SELECT inbox_id FROM taken))
        AND i.company_id = t.company_id AND i.id = t.inbox_id
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
),
timed AS (
    INSERT INTO timers AS t (
        company_id, key, conversation_id, name, due_at, payload, status, turn, scheduled_at, started_at, completed_at
    )
    SELECT DISTINCT ON (company_id, key)
        company_id, key, conversation_id, name, due_at, payload, status, turn, scheduled_at, started_at, completed_at
    FROM (
        SELECT
            n.company_id, o.op ->> 'key' AS key, n.conversation_id, o.op ->> 'name' AS name,
            (o.op ->> 'due_at')::timestamptz AS due_at, o.op -> 'payload' AS payload, 'armed' AS status,
            n.turn + 1 AS turn, n.now AS scheduled_at, NULL::timestamptz AS started_at,
            NULL::timestamptz AS completed_at, 1 AS rank
        FROM taken AS n, jsonb_array_elements(n.timers) AS o (op)
        WHERE o.op ? 'due_at'
        UNION ALL
        SELECT
            k.company_id, k.key, k.conversation_id, k.name, k.due_at, k.payload, 'fired', k.turn, k.scheduled_at,
            k.started_at, n.now, 2
        FROM taken AS n
        JOIN known AS k ON k.company_id = n.company_id AND k.key = n.event ->> 'key'
        WHERE n.kind = 'timer_fired'
        UNION ALL
        SELECT
            k.company_id, k.key, k.conversation_id, k.name, k.due_at, k.payload, 'cancelled', k.turn, k.scheduled_at,
            k.started_at, n.now, 3
        FROM taken AS n, jsonb_array_elements(n.timers) AS o (op), known AS k
        WHERE NOT o.op ? 'due_at' AND k.company_id = n.company_id AND k.key = o.op ->> 'key'
            AND k.status <> 'cancelled' AND (k.status <> 'fired' OR k.completed_at IS NULL)
    ) AS changed
    ORDER BY company_id, key, rank
    ON CONFLICT ON CONSTRAINT timers_pkey DO UPDATE
    SET conversation_id = excluded.conversation_id, name = excluded.name, due_at = excluded.due_at,
        payload = excluded.payload, status = excluded.status, turn = excluded.turn,
        scheduled_at = excluded.scheduled_at, started_at = excluded.started_at, completed_at = excluded.completed_at,
        generation = CASE excluded.status WHEN 'armed' THEN t.generation + 1 ELSE t.generation END,
        attempts = CASE excluded.status WHEN 'armed' THEN 0 ELSE t.attempts END,
        last_error = CASE excluded.status WHEN 'armed' THEN NULL ELSE t.last_error END
)
SELECT
    t.company_id, t.inbox_id,
    ARRAY(
        SELECT s.id FROM said AS s
        WHERE s.company_id = t.company_id AND s.conversation_id = t.conversation_id
        ORDER BY s.n
    ) AS outbox_ids,
    CASE
        WHEN jsonb_array_length(t.tells) > 0 THEN tell_conversations(t.company_id, t.now, t.tells) ELSE '{}'
    END AS told,
    CASE WHEN jsonb_array_length(t.reminders) > 0 THEN note_reminders(t.company_id, t.now, t.reminders) END AS noted
FROM taken AS t;

-- name: desk :value
-- The company's conversation with nobody; made when it is first needed.
SELECT desk_of(@company_id, @now);

-- name: set_locale :exec
-- The customer's language outlives the conversation.
UPDATE customers SET locale = @locale WHERE company_id = @company_id AND id = @customer_id;

-- name: set_opted_out :exec
-- STOP covers marketing too; START gives back only what STOP took.
UPDATE customers
SET whatsapp_opted_out_at = @opted_out_at::timestamptz,
    marketing_opted_out_at = coalesce(marketing_opted_out_at, @opted_out_at::timestamptz)
WHERE company_id = @company_id AND id = @customer_id;

-- name: set_marketing :exec
-- Suggestions alone: what they have asked for still comes.
UPDATE customers
SET marketing_opted_out_at = CASE
        WHEN @off_since::timestamptz IS NULL THEN whatsapp_opted_out_at
        ELSE coalesce(marketing_opted_out_at, @off_since)
    END
WHERE company_id = @company_id AND id = @customer_id;

-- name: set_area :exec
-- Where the business comes to when this customer books.
UPDATE customers SET area_id = @area_id WHERE company_id = @company_id AND id = @customer_id;

-- name: cleanup_expired :value
-- Conversations left in the middle of something for too long start anew when the customer writes again.
SELECT cleanup_expired_dialog_contexts(@now);
