-- name: taken :many
-- When claimants are taken, for as many searches as want to know: one row a claimant, with ranges as PostgreSQL sends
-- them, one after the other, because rows would cost more than what is in them, and so would numbers. LATERAL makes the
-- planner search claimant by claimant, also when there are many; the index begins where the period does, and passes over
-- what begins behind its end.
-- What lapsed does not count, nor what the asking conversation holds (or the desk keeps for a choice), nor the visit it
-- is moving.
-- Where visits are counted, it also says when they begin. With turns also who was booked last, of the hundred bookings
-- made last: part 'turn'. Of the service that is shared, its groups with their seats taken.
-- There may be tens of thousands of claims, nearly all of bookings, which neither lapse nor are held by a conversation:
-- so that is looked at only where there is no booking.
SELECT k.n, t.claimant, t.part, t.visits, t.buffers, t.begins, t.starts, t.seats
FROM jsonb_to_recordset(@looks) AS k (
    n integer, company_id bigint, claimants bigint[], low timestamptz, high timestamptz, now timestamptz,
    conversation_id bigint, moving uuid, turns boolean, counted boolean, shared bigint
)
CROSS JOIN LATERAL (
    SELECT
        claimant.id AS claimant, 'claims' AS part, t.visits, t.buffers, t.begins,
        NULL::bigint[] AS starts, NULL::bigint[] AS seats
    FROM unnest(k.claimants) AS claimant (id)
    CROSS JOIN LATERAL (
        SELECT
            string_agg(range_send(during), '') FILTER (WHERE part = 'visit') AS visits,
            string_agg(range_send(during), '') FILTER (WHERE part = 'buffer') AS buffers,
            string_agg(timestamptz_send(lower(during)), '') FILTER (
                WHERE k.counted AND leads AND part = 'visit' AND kind NOT IN ('time_off', 'external')
            ) AS begins
        FROM slot_claims AS c
        WHERE company_id = k.company_id AND c.claimant = claimant.id
            AND upper(during) > k.low AND lower(during) < k.high
            AND CASE
                WHEN booking_id IS NOT NULL THEN booking_id IS DISTINCT FROM k.moving
                ELSE (expires_at IS NULL OR expires_at > k.now)
                    AND (kind IN ('hold', 'session', 'offer') AND conversation_id = k.conversation_id) IS NOT TRUE
            END
    ) AS t
    WHERE coalesce(t.visits, t.buffers) IS NOT NULL
    UNION ALL
    SELECT g.staff_id, 'session', NULL, NULL, NULL, array_agg(g.start), array_agg(g.seats)
    FROM (
        SELECT
            staff_id,
            floor(date_part('epoch', lower(during)))::bigint AS start,
            count(*) FILTER (WHERE (kind IN ('hold', 'offer') AND conversation_id = k.conversation_id) IS NOT TRUE) AS seats
        FROM slot_claims
        WHERE k.shared IS NOT NULL AND company_id = k.company_id AND service_id = k.shared AND part = 'seat'
            AND staff_id = ANY (k.claimants) AND during && tstzrange(k.low, k.high)
            AND (expires_at IS NULL OR expires_at > k.now)
        GROUP BY staff_id, during
    ) AS g
    GROUP BY g.staff_id
    UNION ALL
    SELECT b.staff_id, 'turn', NULL, NULL, NULL, ARRAY[max(b.id)], NULL
    FROM (
        SELECT staff_id, id
        FROM slot_claims
        WHERE k.turns AND company_id = k.company_id AND kind = 'booking' AND part <> 'buffer'
        ORDER BY id DESC
        LIMIT 100
    ) AS b
    GROUP BY b.staff_id
) AS t;

-- name: in_the_way :many
-- Whose time overlaps a period for what, one row a claim: for whoever asks why a start is not offered.
SELECT
    person.id AS claimant, c.part, c.kind, floor(date_part('epoch', lower(c.during)))::bigint AS low,
    ceil(date_part('epoch', upper(c.during)))::bigint AS high
FROM unnest(@claimants::bigint[]) AS person (id)
CROSS JOIN LATERAL (
    SELECT part, kind, during
    FROM slot_claims
    WHERE company_id = @company_id AND claimant = person.id AND upper(during) > @low AND lower(during) < @high
        AND (expires_at IS NULL OR expires_at > @now)
) AS c
ORDER BY person.id, c.during;
