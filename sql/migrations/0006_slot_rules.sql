-- migrate:up

-- Every rule that a business has about its times, refused here when it can never be kept.
--
-- What is altered is small: catalogues, and claims on time now and ahead.
-- squawk-ignore-file constraint-missing-not-valid, require-concurrent-index-creation, adding-foreign-key-constraint, adding-field-with-default, ban-drop-constraint

-- Where clocks are read. PostgreSQL also takes abbreviations and made-up offsets: those are nobody's clock.
CREATE FUNCTION refuse_unknown_timezone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.timezone ~ '^([A-Za-z_]+(/[A-Za-z_-]+)+|UTC|GMT|Etc/GMT[+-]?[0-9]{1,2})$' THEN
        PERFORM now() AT TIME ZONE NEW.timezone;
    ELSIF NEW.timezone IS NOT NULL THEN
        RAISE invalid_parameter_value;
    END IF;
    RETURN NEW;
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'this time zone is unknown' USING
        ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_timezone_is_known', TABLE = TG_TABLE_NAME;
END
$$;
CREATE TRIGGER companies_timezone_is_known BEFORE INSERT OR UPDATE OF timezone ON companies
    FOR EACH ROW EXECUTE FUNCTION refuse_unknown_timezone();
CREATE TRIGGER staff_timezone_is_known BEFORE INSERT OR UPDATE OF timezone ON staff
    FOR EACH ROW EXECUTE FUNCTION refuse_unknown_timezone();
CREATE TRIGGER service_areas_timezone_is_known BEFORE INSERT OR UPDATE OF timezone ON service_areas
    FOR EACH ROW EXECUTE FUNCTION refuse_unknown_timezone();

