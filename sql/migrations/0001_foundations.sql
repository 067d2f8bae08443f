-- migrate:up

-- Every tenant table has company_id first in its primary key: the schema can be distributed by company
-- without being rewritten, and no query can forget whose rows it reads.

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
    RETURN NEW;
END
$$;

CREATE TABLE companies (
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    name            text        NOT NULL,
    vertical        text        NOT NULL DEFAULT 'general',
    timezone        text        NOT NULL,
    locale          text        NOT NULL DEFAULT 'en',
    currency        text        NOT NULL DEFAULT 'USD',
    country_code    text        NOT NULL DEFAULT 'US',
    phone_number_id text        NOT NULL,
    waba_id         text,
    phone           text,
    address         text,
    settings        jsonb       NOT NULL DEFAULT '{}',
    external_ids    jsonb       NOT NULL DEFAULT '{}',
    -- Raised by triggers on everything a conversation reads about the business, so that processes know
    -- when to read it again without asking twice.
    catalog_version bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT companies_pkey PRIMARY KEY (id),
    CONSTRAINT companies_phone_number_id_is_unique UNIQUE (phone_number_id),
    CONSTRAINT companies_vertical_is_known CHECK (vertical IN ('salon', 'garage', 'general')),
    CONSTRAINT companies_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT companies_currency_is_iso CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT companies_country_is_iso CHECK (country_code ~ '^[A-Z]{2}$'),
    CONSTRAINT companies_settings_is_object CHECK (jsonb_typeof(settings) = 'object'),
    CONSTRAINT companies_external_ids_is_object CHECK (jsonb_typeof(external_ids) = 'object')
);
CREATE INDEX companies_waba_idx ON companies (waba_id) WHERE waba_id IS NOT NULL;

-- A change of settings, name or zone is a change of what conversations read.
CREATE FUNCTION bump_own_catalog_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
    NEW.catalog_version := OLD.catalog_version + 1;
    RETURN NEW;
END
$$;
CREATE TRIGGER companies_touch BEFORE UPDATE ON companies
    FOR EACH ROW EXECUTE FUNCTION bump_own_catalog_version();

CREATE FUNCTION bump_catalog_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE companies SET updated_at = updated_at
    WHERE id = coalesce(NEW.company_id, OLD.company_id);
    RETURN NULL;
END
$$;

CREATE TABLE feature_flags (
    company_id bigint      NOT NULL,
    key        text        NOT NULL,
    enabled    boolean     NOT NULL DEFAULT false,
    config     jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT feature_flags_pkey PRIMARY KEY (company_id, key),
    CONSTRAINT feature_flags_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT feature_flags_key_is_snake_case CHECK (key ~ '^[a-z][a-z0-9_]*$')
);

CREATE TABLE service_areas (
    company_id  bigint      NOT NULL,
    id          bigint      GENERATED ALWAYS AS IDENTITY,
    postal_code text        NOT NULL,
    city        text        NOT NULL,
    state       text        NOT NULL,
    timezone    text        NOT NULL,
    active      boolean     NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_areas_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT service_areas_postal_code_is_unique UNIQUE (company_id, postal_code),
    CONSTRAINT service_areas_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);
CREATE INDEX service_areas_active_idx ON service_areas (company_id, active);

CREATE TABLE customers (
    company_id              bigint      NOT NULL,
    id                      bigint      GENERATED ALWAYS AS IDENTITY,
    phone                   text,
    bsuid                   text,
    parent_bsuid            text,
    username                text,
    profile_name            text,
    first_name              text,
    last_name               text,
    email                   text,
    locale                  text,
    whatsapp_opted_out_at   timestamptz,
    marketing_opted_out_at  timestamptz,
    sms_opt_in              boolean     NOT NULL DEFAULT false,
    sms_opt_in_at           timestamptz,
    unreachable_at          timestamptz,
    first_referral          jsonb,
    external_ids            jsonb       NOT NULL DEFAULT '{}',
    created_at              timestamptz NOT NULL DEFAULT now(),
    updated_at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customers_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT customers_phone_is_unique UNIQUE (company_id, phone),
    CONSTRAINT customers_bsuid_is_unique UNIQUE (company_id, bsuid),
    CONSTRAINT customers_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT customers_phone_is_digits CHECK (phone ~ '^[0-9]{1,20}$'),
    CONSTRAINT customers_sms_opt_in_has_a_date CHECK (NOT sms_opt_in OR sms_opt_in_at IS NOT NULL)
);
CREATE INDEX customers_email_idx ON customers (company_id, lower(email)) WHERE email IS NOT NULL;

