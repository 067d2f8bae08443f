-- migrate:up

-- Who waits for a place: one open entry a customer and service, with all that they wish for. The wishes are JSON
-- (`[{"from": "2026-11-23", "until": "2026-11-29", "part": "evening", "staff": 7}, …]`: part and staff may be
-- null, which is any and anyone); staff_id, wanted_from, wanted_until and part_of_day sum them up.
CREATE TABLE waitlist (
    company_id              bigint      NOT NULL,
    id                      bigint      GENERATED ALWAYS AS IDENTITY,
    customer_id             bigint      NOT NULL,
    conversation_id         bigint      NOT NULL,
    service_id              bigint      NOT NULL,
    staff_id                bigint,
    wishes                  jsonb       NOT NULL,
    wanted_from             date        NOT NULL,
    wanted_until            date        NOT NULL,
    part_of_day             text,
    -- Any time of the day and anyone will do.
    flexible                boolean     NOT NULL,
    status                  text        NOT NULL DEFAULT 'active',
    -- Among those who wait for the same service; kept by the trigger below.
    position_in_queue       integer,
    joined_at               timestamptz NOT NULL,
    -- When the last of the wished days is over.
    ends_at                 timestamptz NOT NULL,
    -- The offer that is open now.
    offer_id                uuid,
    offered_staff_id        bigint,
    offered_starts_at       timestamptz,
    offered_ends_at         timestamptz,
    offered_price_minor     bigint,
    notified_at             timestamptz,
    notification_expires_at timestamptz,
    times_notified          integer     NOT NULL DEFAULT 0,
    -- Times that they did not want or answer: `[[staff id, first start, last start], …]` in epoch seconds.
    declined                jsonb       NOT NULL DEFAULT '[]',
    booking_id              uuid,
    -- What happened last, and when.
    outcome                 text        NOT NULL DEFAULT 'joined',
    changed_at              timestamptz NOT NULL,
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT waitlist_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT waitlist_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT waitlist_customer_fkey FOREIGN KEY (company_id, customer_id)
        REFERENCES customers (company_id, id) ON DELETE CASCADE,
    CONSTRAINT waitlist_conversation_fkey FOREIGN KEY (company_id, conversation_id)
        REFERENCES dialog_contexts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT waitlist_service_fkey FOREIGN KEY (company_id, service_id)
        REFERENCES services (company_id, id) ON DELETE CASCADE,
    CONSTRAINT waitlist_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE SET NULL (staff_id),
    CONSTRAINT waitlist_booking_fkey FOREIGN KEY (company_id, booking_id)
        REFERENCES bookings (company_id, id) ON DELETE SET NULL (booking_id),
    CONSTRAINT waitlist_wishes_are_one_to_five CHECK (
        jsonb_typeof(wishes) = 'array' AND jsonb_array_length(wishes) BETWEEN 1 AND 5
    ),
    CONSTRAINT waitlist_days_are_in_order CHECK (wanted_until >= wanted_from),
    CONSTRAINT waitlist_part_is_known CHECK (part_of_day IN ('morning', 'afternoon', 'evening')),
    CONSTRAINT waitlist_status_is_known CHECK (
        status IN ('active', 'notified', 'booked', 'passed', 'expired', 'cancelled')
    ),
    CONSTRAINT waitlist_offers_are_whole CHECK (
        num_nulls(
            offer_id, offered_staff_id, offered_starts_at, offered_ends_at, offered_price_minor, notified_at,
            notification_expires_at
        ) = CASE status WHEN 'notified' THEN 0 ELSE num_nulls(notified_at) + 6 END
    ),
    CONSTRAINT waitlist_open_entries_have_a_place CHECK (
        (status IN ('active', 'notified')) = (position_in_queue IS NOT NULL)
    ),
    CONSTRAINT waitlist_position_is_positive CHECK (position_in_queue > 0),
    CONSTRAINT waitlist_declined_is_a_list CHECK (jsonb_typeof(declined) = 'array'),
    CONSTRAINT waitlist_outcome_is_known CHECK (
        outcome IN (
            'joined', 'wish_added', 'offered', 'taken', 'passed', 'silent', 'lost', 'withdrawn', 'left', 'over'
        )
    )
) WITH (fillfactor = 70);
CREATE INDEX waitlist_queue_idx ON waitlist (company_id, position_in_queue, created_at)
    WHERE position_in_queue IS NOT NULL;
CREATE INDEX waitlist_expiry_idx ON waitlist (notification_expires_at) WHERE status = 'notified';
CREATE INDEX waitlist_company_idx ON waitlist (company_id, status, changed_at);
CREATE UNIQUE INDEX waitlist_one_open_entry_a_service ON waitlist (company_id, customer_id, service_id)
    WHERE status IN ('active', 'notified');
