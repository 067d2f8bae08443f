-- migrate:up

-- A wish may leave somebody out ("but"): who waits for that person alone does not want the same time.
CREATE OR REPLACE FUNCTION wishes_meet(wishes jsonb, others jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN EXISTS (
    SELECT
    FROM jsonb_to_recordset(wishes) AS a ("from" date, until date, part text, staff bigint, but bigint)
    JOIN jsonb_to_recordset(others) AS b ("from" date, until date, part text, staff bigint, but bigint)
        ON a."from" <= b.until AND b."from" <= a.until
        AND (a.part = b.part) IS NOT FALSE AND (a.staff = b.staff) IS NOT FALSE
        AND (a.staff = b.but) IS NOT TRUE AND (b.staff = a.but) IS NOT TRUE
);

CREATE OR REPLACE FUNCTION places_compete(one waitlist, other waitlist) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE one.service_id
        WHEN other.service_id THEN wishes_meet(one.wishes, other.wishes)
        ELSE EXISTS (
            SELECT
            FROM jsonb_to_recordset(one.wishes) AS a ("from" date, until date, part text, staff bigint, but bigint)
            JOIN jsonb_to_recordset(other.wishes) AS b ("from" date, until date, part text, staff bigint, but bigint)
                ON a."from" <= b.until AND b."from" <= a.until AND (a.part = b.part) IS NOT FALSE
            JOIN staff_services AS s
                ON s.company_id = one.company_id AND s.service_id = one.service_id
                AND (s.staff_id = a.staff) IS NOT FALSE AND (s.staff_id = b.staff) IS NOT FALSE
                AND (s.staff_id = a.but) IS NOT TRUE AND (s.staff_id = b.but) IS NOT TRUE
            JOIN staff_services AS t
                ON t.company_id = s.company_id AND t.staff_id = s.staff_id AND t.service_id = other.service_id
            JOIN staff AS p ON p.company_id = s.company_id AND p.id = s.staff_id AND p.active
        )
    END;
END;

DO $$
BEGIN
    ASSERT NOT wishes_meet(
        '[{"from": "2026-11-23", "until": "2026-11-29", "part": null, "staff": 7}]',
        '[{"from": "2026-11-29", "until": "2026-11-29", "part": null, "staff": null, "but": 7}]'
    ), 'who waits for somebody is before who does not want them';
    ASSERT wishes_meet(
        '[{"from": "2026-11-23", "until": "2026-11-29", "part": null, "staff": null}]',
        '[{"from": "2026-11-29", "until": "2026-11-29", "part": null, "staff": null, "but": 7}]'
    ), 'who waits for anyone is not before who waits for all but one';
END
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION wishes_meet(wishes jsonb, others jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN EXISTS (
    SELECT
    FROM jsonb_to_recordset(wishes) AS a ("from" date, until date, part text, staff bigint)
    JOIN jsonb_to_recordset(others) AS b ("from" date, until date, part text, staff bigint)
        ON a."from" <= b.until AND b."from" <= a.until
        AND (a.part = b.part) IS NOT FALSE AND (a.staff = b.staff) IS NOT FALSE
);

CREATE OR REPLACE FUNCTION places_compete(one waitlist, other waitlist) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE one.service_id
        WHEN other.service_id THEN wishes_meet(one.wishes, other.wishes)
        ELSE EXISTS (
            SELECT
            FROM jsonb_to_recordset(one.wishes) AS a ("from" date, until date, part text, staff bigint)
            JOIN jsonb_to_recordset(other.wishes) AS b ("from" date, until date, part text, staff bigint)
                ON a."from" <= b.until AND b."from" <= a.until AND (a.part = b.part) IS NOT FALSE
            JOIN staff_services AS s
                ON s.company_id = one.company_id AND s.service_id = one.service_id
                AND (s.staff_id = a.staff) IS NOT FALSE AND (s.staff_id = b.staff) IS NOT FALSE
            JOIN staff_services AS t
                ON t.company_id = s.company_id AND t.staff_id = s.staff_id AND t.service_id = other.service_id
            JOIN staff AS p ON p.company_id = s.company_id AND p.id = s.staff_id AND p.active
        )
    END;
END;