CREATE TABLE service_categories (
    company_id bigint      NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    name       text        NOT NULL,
    position   integer     NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_categories_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT service_categories_name_is_unique UNIQUE (company_id, name),
    CONSTRAINT service_categories_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);

CREATE TABLE services (
    company_id            bigint      NOT NULL,
    id                    bigint      GENERATED ALWAYS AS IDENTITY,
    category_id           bigint,
    name                  text        NOT NULL,
    description           text,
    translations          jsonb       NOT NULL DEFAULT '{}',
    minutes               integer     NOT NULL,
    price_minor           bigint      NOT NULL DEFAULT 0,
    buffer_before_minutes integer     NOT NULL DEFAULT 0,
    buffer_after_minutes  integer     NOT NULL DEFAULT 0,
    lead_minutes          integer,
    horizon_days          integer,
    grid_minutes          integer,
    position              integer     NOT NULL DEFAULT 0,
    active                boolean     NOT NULL DEFAULT true,
    external_ids          jsonb       NOT NULL DEFAULT '{}',
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT services_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT services_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT services_category_fkey FOREIGN KEY (company_id, category_id)
        REFERENCES service_categories (company_id, id) ON DELETE SET NULL (category_id),
    CONSTRAINT services_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT services_take_between_a_minute_and_a_day CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT services_price_is_not_negative CHECK (price_minor >= 0),
    CONSTRAINT services_buffers_are_within_a_day CHECK (
        buffer_before_minutes BETWEEN 0 AND 1440 AND buffer_after_minutes BETWEEN 0 AND 1440
    ),
    CONSTRAINT services_lead_is_not_negative CHECK (lead_minutes >= 0),
    CONSTRAINT services_horizon_is_positive CHECK (horizon_days > 0),
    CONSTRAINT services_grid_divides_time CHECK (grid_minutes BETWEEN 1 AND 1440)
);
CREATE INDEX services_category_idx ON services (company_id, category_id);

CREATE TABLE staff (
    company_id   bigint      NOT NULL,
    id           bigint      GENERATED ALWAYS AS IDENTITY,
    name         text        NOT NULL,
    phone        text,
    email        text,
    timezone     text,
    position     integer     NOT NULL DEFAULT 0,
    active       boolean     NOT NULL DEFAULT true,
    external_ids jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT staff_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT staff_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT staff_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT staff_phone_is_digits CHECK (phone ~ '^[0-9]{1,20}$')
);

CREATE TABLE staff_services (
    company_id  bigint      NOT NULL,
    staff_id    bigint      NOT NULL,
    service_id  bigint      NOT NULL,
    minutes     integer,
    price_minor bigint,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT staff_services_pkey PRIMARY KEY (company_id, staff_id, service_id),
    CONSTRAINT staff_services_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE,
    CONSTRAINT staff_services_service_fkey FOREIGN KEY (company_id, service_id)
        REFERENCES services (company_id, id) ON DELETE CASCADE,
    CONSTRAINT staff_services_take_between_a_minute_and_a_day CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT staff_services_price_is_not_negative CHECK (price_minor >= 0)
);
CREATE INDEX staff_services_service_idx ON staff_services (company_id, service_id);

-- Weekly pattern, in the local wall time of the staff member. A shift whose end is not after its start runs
-- over midnight; breaks are rows of kind 'break' inside a shift.
CREATE TABLE staff_hours (
    company_id bigint      NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    staff_id   bigint      NOT NULL,
    weekday    smallint    NOT NULL,
    starts     time        NOT NULL,
    ends       time        NOT NULL,
    kind       text        NOT NULL DEFAULT 'work',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT staff_hours_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT staff_hours_shift_is_entered_once UNIQUE (company_id, staff_id, weekday, starts, kind),
    CONSTRAINT staff_hours_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE,
    CONSTRAINT staff_hours_weekday_is_iso CHECK (weekday BETWEEN 1 AND 7),
    CONSTRAINT staff_hours_kind_is_known CHECK (kind IN ('work', 'break')),
    CONSTRAINT staff_hours_are_not_empty CHECK (starts <> ends)
);

