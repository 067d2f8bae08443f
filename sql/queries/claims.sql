-- name: claim :value
-- Keeps a time for a conversation, in place of what it held before; how many of its parts got in. Parts that meet
-- somebody else's time are left out, so fewer than asked for means that it is taken. What has lapsed in the way goes
-- first: the insert sees that it is gone.
--
-- Nobody can wait for each other in a circle here. Whoever gives out somebody's time passes that person's gate and has
-- it to the end of the transaction; whoever may have to try several people passes the company's gate before. What
-- a conversation held of other people, whose gates it does not have, it lets go last of all, when it waits for nobody.
WITH gate AS MATERIALIZED (
    SELECT
        CASE WHEN @anyone THEN pg_advisory_xact_lock(hashint8extended(@company_id, 1)) END AS company,
        pg_advisory_xact_lock(hashint8extended(@staff_id, 2)) AS person
),
gone AS (
    DELETE FROM slot_claims AS c
    USING (
        SELECT id FROM slot_claims
        WHERE (SELECT count(*) FROM gate) = 1
            AND company_id = @company_id AND staff_id = @staff_id
            AND id = ANY (ARRAY(
                SELECT id FROM slot_claims
                WHERE company_id = @company_id AND conversation_id = @conversation_id AND kind = 'hold'
                UNION ALL
                SELECT id FROM slot_claims
                WHERE int8range(company_id, company_id, '[]') && int8range(@company_id, @company_id, '[]')
                    AND int8range(staff_id, staff_id, '[]') && int8range(@staff_id, @staff_id, '[]')
                    AND during && tstzrange(@low, @high) AND expires_at <= @now
            ))
            AND ((conversation_id = @conversation_id AND kind = 'hold') OR expires_at <= @now)
        ORDER BY id
        FOR UPDATE
    ) AS old
    WHERE c.company_id = @company_id AND c.id = old.id
    RETURNING c.id
),
kept AS (
    INSERT INTO slot_claims (
        company_id, claim_id, staff_id, during, part, kind, conversation_id, expires_at, created_at
    )
    SELECT
        @company_id, @claim_id, @staff_id, tstzrange(p.low, p.high), p.part, 'hold', @conversation_id, @until, @now
    FROM unnest(@lows::timestamptz[], @highs::timestamptz[], @parts::text[]) AS p (low, high, part)
    WHERE (SELECT count(*) FROM gate) = 1 AND (SELECT count(*) FROM gone) >= 0
    ORDER BY p.low
    ON CONFLICT DO NOTHING
    RETURNING id
),
elsewhere AS (
    DELETE FROM slot_claims AS c
    USING (
        SELECT id FROM slot_claims
        WHERE (SELECT count(*) FROM kept) = cardinality(@parts::text[])
            AND company_id = @company_id AND conversation_id = @conversation_id AND kind = 'hold'
            AND staff_id <> @staff_id
        FOR UPDATE SKIP LOCKED
    ) AS old
    WHERE c.company_id = @company_id AND c.id = old.id
)
SELECT count(*) FROM kept;

-- name: undo :exec
-- Takes back the part of a claim that did get in.
DELETE FROM slot_claims WHERE company_id = @company_id AND claim_id = @claim_id AND kind = 'hold';

-- name: release :exec
-- Lets go of what a conversation holds. What is locked has lapsed, and somebody else is deleting it.
DELETE FROM slot_claims AS c
USING (
    SELECT id FROM slot_claims
    WHERE company_id = @company_id AND conversation_id = @conversation_id AND kind = 'hold'
    FOR UPDATE SKIP LOCKED
) AS old
WHERE c.company_id = @company_id AND c.id = old.id;

-- name: pass_gate :value
-- From here to the end of the transaction nobody else gives out this person's time.
SELECT pg_advisory_xact_lock(hashint8extended(@staff_id, 2));

-- name: of_visit :many
-- The time that a visit of this conversation's customer has now: a new time for it may lie across the old one.
SELECT lower(c.during) AS low, upper(c.during) AS high, c.part, c.staff_id
FROM slot_claims AS c
JOIN bookings AS b ON b.company_id = c.company_id AND b.id = c.booking_id
JOIN dialog_contexts AS d ON d.company_id = b.company_id AND d.customer_id = b.customer_id
WHERE c.company_id = @company_id AND c.booking_id = @booking_id AND d.id = @conversation_id;

-- name: forget_past :exec
-- Claims are about now and ahead: what lapsed an hour ago or ended days ago guards nothing. Rows in use wait for the
-- next time.
DELETE FROM slot_claims AS c
USING (
    SELECT company_id, id FROM slot_claims
    WHERE expires_at <= @now::timestamptz - interval '1 hour'
        OR upper(during) <= @now::timestamptz - interval '2 days'
    LIMIT 10000
    FOR UPDATE SKIP LOCKED
) AS old
WHERE c.company_id = old.company_id AND c.id = old.id;

-- name: free_lapsed :exec
-- Time that a customer did not decide about in time is free at once, and not only when somebody wants it. Rows in use are
-- left: whoever has them passes the gate and deletes or keeps them. This one waits for nobody and gives out no time, so
-- it needs no gate.
DELETE FROM slot_claims AS c
USING (
    SELECT company_id, id FROM slot_claims
    WHERE expires_at <= statement_timestamp() + @shift::interval AND kind = 'hold'
    ORDER BY expires_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
) AS old
WHERE c.company_id = old.company_id AND c.id = old.id;
