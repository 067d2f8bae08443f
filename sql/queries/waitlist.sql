-- name: pass_gate :value
-- From here to the end of the transaction nobody else changes the company's waitlist: places stay true, and one offer
-- has one answer. It comes before anybody's time is claimed or given back.
SELECT pg_advisory_xact_lock(hashint8extended(@company_id, 3));

-- name: of_customer :one
-- The open entry of a customer for a service, to which a further wish is added.
SELECT w.id, w.wishes, place_in_line(w) AS place, w.ends_at
FROM waitlist AS w
WHERE company_id = @company_id AND customer_id = @customer_id AND service_id = @service_id
    AND status IN ('active', 'notified');

-- name: join :one
-- A new place at the end of the queue. The desk is there from now on, and is told: time may have come free while
-- nobody waited. It also hears when what is held now lapses.
WITH desk AS MATERIALIZED (
    SELECT desk_of(@company_id, @now) AS id
),
holds AS MATERIALIZED (
    SELECT count(tell_desk_when_it_ends(c)) AS n
    FROM slot_claims AS c
    WHERE (SELECT count(*) FROM desk) = 1
        AND c.company_id = @company_id AND c.kind = 'hold' AND c.part IN ('visit', 'seat') AND c.expires_at > @now
)
INSERT INTO waitlist (
    company_id, customer_id, conversation_id, service_id, staff_id, wishes, wanted_from, wanted_until, part_of_day,
    flexible, joined_at, ends_at, declined, changed_at
)
SELECT
    @company_id, @customer_id, @conversation_id, @service_id, @staff_id, @wishes, @wanted_from, @wanted_until, @part,
    @flexible, @now, @ends_at, @declined, @now
FROM desk, holds
RETURNING id, place_in_line(waitlist) AS place;

-- name: add_wish :value
-- The place stays where it is.
UPDATE waitlist
SET wishes = @wishes, staff_id = @staff_id, wanted_from = @wanted_from, wanted_until = @wanted_until,
    part_of_day = @part, flexible = @flexible, ends_at = @ends_at, declined = declined || @declined::jsonb,
    outcome = 'wish_added', changed_at = @now
WHERE company_id = @company_id AND id = @id
RETURNING place_in_line(waitlist);

-- name: tell_desk :value
-- Somebody new waits: look whether there is anything for them.
SELECT tell_desk_of_free_time(@company_id, 'joined');

-- name: places :many
-- What a customer waits for.
SELECT w.id, w.service_id, w.wishes, place_in_line(w) AS place, w.ends_at
FROM waitlist AS w
WHERE company_id = @company_id AND customer_id = @customer_id AND status IN ('active', 'notified')
ORDER BY joined_at, id;

-- name: leave :one
-- Gives the place up; who leaves because of an offer that did not suit has passed. Offers that nobody has any more
-- give their time back.
WITH gone AS (
    UPDATE waitlist AS w
    SET status = CASE WHEN @over THEN 'expired' WHEN w.outcome = 'passed' THEN 'passed' ELSE 'cancelled' END,
        outcome = CASE WHEN @over THEN 'over' ELSE 'left' END, changed_at = @now,
        offer_id = NULL, offered_staff_id = NULL, offered_starts_at = NULL, offered_ends_at = NULL,
        offered_price_minor = NULL, notification_expires_at = NULL
    FROM waitlist AS old
    WHERE w.company_id = @company_id AND w.id = @id AND w.customer_id = @customer_id
        AND w.status IN ('active', 'notified') AND (NOT @over OR w.ends_at <= @now)
        AND old.company_id = w.company_id AND old.id = w.id
    RETURNING w.id, w.service_id, w.wishes, place_in_line(old) AS place, w.ends_at, old.offer_id
),
freed AS (
    DELETE FROM slot_claims AS c
    USING gone
    WHERE c.company_id = @company_id AND c.claim_id = gone.offer_id AND c.kind = 'offer'
        AND NOT EXISTS (
            SELECT FROM waitlist AS o
            WHERE o.company_id = @company_id AND o.offer_id = gone.offer_id AND o.id <> gone.id
        )
)
SELECT id, service_id, wishes, place, ends_at FROM gone;

