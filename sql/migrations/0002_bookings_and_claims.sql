-- migrate:up

-- The lowest version-7 UUID of a moment: bookings are partitioned by id, and the id carries the time.
CREATE FUNCTION uuid7_floor(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- bookings.id is a version-7 UUID and the partition key: the key of a partitioned table must contain it, and
-- (company_id, id) is then all that other tables need to refer to a booking.
CREATE TABLE bookings (
    company_id              bigint      NOT NULL,
    id                      uuid        NOT NULL,
    code                    text        NOT NULL,
    customer_id             bigint      NOT NULL,
    service_id              bigint      NOT NULL,
    staff_id                bigint      NOT NULL,
    area_id                 bigint,
    starts_at               timestamptz NOT NULL,
    ends_at                 timestamptz NOT NULL,
    -- The zone whose wall clock the customer was told: an instant alone cannot show that the zone's rules changed.
    timezone                text        NOT NULL,
    status                  text        NOT NULL DEFAULT 'confirmed',
    price_minor             bigint      NOT NULL,
    currency                text        NOT NULL,
    source                  text        NOT NULL,
    preferred_staff_id      bigint,
    priority_window_minutes integer     NOT NULL DEFAULT 10,
    priority_notified_at    timestamptz,
    intake                  jsonb       NOT NULL DEFAULT '{}',
    referral                jsonb,
    utm                     jsonb       NOT NULL DEFAULT '{}',
    external_ids            jsonb       NOT NULL DEFAULT '{}',
    moves                   integer     NOT NULL DEFAULT 0,
    confirmed_at            timestamptz,
    completed_at            timestamptz,
    cancelled_at            timestamptz,
    cancelled_by            text,
    cancel_reason           text,
    created_at              timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT bookings_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT bookings_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    -- NO ACTION and not RESTRICT: it refuses just the same, but looks at the end of the statement, so that
    -- deleting a whole company can take its bookings and what they refer to together.
    CONSTRAINT bookings_customer_fkey FOREIGN KEY (company_id, customer_id)
        REFERENCES customers (company_id, id) ON DELETE NO ACTION,
    CONSTRAINT bookings_service_fkey FOREIGN KEY (company_id, service_id)
        REFERENCES services (company_id, id) ON DELETE NO ACTION,
    CONSTRAINT bookings_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE NO ACTION,
    CONSTRAINT bookings_area_fkey FOREIGN KEY (company_id, area_id)
        REFERENCES service_areas (company_id, id) ON DELETE NO ACTION,
    CONSTRAINT bookings_preferred_staff_fkey FOREIGN KEY (company_id, preferred_staff_id)
        REFERENCES staff (company_id, id) ON DELETE SET NULL (preferred_staff_id),
    CONSTRAINT bookings_end_after_they_start CHECK (ends_at > starts_at),
    CONSTRAINT bookings_status_is_known CHECK (
        status IN ('pending', 'confirmed', 'completed', 'cancelled', 'no_show')
    ),
    CONSTRAINT bookings_source_is_known CHECK (
        source IN ('quick', 'usual', 'waitlist', 'console', 'api', 'import')
    ),
    CONSTRAINT bookings_price_is_not_negative CHECK (price_minor >= 0),
    CONSTRAINT bookings_priority_window_is_positive CHECK (priority_window_minutes > 0),
    CONSTRAINT bookings_cancelled_have_a_time CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
    CONSTRAINT bookings_cancelled_by_is_known CHECK (cancelled_by IN ('customer', 'staff', 'operator', 'system'))
) PARTITION BY RANGE (id);

CREATE INDEX bookings_calendar_idx ON bookings (company_id, starts_at);
CREATE INDEX bookings_status_idx ON bookings (company_id, status, starts_at);
CREATE INDEX bookings_customer_idx ON bookings (company_id, customer_id, starts_at);
CREATE INDEX bookings_created_idx ON bookings (company_id, created_at);
CREATE INDEX bookings_availability_idx ON bookings (company_id, staff_id, starts_at, status)
    WHERE status <> 'cancelled';
CREATE INDEX bookings_popular_times_idx ON bookings (company_id, created_at, starts_at)
    WHERE status <> 'cancelled';
CREATE INDEX bookings_service_idx ON bookings (company_id, service_id);
CREATE INDEX bookings_area_idx ON bookings (company_id, area_id) WHERE area_id IS NOT NULL;
CREATE INDEX bookings_preferred_staff_idx ON bookings (company_id, preferred_staff_id)
    WHERE preferred_staff_id IS NOT NULL;
CREATE INDEX bookings_priority_analytics_idx
    ON bookings (company_id, preferred_staff_id, priority_notified_at, status)
    WHERE preferred_staff_id IS NOT NULL;
CREATE INDEX bookings_priority_timeout_idx ON bookings (company_id, priority_notified_at, status)
    WHERE priority_notified_at IS NOT NULL AND status = 'pending';
CREATE TRIGGER bookings_touch BEFORE UPDATE ON bookings
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Codes are unique per company over all partitions, which only a table of their own can promise.
CREATE TABLE booking_codes (
    company_id bigint NOT NULL,
    code       text   NOT NULL,
    booking_id uuid   NOT NULL,
    CONSTRAINT booking_codes_pkey PRIMARY KEY (company_id, code),
    CONSTRAINT booking_codes_are_one_a_booking UNIQUE (company_id, booking_id),
    CONSTRAINT booking_codes_booking_fkey FOREIGN KEY (company_id, booking_id)
        REFERENCES bookings (company_id, id) ON DELETE CASCADE,
    CONSTRAINT booking_codes_are_readable CHECK (code ~ '^[A-HJ-NP-Z2-9]{4,12}$')
);

-- Who holds which staff member's time, now and ahead. A claim is one or more rows that share claim_id: the visit
-- itself ('visit') and the buffers around it ('buffer'). Visits collide with everything; two buffers may overlap,
-- so that the larger of two meeting buffers counts and not their sum: each buffer row has a lane of its own,
-- a visit row spans all lanes.
CREATE TABLE slot_claims (
    company_id      bigint      NOT NULL,
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    claim_id        uuid        NOT NULL,
    staff_id        bigint      NOT NULL,
    during          tstzrange   NOT NULL,
    part            text        NOT NULL DEFAULT 'visit',
    kind            text        NOT NULL,
    booking_id      uuid,
    conversation_id bigint,
    expires_at      timestamptz,
    created_at      timestamptz NOT NULL,
    CONSTRAINT slot_claims_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT slot_claims_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE,
    CONSTRAINT slot_claims_booking_fkey FOREIGN KEY (company_id, booking_id)
        REFERENCES bookings (company_id, id) ON DELETE CASCADE,
    CONSTRAINT slot_claims_part_is_known CHECK (part IN ('visit', 'buffer')),
    CONSTRAINT slot_claims_kind_is_known CHECK (kind IN ('booking', 'hold', 'offer', 'time_off', 'external')),
    CONSTRAINT slot_claims_are_bounded CHECK (
        NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)
        AND lower_inc(during) AND NOT upper_inc(during)
    ),
    CONSTRAINT slot_claims_of_bookings_name_them CHECK ((kind = 'booking') = (booking_id IS NOT NULL)),
    CONSTRAINT slot_claims_of_holds_and_offers_expire CHECK (
        (kind IN ('hold', 'offer')) = (expires_at IS NOT NULL)
    ),
    -- int8range and not "=": equality on a number in a GiST constraint needs btree_gist, which the embedded server lacks.
    CONSTRAINT slot_claims_never_overlap EXCLUDE USING gist (
        int8range(company_id, company_id, '[]') WITH &&,
        int8range(staff_id, staff_id, '[]') WITH &&,
        during WITH &&,
        (CASE part WHEN 'visit' THEN int8range(NULL, NULL) ELSE int8range(id, id, '[]') END) WITH &&
    )
);
CREATE INDEX slot_claims_claim_idx ON slot_claims (company_id, claim_id);
CREATE INDEX slot_claims_staff_end_idx ON slot_claims (company_id, staff_id, upper(during));
CREATE INDEX slot_claims_booking_idx ON slot_claims (company_id, booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX slot_claims_conversation_idx ON slot_claims (company_id, conversation_id) WHERE kind IN ('hold', 'offer');
CREATE INDEX slot_claims_expiry_idx ON slot_claims (expires_at) WHERE expires_at IS NOT NULL;

-- Partitions. A new one is filled with its constraint, then attached: attaching does not lock out readers and
-- writers of the parent, and none is ever made by default, because rows in a default partition would block
-- attaching the right one later.
CREATE FUNCTION attach_partition(
    parent text, child text, lower_bound text, upper_bound text, key text, fill integer DEFAULT 100
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partitions of ' || parent));
    IF to_regclass(child) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (fillfactor = %s)', child, parent, fill);
    EXECUTE format(
        'ALTER TABLE %I ADD CONSTRAINT partition_bounds CHECK (%I >= %L AND %I < %L)',
        child, key, lower_bound, key, upper_bound);
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, child, lower_bound, upper_bound);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT partition_bounds', child);
    RETURN true;
END
$$;

-- Drops partitions that end before the given moment; the number in their name says which span they hold.
CREATE FUNCTION drop_partitions_before(parent text, oldest_kept text)
RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    child record;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partitions of ' || parent));
    FOR child IN
        SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent::regclass AND c.relname < parent || '_' || oldest_kept
    LOOP
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, child.relname);
        EXECUTE format('DROP TABLE %I', child.relname);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

