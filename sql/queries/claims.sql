-- name: claim :value
-- Keeps a time for a conversation, in place of what it held before; how many of its parts got in. Parts that meet
-- somebody else's time are left out, so fewer than asked for means that it is taken. What has lapsed in the way goes
-- first, all of it, for half a hold is none: the insert sees that it is gone. A session is made by whoever sits in it first; others join it.
--
-- Nobody can wait for each other in a circle here. Whoever gives out somebody's time passes that person's gate and has
-- it to the end of the transaction, the gates of several people in the order of their ids; whoever may have to try
-- several people, or needs more than one person's time, passes the company's gate before. What a conversation held of
-- other people, whose gates it does not have, it lets go last of all, when it waits for nobody.
WITH gate AS MATERIALIZED (
    SELECT
        CASE WHEN @anyone THEN pg_advisory_xact_lock(hashint8extended(@company_id, 1)) END AS company,
        (
            SELECT count(pg_advisory_xact_lock(hashint8extended(p.id, 2)))
            FROM (SELECT DISTINCT id FROM unnest(@staff_ids::bigint[]) AS p (id) ORDER BY id) AS p
        ) AS people
),
gone AS (
    DELETE FROM slot_claims AS c
    USING (
        SELECT id FROM slot_claims
        WHERE (SELECT count(*) FROM gate) = 1
            AND company_id = @company_id
            AND id = ANY (ARRAY(
                SELECT id FROM slot_claims
                WHERE company_id = @company_id AND conversation_id = @conversation_id AND kind IN ('hold', 'session')
                    AND (staff_id = ANY (@staff_ids::bigint[]) OR claimant = ANY (@claimants::bigint[]))
                UNION ALL
                SELECT id FROM slot_claims
                WHERE company_id = @company_id AND expires_at <= @now AND claim_id = ANY (ARRAY(
                    SELECT near.claim_id
                    FROM (SELECT DISTINCT id FROM unnest(@claimants::bigint[]) AS w (id)) AS w
                    CROSS JOIN LATERAL (
                        SELECT claim_id FROM slot_claims AS s
                        WHERE int8range(company_id, company_id, '[]') && int8range(@company_id, @company_id, '[]')
                            AND int8range(s.claimant, s.claimant, '[]') && int8range(w.id, w.id, '[]')
                            AND during && tstzrange(@low, @high) AND expires_at <= @now
                    ) AS near
                ))
            ))
            AND ((conversation_id = @conversation_id AND kind IN ('hold', 'session')) OR expires_at <= @now)
        ORDER BY id
        FOR UPDATE
    ) AS old
    WHERE c.company_id = @company_id AND c.id = old.id
    RETURNING c.id
),
kept AS (
    INSERT INTO slot_claims (
        company_id, claim_id, staff_id, resource_id, unit, during, part, leads, kind, service_id, session_id,
        conversation_id, expires_at, created_at
    )
    SELECT
        @company_id, CASE WHEN p.shared THEN @session_id::uuid ELSE @claim_id::uuid END, p.staff_id, p.resource_id, p.unit,
        tstzrange(p.low, p.high), p.part, p.leads, CASE WHEN p.shared THEN 'session' ELSE @kind END,
        CASE WHEN p.shared OR p.part = 'seat' THEN @service_id::bigint END,
        CASE WHEN p.part = 'seat' THEN @session_id::uuid END,
        @conversation_id, @until, @now
    FROM unnest(
        @staff_ids::bigint[], @resource_ids::bigint[], @units::integer[], @lows::timestamptz[], @highs::timestamptz[],
        @parts::text[], @shared::boolean[], @leads::boolean[]
    ) AS p (staff_id, resource_id, unit, low, high, part, shared, leads)
    WHERE (SELECT count(*) FROM gate) = 1 AND (SELECT count(*) FROM gone) >= 0
    ORDER BY p.low
    ON CONFLICT DO NOTHING
    RETURNING id
),
joined AS (
    UPDATE slot_claims AS c
    SET expires_at = CASE WHEN c.expires_at IS NOT NULL THEN greatest(c.expires_at, @until) END, conversation_id = NULL
    WHERE (SELECT count(*) FROM kept) = cardinality(@parts::text[])
        AND c.company_id = @company_id AND c.claim_id = @session_id AND c.kind = 'session'
        AND NOT (true = ANY (@shared::boolean[]))
),
elsewhere AS (
    DELETE FROM slot_claims AS c
    USING (
        SELECT id FROM slot_claims
        WHERE (SELECT count(*) FROM kept) = cardinality(@parts::text[])
            AND company_id = @company_id AND conversation_id = @conversation_id AND kind = 'hold'
            AND staff_id <> ALL (@staff_ids::bigint[])
        FOR UPDATE SKIP LOCKED
    ) AS old
    WHERE c.company_id = @company_id AND c.id = old.id
)
SELECT count(*) FROM kept;

-- name: undo :exec
-- Takes back the part of a claim that did get in.
DELETE FROM slot_claims
WHERE company_id = @company_id
    AND (claim_id = @claim_id AND kind IN ('hold', 'offer') OR claim_id = @session_id AND kind = 'session' AND @made);

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
-- From here to the end of the transaction nobody else gives out these people's time; with @anyone, nobody else tries
-- several people of the company. The statements that follow see all that was given out before.
SELECT
    CASE WHEN @anyone THEN pg_advisory_xact_lock(hashint8extended(@company_id, 1)) END,
    (
        SELECT count(pg_advisory_xact_lock(hashint8extended(p.id, 2)))
        FROM (SELECT DISTINCT id FROM unnest(@staff_ids::bigint[]) AS p (id) ORDER BY id) AS p
    );

-- name: session :one
-- The group that somebody has for a service then, and the numbers of the seats that others have in it.
SELECT
    c.claim_id AS id,
    ARRAY(
        SELECT s.unit FROM slot_claims AS s
        WHERE s.company_id = @company_id AND s.session_id = c.claim_id
            AND (s.expires_at IS NULL OR s.expires_at > @now)
            AND (s.kind = 'hold' AND s.conversation_id = @conversation_id) IS NOT TRUE
    ) AS seats
FROM slot_claims AS c
WHERE c.company_id = @company_id AND c.service_id = @service_id AND c.staff_id = @staff_id
    AND c.kind = 'session' AND c.part = 'visit' AND c.resource_id IS NULL AND lower(c.during) = @starts_at
    AND (c.expires_at IS NULL OR c.expires_at > @now)
    AND (c.conversation_id = @conversation_id) IS NOT TRUE
LIMIT 1;

-- name: of_visit :many
-- The time that a visit of this conversation's customer has now: a new time for it may lie across the old one.
SELECT lower(c.during) AS low, upper(c.during) AS high, c.part, c.claimant
FROM slot_claims AS c
JOIN bookings AS b ON b.company_id = c.company_id AND b.id = c.booking_id
JOIN dialog_contexts AS d ON d.company_id = b.company_id AND d.customer_id = b.customer_id
WHERE c.company_id = @company_id AND c.booking_id = @booking_id AND d.id = @conversation_id AND c.part <> 'seat';

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
