-- migrate:up

-- What few turns want stands in functions: a statement pays for every table that it might write to, also when it
-- does not, and nearly all turns are saved without any of these (dialogs.save).

-- The last of the visits that a customer has ahead or behind, if they have any.
CREATE FUNCTION latest_visit_of(of_company bigint, of_customer bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT b.starts_at FROM bookings AS b
        WHERE b.company_id = of_company AND b.customer_id = of_customer AND b.status IN ('pending', 'confirmed')
        ORDER BY b.starts_at DESC
        LIMIT 1
    );
END
$$;

-- Keeps in step with the timers of reminders what is planned, was sent and was answered: [{"op", "booking_id", "kind",
-- "due_at", "answer"}, …]. What is planned anew has not been sent yet.
CREATE FUNCTION note_reminders(of_company bigint, moment timestamptz, ops jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reminders AS r (company_id, booking_id, kind, due_at, sent_at)
    SELECT of_company, n.booking_id, n.kind, coalesce(n.due_at, moment), CASE n.op WHEN 'sent' THEN moment END
    FROM jsonb_to_recordset(ops) AS n (op text, booking_id uuid, kind text, due_at timestamptz)
    WHERE n.op IN ('plan', 'sent')
    ON CONFLICT ON CONSTRAINT reminders_pkey DO UPDATE
    SET due_at = CASE WHEN excluded.sent_at IS NULL THEN excluded.due_at ELSE r.due_at END,
        sent_at = excluded.sent_at,
        answer = CASE WHEN excluded.sent_at IS NOT NULL THEN r.answer END,
        answered_at = CASE WHEN excluded.sent_at IS NOT NULL THEN r.answered_at END;

    UPDATE reminders AS r
    SET answer = n.answer, answered_at = moment
    FROM jsonb_to_recordset(ops) AS n (op text, booking_id uuid, kind text, answer text)
    WHERE n.op = 'answer' AND r.company_id = of_company AND r.booking_id = n.booking_id AND r.kind = n.kind
        AND r.sent_at IS NOT NULL;

    DELETE FROM reminders AS r
    USING jsonb_to_recordset(ops) AS n (op text, booking_id uuid, kind text)
    WHERE n.op = 'drop' AND r.company_id = of_company AND r.booking_id = n.booking_id AND r.kind = n.kind
        AND r.sent_at IS NULL;
    RETURN true;
END
$$;

-- Puts events into the inbox of other conversations, [{"to", "key", "kind", "event"}, …] (to NULL: the desk), each key
-- once; returns the conversations that have heard something new.
CREATE FUNCTION tell_conversations(of_company bigint, moment timestamptz, tells jsonb) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    told bigint[];
BEGIN
    WITH put AS (
        INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
        SELECT
            of_company, coalesce((o.tell ->> 'to')::bigint, desk_of(of_company, moment)), o.tell ->> 'key',
            o.tell ->> 'kind', o.tell -> 'event', moment, moment, moment
        FROM jsonb_array_elements(tells) AS o (tell)
        ORDER BY o.tell ->> 'key'
        ON CONFLICT (company_id, dedup_key) DO NOTHING
        RETURNING conversation_id
    )
    SELECT coalesce(array_agg(conversation_id), '{}') INTO told FROM put;
    RETURN told;
END
$$;

DO $$
BEGIN
    ASSERT latest_visit_of(0, 0) IS NULL, 'somebody who is not has a visit';
    ASSERT note_reminders(0, now(), '[]'), 'nothing could not be noted';
    ASSERT tell_conversations(0, now(), '[]') = '{}', 'nobody was told something';
END
$$;

-- migrate:down

DROP FUNCTION tell_conversations(bigint, timestamptz, jsonb);
DROP FUNCTION note_reminders(bigint, timestamptz, jsonb);
DROP FUNCTION latest_visit_of(bigint, bigint);