CREATE INDEX waitlist_customer_idx ON waitlist (company_id, customer_id);
CREATE INDEX waitlist_conversation_idx ON waitlist (company_id, conversation_id);
CREATE INDEX waitlist_service_idx ON waitlist (company_id, service_id);
CREATE INDEX waitlist_staff_idx ON waitlist (company_id, staff_id) WHERE staff_id IS NOT NULL;
CREATE INDEX waitlist_booking_idx ON waitlist (company_id, booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX waitlist_offer_idx ON waitlist (company_id, offer_id) WHERE offer_id IS NOT NULL;
CREATE TRIGGER waitlist_touch BEFORE UPDATE ON waitlist FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The starts that somebody does not want who does not want what is on offer to them: all that would overlap it.
CREATE FUNCTION declined_offer(entry waitlist) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_array(jsonb_build_array(
    entry.offered_staff_id,
    extract(epoch FROM entry.offered_starts_at - (entry.offered_ends_at - entry.offered_starts_at))::bigint + 1,
    extract(epoch FROM entry.offered_ends_at)::bigint - 1));

-- What became of every entry, step by step.
CREATE TABLE waitlist_history (
    company_id  bigint      NOT NULL,
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    waitlist_id bigint      NOT NULL,
    at          timestamptz NOT NULL,
    status      text        NOT NULL,
    outcome     text        NOT NULL,
    offer_id    uuid,
    staff_id    bigint,
    starts_at   timestamptz,
    until       timestamptz,
    CONSTRAINT waitlist_history_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT waitlist_history_entry_fkey FOREIGN KEY (company_id, waitlist_id)
        REFERENCES waitlist (company_id, id) ON DELETE CASCADE
);
CREATE INDEX waitlist_history_entry_idx ON waitlist_history (company_id, waitlist_id, id);
CREATE INDEX waitlist_history_rate_idx ON waitlist_history (company_id, outcome, at);

CREATE FUNCTION record_waitlist_change() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    -- An offer that ended is told of as it was.
    offer waitlist := NEW;
BEGIN
    IF NEW.offer_id IS NULL AND TG_OP = 'UPDATE' THEN
        offer := OLD;
    END IF;
    INSERT INTO waitlist_history (
        company_id, waitlist_id, at, status, outcome, offer_id, staff_id, starts_at, until
    )
    VALUES (
        NEW.company_id, NEW.id, NEW.changed_at, NEW.status, NEW.outcome, offer.offer_id, offer.offered_staff_id,
        offer.offered_starts_at, offer.notification_expires_at
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER waitlist_record_new AFTER INSERT ON waitlist
    FOR EACH ROW EXECUTE FUNCTION record_waitlist_change();
CREATE TRIGGER waitlist_record AFTER UPDATE ON waitlist
    FOR EACH ROW WHEN (
        (OLD.status, OLD.outcome, OLD.offer_id, OLD.wishes) IS DISTINCT FROM
        (NEW.status, NEW.outcome, NEW.offer_id, NEW.wishes)
    )
    EXECUTE FUNCTION record_waitlist_change();

-- Places in the queue. Whoever changes a company's waitlist has passed its gate (waitlist.pass_gate) before,
-- so that two who leave at once do not count each other.
CREATE FUNCTION give_waitlist_position() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status NOT IN ('active', 'notified') THEN
        NEW.position_in_queue := NULL;
    ELSIF TG_OP = 'INSERT' THEN
        NEW.position_in_queue := 1 + (
            SELECT count(*) FROM waitlist
            WHERE company_id = NEW.company_id AND service_id = NEW.service_id AND status IN ('active', 'notified')
        );
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER waitlist_position BEFORE INSERT OR UPDATE OF status ON waitlist
    FOR EACH ROW EXECUTE FUNCTION give_waitlist_position();

CREATE FUNCTION close_ranks_in_waitlist() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE waitlist SET position_in_queue = position_in_queue - 1
    WHERE company_id = OLD.company_id AND service_id = OLD.service_id
        AND position_in_queue > OLD.position_in_queue;
    RETURN NULL;
END
$$;
CREATE TRIGGER waitlist_close_ranks AFTER UPDATE OF status ON waitlist
    FOR EACH ROW WHEN (OLD.position_in_queue IS NOT NULL AND NEW.position_in_queue IS NULL)
    EXECUTE FUNCTION close_ranks_in_waitlist();
CREATE TRIGGER waitlist_close_ranks_behind_removed AFTER DELETE ON waitlist
    FOR EACH ROW WHEN (OLD.position_in_queue IS NOT NULL)
    EXECUTE FUNCTION close_ranks_in_waitlist();

-- Whatever frees time tells the company's desk, in the transaction that frees it, so that no code can forget to.
-- Where nobody waits this costs a look at an index. One event a transaction is enough: the desk looks at all
-- that is free.
CREATE FUNCTION tell_desk_of_free_time(of_company bigint, why text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
    SELECT of_company, d.id, why || ':' || pg_current_xact_id(), 'time_freed', '{}', now(), now(), now()
    FROM dialog_contexts AS d
    WHERE d.company_id = of_company AND d.customer_id IS NULL
        AND EXISTS (
            SELECT FROM waitlist AS w WHERE w.company_id = of_company AND w.position_in_queue IS NOT NULL
        )
    ON CONFLICT (company_id, dedup_key) DO NOTHING;
END;

CREATE FUNCTION tell_desk_of_freed_time() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM waitlist WHERE company_id = OLD.company_id AND position_in_queue IS NOT NULL) THEN
        PERFORM tell_desk_of_free_time(OLD.company_id, 'freed');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER slot_claims_deleted_free_time AFTER DELETE ON slot_claims
    FOR EACH ROW WHEN (OLD.part IN ('visit', 'seat')) EXECUTE FUNCTION tell_desk_of_freed_time();
CREATE TRIGGER slot_claims_changed_free_time AFTER UPDATE OF during, staff_id ON slot_claims
    FOR EACH ROW WHEN (OLD.part IN ('visit', 'seat') AND NOT (NEW.staff_id = OLD.staff_id AND NEW.during @> OLD.during))
    EXECUTE FUNCTION tell_desk_of_freed_time();

-- A hold that nobody books is nobody's from a moment on, and no statement says so then: a timer does.
CREATE FUNCTION tell_desk_when_it_ends(hold slot_claims) RETURNS boolean
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)
    SELECT hold.company_id, 'desk:hold:' || hold.claim_id, d.id, 'hold_ends', hold.expires_at, hold.created_at
    FROM dialog_contexts AS d
    WHERE d.company_id = hold.company_id AND d.customer_id IS NULL
    ON CONFLICT ON CONSTRAINT timers_pkey DO NOTHING
    RETURNING true;
END;

CREATE FUNCTION tell_desk_when_a_hold_ends() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM waitlist WHERE company_id = NEW.company_id AND position_in_queue IS NOT NULL) THEN
        PERFORM tell_desk_when_it_ends(NEW);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER slot_claims_holds_end AFTER INSERT ON slot_claims
    FOR EACH ROW WHEN (NEW.kind = 'hold' AND NEW.part IN ('visit', 'seat')) EXECUTE FUNCTION tell_desk_when_a_hold_ends();

