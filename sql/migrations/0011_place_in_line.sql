-- migrate:up

-- Whether what two customers wait for may be the same time: days that meet, the same part of the day or any, the same
-- person or anyone.
CREATE FUNCTION wishes_meet(wishes jsonb, others jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN EXISTS (
    SELECT
    FROM jsonb_to_recordset(wishes) AS a ("from" date, until date, part text, staff bigint)
    JOIN jsonb_to_recordset(others) AS b ("from" date, until date, part text, staff bigint)
        ON a."from" <= b.until AND b."from" <= a.until
        AND (a.part = b.part) IS NOT FALSE AND (a.staff = b.staff) IS NOT FALSE
);

-- Somebody's place among those who wait for what they wait for, which is what they are told: whoever waits for other
-- days is not before them. Worked out when it is asked for, so that it is true whoever has come, left or changed wishes.
CREATE FUNCTION place_in_line(entry waitlist) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 1 + count(*)::integer
    FROM waitlist AS w
    WHERE w.company_id = entry.company_id AND w.service_id = entry.service_id
        AND w.position_in_queue < entry.position_in_queue AND wishes_meet(w.wishes, entry.wishes);
END;

DO $$
BEGIN
    ASSERT wishes_meet(
        '[{"from": "2026-11-23", "until": "2026-11-29", "part": "evening", "staff": null}]',
        '[{"from": "2026-11-29", "until": "2026-11-29", "part": null, "staff": 7}]'
    ), 'wishes for the same evening do not meet';
    ASSERT NOT wishes_meet(
        '[{"from": "2026-11-23", "until": "2026-11-29", "part": "evening", "staff": null}]',
        '[{"from": "2026-11-23", "until": "2026-11-29", "part": "morning", "staff": null}]'
    ), 'a morning meets an evening';
END
$$;

-- migrate:down

DROP FUNCTION place_in_line(waitlist);
DROP FUNCTION wishes_meet(jsonb, jsonb);
