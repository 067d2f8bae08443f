-- name: taken :many
-- When people are taken, in epoch seconds: one pair of arrays a person and part, because rows would cost more than
-- what is in them. The index of the EXCLUDE constraint finds what overlaps a period, however long it lasts; LATERAL
-- makes the planner search it person by person, also when there are many.
-- What lapsed does not count, nor what the asking conversation holds, nor the visit it is moving.
-- With @turns also who was booked last, of the hundred bookings made last: part 'turn'.
SELECT person.id AS staff_id, t.part, t.starts, t.ends
FROM unnest(@staff_ids::bigint[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT
        part,
        array_agg(floor(date_part('epoch', lower(during)))::bigint) AS starts,
        array_agg(ceil(date_part('epoch', upper(during)))::bigint) AS ends
    FROM slot_claims
    WHERE int8range(company_id, company_id, '[]') && int8range(@company_id, @company_id, '[]')
        AND int8range(staff_id, staff_id, '[]') && int8range(person.id, person.id, '[]')
        AND during && tstzrange(@low, @high)
        AND (expires_at IS NULL OR expires_at > @now)
        AND (kind = 'hold' AND conversation_id = @conversation_id) IS NOT TRUE
        AND (booking_id = @moving) IS NOT TRUE
    GROUP BY part
) AS t
UNION ALL
SELECT b.staff_id, 'turn', ARRAY[max(b.id)], NULL
FROM (
    SELECT staff_id, id
    FROM slot_claims
    WHERE @turns AND company_id = @company_id AND kind = 'booking' AND part = 'visit'
    ORDER BY id DESC
    LIMIT 100
) AS b
GROUP BY b.staff_id;

-- name: in_the_way :many
-- Whose time overlaps a period for what, one row a claim: for whoever asks why a start is not offered.
SELECT
    person.id AS staff_id, c.part, c.kind, floor(date_part('epoch', lower(c.during)))::bigint AS low,
    ceil(date_part('epoch', upper(c.during)))::bigint AS high
FROM unnest(@staff_ids::bigint[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT part, kind, during
    FROM slot_claims
    WHERE int8range(company_id, company_id, '[]') && int8range(@company_id, @company_id, '[]')
        AND int8range(staff_id, staff_id, '[]') && int8range(person.id, person.id, '[]')
        AND during && tstzrange(@low, @high)
        AND (expires_at IS NULL OR expires_at > @now)
) AS c
ORDER BY person.id, low;