CREATE FUNCTION setting_is_between(settings jsonb, key text, low integer, high integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN NOT settings ? key THEN true
    WHEN jsonb_typeof(settings -> key) <> 'number' THEN false
    ELSE (settings ->> key)::numeric BETWEEN low AND high AND (settings ->> key)::numeric % 1 = 0
END;

ALTER TABLE companies
    ADD CONSTRAINT companies_lead_is_possible CHECK (setting_is_between(settings, 'lead_minutes', 0, 1051200)),
    ADD CONSTRAINT companies_horizon_is_possible CHECK (setting_is_between(settings, 'horizon_days', 1, 730)),
    ADD CONSTRAINT companies_grid_is_possible CHECK (setting_is_between(settings, 'grid_minutes', 1, 1440)),
    ADD CONSTRAINT companies_cancel_notice_is_possible
        CHECK (setting_is_between(settings, 'cancel_notice_minutes', 0, 1051200)),
    ADD CONSTRAINT companies_hold_is_possible CHECK (setting_is_between(settings, 'hold_minutes', 1, 120)),
    ADD CONSTRAINT companies_offer_is_possible CHECK (setting_is_between(settings, 'offer_minutes', 1, 1440));

-- Processing is time inside a service in which the customer waits and the staff member is free. Whoever books a
-- service with a capacity above one shares the time with others, up to that many.
ALTER TABLE services
    ADD COLUMN grid_offset_minutes integer NOT NULL DEFAULT 0,
    ADD COLUMN processing_from_minutes integer,
    ADD COLUMN processing_minutes integer,
    ADD COLUMN capacity integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT services_grid_offset_is_below_the_grid
        CHECK (grid_offset_minutes >= 0 AND grid_offset_minutes < coalesce(grid_minutes, 1440)),
    ADD CONSTRAINT services_processing_lies_inside CHECK (
        (processing_from_minutes IS NULL) = (processing_minutes IS NULL)
        AND processing_from_minutes > 0 AND processing_minutes > 0
        AND processing_from_minutes + processing_minutes < minutes
    ),
    ADD CONSTRAINT services_capacity_is_at_least_one CHECK (capacity BETWEEN 1 AND 1000),
    ADD CONSTRAINT services_lead_ends_before_the_horizon CHECK (lead_minutes < (horizon_days + 1) * 1440);

-- Whoever has twice the weight gets twice the visits for anyone.
ALTER TABLE staff
    ADD COLUMN most_visits_a_day integer,
    ADD COLUMN weight integer NOT NULL DEFAULT 1,
    ADD CONSTRAINT staff_may_have_a_visit_a_day CHECK (most_visits_a_day > 0),
    ADD CONSTRAINT staff_weight_is_positive CHECK (weight BETWEEN 1 AND 100);

-- Rooms, chairs, bays: so many alike, of which a visit takes one.
CREATE TABLE resources (
    company_id bigint      NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    name       text        NOT NULL,
    units      integer     NOT NULL DEFAULT 1,
    active     boolean     NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT resources_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT resources_name_is_unique UNIQUE (company_id, name),
    CONSTRAINT resources_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT resources_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT resources_have_units CHECK (units BETWEEN 1 AND 999)
);

CREATE TABLE service_resources (
    company_id  bigint      NOT NULL,
    service_id  bigint      NOT NULL,
    resource_id bigint      NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_resources_pkey PRIMARY KEY (company_id, service_id, resource_id),
    CONSTRAINT service_resources_service_fkey FOREIGN KEY (company_id, service_id)
        REFERENCES services (company_id, id) ON DELETE CASCADE,
    CONSTRAINT service_resources_resource_fkey FOREIGN KEY (company_id, resource_id)
        REFERENCES resources (company_id, id) ON DELETE CASCADE
);
CREATE INDEX service_resources_resource_idx ON service_resources (company_id, resource_id);

CREATE TRIGGER resources_touch BEFORE UPDATE ON resources
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER resources_bump_catalog AFTER INSERT OR UPDATE OR DELETE ON resources
    FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();
CREATE TRIGGER service_resources_bump_catalog AFTER INSERT OR UPDATE OR DELETE ON service_resources
    FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

-- A shift in seconds from Monday's midnight. It may run into the next day, and on Sunday into the next week; an end
-- of 23:59 means midnight.
CREATE FUNCTION week_seconds(weekday smallint, starts time, ends time) RETURNS int4range
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN int4range(
    (weekday - 1) * 86400 + extract(epoch FROM starts)::integer,
    (weekday - CASE WHEN ends > starts THEN 1 ELSE 0 END) * 86400
        + CASE WHEN ends >= '23:59' THEN 86400 ELSE extract(epoch FROM ends)::integer END
);

CREATE FUNCTION around_the_week(span int4range) RETURNS int4multirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN int4multirange(span * int4range(0, 604800), int4range(lower(span) - 604800, upper(span) - 604800) * int4range(0, 604800));

ALTER TABLE staff_hours
    ADD CONSTRAINT staff_hours_shifts_do_not_overlap EXCLUDE USING gist (
        int8range(company_id, company_id, '[]') WITH &&,
        int8range(staff_id, staff_id, '[]') WITH &&,
        around_the_week(week_seconds(weekday, starts, ends)) WITH &&
    ) WHERE (kind = 'work');

CREATE FUNCTION dated_seconds(day date, starts time, ends time) RETURNS tsrange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN tsrange(
    day + starts,
    day + CASE WHEN ends >= '23:59' THEN interval '24 hours' ELSE ends::interval END
        + CASE WHEN ends > starts THEN interval '0' ELSE interval '24 hours' END
);

ALTER TABLE staff_schedules
    ADD CONSTRAINT staff_schedules_shifts_do_not_overlap EXCLUDE USING gist (
        int8range(company_id, company_id, '[]') WITH &&,
        int8range(staff_id, staff_id, '[]') WITH &&,
        dated_seconds(day, starts, ends) WITH &&
    ) WHERE (kind <> 'break' AND starts IS NOT NULL);

-- A service that is longer than every shift of whoever does it could never be booked. Looked at when the transaction
-- ends: until then, hours and services may be entered in any order. Dates with hours of their own may have any length,
-- and whoever has no hours yet is not looked at.
CREATE FUNCTION longest_shift_seconds(company bigint, person bigint) RETURNS integer
LANGUAGE sql STABLE
RETURN (
    WITH rules AS (
        SELECT
            range_agg(week_seconds(weekday, starts, ends)) FILTER (WHERE kind = 'work')
                + range_agg(int4range(lower(week_seconds(weekday, starts, ends)) + 604800,
                    upper(week_seconds(weekday, starts, ends)) + 604800)) FILTER (WHERE kind = 'work') AS work,
            range_agg(week_seconds(weekday, starts, ends)) FILTER (WHERE kind = 'break')
                + range_agg(int4range(lower(week_seconds(weekday, starts, ends)) + 604800,
                    upper(week_seconds(weekday, starts, ends)) + 604800)) FILTER (WHERE kind = 'break') AS breaks
        FROM staff_hours
        WHERE company_id = company AND staff_id = person
    )
    SELECT max(upper(span) - lower(span))
    FROM rules, unnest(rules.work - coalesce(rules.breaks, '{}')) AS span
);

CREATE FUNCTION refuse_services_longer_than_every_shift() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := to_jsonb(coalesce(NEW, OLD));
    company bigint := changed ->> 'company_id';
    about text := CASE TG_TABLE_NAME WHEN 'services' THEN 'id' ELSE 'service_id' END;
BEGIN
    IF EXISTS (
        SELECT FROM staff_services AS o
        JOIN services AS s ON s.company_id = o.company_id AND s.id = o.service_id AND s.active
        JOIN staff AS p ON p.company_id = o.company_id AND p.id = o.staff_id AND p.active
        WHERE o.company_id = company
            AND CASE TG_TABLE_NAME
                WHEN 'staff_hours' THEN o.staff_id = (changed ->> 'staff_id')::bigint
                ELSE o.service_id = (changed ->> about)::bigint
            END
            AND coalesce(o.minutes, s.minutes) * 60 > longest_shift_seconds(company, o.staff_id)
            AND NOT EXISTS (
                SELECT FROM staff_schedules AS d
                WHERE d.company_id = company AND d.staff_id = o.staff_id AND d.starts IS NOT NULL
            )
    ) THEN
        RAISE EXCEPTION 'a service is longer than every shift of somebody who does it' USING
            ERRCODE = 'check_violation', CONSTRAINT = 'staff_services_fit_a_shift', TABLE = TG_TABLE_NAME;
    END IF;
    IF TG_TABLE_NAME <> 'staff_hours' AND EXISTS (
        SELECT FROM staff_services AS o
        JOIN services AS s ON s.company_id = o.company_id AND s.id = o.service_id
        WHERE o.company_id = company AND o.service_id = (changed ->> about)::bigint
            AND o.minutes <= s.processing_from_minutes + s.processing_minutes
    ) THEN
        RAISE EXCEPTION 'processing does not fit into the minutes of somebody who does it' USING
            ERRCODE = 'check_violation', CONSTRAINT = 'staff_services_processing_lies_inside', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER staff_services_fit_a_shift AFTER INSERT OR UPDATE ON staff_services
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_services_longer_than_every_shift();
CREATE CONSTRAINT TRIGGER services_fit_a_shift
    AFTER UPDATE OF minutes, active, processing_from_minutes, processing_minutes ON services
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_services_longer_than_every_shift();
CREATE CONSTRAINT TRIGGER staff_hours_fit_services AFTER INSERT OR UPDATE OR DELETE ON staff_hours
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse_services_longer_than_every_shift();

-- By which wall time the customer was told: the zone's rules may change between booking and visit, and then an instant
-- and a zone alone cannot show it. Whoever does not say gets the offset that PostgreSQL knows now.
ALTER TABLE bookings ADD COLUMN utc_offset_seconds integer;

CREATE FUNCTION utc_offset_at(moment timestamptz, zone text) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN extract(epoch FROM (moment AT TIME ZONE zone) - (moment AT TIME ZONE 'UTC'))::integer;

UPDATE bookings SET utc_offset_seconds = utc_offset_at(starts_at, timezone) WHERE utc_offset_seconds IS NULL;

CREATE FUNCTION remember_utc_offset() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.utc_offset_seconds := utc_offset_at(NEW.starts_at, NEW.timezone);
    RETURN NEW;
END
$$;
CREATE TRIGGER bookings_remember_offset BEFORE INSERT ON bookings
    FOR EACH ROW WHEN (NEW.utc_offset_seconds IS NULL) EXECUTE FUNCTION remember_utc_offset();

-- The services of a visit that has several, in order; a booking itself names the first of them, when all of it begins
-- and ends, and what all of it costs. A visit of one service has no rows here.
CREATE TABLE booking_services (
    company_id  bigint      NOT NULL,
    booking_id  uuid        NOT NULL,
    position    smallint    NOT NULL,
    service_id  bigint      NOT NULL,
    staff_id    bigint      NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    price_minor bigint      NOT NULL,
    CONSTRAINT booking_services_pkey PRIMARY KEY (company_id, booking_id, position),
    CONSTRAINT booking_services_booking_fkey FOREIGN KEY (company_id, booking_id)
        REFERENCES bookings (company_id, id) ON DELETE CASCADE,
    CONSTRAINT booking_services_service_fkey FOREIGN KEY (company_id, service_id)
        REFERENCES services (company_id, id) ON DELETE NO ACTION,
    CONSTRAINT booking_services_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE NO ACTION,
    CONSTRAINT booking_services_end_after_they_start CHECK (ends_at > starts_at),
    CONSTRAINT booking_services_price_is_not_negative CHECK (price_minor >= 0)
);
CREATE INDEX booking_services_service_idx ON booking_services (company_id, service_id);
CREATE INDEX booking_services_staff_idx ON booking_services (company_id, staff_id, starts_at);

-- Whose time a row claims is a number: a staff member's, or one unit of a resource (below zero). A row for a resource
-- still names who does the visit. Of the stretches that a visit takes of somebody, the first one leads: they are one visit.
--
-- A group is a session, which claims the time as a visit does and belongs to nobody, and seats in it, one for each
-- customer. Seats of the same number collide with each other and with nothing else. The session lapses when its last
-- seat would, and `conversation_id` names whoever has it to themselves.
ALTER TABLE slot_claims
    ADD COLUMN resource_id bigint,
    ADD COLUMN unit integer,
    ADD COLUMN service_id bigint,
    ADD COLUMN session_id uuid,
    ADD COLUMN leads boolean NOT NULL DEFAULT true,
    ADD COLUMN claimant bigint NOT NULL
        GENERATED ALWAYS AS (CASE WHEN resource_id IS NULL THEN staff_id ELSE -(resource_id * 1000 + unit) END) STORED,
    ADD CONSTRAINT slot_claims_resource_fkey FOREIGN KEY (company_id, resource_id)
        REFERENCES resources (company_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT slot_claims_service_fkey FOREIGN KEY (company_id, service_id)
        REFERENCES services (company_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT slot_claims_units_are_of_resources_and_seats CHECK (
        (unit IS NOT NULL) = (resource_id IS NOT NULL OR part = 'seat') AND unit BETWEEN 1 AND 1000
    ),
    ADD CONSTRAINT slot_claims_of_seats_name_their_session CHECK ((part = 'seat') = (session_id IS NOT NULL)),
    ADD CONSTRAINT slot_claims_of_groups_name_their_service
        CHECK ((kind = 'session' OR part = 'seat') = (service_id IS NOT NULL)),
    DROP CONSTRAINT slot_claims_part_is_known,
    ADD CONSTRAINT slot_claims_part_is_known CHECK (part IN ('visit', 'buffer', 'seat')),
    DROP CONSTRAINT slot_claims_kind_is_known,
    ADD CONSTRAINT slot_claims_kind_is_known
        CHECK (kind IN ('booking', 'hold', 'offer', 'time_off', 'external', 'session')),
    DROP CONSTRAINT slot_claims_of_holds_and_offers_expire,
    ADD CONSTRAINT slot_claims_of_holds_and_offers_expire
        CHECK (kind = 'session' OR (kind IN ('hold', 'offer')) = (expires_at IS NOT NULL)),
    DROP CONSTRAINT slot_claims_never_overlap,
    ADD CONSTRAINT slot_claims_never_overlap EXCLUDE USING gist (
        int8range(company_id, company_id, '[]') WITH &&,
        int8range(claimant, claimant, '[]') WITH &&,
        during WITH &&,
        (
            CASE part
                WHEN 'visit' THEN int8range(0, NULL)
                WHEN 'seat' THEN int8range(-unit, -unit, '[]')
                ELSE int8range(id, id, '[]')
            END
        ) WITH &&
    );
CREATE INDEX slot_claims_resource_idx ON slot_claims (company_id, resource_id) WHERE resource_id IS NOT NULL;
CREATE INDEX slot_claims_service_idx ON slot_claims (company_id, service_id) WHERE service_id IS NOT NULL;
CREATE INDEX slot_claims_session_idx ON slot_claims (company_id, session_id) WHERE session_id IS NOT NULL;

-- A seat has gone: its session goes with the last one. Whoever gives out that person's time meanwhile (claims.claim)
-- is not waited for: a session that nobody sits in lapses at the latest when its seats would have.
CREATE FUNCTION leave_session() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    seats bigint;
    until timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashint8extended(OLD.staff_id, 2)) THEN
        RETURN NULL;
    END IF;
    SELECT count(*), max(coalesce(expires_at, 'infinity')) INTO seats, until
    FROM slot_claims WHERE company_id = OLD.company_id AND session_id = OLD.session_id;
    IF seats = 0 THEN
        DELETE FROM slot_claims
        WHERE company_id = OLD.company_id AND claim_id = OLD.session_id AND kind = 'session';
    ELSE
        UPDATE slot_claims SET expires_at = nullif(until, 'infinity')
        WHERE company_id = OLD.company_id AND claim_id = OLD.session_id AND kind = 'session';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER slot_claims_leave_session AFTER DELETE ON slot_claims
    FOR EACH ROW WHEN (OLD.part = 'seat') EXECUTE FUNCTION leave_session();

DO $$
BEGIN
    ASSERT around_the_week(week_seconds(7::smallint, '22:00', '02:00')) = '{[0,7200),[597600,604800)}',
        'a shift over the end of the week is not its first hours too';
    ASSERT to_regclass('booking_services') IS NOT NULL AND to_regclass('service_resources') IS NOT NULL,
        'tables of slot rules are missing';
END
$$;

-- migrate:down

DROP TRIGGER slot_claims_leave_session ON slot_claims;
DROP FUNCTION leave_session();
DELETE FROM slot_claims WHERE resource_id IS NOT NULL OR kind = 'session' OR part = 'seat';
ALTER TABLE slot_claims
    DROP CONSTRAINT slot_claims_never_overlap,
    DROP CONSTRAINT slot_claims_of_holds_and_offers_expire,
    DROP CONSTRAINT slot_claims_kind_is_known,
    DROP CONSTRAINT slot_claims_part_is_known,
    DROP COLUMN claimant,
    DROP COLUMN leads,
    DROP COLUMN session_id,
    DROP COLUMN service_id,
    DROP COLUMN unit,
    DROP COLUMN resource_id,
    ADD CONSTRAINT slot_claims_part_is_known CHECK (part IN ('visit', 'buffer')),
    ADD CONSTRAINT slot_claims_kind_is_known CHECK (kind IN ('booking', 'hold', 'offer', 'time_off', 'external')),
    ADD CONSTRAINT slot_claims_of_holds_and_offers_expire CHECK (
        (kind IN ('hold', 'offer')) = (expires_at IS NOT NULL)
    ),
    ADD CONSTRAINT slot_claims_never_overlap EXCLUDE USING gist (
        int8range(company_id, company_id, '[]') WITH &&,
        int8range(staff_id, staff_id, '[]') WITH &&,
        during WITH &&,
        (CASE part WHEN 'visit' THEN int8range(NULL, NULL) ELSE int8range(id, id, '[]') END) WITH &&
    );
DROP TABLE booking_services;
DROP TRIGGER bookings_remember_offset ON bookings;
DROP FUNCTION remember_utc_offset();
DROP FUNCTION utc_offset_at(timestamptz, text);
ALTER TABLE bookings DROP COLUMN utc_offset_seconds;
DROP TRIGGER staff_hours_fit_services ON staff_hours;
DROP TRIGGER services_fit_a_shift ON services;
DROP TRIGGER staff_services_fit_a_shift ON staff_services;
DROP FUNCTION refuse_services_longer_than_every_shift();
DROP FUNCTION longest_shift_seconds(bigint, bigint);
ALTER TABLE staff_schedules DROP CONSTRAINT staff_schedules_shifts_do_not_overlap;
DROP FUNCTION dated_seconds(date, time, time);
ALTER TABLE staff_hours DROP CONSTRAINT staff_hours_shifts_do_not_overlap;
DROP FUNCTION around_the_week(int4range);
DROP FUNCTION week_seconds(smallint, time, time);
DROP TABLE service_resources;
DROP TABLE resources;
ALTER TABLE staff DROP COLUMN most_visits_a_day, DROP COLUMN weight;
ALTER TABLE services
    DROP COLUMN grid_offset_minutes, DROP COLUMN processing_from_minutes, DROP COLUMN processing_minutes,
    DROP COLUMN capacity, DROP CONSTRAINT services_lead_ends_before_the_horizon;
ALTER TABLE companies
    DROP CONSTRAINT companies_lead_is_possible,
    DROP CONSTRAINT companies_horizon_is_possible,
    DROP CONSTRAINT companies_grid_is_possible,
    DROP CONSTRAINT companies_cancel_notice_is_possible,
    DROP CONSTRAINT companies_hold_is_possible,
    DROP CONSTRAINT companies_offer_is_possible;
DROP FUNCTION setting_is_between(jsonb, text, integer, integer);
DROP TRIGGER service_areas_timezone_is_known ON service_areas;
DROP TRIGGER staff_timezone_is_known ON staff;
DROP TRIGGER companies_timezone_is_known ON companies;
DROP FUNCTION refuse_unknown_timezone();
