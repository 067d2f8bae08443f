-- name: find :one
-- A message of either side by WhatsApp's id. Rows come whole, as JSON: whoever looks wants to see what there is.
SELECT
    co.id AS company_id, to_jsonb(i) AS event, to_jsonb(o) AS outbox, to_jsonb(m) AS message,
    coalesce(i.conversation_id, o.conversation_id) AS conversation_id, coalesce(i.done_at, o.created_at) AS turn_at
FROM companies AS co
LEFT JOIN inbox AS i ON i.company_id = co.id AND i.dedup_key = @dedup_key
LEFT JOIN outbox AS o ON o.company_id = co.id AND o.wamid = @wamid
LEFT JOIN messages AS m ON m.company_id = o.company_id AND m.created_at = o.created_at AND m.id = o.id
WHERE co.phone_number_id = @phone_number_id;

-- name: event_of_turn :value
-- A turn writes all it writes with one time, and marks its event handled with it. The bounds are for the index on
-- received_at.
SELECT to_jsonb(i)
FROM inbox AS i
WHERE i.company_id = @company_id AND i.conversation_id = @conversation_id AND i.done_at = @at
    AND i.received_at <= @at AND i.received_at > @at::timestamptz - interval '8 days'
ORDER BY i.id DESC
LIMIT 1;

-- name: said_by_turn :many
-- In the order in which it goes out.
SELECT to_jsonb(m) AS message, to_jsonb(o) AS outbox
FROM messages AS m
JOIN outbox AS o ON o.company_id = m.company_id AND o.id = m.id
WHERE m.company_id = @company_id AND m.conversation_id = @conversation_id AND m.created_at = @at
    AND m.direction = 'out'
ORDER BY m.id;

-- name: recorded_by_turn :many
-- The funnel's steps.
SELECT event_type, event_data
FROM analytics_events
WHERE company_id = @company_id AND conversation_id = @conversation_id AND created_at = @at
ORDER BY id;

-- name: events :many
-- The events that came under these keys, oldest first.
SELECT to_jsonb(i) AS event
FROM inbox AS i
WHERE i.company_id = @company_id AND i.dedup_key = ANY (@keys::text[])
ORDER BY i.id;

-- name: conversation :value
-- Where it stands now.
SELECT to_jsonb(d) FROM dialog_contexts AS d WHERE d.company_id = @company_id AND d.id = @conversation_id;

-- name: timers :many
-- What will happen to it by itself, and what has; the next one first.
SELECT to_jsonb(t) AS timer
FROM timers AS t
WHERE t.company_id = @company_id AND t.conversation_id = @conversation_id
ORDER BY t.status = 'armed' DESC, abs(extract(epoch FROM t.due_at - @now::timestamptz))
LIMIT 20;