-- name: pass_on :one
-- Takes an offer from somebody who does not want it, or has not answered: it is not made to them again, nor a time that
-- overlaps it, unless they never saw it. When nobody else has it, it is free. The desk looks even if nothing comes free:
-- whoever has no offer any more may be given what has come free meanwhile.
WITH gone AS (
    UPDATE waitlist AS w
    SET status = 'active', outcome = @outcome::text, changed_at = @now,
        declined = CASE @outcome WHEN 'withdrawn' THEN w.declined ELSE w.declined || declined_offer(w) END,
        offer_id = NULL, offered_staff_id = NULL, offered_starts_at = NULL, offered_ends_at = NULL,
        offered_price_minor = NULL, notification_expires_at = NULL
    FROM waitlist AS old
    WHERE w.company_id = @company_id AND w.id = @id AND w.customer_id = @customer_id AND w.status = 'notified'
        AND w.offer_id = @offer_id AND old.company_id = w.company_id AND old.id = w.id
    RETURNING
        w.id, w.service_id, w.wishes, place_in_line(w) AS place, w.ends_at, old.offer_id, old.offered_staff_id,
        old.offered_starts_at, old.offered_ends_at, old.offered_price_minor
),
freed AS (
    DELETE FROM slot_claims AS c
    USING gone
    WHERE c.company_id = @company_id AND c.claim_id = gone.offer_id AND c.kind = 'offer'
        AND NOT EXISTS (
            SELECT FROM waitlist AS o
            WHERE o.company_id = @company_id AND o.offer_id = gone.offer_id AND o.id <> gone.id
        )
)
SELECT gone.*, tell_desk_of_free_time(@company_id, 'freed') AS told FROM gone;

-- name: accept :one
-- Turns an offer into a hold of whoever answered first, as which it is booked at once. `shared`: others have the same
-- offer and must hear that it is gone.
WITH mine AS (
    SELECT id, offered_staff_id, offered_starts_at, offered_ends_at, offered_price_minor, service_id
    FROM waitlist
    WHERE company_id = @company_id AND id = @id AND customer_id = @customer_id AND status = 'notified'
        AND offer_id = @offer_id
),
won AS (
    UPDATE slot_claims AS c
    SET kind = 'hold', conversation_id = @conversation_id
    FROM mine
    WHERE c.company_id = @company_id AND c.claim_id = @offer_id AND c.kind = 'offer'
    RETURNING c.id
)
SELECT
    mine.*,
    EXISTS (
        SELECT FROM waitlist AS o WHERE o.company_id = @company_id AND o.offer_id = @offer_id AND o.id <> @id
    ) AS shared
FROM mine
WHERE EXISTS (SELECT FROM won);

-- name: booked :exec
-- They have what they waited for. If something else was on offer to them by now, it goes to the next in line.
WITH done AS (
    UPDATE waitlist AS w
    SET status = 'booked', outcome = 'taken', booking_id = @booking_id, changed_at = @now,
        offer_id = NULL, offered_staff_id = NULL, offered_starts_at = NULL, offered_ends_at = NULL,
        offered_price_minor = NULL, notification_expires_at = NULL
    FROM waitlist AS old
    WHERE w.company_id = @company_id AND w.id = @id AND w.customer_id = @customer_id
        AND w.status IN ('active', 'notified') AND old.company_id = w.company_id AND old.id = w.id
    RETURNING w.id, old.offer_id
)
DELETE FROM slot_claims AS c
USING done
WHERE c.company_id = @company_id AND c.claim_id = done.offer_id AND c.kind = 'offer'
    AND NOT EXISTS (
        SELECT FROM waitlist AS o
        WHERE o.company_id = @company_id AND o.offer_id = done.offer_id AND o.id <> done.id
    );

-- name: later_visit :one
-- A visit of the same kind that they have after the new one.
SELECT
    b.id, b.code, b.service_id, b.staff_id, b.starts_at, b.ends_at, b.status, b.price_minor, b.currency, b.timezone,
    b.area_id, b.moves, b.confirmed_at, b.rating, s.name AS service_name, p.name AS staff_name, NULL::jsonb AS pieces
FROM bookings AS b
JOIN services AS s ON s.company_id = b.company_id AND s.id = b.service_id
JOIN staff AS p ON p.company_id = b.company_id AND p.id = b.staff_id
WHERE b.company_id = @company_id AND b.customer_id = @customer_id AND b.service_id = @service_id
    AND b.starts_at > @after AND b.status IN ('pending', 'confirmed')