-- Dated rows: 'replace' rows of a day stand instead of its weekly pattern (one without times closes the day),
-- 'add' rows come on top of it, 'break' rows cut it.
CREATE TABLE staff_schedules (
    company_id bigint      NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    staff_id   bigint      NOT NULL,
    day        date        NOT NULL,
    kind       text        NOT NULL DEFAULT 'replace',
    starts     time,
    ends       time,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT staff_schedules_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT staff_schedules_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE,
    CONSTRAINT staff_schedules_kind_is_known CHECK (kind IN ('replace', 'add', 'break')),
    CONSTRAINT staff_schedules_have_both_times_or_none CHECK ((starts IS NULL) = (ends IS NULL)),
    CONSTRAINT staff_schedules_are_not_empty CHECK (starts <> ends),
    CONSTRAINT staff_schedules_only_a_closed_day_has_no_times CHECK (kind = 'replace' OR starts IS NOT NULL)
);
CREATE INDEX staff_schedules_staff_day_idx ON staff_schedules (company_id, staff_id, day);

CREATE TABLE time_off (
    company_id bigint      NOT NULL,
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    staff_id   bigint      NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    reason     text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT time_off_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT time_off_staff_fkey FOREIGN KEY (company_id, staff_id)
        REFERENCES staff (company_id, id) ON DELETE CASCADE,
    CONSTRAINT time_off_ends_after_it_starts CHECK (ends_at > starts_at)
);
CREATE INDEX time_off_staff_idx ON time_off (company_id, staff_id, ends_at);

CREATE TABLE holidays (
    company_id bigint      NOT NULL,
    day        date        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT holidays_pkey PRIMARY KEY (company_id, day),
    CONSTRAINT holidays_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE
);

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY[
        'feature_flags', 'service_areas', 'service_categories', 'services', 'staff', 'staff_services',
        'staff_hours', 'staff_schedules', 'time_off', 'holidays'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION bump_catalog_version()', t || '_bump_catalog', t);
        IF t <> 'staff_services' THEN
            EXECUTE format(
                'CREATE TRIGGER %I BEFORE UPDATE ON %I '
                'FOR EACH ROW EXECUTE FUNCTION touch_updated_at()', t || '_touch', t);
        END IF;
    END LOOP;
END
$$;
CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- What no company can be found for is kept whole: nothing that Meta signed is thrown away.
CREATE TABLE strays (
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    received_at     timestamptz NOT NULL,
    reason          text        NOT NULL,
    phone_number_id text,
    dedup_key       text        NOT NULL,
    body            jsonb       NOT NULL,
    CONSTRAINT strays_pkey PRIMARY KEY (id),
    CONSTRAINT strays_are_kept_once UNIQUE (dedup_key),
    CONSTRAINT strays_reason_is_known CHECK (reason IN ('unknown_number', 'unknown_account', 'unreadable'))
);
CREATE INDEX strays_received_idx ON strays (received_at);

DO $$
BEGIN
    ASSERT to_regclass('companies') IS NOT NULL AND to_regclass('strays') IS NOT NULL, 'foundations are missing';
    ASSERT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%\_bump\_catalog') = 10, 'catalogue triggers are missing';
END
$$;

-- migrate:down

DROP TABLE strays;
DROP TABLE holidays;
DROP TABLE time_off;
DROP TABLE staff_schedules;
DROP TABLE staff_hours;
DROP TABLE staff_services;
DROP TABLE staff;
DROP TABLE services;
DROP TABLE service_categories;
DROP TABLE customers;
DROP TABLE service_areas;
DROP TABLE feature_flags;
DROP TABLE companies;
DROP FUNCTION bump_catalog_version();
DROP FUNCTION bump_own_catalog_version();
DROP FUNCTION touch_updated_at();
