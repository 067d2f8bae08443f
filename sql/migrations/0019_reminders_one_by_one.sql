-- migrate:up

-- Each reminder is found by its own key. Those to be dropped were looked for among all that the company had planned,
-- with every booking, also when there were none to drop.
CREATE OR REPLACE FUNCTION note_reminders(of_company bigint, moment timestamptz, ops jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    n record;
BEGIN
    INSERT INTO reminders AS r (company_id, booking_id, kind, due_at, sent_at)
    SELECT of_company, o.booking_id, o.kind, coalesce(o.due_at, moment), CASE o.op WHEN 'sent' THEN moment END
    FROM jsonb_to_recordset(ops) AS o (op text, booking_id uuid, kind text, due_at timestamptz)
    WHERE o.op IN ('plan', 'sent')
    ON CONFLICT ON CONSTRAINT reminders_pkey DO UPDATE
    SET due_at = CASE WHEN excluded.sent_at IS NULL THEN excluded.due_at ELSE r.due_at END,
        sent_at = excluded.sent_at,
        answer = CASE WHEN excluded.sent_at IS NOT NULL THEN r.answer END,
        answered_at = CASE WHEN excluded.sent_at IS NOT NULL THEN r.answered_at END;

    FOR n IN
        SELECT o.*
        FROM jsonb_to_recordset(ops) AS o (op text, booking_id uuid, kind text, answer text)
        WHERE o.op IN ('answer', 'drop')
    LOOP
        IF n.op = 'answer' THEN
            UPDATE reminders
            SET answer = n.answer, answered_at = moment
            WHERE company_id = of_company AND booking_id = n.booking_id AND kind = n.kind AND sent_at IS NOT NULL;
        ELSE
            DELETE FROM reminders
            WHERE company_id = of_company AND booking_id = n.booking_id AND kind = n.kind
                -- A CASE, so that the index of all that is planned is of no use here, however short it once was.
                AND CASE WHEN booking_id = n.booking_id THEN sent_at IS NULL END;
        END IF;
    END LOOP;
    RETURN true;
END
$$;

DO $$
BEGIN
    ASSERT note_reminders(0, now(), '[{"op": "drop", "kind": "24h", "booking_id": "00000000-0000-7000-8000-000000000000"}]'),
        'what is not there could not be dropped';
END
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION note_reminders(of_company bigint, moment timestamptz, ops jsonb) RETURNS boolean
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