ORDER BY b.starts_at
LIMIT 1;

-- name: swallow :exec
-- The look that is being taken now sees whatever these would have it look for, unless the hours have changed since it
-- read them.
UPDATE inbox
SET status = 'kept', done_at = @now
WHERE company_id = @company_id AND id IN (
    SELECT id FROM inbox
    WHERE company_id = @company_id AND conversation_id = @conversation_id AND status = 'pending'
        AND kind = 'time_freed' AND id <> @but
        AND (SELECT catalog_version FROM companies WHERE id = @company_id) = @version
    ORDER BY id
    FOR UPDATE
);

-- name: live_offers :many
-- Every offer that is open, with whether its time is still kept, whether somebody else has it instead, and whether the
-- customer's conversation has seen it and is going to end it.
SELECT
    w.id, w.conversation_id, w.service_id, w.offer_id, w.offered_staff_id, w.offered_starts_at, w.offered_ends_at,
    w.offered_price_minor, w.notification_expires_at,
    EXISTS (
        SELECT FROM slot_claims AS c
        WHERE c.company_id = w.company_id AND c.claim_id = w.offer_id AND c.kind = 'offer'
    ) AS kept,
    EXISTS (
        SELECT FROM slot_claims AS c
        WHERE int8range(c.company_id, c.company_id, '[]') && int8range(w.company_id, w.company_id, '[]')
            AND int8range(c.claimant, c.claimant, '[]') && int8range(w.offered_staff_id, w.offered_staff_id, '[]')
            AND c.during && tstzrange(w.offered_starts_at, w.offered_ends_at) AND c.kind = 'booking'
    ) AS taken,
    EXISTS (
        SELECT FROM timers AS t
        WHERE t.company_id = w.company_id AND t.key = 'offer:' || w.id
            AND (t.status = 'armed' OR (t.status = 'fired' AND t.completed_at IS NULL))
    ) AS ending
FROM waitlist AS w
WHERE w.company_id = @company_id AND w.status = 'notified'
ORDER BY w.id;

-- name: withdraw :exec
-- Offers that cannot be kept any more, or that nobody ended: they may be made again.
WITH gone AS (
    UPDATE waitlist AS w
    SET status = 'active', outcome = e.outcome, changed_at = @now,
        offer_id = NULL, offered_staff_id = NULL, offered_starts_at = NULL, offered_ends_at = NULL,
        offered_price_minor = NULL, notification_expires_at = NULL
    FROM unnest(@ids::bigint[], @outcomes::text[]) AS e (id, outcome)
    WHERE w.company_id = @company_id AND w.id = e.id AND w.status = 'notified'
)
DELETE FROM slot_claims
WHERE company_id = @company_id AND claim_id = ANY (@offer_ids::uuid[]) AND kind = 'offer';

-- name: waiters :many
-- Everybody who waits, in the order in which they came, with when they are engaged themselves: their visits of other
-- kinds, and what is on offer to them.
SELECT
    w.id, w.customer_id, w.conversation_id, w.service_id, w.wishes, w.joined_at, w.flexible, w.declined,
    w.status = 'notified' AS offered, w.offered_starts_at, w.offered_ends_at,
    c.whatsapp_opted_out_at IS NOT NULL OR c.unreachable_at IS NOT NULL AS silent, c.area_id,
    d.person_until, b.starts, b.ends
FROM waitlist AS w
JOIN customers AS c ON c.company_id = w.company_id AND c.id = w.customer_id
JOIN dialog_contexts AS d ON d.company_id = w.company_id AND d.id = w.conversation_id
LEFT JOIN LATERAL (
    SELECT array_agg(v.starts_at) AS starts, array_agg(v.ends_at) AS ends
    FROM bookings AS v
    WHERE v.company_id = w.company_id AND v.customer_id = w.customer_id AND v.service_id <> w.service_id
        AND v.starts_at > @now::timestamptz - interval '1 day' AND v.ends_at > @now AND v.status IN ('pending', 'confirmed')
) AS b ON true
WHERE w.company_id = @company_id AND w.status IN ('active', 'notified')
ORDER BY w.joined_at, w.id;