-- Hours, absences, people, services and rules: all of them raise the catalogue's version.
CREATE FUNCTION tell_desk_of_changed_catalog() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_desk_of_free_time(NEW.id, 'catalog');
    RETURN NULL;
END
$$;
CREATE TRIGGER companies_changed_free_time AFTER UPDATE ON companies
    FOR EACH ROW WHEN (NEW.catalog_version <> OLD.catalog_version) EXECUTE FUNCTION tell_desk_of_changed_catalog();

-- Who could not be written to can be again.
CREATE FUNCTION tell_desk_of_who_is_back() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tell_desk_of_free_time(NEW.company_id, 'back');
    RETURN NULL;
END
$$;
CREATE TRIGGER customers_are_back AFTER UPDATE OF whatsapp_opted_out_at, unreachable_at ON customers
    FOR EACH ROW WHEN (
        num_nulls(OLD.whatsapp_opted_out_at, OLD.unreachable_at) < 2
        AND num_nulls(NEW.whatsapp_opted_out_at, NEW.unreachable_at) = 2
    )
    EXECUTE FUNCTION tell_desk_of_who_is_back();
CREATE TRIGGER dialog_contexts_are_given_back AFTER UPDATE ON dialog_contexts
    FOR EACH ROW WHEN (OLD.person_until IS NOT NULL AND NEW.person_until IS NULL)
    EXECUTE FUNCTION tell_desk_of_who_is_back();

DO $$
BEGIN
    ASSERT to_regclass('waitlist') IS NOT NULL AND to_regclass('waitlist_history') IS NOT NULL, 'the waitlist is missing';
    ASSERT (SELECT count(*) FROM pg_trigger WHERE tgfoid = 'tell_desk_of_freed_time'::regproc) = 2,
        'freed time is not told of';
END
$$;

-- migrate:down

DROP TRIGGER dialog_contexts_are_given_back ON dialog_contexts;
DROP TRIGGER customers_are_back ON customers;
DROP FUNCTION tell_desk_of_who_is_back();
DROP TRIGGER companies_changed_free_time ON companies;
DROP FUNCTION tell_desk_of_changed_catalog();
DROP TRIGGER slot_claims_holds_end ON slot_claims;
DROP FUNCTION tell_desk_when_a_hold_ends();
DROP FUNCTION tell_desk_when_it_ends(slot_claims);
DROP TRIGGER slot_claims_changed_free_time ON slot_claims;
DROP TRIGGER slot_claims_deleted_free_time ON slot_claims;
DROP FUNCTION tell_desk_of_freed_time();
DROP FUNCTION tell_desk_of_free_time(bigint, text);
DROP TABLE waitlist_history;
DROP FUNCTION declined_offer(waitlist);
DROP TABLE waitlist;
DROP FUNCTION close_ranks_in_waitlist();
DROP FUNCTION give_waitlist_position();
DROP FUNCTION record_waitlist_change();