CREATE FUNCTION create_bookings_partition(month date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    first timestamptz := date_trunc('month', month)::timestamp AT TIME ZONE 'UTC';
    next timestamptz := (date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
    RETURN attach_partition(
        'bookings', 'bookings_' || to_char(month, 'YYYY_MM'),
        uuid7_floor(first)::text, uuid7_floor(next)::text, 'id');
END
$$;

CREATE FUNCTION maintain_bookings_partitions(
    today date DEFAULT current_date, months_ahead integer DEFAULT 6, months_kept integer DEFAULT 84
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    made integer := 0;
BEGIN
    FOR ahead IN -1 .. months_ahead LOOP
        made := made + create_bookings_partition((today + make_interval(months => ahead))::date)::integer;
    END LOOP;
    PERFORM drop_partitions_before(
        'bookings', to_char(today - make_interval(months => months_kept), 'YYYY_MM'));
    RETURN made;
END
$$;

SELECT maintain_bookings_partitions();

DO $$
BEGIN
    ASSERT uuid_extract_timestamp(
        overlay(overlay(
            uuid7_floor('2026-11-21 10:00:00.123+00')::text PLACING '7' FROM 15) PLACING '8' FROM 20)::uuid
    ) = '2026-11-21 10:00:00.123+00', 'uuid7_floor does not invert uuid_extract_timestamp';
    ASSERT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'bookings'::regclass) >= 8, 'bookings has no partitions';
END
$$;

-- migrate:down

DROP TABLE slot_claims;
DROP TABLE booking_codes;
DROP TABLE bookings;
DROP FUNCTION maintain_bookings_partitions(date, integer, integer);
DROP FUNCTION create_bookings_partition(date);
DROP FUNCTION drop_partitions_before(text, text);
DROP FUNCTION attach_partition(text, text, text, text, text, integer);
DROP FUNCTION uuid7_floor(timestamptz);