-- name: rate :one
-- How offers of the last days ended.
SELECT
    count(*) FILTER (WHERE outcome IN ('taken', 'passed')) AS answered,
    count(*) FILTER (WHERE outcome = 'silent') AS silent
FROM waitlist_history
WHERE company_id = @company_id AND outcome IN ('taken', 'passed', 'silent') AND at > @since;

-- name: offered :exec
-- Notes an offer with everybody who has it.
UPDATE waitlist
SET status = 'notified', outcome = 'offered', changed_at = @now, notified_at = @now,
    notification_expires_at = @until, times_notified = times_notified + 1, offer_id = @offer_id,
    offered_staff_id = @staff_id, offered_starts_at = @starts_at, offered_ends_at = @ends_at,
    offered_price_minor = @price_minor
WHERE company_id = @company_id AND id = ANY (@ids::bigint[]) AND status = 'active';

-- name: keep_for_choice :exec
-- What is kept under this id is the desk's, which alone sees that it is free.
UPDATE slot_claims SET conversation_id = @conversation_id
WHERE company_id = @company_id AND claim_id = @claim_id AND kind = 'offer';

-- name: make_way :exec
-- Lets go of what the desk keeps for a choice where it meets a time that was chosen: what has lapsed is nobody's, and
-- goes when that time is claimed.
UPDATE slot_claims AS c
SET expires_at = @now
FROM slot_claims AS met
WHERE met.company_id = @company_id AND met.conversation_id = @conversation_id AND met.kind = 'offer'
    AND met.staff_id = @staff_id AND met.during && tstzrange(@low, @high)
    AND c.company_id = met.company_id AND c.claim_id = met.claim_id AND c.kind = 'offer' AND c.expires_at > @now;

-- name: kept_for_choice :many
-- For operators: the times that wait for them to choose somebody.
SELECT c.staff_id, lower(c.during) AS starts_at, upper(c.during) AS ends_at, c.expires_at AS until
FROM slot_claims AS c
WHERE c.company_id = @company_id AND c.conversation_id = @conversation_id AND c.kind = 'offer' AND c.part = 'visit'
    AND c.expires_at > @now
ORDER BY lower(c.during), c.staff_id;

-- name: desk_with_news :value
-- The desk, if it has been told something: its events are not seen by whoever caused them.
SELECT d.id
FROM dialog_contexts AS d
WHERE d.company_id = @company_id AND d.customer_id IS NULL
    AND EXISTS (
        SELECT FROM inbox AS i
        WHERE i.company_id = d.company_id AND i.conversation_id = d.id AND i.status = 'pending'
    );

-- name: queue :many
-- For operators: who waits for what, and what is on offer.
SELECT
    w.id, w.customer_id, w.service_id, s.name AS service, w.position_in_queue AS position, w.status, w.wishes,
    w.joined_at, w.ends_at, w.times_notified, w.outcome, w.changed_at, p.name AS offered_staff,
    w.offered_starts_at AS offered, w.notification_expires_at AS until
FROM waitlist AS w
JOIN services AS s ON s.company_id = w.company_id AND s.id = w.service_id
LEFT JOIN staff AS p ON p.company_id = w.company_id AND p.id = w.offered_staff_id
WHERE w.company_id = @company_id AND w.position_in_queue IS NOT NULL
ORDER BY s.position, w.service_id, w.position_in_queue;

-- name: entry :one
-- For operators: one entry, also a closed one.
SELECT
    w.id, w.customer_id, w.service_id, s.name AS service, w.position_in_queue AS position, w.status, w.wishes,
    w.joined_at, w.ends_at, w.times_notified, w.outcome, w.changed_at, w.booking_id,
    CASE WHEN w.position_in_queue IS NOT NULL THEN place_in_line(w) END AS place
FROM waitlist AS w
JOIN services AS s ON s.company_id = w.company_id AND s.id = w.service_id
WHERE w.company_id = @company_id AND w.id = @id;

-- name: history :many
-- For operators: what became of an entry, step by step.
SELECT h.at, h.status, h.outcome, h.offer_id, p.name AS staff, h.starts_at AS starts, h.until
FROM waitlist_history AS h
LEFT JOIN staff AS p ON p.company_id = h.company_id AND p.id = h.staff_id
WHERE h.company_id = @company_id AND h.waitlist_id = @id
ORDER BY h.id;
