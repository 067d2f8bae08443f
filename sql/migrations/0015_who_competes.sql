-- migrate:up

-- Whether two who wait may want the same time of the same person: for one service when their wishes meet; for different
-- ones when somebody who does both is, or may be, whom both of such wishes are for.
CREATE FUNCTION places_compete(one waitlist, other waitlist) RETURNS boolean
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

-- Somebody's place among all who may be offered a time before them that they would want: whoever waits for other days or
-- other people is not before them, whoever waits for another visit to the same person is. Nobody is before themselves.
CREATE OR REPLACE FUNCTION place_in_line(entry waitlist) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 1 + count(*)::integer
    FROM waitlist AS w
    WHERE w.company_id = entry.company_id AND w.position_in_queue IS NOT NULL
        AND (w.joined_at, w.id) < (entry.joined_at, entry.id) AND w.customer_id <> entry.customer_id
        AND w.wanted_from <= entry.wanted_until AND w.wanted_until >= entry.wanted_from
        AND places_compete(w, entry);
END;

-- migrate:down

CREATE OR REPLACE FUNCTION place_in_line(entry waitlist) RETURNS integer
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 1 + count(*)::integer
    FROM waitlist AS w
    WHERE w.company_id = entry.company_id AND w.service_id = entry.service_id
        AND w.position_in_queue < entry.position_in_queue AND wishes_meet(w.wishes, entry.wishes);
END;

DROP FUNCTION places_compete(waitlist, waitlist);
