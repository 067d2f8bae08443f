-- The schema after all migrations. Generated, do not edit: `make schema` writes it.
-- Left out are the partitions that hold a span of time, because they depend on the day.

CREATE FUNCTION around_the_week(span int4range) RETURNS int4multirange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN int4multirange(VARIADIC ARRAY[(span * int4range(0, 604800)), (int4range((lower(span) - 604800), (upper(span) - 604800)) * int4range(0, 604800))]);

CREATE FUNCTION dated_seconds(day date, starts time without time zone, ends time without time zone) RETURNS tsrange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN tsrange((day + starts), ((day + CASE WHEN (ends >= '23:59:00'::time without time zone) THEN '24:00:00'::interval ELSE (ends)::interval END) + CASE WHEN (ends > starts) THEN '00:00:00'::interval ELSE '24:00:00'::interval END));

CREATE FUNCTION week_seconds(weekday smallint, starts time without time zone, ends time without time zone) RETURNS int4range
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN int4range((((weekday - 1) * 86400) + (EXTRACT(epoch FROM starts))::integer), (((weekday - CASE WHEN (ends > starts) THEN 1 ELSE 0 END) * 86400) + CASE WHEN (ends >= '23:59:00'::time without time zone) THEN 86400 ELSE (EXTRACT(epoch FROM ends))::integer END));

CREATE FUNCTION setting_is_between(settings jsonb, key text, low integer, high integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (NOT (settings ? key)) THEN true WHEN (jsonb_typeof((settings -> key)) <> 'number'::text) THEN false ELSE (((((settings ->> key))::numeric >= (low)::numeric) AND (((settings ->> key))::numeric <= (high)::numeric)) AND ((((settings ->> key))::numeric % (1)::numeric) = (0)::numeric)) END;

CREATE SEQUENCE analytics_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE SEQUENCE messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE analytics_events (
    company_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    conversation_id bigint,
    booking_id uuid,
    event_type text NOT NULL,
    event_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    session_id text,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    gclid text,
    ctwa_clid text
)
PARTITION BY RANGE (created_at);

ALTER TABLE ONLY analytics_events ALTER COLUMN id SET DEFAULT nextval('public.analytics_events_id_seq'::regclass);

ALTER TABLE ONLY analytics_events
    ADD CONSTRAINT analytics_events_pkey PRIMARY KEY (company_id, created_at, id);

CREATE INDEX analytics_events_booking_idx ON analytics_events USING btree (company_id, booking_id) WHERE (booking_id IS NOT NULL);

CREATE INDEX analytics_events_session_idx ON analytics_events USING btree (company_id, session_id, created_at) WHERE (session_id IS NOT NULL);

CREATE INDEX analytics_events_type_idx ON analytics_events USING btree (company_id, event_type, created_at);

CREATE TABLE booking_codes (
    company_id bigint NOT NULL,
    code text NOT NULL,
    booking_id uuid NOT NULL,
    CONSTRAINT booking_codes_are_readable CHECK ((code ~ '^[A-HJ-NP-Z2-9]{4,12}$'::text))
);

ALTER TABLE ONLY booking_codes
    ADD CONSTRAINT booking_codes_are_one_a_booking UNIQUE (company_id, booking_id);

ALTER TABLE ONLY booking_codes
    ADD CONSTRAINT booking_codes_pkey PRIMARY KEY (company_id, code);

CREATE TABLE booking_services (
    company_id bigint NOT NULL,
    booking_id uuid NOT NULL,
    "position" smallint NOT NULL,
    service_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    price_minor bigint NOT NULL,
    CONSTRAINT booking_services_end_after_they_start CHECK ((ends_at > starts_at)),
    CONSTRAINT booking_services_price_is_not_negative CHECK ((price_minor >= 0))
);

ALTER TABLE ONLY booking_services
    ADD CONSTRAINT booking_services_pkey PRIMARY KEY (company_id, booking_id, "position");

CREATE INDEX booking_services_service_idx ON booking_services USING btree (company_id, service_id);

CREATE INDEX booking_services_staff_idx ON booking_services USING btree (company_id, staff_id, starts_at);

CREATE TABLE bookings (
    company_id bigint NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    customer_id bigint NOT NULL,
    service_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    area_id bigint,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    timezone text NOT NULL,
    status text DEFAULT 'confirmed'::text NOT NULL,
    price_minor bigint NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    preferred_staff_id bigint,
    priority_window_minutes integer DEFAULT 10 NOT NULL,
    priority_notified_at timestamp with time zone,
    intake jsonb DEFAULT '{}'::jsonb NOT NULL,
    referral jsonb,
    utm jsonb DEFAULT '{}'::jsonb NOT NULL,
    external_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    moves integer DEFAULT 0 NOT NULL,
    confirmed_at timestamp with time zone,
    completed_at timestamp with time zone,
    cancelled_at timestamp with time zone,
    cancelled_by text,
    cancel_reason text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    rating smallint,
    utc_offset_seconds integer,
    no_show_by text,
    late_said_at timestamp with time zone,
    late_minutes smallint,
    CONSTRAINT bookings_cancelled_by_is_known CHECK ((cancelled_by = ANY (ARRAY['customer'::text, 'staff'::text, 'operator'::text, 'system'::text]))),
    CONSTRAINT bookings_cancelled_have_a_time CHECK (((status = 'cancelled'::text) = (cancelled_at IS NOT NULL))),
    CONSTRAINT bookings_end_after_they_start CHECK ((ends_at > starts_at)),
    CONSTRAINT bookings_late_minutes_are_positive CHECK ((late_minutes > 0)),
    CONSTRAINT bookings_no_show_by_is_known CHECK ((no_show_by = ANY (ARRAY['operator'::text, 'rule'::text]))),
    CONSTRAINT bookings_price_is_not_negative CHECK ((price_minor >= 0)),
    CONSTRAINT bookings_priority_window_is_positive CHECK ((priority_window_minutes > 0)),
    CONSTRAINT bookings_rating_is_one_to_five CHECK (((rating >= 1) AND (rating <= 5))),
    CONSTRAINT bookings_source_is_known CHECK ((source = ANY (ARRAY['quick'::text, 'usual'::text, 'waitlist'::text, 'console'::text, 'api'::text, 'import'::text]))),
    CONSTRAINT bookings_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'confirmed'::text, 'completed'::text, 'cancelled'::text, 'no_show'::text])))
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY bookings
    ADD CONSTRAINT bookings_pkey PRIMARY KEY (company_id, id);

CREATE INDEX bookings_area_idx ON bookings USING btree (company_id, area_id) WHERE (area_id IS NOT NULL);

CREATE INDEX bookings_availability_idx ON bookings USING btree (company_id, staff_id, starts_at, status) WHERE (status <> 'cancelled'::text);

CREATE INDEX bookings_calendar_idx ON bookings USING btree (company_id, starts_at);

CREATE INDEX bookings_created_idx ON bookings USING btree (company_id, created_at);

CREATE INDEX bookings_customer_idx ON bookings USING btree (company_id, customer_id, starts_at);

CREATE INDEX bookings_popular_times_idx ON bookings USING btree (company_id, created_at, starts_at) WHERE (status <> 'cancelled'::text);

CREATE INDEX bookings_preferred_staff_idx ON bookings USING btree (company_id, preferred_staff_id) WHERE (preferred_staff_id IS NOT NULL);

CREATE INDEX bookings_priority_analytics_idx ON bookings USING btree (company_id, preferred_staff_id, priority_notified_at, status) WHERE (preferred_staff_id IS NOT NULL);

CREATE INDEX bookings_priority_timeout_idx ON bookings USING btree (company_id, priority_notified_at, status) WHERE ((priority_notified_at IS NOT NULL) AND (status = 'pending'::text));

CREATE INDEX bookings_service_idx ON bookings USING btree (company_id, service_id);

CREATE INDEX bookings_status_idx ON bookings USING btree (company_id, status, starts_at);

CREATE TABLE companies (
    id bigint NOT NULL,
    name text NOT NULL,
    vertical text DEFAULT 'general'::text NOT NULL,
    timezone text NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL,
    currency text DEFAULT 'USD'::text NOT NULL,
    country_code text DEFAULT 'US'::text NOT NULL,
    phone_number_id text NOT NULL,
    waba_id text,
    phone text,
    address text,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    external_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    catalog_version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT companies_cancel_notice_is_possible CHECK (setting_is_between(settings, 'cancel_notice_minutes'::text, 0, 1051200)),
    CONSTRAINT companies_country_is_iso CHECK ((country_code ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT companies_currency_is_iso CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT companies_external_ids_is_object CHECK ((jsonb_typeof(external_ids) = 'object'::text)),
    CONSTRAINT companies_grid_is_possible CHECK (setting_is_between(settings, 'grid_minutes'::text, 1, 1440)),
    CONSTRAINT companies_hold_is_possible CHECK (setting_is_between(settings, 'hold_minutes'::text, 1, 120)),
    CONSTRAINT companies_horizon_is_possible CHECK (setting_is_between(settings, 'horizon_days'::text, 1, 730)),
    CONSTRAINT companies_lead_is_possible CHECK (setting_is_between(settings, 'lead_minutes'::text, 0, 1051200)),
    CONSTRAINT companies_name_is_not_blank CHECK ((name ~ '\S'::text)),
    CONSTRAINT companies_offer_is_possible CHECK (setting_is_between(settings, 'offer_minutes'::text, 1, 1440)),
    CONSTRAINT companies_settings_is_object CHECK ((jsonb_typeof(settings) = 'object'::text)),
    CONSTRAINT companies_vertical_is_known CHECK ((vertical = ANY (ARRAY['salon'::text, 'garage'::text, 'general'::text])))
);

ALTER TABLE companies ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY companies
    ADD CONSTRAINT companies_phone_number_id_is_unique UNIQUE (phone_number_id);

ALTER TABLE ONLY companies
    ADD CONSTRAINT companies_pkey PRIMARY KEY (id);

CREATE INDEX companies_waba_idx ON companies USING btree (waba_id) WHERE (waba_id IS NOT NULL);

CREATE TABLE customer_preferences (
    company_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    favorite_staff_id bigint,
    favorite_service_id bigint,
    preferred_weekday smallint,
    preferred_hour smallint,
    time_of_day text,
    average_gap_days numeric(6,1),
    last_visit_at timestamp with time zone,
    next_suggested_on date,
    visits_counted integer DEFAULT 0 NOT NULL,
    confidence numeric(3,2) DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customer_preferences_confidence_is_a_share CHECK (((confidence >= (0)::numeric) AND (confidence <= (1)::numeric))),
    CONSTRAINT customer_preferences_count_is_not_negative CHECK ((visits_counted >= 0)),
    CONSTRAINT customer_preferences_gap_is_positive CHECK ((average_gap_days > (0)::numeric)),
    CONSTRAINT customer_preferences_hour_is_of_a_day CHECK (((preferred_hour >= 0) AND (preferred_hour <= 23))),
    CONSTRAINT customer_preferences_time_of_day_is_known CHECK ((time_of_day = ANY (ARRAY['morning'::text, 'afternoon'::text, 'evening'::text]))),
    CONSTRAINT customer_preferences_weekday_is_iso CHECK (((preferred_weekday >= 1) AND (preferred_weekday <= 7)))
);

ALTER TABLE ONLY customer_preferences
    ADD CONSTRAINT customer_preferences_pkey PRIMARY KEY (company_id, customer_id);

CREATE INDEX customer_preferences_service_idx ON customer_preferences USING btree (company_id, favorite_service_id) WHERE (favorite_service_id IS NOT NULL);

CREATE INDEX customer_preferences_staff_idx ON customer_preferences USING btree (company_id, favorite_staff_id) WHERE (favorite_staff_id IS NOT NULL);

CREATE INDEX customer_preferences_suggestion_idx ON customer_preferences USING btree (company_id, next_suggested_on) WHERE (next_suggested_on IS NOT NULL);

CREATE TABLE customers (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    phone text,
    bsuid text,
    parent_bsuid text,
    username text,
    profile_name text,
    first_name text,
    last_name text,
    email text,
    locale text,
    whatsapp_opted_out_at timestamp with time zone,
    marketing_opted_out_at timestamp with time zone,
    sms_opt_in boolean DEFAULT false NOT NULL,
    sms_opt_in_at timestamp with time zone,
    unreachable_at timestamp with time zone,
    first_referral jsonb,
    external_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    no_shows integer DEFAULT 0 NOT NULL,
    area_id bigint,
    CONSTRAINT customers_phone_is_digits CHECK ((phone ~ '^[0-9]{1,20}$'::text)),
    CONSTRAINT customers_sms_opt_in_has_a_date CHECK (((NOT sms_opt_in) OR (sms_opt_in_at IS NOT NULL)))
);

ALTER TABLE customers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_bsuid_is_unique UNIQUE (company_id, bsuid);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_phone_is_unique UNIQUE (company_id, phone);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (company_id, id);

CREATE INDEX customers_area_idx ON customers USING btree (company_id, area_id) WHERE (area_id IS NOT NULL);

CREATE INDEX customers_email_idx ON customers USING btree (company_id, lower(email)) WHERE (email IS NOT NULL);

CREATE TABLE dialog_contexts (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    customer_id bigint,
    state jsonb DEFAULT '{"step": "menu.idle"}'::jsonb NOT NULL,
    step text GENERATED ALWAYS AS ((state ->> 'step'::text)) STORED,
    turn bigint DEFAULT 0 NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    locale text,
    last_inbound_at timestamp with time zone,
    last_message_at timestamp with time zone NOT NULL,
    person_until timestamp with time zone,
    expires_at timestamp with time zone,
    started_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT dialog_contexts_state_names_its_step CHECK (((state ->> 'step'::text) IS NOT NULL)),
    CONSTRAINT dialog_contexts_status_is_known CHECK ((status = ANY (ARRAY['active'::text, 'person'::text, 'closed'::text])))
)
WITH (fillfactor='70');

ALTER TABLE dialog_contexts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY dialog_contexts
    ADD CONSTRAINT dialog_contexts_are_one_a_customer UNIQUE NULLS NOT DISTINCT (company_id, customer_id);

ALTER TABLE ONLY dialog_contexts
    ADD CONSTRAINT dialog_contexts_pkey PRIMARY KEY (company_id, id);

CREATE INDEX dialog_contexts_expiry_idx ON dialog_contexts USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX dialog_contexts_started_idx ON dialog_contexts USING btree (company_id, started_at);

CREATE INDEX dialog_contexts_status_idx ON dialog_contexts USING btree (company_id, status, last_message_at);

CREATE TABLE feature_flags (
    company_id bigint NOT NULL,
    key text NOT NULL,
    enabled boolean DEFAULT false NOT NULL,
    config jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT feature_flags_key_is_snake_case CHECK ((key ~ '^[a-z][a-z0-9_]*$'::text))
);

ALTER TABLE ONLY feature_flags
    ADD CONSTRAINT feature_flags_pkey PRIMARY KEY (company_id, key);

CREATE TABLE holidays (
    company_id bigint NOT NULL,
    day date NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY holidays
    ADD CONSTRAINT holidays_pkey PRIMARY KEY (company_id, day);

CREATE TABLE inbox (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    dedup_key text NOT NULL,
    conversation_id bigint,
    kind text NOT NULL,
    event jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    not_before timestamp with time zone NOT NULL,
    last_error text,
    done_at timestamp with time zone,
    CONSTRAINT inbox_handled_events_have_a_time CHECK (((status = ANY (ARRAY['done'::text, 'kept'::text])) = (done_at IS NOT NULL))),
    CONSTRAINT inbox_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'done'::text, 'kept'::text, 'dead'::text])))
);

ALTER TABLE inbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY inbox
    ADD CONSTRAINT inbox_events_come_once UNIQUE (company_id, dedup_key);

ALTER TABLE ONLY inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (company_id, id);

CREATE INDEX inbox_conversation_idx ON inbox USING btree (company_id, conversation_id, occurred_at, id) WHERE (status = 'pending'::text);

CREATE INDEX inbox_dead_idx ON inbox USING btree (company_id, received_at) WHERE (status = 'dead'::text);

CREATE INDEX inbox_not_before_idx ON inbox USING btree (not_before) WHERE ((status = 'pending'::text) AND (not_before IS NOT NULL));

CREATE INDEX inbox_received_idx ON inbox USING brin (received_at);

CREATE TABLE message_templates (
    company_id bigint NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    external_id text,
    status text NOT NULL,
    category text,
    quality text,
    rejected_reason text,
    status_since timestamp with time zone NOT NULL,
    synced_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT message_templates_status_is_in_capitals CHECK ((status ~ '^[A-Z_]+$'::text))
);

ALTER TABLE ONLY message_templates
    ADD CONSTRAINT message_templates_pkey PRIMARY KEY (company_id, name, language);

CREATE TABLE messages (
    company_id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    phone text,
    direction text NOT NULL,
    wamid text,
    type text NOT NULL,
    body jsonb NOT NULL,
    status text NOT NULL,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    failed_at timestamp with time zone,
    error_code integer,
    price_category text,
    price_type text,
    price_model text,
    cost_minor numeric(12,4),
    in_reply_to text,
    CONSTRAINT messages_direction_is_known CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text]))),
    CONSTRAINT messages_status_is_known CHECK ((status = ANY (ARRAY['received'::text, 'queued'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'played'::text, 'failed'::text])))
)
PARTITION BY RANGE (created_at);

ALTER TABLE ONLY messages ALTER COLUMN id SET DEFAULT nextval('public.messages_id_seq'::regclass);

ALTER TABLE ONLY messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (company_id, created_at, id);

CREATE INDEX messages_conversation_idx ON messages USING btree (company_id, conversation_id, created_at DESC);

CREATE INDEX messages_customer_idx ON messages USING btree (company_id, customer_id, created_at DESC);

CREATE INDEX messages_direction_idx ON messages USING btree (company_id, direction, created_at DESC);

CREATE INDEX messages_phone_idx ON messages USING btree (company_id, phone, created_at DESC) WHERE (phone IS NOT NULL);

CREATE TABLE outbox (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    conversation_id bigint NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    not_before timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    extras jsonb DEFAULT '{}'::jsonb NOT NULL,
    wamid text,
    error_code integer,
    settled_at timestamp with time zone,
    CONSTRAINT outbox_sending_rows_have_a_lease CHECK (((status = ANY (ARRAY['sending'::text, 'doubt'::text])) = (lease_until IS NOT NULL))),
    CONSTRAINT outbox_settled_rows_have_a_time CHECK (((status = ANY (ARRAY['sent'::text, 'failed'::text])) = (settled_at IS NOT NULL))),
    CONSTRAINT outbox_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'sending'::text, 'doubt'::text, 'held'::text, 'sent'::text, 'failed'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (company_id, id);

CREATE INDEX outbox_created_idx ON outbox USING brin (created_at);

CREATE INDEX outbox_due_idx ON outbox USING btree (not_before) WHERE (status = 'pending'::text);

CREATE INDEX outbox_lease_idx ON outbox USING btree (lease_until) WHERE (status = ANY (ARRAY['sending'::text, 'doubt'::text]));

CREATE INDEX outbox_waiting_idx ON outbox USING btree (company_id, conversation_id, id) WHERE (status = ANY (ARRAY['pending'::text, 'sending'::text, 'doubt'::text, 'held'::text]));

CREATE INDEX outbox_wamid_idx ON outbox USING btree (company_id, wamid) WHERE (wamid IS NOT NULL);

CREATE TABLE reminders (
    company_id bigint NOT NULL,
    booking_id uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    answer text,
    answered_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reminders_answers_have_a_time CHECK (((answer IS NULL) = (answered_at IS NULL))),
    CONSTRAINT reminders_kind_is_known CHECK ((kind = ANY (ARRAY['24h'::text, '2h'::text, 'review'::text, 'rebook'::text])))
);

ALTER TABLE ONLY reminders
    ADD CONSTRAINT reminders_pkey PRIMARY KEY (company_id, booking_id, kind);

CREATE INDEX reminders_due_idx ON reminders USING btree (company_id, due_at) WHERE (sent_at IS NULL);

CREATE TABLE resources (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    units integer DEFAULT 1 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT resources_have_units CHECK (((units >= 1) AND (units <= 999))),
    CONSTRAINT resources_name_is_not_blank CHECK ((name ~ '\S'::text))
);

ALTER TABLE resources ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY resources
    ADD CONSTRAINT resources_name_is_unique UNIQUE (company_id, name);

ALTER TABLE ONLY resources
    ADD CONSTRAINT resources_pkey PRIMARY KEY (company_id, id);

CREATE TABLE schema_migrations (
    version text NOT NULL,
    name text,
    checksum text,
    applied_at timestamp with time zone DEFAULT now(),
    took_ms bigint
);

ALTER TABLE ONLY schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

CREATE TABLE service_areas (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    postal_code text NOT NULL,
    city text NOT NULL,
    state text NOT NULL,
    timezone text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE service_areas ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY service_areas
    ADD CONSTRAINT service_areas_pkey PRIMARY KEY (company_id, id);

ALTER TABLE ONLY service_areas
    ADD CONSTRAINT service_areas_postal_code_is_unique UNIQUE (company_id, postal_code);

CREATE INDEX service_areas_active_idx ON service_areas USING btree (company_id, active);

CREATE TABLE service_categories (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE service_categories ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY service_categories
    ADD CONSTRAINT service_categories_name_is_unique UNIQUE (company_id, name);

ALTER TABLE ONLY service_categories
    ADD CONSTRAINT service_categories_pkey PRIMARY KEY (company_id, id);

CREATE TABLE service_resources (
    company_id bigint NOT NULL,
    service_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY service_resources
    ADD CONSTRAINT service_resources_pkey PRIMARY KEY (company_id, service_id, resource_id);

CREATE INDEX service_resources_resource_idx ON service_resources USING btree (company_id, resource_id);

CREATE TABLE services (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    category_id bigint,
    name text NOT NULL,
    description text,
    translations jsonb DEFAULT '{}'::jsonb NOT NULL,
    minutes integer NOT NULL,
    price_minor bigint DEFAULT 0 NOT NULL,
    buffer_before_minutes integer DEFAULT 0 NOT NULL,
    buffer_after_minutes integer DEFAULT 0 NOT NULL,
    lead_minutes integer,
    horizon_days integer,
    grid_minutes integer,
    "position" integer DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    external_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    grid_offset_minutes integer DEFAULT 0 NOT NULL,
    processing_from_minutes integer,
    processing_minutes integer,
    capacity integer DEFAULT 1 NOT NULL,
    CONSTRAINT services_buffers_are_within_a_day CHECK ((((buffer_before_minutes >= 0) AND (buffer_before_minutes <= 1440)) AND ((buffer_after_minutes >= 0) AND (buffer_after_minutes <= 1440)))),
    CONSTRAINT services_capacity_is_at_least_one CHECK (((capacity >= 1) AND (capacity <= 1000))),
    CONSTRAINT services_grid_divides_time CHECK (((grid_minutes >= 1) AND (grid_minutes <= 1440))),
    CONSTRAINT services_grid_offset_is_below_the_grid CHECK (((grid_offset_minutes >= 0) AND (grid_offset_minutes < COALESCE(grid_minutes, 1440)))),
    CONSTRAINT services_horizon_is_positive CHECK ((horizon_days > 0)),
    CONSTRAINT services_lead_ends_before_the_horizon CHECK ((lead_minutes < ((horizon_days + 1) * 1440))),
    CONSTRAINT services_lead_is_not_negative CHECK ((lead_minutes >= 0)),
    CONSTRAINT services_name_is_not_blank CHECK ((name ~ '\S'::text)),
    CONSTRAINT services_price_is_not_negative CHECK ((price_minor >= 0)),
    CONSTRAINT services_processing_lies_inside CHECK ((((processing_from_minutes IS NULL) = (processing_minutes IS NULL)) AND (processing_from_minutes > 0) AND (processing_minutes > 0) AND ((processing_from_minutes + processing_minutes) < minutes))),
    CONSTRAINT services_take_between_a_minute_and_a_day CHECK (((minutes >= 1) AND (minutes <= 1440)))
);

ALTER TABLE services ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY services
    ADD CONSTRAINT services_pkey PRIMARY KEY (company_id, id);

CREATE INDEX services_category_idx ON services USING btree (company_id, category_id);

CREATE TABLE slot_claims (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    claim_id uuid NOT NULL,
    staff_id bigint NOT NULL,
    during tstzrange NOT NULL,
    part text DEFAULT 'visit'::text NOT NULL,
    kind text NOT NULL,
    booking_id uuid,
    conversation_id bigint,
    expires_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    resource_id bigint,
    unit integer,
    service_id bigint,
    session_id uuid,
    leads boolean DEFAULT true NOT NULL,
    claimant bigint GENERATED ALWAYS AS (
CASE
    WHEN (resource_id IS NULL) THEN staff_id
    ELSE (- ((resource_id * 1000) + unit))
END) STORED NOT NULL,
    CONSTRAINT slot_claims_are_bounded CHECK (((NOT isempty(during)) AND (NOT lower_inf(during)) AND (NOT upper_inf(during)) AND lower_inc(during) AND (NOT upper_inc(during)))),
    CONSTRAINT slot_claims_kind_is_known CHECK ((kind = ANY (ARRAY['booking'::text, 'hold'::text, 'offer'::text, 'time_off'::text, 'external'::text, 'session'::text]))),
    CONSTRAINT slot_claims_of_bookings_name_them CHECK (((kind = 'booking'::text) = (booking_id IS NOT NULL))),
    CONSTRAINT slot_claims_of_groups_name_their_service CHECK ((((kind = 'session'::text) OR (part = 'seat'::text)) = (service_id IS NOT NULL))),
    CONSTRAINT slot_claims_of_holds_and_offers_expire CHECK (((kind = 'session'::text) OR ((kind = ANY (ARRAY['hold'::text, 'offer'::text])) = (expires_at IS NOT NULL)))),
    CONSTRAINT slot_claims_of_seats_name_their_session CHECK (((part = 'seat'::text) = (session_id IS NOT NULL))),
    CONSTRAINT slot_claims_part_is_known CHECK ((part = ANY (ARRAY['visit'::text, 'buffer'::text, 'seat'::text]))),
    CONSTRAINT slot_claims_units_are_of_resources_and_seats CHECK ((((unit IS NOT NULL) = ((resource_id IS NOT NULL) OR (part = 'seat'::text))) AND ((unit >= 1) AND (unit <= 1000))))
);

ALTER TABLE slot_claims ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_never_overlap EXCLUDE USING gist (int8range(company_id, company_id, '[]'::text) WITH &&, int8range(claimant, claimant, '[]'::text) WITH &&, during WITH &&, (
CASE part
    WHEN 'visit'::text THEN int8range((0)::bigint, NULL::bigint)
    WHEN 'seat'::text THEN int8range(((- unit))::bigint, ((- unit))::bigint, '[]'::text)
    ELSE int8range(id, id, '[]'::text)
END) WITH &&);

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_pkey PRIMARY KEY (company_id, id);

CREATE INDEX slot_claims_booking_idx ON slot_claims USING btree (company_id, booking_id) WHERE (booking_id IS NOT NULL);

CREATE INDEX slot_claims_claim_idx ON slot_claims USING btree (company_id, claim_id);

CREATE INDEX slot_claims_claimant_time_idx ON slot_claims USING btree (company_id, claimant, upper(during), lower(during));

CREATE INDEX slot_claims_expiry_idx ON slot_claims USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX slot_claims_held_idx ON slot_claims USING btree (company_id, conversation_id) WHERE ((conversation_id IS NOT NULL) AND (kind = ANY (ARRAY['hold'::text, 'offer'::text, 'session'::text])));

CREATE INDEX slot_claims_resource_idx ON slot_claims USING btree (company_id, resource_id) WHERE (resource_id IS NOT NULL);

CREATE INDEX slot_claims_service_idx ON slot_claims USING btree (company_id, service_id) WHERE (service_id IS NOT NULL);

CREATE INDEX slot_claims_session_idx ON slot_claims USING btree (company_id, session_id) WHERE (session_id IS NOT NULL);

CREATE TABLE staff (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    phone text,
    email text,
    timezone text,
    "position" integer DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    external_ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    most_visits_a_day integer,
    weight integer DEFAULT 1 NOT NULL,
    CONSTRAINT staff_may_have_a_visit_a_day CHECK ((most_visits_a_day > 0)),
    CONSTRAINT staff_name_is_not_blank CHECK ((name ~ '\S'::text)),
    CONSTRAINT staff_phone_is_digits CHECK ((phone ~ '^[0-9]{1,20}$'::text)),
    CONSTRAINT staff_weight_is_positive CHECK (((weight >= 1) AND (weight <= 100)))
);

ALTER TABLE staff ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (company_id, id);

CREATE TABLE staff_hours (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    staff_id bigint NOT NULL,
    weekday smallint NOT NULL,
    starts time without time zone NOT NULL,
    ends time without time zone NOT NULL,
    kind text DEFAULT 'work'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT staff_hours_are_not_empty CHECK ((starts <> ends)),
    CONSTRAINT staff_hours_kind_is_known CHECK ((kind = ANY (ARRAY['work'::text, 'break'::text]))),
    CONSTRAINT staff_hours_weekday_is_iso CHECK (((weekday >= 1) AND (weekday <= 7)))
);

ALTER TABLE staff_hours ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY staff_hours
    ADD CONSTRAINT staff_hours_pkey PRIMARY KEY (company_id, id);

ALTER TABLE ONLY staff_hours
    ADD CONSTRAINT staff_hours_shift_is_entered_once UNIQUE (company_id, staff_id, weekday, starts, kind);

ALTER TABLE ONLY staff_hours
    ADD CONSTRAINT staff_hours_shifts_do_not_overlap EXCLUDE USING gist (int8range(company_id, company_id, '[]'::text) WITH &&, int8range(staff_id, staff_id, '[]'::text) WITH &&, around_the_week(week_seconds(weekday, starts, ends)) WITH &&) WHERE ((kind = 'work'::text));

CREATE TABLE staff_schedules (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    staff_id bigint NOT NULL,
    day date NOT NULL,
    kind text DEFAULT 'replace'::text NOT NULL,
    starts time without time zone,
    ends time without time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT staff_schedules_are_not_empty CHECK ((starts <> ends)),
    CONSTRAINT staff_schedules_have_both_times_or_none CHECK (((starts IS NULL) = (ends IS NULL))),
    CONSTRAINT staff_schedules_kind_is_known CHECK ((kind = ANY (ARRAY['replace'::text, 'add'::text, 'break'::text]))),
    CONSTRAINT staff_schedules_only_a_closed_day_has_no_times CHECK (((kind = 'replace'::text) OR (starts IS NOT NULL)))
);

ALTER TABLE staff_schedules ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY staff_schedules
    ADD CONSTRAINT staff_schedules_pkey PRIMARY KEY (company_id, id);

ALTER TABLE ONLY staff_schedules
    ADD CONSTRAINT staff_schedules_shifts_do_not_overlap EXCLUDE USING gist (int8range(company_id, company_id, '[]'::text) WITH &&, int8range(staff_id, staff_id, '[]'::text) WITH &&, dated_seconds(day, starts, ends) WITH &&) WHERE (((kind <> 'break'::text) AND (starts IS NOT NULL)));

CREATE INDEX staff_schedules_staff_day_idx ON staff_schedules USING btree (company_id, staff_id, day);

CREATE TABLE staff_services (
    company_id bigint NOT NULL,
    staff_id bigint NOT NULL,
    service_id bigint NOT NULL,
    minutes integer,
    price_minor bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT staff_services_price_is_not_negative CHECK ((price_minor >= 0)),
    CONSTRAINT staff_services_take_between_a_minute_and_a_day CHECK (((minutes >= 1) AND (minutes <= 1440)))
);

ALTER TABLE ONLY staff_services
    ADD CONSTRAINT staff_services_pkey PRIMARY KEY (company_id, staff_id, service_id);

CREATE INDEX staff_services_service_idx ON staff_services USING btree (company_id, service_id);

CREATE TABLE strays (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    phone_number_id text,
    dedup_key text NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT strays_reason_is_known CHECK ((reason = ANY (ARRAY['unknown_number'::text, 'unknown_account'::text, 'unreadable'::text])))
);

ALTER TABLE strays ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY strays
    ADD CONSTRAINT strays_are_kept_once UNIQUE (dedup_key);

ALTER TABLE ONLY strays
    ADD CONSTRAINT strays_pkey PRIMARY KEY (id);

CREATE INDEX strays_received_idx ON strays USING btree (received_at);

CREATE TABLE time_off (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    staff_id bigint NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    reason text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT time_off_ends_after_it_starts CHECK ((ends_at > starts_at))
);

ALTER TABLE time_off ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY time_off
    ADD CONSTRAINT time_off_pkey PRIMARY KEY (company_id, id);

CREATE INDEX time_off_staff_idx ON time_off USING btree (company_id, staff_id, ends_at);

CREATE TABLE timers (
    company_id bigint NOT NULL,
    key text NOT NULL,
    conversation_id bigint NOT NULL,
    name text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    generation bigint DEFAULT 1 NOT NULL,
    status text DEFAULT 'armed'::text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 4 NOT NULL,
    last_error text,
    turn bigint,
    scheduled_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    CONSTRAINT timers_armed_have_not_happened CHECK (((status <> 'armed'::text) OR ((started_at IS NULL) AND (completed_at IS NULL)))),
    CONSTRAINT timers_cancelled_have_a_time CHECK (((status <> 'cancelled'::text) OR (completed_at IS NOT NULL))),
    CONSTRAINT timers_keys_are_short CHECK (((length(key) >= 1) AND (length(key) <= 200))),
    CONSTRAINT timers_may_be_tried CHECK ((max_attempts > 0)),
    CONSTRAINT timers_status_is_known CHECK ((status = ANY (ARRAY['armed'::text, 'fired'::text, 'cancelled'::text, 'dead'::text]))),
    CONSTRAINT timers_that_happened_have_a_time CHECK (((status <> ALL (ARRAY['fired'::text, 'dead'::text])) OR (started_at IS NOT NULL)))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_insert_scale_factor='0.1', autovacuum_analyze_scale_factor='0.05', autovacuum_vacuum_cost_delay='0');

ALTER TABLE ONLY timers
    ADD CONSTRAINT timers_pkey PRIMARY KEY (company_id, key);

CREATE INDEX timers_dead_idx ON timers USING btree (company_id, due_at) WHERE (status = 'dead'::text);

CREATE INDEX timers_due_idx ON timers USING btree (due_at, company_id, key) WHERE (status = 'armed'::text);

CREATE INDEX timers_scheduled_idx ON timers USING brin (scheduled_at);

CREATE TABLE waitlist (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    customer_id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    service_id bigint NOT NULL,
    staff_id bigint,
    wishes jsonb NOT NULL,
    wanted_from date NOT NULL,
    wanted_until date NOT NULL,
    part_of_day text,
    flexible boolean NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    position_in_queue integer,
    joined_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    offer_id uuid,
    offered_staff_id bigint,
    offered_starts_at timestamp with time zone,
    offered_ends_at timestamp with time zone,
    offered_price_minor bigint,
    notified_at timestamp with time zone,
    notification_expires_at timestamp with time zone,
    times_notified integer DEFAULT 0 NOT NULL,
    declined jsonb DEFAULT '[]'::jsonb NOT NULL,
    booking_id uuid,
    outcome text DEFAULT 'joined'::text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT waitlist_days_are_in_order CHECK ((wanted_until >= wanted_from)),
    CONSTRAINT waitlist_declined_is_a_list CHECK ((jsonb_typeof(declined) = 'array'::text)),
    CONSTRAINT waitlist_offers_are_whole CHECK ((num_nulls(offer_id, offered_staff_id, offered_starts_at, offered_ends_at, offered_price_minor, notified_at, notification_expires_at) =
CASE status
    WHEN 'notified'::text THEN 0
    ELSE (num_nulls(notified_at) + 6)
END)),
    CONSTRAINT waitlist_open_entries_have_a_place CHECK (((status = ANY (ARRAY['active'::text, 'notified'::text])) = (position_in_queue IS NOT NULL))),
    CONSTRAINT waitlist_outcome_is_known CHECK ((outcome = ANY (ARRAY['joined'::text, 'wish_added'::text, 'offered'::text, 'taken'::text, 'passed'::text, 'silent'::text, 'lost'::text, 'withdrawn'::text, 'left'::text, 'over'::text]))),
    CONSTRAINT waitlist_part_is_known CHECK ((part_of_day = ANY (ARRAY['morning'::text, 'afternoon'::text, 'evening'::text]))),
    CONSTRAINT waitlist_position_is_positive CHECK ((position_in_queue > 0)),
    CONSTRAINT waitlist_status_is_known CHECK ((status = ANY (ARRAY['active'::text, 'notified'::text, 'booked'::text, 'passed'::text, 'expired'::text, 'cancelled'::text]))),
    CONSTRAINT waitlist_wishes_are_one_to_five CHECK (((jsonb_typeof(wishes) = 'array'::text) AND ((jsonb_array_length(wishes) >= 1) AND (jsonb_array_length(wishes) <= 5))))
)
WITH (fillfactor='70');

ALTER TABLE waitlist ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_pkey PRIMARY KEY (company_id, id);

CREATE INDEX waitlist_booking_idx ON waitlist USING btree (company_id, booking_id) WHERE (booking_id IS NOT NULL);

CREATE INDEX waitlist_company_idx ON waitlist USING btree (company_id, status, changed_at);

CREATE INDEX waitlist_conversation_idx ON waitlist USING btree (company_id, conversation_id);

CREATE INDEX waitlist_customer_idx ON waitlist USING btree (company_id, customer_id);

CREATE INDEX waitlist_expiry_idx ON waitlist USING btree (notification_expires_at) WHERE (status = 'notified'::text);

CREATE INDEX waitlist_offer_idx ON waitlist USING btree (company_id, offer_id) WHERE (offer_id IS NOT NULL);

CREATE UNIQUE INDEX waitlist_one_open_entry_a_service ON waitlist USING btree (company_id, customer_id, service_id) WHERE (status = ANY (ARRAY['active'::text, 'notified'::text]));

CREATE INDEX waitlist_queue_idx ON waitlist USING btree (company_id, position_in_queue, created_at) WHERE (position_in_queue IS NOT NULL);

CREATE INDEX waitlist_service_idx ON waitlist USING btree (company_id, service_id);

CREATE INDEX waitlist_staff_idx ON waitlist USING btree (company_id, staff_id) WHERE (staff_id IS NOT NULL);

CREATE TABLE waitlist_history (
    company_id bigint NOT NULL,
    id bigint NOT NULL,
    waitlist_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    status text NOT NULL,
    outcome text NOT NULL,
    offer_id uuid,
    staff_id bigint,
    starts_at timestamp with time zone,
    until timestamp with time zone
);

ALTER TABLE waitlist_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;

ALTER TABLE ONLY waitlist_history
    ADD CONSTRAINT waitlist_history_pkey PRIMARY KEY (company_id, id);

CREATE INDEX waitlist_history_entry_idx ON waitlist_history USING btree (company_id, waitlist_id, id);

CREATE INDEX waitlist_history_rate_idx ON waitlist_history USING btree (company_id, outcome, at);

CREATE FUNCTION attach_partition(parent text, child text, lower_bound text, upper_bound text, key text, fill integer DEFAULT 100) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION bump_catalog_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE companies SET updated_at = updated_at
    WHERE id = coalesce(NEW.company_id, OLD.company_id);
    RETURN NULL;
END
$$;

CREATE FUNCTION bump_own_catalog_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
    NEW.catalog_version := OLD.catalog_version + 1;
    RETURN NEW;
END
$$;

CREATE FUNCTION cleanup_expired_dialog_contexts(moment timestamp with time zone DEFAULT now()) RETURNS bigint
    LANGUAGE sql
    BEGIN ATOMIC
 WITH rested AS (
          UPDATE dialog_contexts SET state = '{"step": "menu.idle"}'::jsonb, status = 'closed'::text, expires_at = NULL::timestamp with time zone, person_until = NULL::timestamp with time zone
           WHERE ((dialog_contexts.expires_at <= cleanup_expired_dialog_contexts.moment) AND (dialog_contexts.customer_id IS NOT NULL))
           RETURNING 1 AS "?column?"
         )
  SELECT count(*) AS count
    FROM rested;
END;

CREATE FUNCTION close_ranks_in_waitlist() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE waitlist SET position_in_queue = position_in_queue - 1
    WHERE company_id = OLD.company_id AND service_id = OLD.service_id
        AND position_in_queue > OLD.position_in_queue;
    RETURN NULL;
END
$$;

CREATE FUNCTION create_analytics_events_partition(week date) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN attach_partition(
        'analytics_events', 'analytics_events_' || to_char(week, 'IYYY_"w"IW'),
        (date_trunc('week', week)::timestamp AT TIME ZONE 'UTC')::text,
        ((date_trunc('week', week) + interval '1 week')::timestamp AT TIME ZONE 'UTC')::text, 'created_at');
END
$$;

CREATE FUNCTION create_bookings_partition(month date) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    first timestamptz := date_trunc('month', month)::timestamp AT TIME ZONE 'UTC';
    next timestamptz := (date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
    RETURN attach_partition(
        'bookings', 'bookings_' || to_char(month, 'YYYY_MM'),
        uuid7_floor(first)::text, uuid7_floor(next)::text, 'id');
END
$$;

CREATE FUNCTION create_messages_partition(month date) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN attach_partition(
        'messages', 'messages_' || to_char(month, 'YYYY_MM'),
        (date_trunc('month', month)::timestamp AT TIME ZONE 'UTC')::text,
        ((date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC')::text, 'created_at',
        fill => 80);
END
$$;

CREATE FUNCTION declined_offer(entry waitlist) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_array(jsonb_build_array((entry).offered_staff_id, ((EXTRACT(epoch FROM ((entry).offered_starts_at - ((entry).offered_ends_at - (entry).offered_starts_at))))::bigint + 1), ((EXTRACT(epoch FROM (entry).offered_ends_at))::bigint - 1)));

CREATE FUNCTION desk_of(for_company_id bigint, moment timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    desk bigint;
BEGIN
    SELECT id INTO desk FROM dialog_contexts WHERE company_id = for_company_id AND customer_id IS NULL;
    IF desk IS NULL THEN
        INSERT INTO dialog_contexts AS d (company_id, state, last_message_at, started_at)
        VALUES (for_company_id, '{"step": "desk.resting"}', moment, moment)
        ON CONFLICT ON CONSTRAINT dialog_contexts_are_one_a_customer DO UPDATE SET started_at = d.started_at
        RETURNING d.id INTO desk;
    END IF;
    RETURN desk;
END
$$;

CREATE FUNCTION drop_partitions_before(parent text, oldest_kept text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION get_database_stats() RETURNS TABLE(table_name text, row_estimate bigint, total_bytes bigint)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (c.relname)::text AS relname,
     (GREATEST(sum(leaf.reltuples), (0)::real))::bigint AS "greatest",
     (sum(pg_total_relation_size((leaf.oid)::regclass)))::bigint AS sum
    FROM ((pg_class c
      CROSS JOIN LATERAL pg_partition_tree((c.oid)::regclass) t(relid, parentrelid, isleaf, level))
      JOIN pg_class leaf ON (((leaf.oid = (t.relid)::oid) AND t.isleaf)))
   WHERE ((c.relnamespace = ('public'::regnamespace)::oid) AND (c.relkind = 'p'::"char"))
   GROUP BY c.relname
 UNION ALL
  SELECT (c.relname)::text AS relname,
     (GREATEST(c.reltuples, (0)::real))::bigint AS "greatest",
     pg_total_relation_size((c.oid)::regclass) AS pg_total_relation_size
    FROM pg_class c
   WHERE ((c.relnamespace = ('public'::regnamespace)::oid) AND (c.relkind = 'r'::"char") AND (NOT c.relispartition))
  ORDER BY 1;
END;

CREATE FUNCTION get_messages_stats() RETURNS TABLE(partition_name text, row_estimate bigint, total_bytes bigint)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (c.relname)::text AS relname,
     (GREATEST(c.reltuples, (0)::real))::bigint AS "greatest",
     pg_total_relation_size((c.oid)::regclass) AS pg_total_relation_size
    FROM (pg_inherits i
      JOIN pg_class c ON ((c.oid = i.inhrelid)))
   WHERE (i.inhparent = ('public.messages'::regclass)::oid)
   ORDER BY c.relname;
END;

CREATE FUNCTION get_recent_messages(for_phone text, for_company_id bigint, max_rows integer DEFAULT 20) RETURNS SETOF messages
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT messages.company_id,
     messages.created_at,
     messages.id,
     messages.conversation_id,
     messages.customer_id,
     messages.phone,
     messages.direction,
     messages.wamid,
     messages.type,
     messages.body,
     messages.status,
     messages.sent_at,
     messages.delivered_at,
     messages.read_at,
     messages.failed_at,
     messages.error_code,
     messages.price_category,
     messages.price_type,
     messages.price_model,
     messages.cost_minor,
     messages.in_reply_to
    FROM messages
   WHERE ((messages.company_id = get_recent_messages.for_company_id) AND (messages.phone = get_recent_messages.for_phone))
   ORDER BY messages.created_at DESC, messages.id DESC
  LIMIT get_recent_messages.max_rows;
END;

CREATE FUNCTION give_waitlist_position() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION latest_visit_of(of_company bigint, of_customer bigint) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (
        SELECT b.starts_at FROM bookings AS b
        WHERE b.company_id = of_company AND b.customer_id = of_customer AND b.status IN ('pending', 'confirmed')
        ORDER BY b.starts_at DESC
        LIMIT 1
    );
END
$$;

CREATE FUNCTION leave_session() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION longest_shift_seconds(company bigint, person bigint) RETURNS integer
    LANGUAGE sql STABLE
    RETURN (WITH rules AS (SELECT (range_agg(week_seconds(staff_hours.weekday, staff_hours.starts, staff_hours.ends)) FILTER (WHERE (staff_hours.kind = 'work'::text)) + range_agg(int4range((lower(week_seconds(staff_hours.weekday, staff_hours.starts, staff_hours.ends)) + 604800), (upper(week_seconds(staff_hours.weekday, staff_hours.starts, staff_hours.ends)) + 604800))) FILTER (WHERE (staff_hours.kind = 'work'::text))) AS work, (range_agg(week_seconds(staff_hours.weekday, staff_hours.starts, staff_hours.ends)) FILTER (WHERE (staff_hours.kind = 'break'::text)) + range_agg(int4range((lower(week_seconds(staff_hours.weekday, staff_hours.starts, staff_hours.ends)) + 604800), (upper(week_seconds(staff_hours.weekday, staff_hours.starts, staff_hours.ends)) + 604800))) FILTER (WHERE (staff_hours.kind = 'break'::text))) AS breaks FROM staff_hours WHERE ((staff_hours.company_id = longest_shift_seconds.company) AND (staff_hours.staff_id = longest_shift_seconds.person))) SELECT max((upper(span.span) - lower(span.span))) AS max FROM rules, LATERAL unnest((rules.work - COALESCE(rules.breaks, '{}'::int4multirange))) span(span));

CREATE FUNCTION maintain_analytics_events_partitions(today date DEFAULT CURRENT_DATE, weeks_ahead integer DEFAULT 8, days_kept integer DEFAULT 30) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    made integer := 0;
BEGIN
    FOR ahead IN -1 .. weeks_ahead LOOP
        made := made + create_analytics_events_partition((today + 7 * ahead)::date)::integer;
    END LOOP;
    PERFORM drop_partitions_before('analytics_events', to_char(today - days_kept, 'IYYY_"w"IW'));
    RETURN made;
END
$$;

CREATE FUNCTION maintain_bookings_partitions(today date DEFAULT CURRENT_DATE, months_ahead integer DEFAULT 6, months_kept integer DEFAULT 84) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION maintain_messages_partitions(today date DEFAULT CURRENT_DATE, months_ahead integer DEFAULT 6, months_kept integer DEFAULT 6) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE
    made integer := 0;
BEGIN
    FOR ahead IN -1 .. months_ahead LOOP
        made := made + create_messages_partition((today + make_interval(months => ahead))::date)::integer;
    END LOOP;
    DELETE FROM outbox WHERE created_at < date_trunc('month', today - make_interval(months => months_kept));
    PERFORM drop_partitions_before(
        'messages', to_char(today - make_interval(months => months_kept), 'YYYY_MM'));
    RETURN made;
END
$$;

CREATE FUNCTION note_reminders(of_company bigint, moment timestamp with time zone, ops jsonb) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    n record;
BEGIN
    INSERT INTO reminders AS r (company_id, booking_id, kind, due_at, sent_at)
    SELECT of_company, o.booking_id, o.kind, coalesce(o.due_at, moment), CASE o.op WHEN 'sent' THEN moment END
    FROM jsonb_to_recordset(ops) AS o (op text, booking_id uuid, kind text, due_at timestamptz)
    WHERE o.op IN ('plan', 'sent')
    ON CONFLICT ON CONSTRAINT reminders_pkey DO UPDATE
    SET due_at = CASE WHEN excluded.sent_at IS NULL THEN excluded.due_at ELSE r.due_at END,
        sent_at = excluded.sent_at,
        answer = CASE WHEN excluded.sent_at IS NOT NULL THEN r.answer END,
        answered_at = CASE WHEN excluded.sent_at IS NOT NULL THEN r.answered_at END;

    FOR n IN
        SELECT o.*
        FROM jsonb_to_recordset(ops) AS o (op text, booking_id uuid, kind text, answer text)
        WHERE o.op IN ('answer', 'drop')
    LOOP
        IF n.op = 'answer' THEN
            UPDATE reminders
            SET answer = n.answer, answered_at = moment
            WHERE company_id = of_company AND booking_id = n.booking_id AND kind = n.kind AND sent_at IS NOT NULL;
        ELSE
            DELETE FROM reminders
            WHERE company_id = of_company AND booking_id = n.booking_id AND kind = n.kind
                -- A CASE, so that the index of all that is planned is of no use here, however short it once was.
                AND CASE WHEN booking_id = n.booking_id THEN sent_at IS NULL END;
        END IF;
    END LOOP;
    RETURN true;
END
$$;

CREATE FUNCTION wishes_meet(wishes jsonb, others jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    RETURN (EXISTS (SELECT FROM (jsonb_to_recordset(wishes_meet.wishes) a("from" date, until date, part text, staff bigint, but bigint) JOIN jsonb_to_recordset(wishes_meet.others) b("from" date, until date, part text, staff bigint, but bigint) ON (((a."from" <= b.until) AND (b."from" <= a.until) AND ((a.part = b.part) IS NOT FALSE) AND ((a.staff = b.staff) IS NOT FALSE) AND ((a.staff = b.but) IS NOT TRUE) AND ((b.staff = a.but) IS NOT TRUE))))));

CREATE FUNCTION places_compete(one waitlist, other waitlist) RETURNS boolean
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT
         CASE (one).service_id
             WHEN (other).service_id THEN wishes_meet((one).wishes, (other).wishes)
             ELSE (EXISTS ( SELECT
                FROM ((((jsonb_to_recordset((places_compete.one).wishes) a("from" date, until date, part text, staff bigint, but bigint)
                  JOIN jsonb_to_recordset((places_compete.other).wishes) b("from" date, until date, part text, staff bigint, but bigint) ON (((a."from" <= b.until) AND (b."from" <= a.until) AND ((a.part = b.part) IS NOT FALSE))))
                  JOIN staff_services s ON (((s.company_id = (places_compete.one).company_id) AND (s.service_id = (places_compete.one).service_id) AND ((s.staff_id = a.staff) IS NOT FALSE) AND ((s.staff_id = b.staff) IS NOT FALSE) AND ((s.staff_id = a.but) IS NOT TRUE) AND ((s.staff_id = b.but) IS NOT TRUE))))
                  JOIN staff_services t ON (((t.company_id = s.company_id) AND (t.staff_id = s.staff_id) AND (t.service_id = (places_compete.other).service_id))))
                  JOIN staff p ON (((p.company_id = s.company_id) AND (p.id = s.staff_id) AND p.active)))))
         END AS "exists";
END;

CREATE FUNCTION place_in_line(entry waitlist) RETURNS integer
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT (1 + (count(*))::integer)
    FROM waitlist w
   WHERE ((w.company_id = (place_in_line.entry).company_id) AND (w.position_in_queue IS NOT NULL) AND (ROW(w.joined_at, w.id) < ROW((place_in_line.entry).joined_at, (place_in_line.entry).id)) AND (w.customer_id <> (place_in_line.entry).customer_id) AND (w.wanted_from <= (place_in_line.entry).wanted_until) AND (w.wanted_until >= (place_in_line.entry).wanted_from) AND places_compete(w.*, place_in_line.entry));
END;

CREATE FUNCTION record_waitlist_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION refuse_services_longer_than_every_shift() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION refuse_unknown_timezone() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
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
$_$;

CREATE FUNCTION remember_utc_offset() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.utc_offset_seconds := utc_offset_at(NEW.starts_at, NEW.timezone);
    RETURN NEW;
END
$$;

CREATE FUNCTION stayed_away_by_rule(visit bookings, rule text) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN CASE rule WHEN 'unattended'::text THEN true WHEN 'unconfirmed'::text THEN (((visit).confirmed_at IS NULL) AND (EXISTS (SELECT FROM reminders r WHERE ((r.company_id = (stayed_away_by_rule.visit).company_id) AND (r.booking_id = (stayed_away_by_rule.visit).id) AND (r.kind = ANY (ARRAY['24h'::text, '2h'::text])) AND (r.sent_at IS NOT NULL) AND (r.answer IS NULL))))) ELSE false END;

CREATE FUNCTION tell_conversations(of_company bigint, moment timestamp with time zone, tells jsonb) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    told bigint[];
BEGIN
    WITH put AS (
        INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)
        SELECT
            of_company, coalesce((o.tell ->> 'to')::bigint, desk_of(of_company, moment)), o.tell ->> 'key',
            o.tell ->> 'kind', o.tell -> 'event', moment, moment, moment
        FROM jsonb_array_elements(tells) AS o (tell)
        ORDER BY o.tell ->> 'key'
        ON CONFLICT (company_id, dedup_key) DO NOTHING
        RETURNING conversation_id
    )
    SELECT coalesce(array_agg(conversation_id), '{}') INTO told FROM put;
    RETURN told;
END
$$;

CREATE FUNCTION tell_desk_of_changed_catalog() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM tell_desk_of_free_time(NEW.id, 'catalog');
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_desk_of_free_time(of_company bigint, why text) RETURNS void
    LANGUAGE sql
    BEGIN ATOMIC
 INSERT INTO inbox (company_id, conversation_id, dedup_key, kind, event, occurred_at, received_at, not_before)  SELECT tell_desk_of_free_time.of_company AS of_company,
             d.id,
             ((tell_desk_of_free_time.why || ':'::text) || pg_current_xact_id()),
             'time_freed',
             '{}',
             now() AS now,
             now() AS now,
             now() AS now
            FROM dialog_contexts d
           WHERE ((d.company_id = tell_desk_of_free_time.of_company) AND (d.customer_id IS NULL) AND (EXISTS ( SELECT
                    FROM waitlist w
                   WHERE ((w.company_id = tell_desk_of_free_time.of_company) AND (w.position_in_queue IS NOT NULL))))) ON CONFLICT(company_id, dedup_key) DO NOTHING;
END;

CREATE FUNCTION tell_desk_of_freed_time() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM waitlist WHERE company_id = OLD.company_id AND position_in_queue IS NOT NULL) THEN
        PERFORM tell_desk_of_free_time(OLD.company_id, 'freed');
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_desk_of_who_is_back() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM tell_desk_of_free_time(NEW.company_id, 'back');
    RETURN NULL;
END
$$;

CREATE FUNCTION tell_desk_when_a_hold_ends() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM waitlist WHERE company_id = NEW.company_id AND position_in_queue IS NOT NULL) THEN
        PERFORM tell_desk_when_it_ends(NEW);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
    RETURN NEW;
END
$$;

CREATE FUNCTION utc_offset_at(moment timestamp with time zone, zone text) RETURNS integer
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (EXTRACT(epoch FROM ((moment AT TIME ZONE zone) - (moment AT TIME ZONE 'UTC'::text))))::integer;

CREATE FUNCTION uuid7_floor(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ((lpad(to_hex(((EXTRACT(epoch FROM moment) * (1000)::numeric))::bigint), 12, '0'::text) || repeat('0'::text, 20)))::uuid;

ALTER SEQUENCE analytics_events_id_seq OWNED BY analytics_events.id;

ALTER SEQUENCE messages_id_seq OWNED BY messages.id;

CREATE VIEW visit_pieces AS
 SELECT o.company_id,
    o.booking_id,
    jsonb_agg(jsonb_build_array(o.service_id, o.staff_id, date_part('epoch'::text, o.starts_at), date_part('epoch'::text, o.ends_at), o.price_minor, s.name, p.name) ORDER BY o."position") AS pieces
   FROM ((booking_services o
     JOIN services s ON (((s.company_id = o.company_id) AND (s.id = o.service_id))))
     JOIN staff p ON (((p.company_id = o.company_id) AND (p.id = o.staff_id))))
  GROUP BY o.company_id, o.booking_id;

CREATE FUNCTION tell_desk_when_it_ends(hold slot_claims) RETURNS boolean
    LANGUAGE sql
    BEGIN ATOMIC
 INSERT INTO timers (company_id, key, conversation_id, name, due_at, scheduled_at)  SELECT (tell_desk_when_it_ends.hold).company_id AS company_id,
             ('desk:hold:'::text || (tell_desk_when_it_ends.hold).claim_id),
             d.id,
             'hold_ends',
             (tell_desk_when_it_ends.hold).expires_at AS expires_at,
             (tell_desk_when_it_ends.hold).created_at AS created_at
            FROM dialog_contexts d
           WHERE ((d.company_id = (tell_desk_when_it_ends.hold).company_id) AND (d.customer_id IS NULL)) ON CONFLICT ON CONSTRAINT timers_pkey DO NOTHING
   RETURNING true;
END;

CREATE TRIGGER bookings_remember_offset BEFORE INSERT ON bookings FOR EACH ROW WHEN ((new.utc_offset_seconds IS NULL)) EXECUTE FUNCTION remember_utc_offset();

CREATE TRIGGER bookings_touch BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER companies_changed_free_time AFTER UPDATE ON companies FOR EACH ROW WHEN ((new.catalog_version <> old.catalog_version)) EXECUTE FUNCTION tell_desk_of_changed_catalog();

CREATE TRIGGER companies_timezone_is_known BEFORE INSERT OR UPDATE OF timezone ON companies FOR EACH ROW EXECUTE FUNCTION refuse_unknown_timezone();

CREATE TRIGGER companies_touch BEFORE UPDATE ON companies FOR EACH ROW EXECUTE FUNCTION bump_own_catalog_version();

CREATE TRIGGER customer_preferences_touch BEFORE UPDATE ON customer_preferences FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER customers_are_back AFTER UPDATE OF whatsapp_opted_out_at, unreachable_at ON customers FOR EACH ROW WHEN (((num_nulls(old.whatsapp_opted_out_at, old.unreachable_at) < 2) AND (num_nulls(new.whatsapp_opted_out_at, new.unreachable_at) = 2))) EXECUTE FUNCTION tell_desk_of_who_is_back();

CREATE TRIGGER customers_touch BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER dialog_contexts_are_given_back AFTER UPDATE ON dialog_contexts FOR EACH ROW WHEN (((old.person_until IS NOT NULL) AND (new.person_until IS NULL))) EXECUTE FUNCTION tell_desk_of_who_is_back();

CREATE TRIGGER dialog_contexts_touch BEFORE UPDATE ON dialog_contexts FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER feature_flags_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON feature_flags FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER feature_flags_touch BEFORE UPDATE ON feature_flags FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER holidays_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON holidays FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER holidays_touch BEFORE UPDATE ON holidays FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER message_templates_touch BEFORE UPDATE ON message_templates FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER reminders_touch BEFORE UPDATE ON reminders FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER resources_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON resources FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER resources_touch BEFORE UPDATE ON resources FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER service_areas_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON service_areas FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER service_areas_timezone_is_known BEFORE INSERT OR UPDATE OF timezone ON service_areas FOR EACH ROW EXECUTE FUNCTION refuse_unknown_timezone();

CREATE TRIGGER service_areas_touch BEFORE UPDATE ON service_areas FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER service_categories_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON service_categories FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER service_categories_touch BEFORE UPDATE ON service_categories FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER service_resources_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON service_resources FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER services_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON services FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE CONSTRAINT TRIGGER services_fit_a_shift AFTER UPDATE OF minutes, active, processing_from_minutes, processing_minutes ON services DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_services_longer_than_every_shift();

CREATE TRIGGER services_touch BEFORE UPDATE ON services FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER slot_claims_changed_free_time AFTER UPDATE OF during, staff_id ON slot_claims FOR EACH ROW WHEN (((old.part = ANY (ARRAY['visit'::text, 'seat'::text])) AND (NOT ((new.staff_id = old.staff_id) AND (new.during @> old.during))))) EXECUTE FUNCTION tell_desk_of_freed_time();

CREATE TRIGGER slot_claims_deleted_free_time AFTER DELETE ON slot_claims FOR EACH ROW WHEN ((old.part = ANY (ARRAY['visit'::text, 'seat'::text]))) EXECUTE FUNCTION tell_desk_of_freed_time();

CREATE TRIGGER slot_claims_holds_end AFTER INSERT ON slot_claims FOR EACH ROW WHEN (((new.kind = 'hold'::text) AND (new.part = ANY (ARRAY['visit'::text, 'seat'::text])))) EXECUTE FUNCTION tell_desk_when_a_hold_ends();

CREATE TRIGGER slot_claims_leave_session AFTER DELETE ON slot_claims FOR EACH ROW WHEN ((old.part = 'seat'::text)) EXECUTE FUNCTION leave_session();

CREATE TRIGGER staff_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON staff FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER staff_hours_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON staff_hours FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE CONSTRAINT TRIGGER staff_hours_fit_services AFTER INSERT OR DELETE OR UPDATE ON staff_hours DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_services_longer_than_every_shift();

CREATE TRIGGER staff_hours_touch BEFORE UPDATE ON staff_hours FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER staff_schedules_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON staff_schedules FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER staff_schedules_touch BEFORE UPDATE ON staff_schedules FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER staff_services_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON staff_services FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE CONSTRAINT TRIGGER staff_services_fit_a_shift AFTER INSERT OR UPDATE ON staff_services DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_services_longer_than_every_shift();

CREATE TRIGGER staff_timezone_is_known BEFORE INSERT OR UPDATE OF timezone ON staff FOR EACH ROW EXECUTE FUNCTION refuse_unknown_timezone();

CREATE TRIGGER staff_touch BEFORE UPDATE ON staff FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER time_off_bump_catalog AFTER INSERT OR DELETE OR UPDATE ON time_off FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE TRIGGER time_off_touch BEFORE UPDATE ON time_off FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TRIGGER waitlist_close_ranks AFTER UPDATE OF status ON waitlist FOR EACH ROW WHEN (((old.position_in_queue IS NOT NULL) AND (new.position_in_queue IS NULL))) EXECUTE FUNCTION close_ranks_in_waitlist();

CREATE TRIGGER waitlist_close_ranks_behind_removed AFTER DELETE ON waitlist FOR EACH ROW WHEN ((old.position_in_queue IS NOT NULL)) EXECUTE FUNCTION close_ranks_in_waitlist();

CREATE TRIGGER waitlist_position BEFORE INSERT OR UPDATE OF status ON waitlist FOR EACH ROW EXECUTE FUNCTION give_waitlist_position();

CREATE TRIGGER waitlist_record AFTER UPDATE ON waitlist FOR EACH ROW WHEN (((((old.status IS DISTINCT FROM new.status) OR (old.outcome IS DISTINCT FROM new.outcome)) OR (old.offer_id IS DISTINCT FROM new.offer_id)) OR (old.wishes IS DISTINCT FROM new.wishes))) EXECUTE FUNCTION record_waitlist_change();

CREATE TRIGGER waitlist_record_new AFTER INSERT ON waitlist FOR EACH ROW EXECUTE FUNCTION record_waitlist_change();

CREATE TRIGGER waitlist_touch BEFORE UPDATE ON waitlist FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

ALTER TABLE analytics_events
    ADD CONSTRAINT analytics_events_booking_fkey FOREIGN KEY (company_id, booking_id) REFERENCES bookings(company_id, id) ON DELETE SET NULL (booking_id);

ALTER TABLE analytics_events
    ADD CONSTRAINT analytics_events_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY booking_codes
    ADD CONSTRAINT booking_codes_booking_fkey FOREIGN KEY (company_id, booking_id) REFERENCES bookings(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY booking_services
    ADD CONSTRAINT booking_services_booking_fkey FOREIGN KEY (company_id, booking_id) REFERENCES bookings(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY booking_services
    ADD CONSTRAINT booking_services_service_fkey FOREIGN KEY (company_id, service_id) REFERENCES services(company_id, id);

ALTER TABLE ONLY booking_services
    ADD CONSTRAINT booking_services_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id);

ALTER TABLE bookings
    ADD CONSTRAINT bookings_area_fkey FOREIGN KEY (company_id, area_id) REFERENCES service_areas(company_id, id);

ALTER TABLE bookings
    ADD CONSTRAINT bookings_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE bookings
    ADD CONSTRAINT bookings_customer_fkey FOREIGN KEY (company_id, customer_id) REFERENCES customers(company_id, id);

ALTER TABLE bookings
    ADD CONSTRAINT bookings_preferred_staff_fkey FOREIGN KEY (company_id, preferred_staff_id) REFERENCES staff(company_id, id) ON DELETE SET NULL (preferred_staff_id);

ALTER TABLE bookings
    ADD CONSTRAINT bookings_service_fkey FOREIGN KEY (company_id, service_id) REFERENCES services(company_id, id);

ALTER TABLE bookings
    ADD CONSTRAINT bookings_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id);

ALTER TABLE ONLY customer_preferences
    ADD CONSTRAINT customer_preferences_customer_fkey FOREIGN KEY (company_id, customer_id) REFERENCES customers(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY customer_preferences
    ADD CONSTRAINT customer_preferences_service_fkey FOREIGN KEY (company_id, favorite_service_id) REFERENCES services(company_id, id) ON DELETE SET NULL (favorite_service_id);

ALTER TABLE ONLY customer_preferences
    ADD CONSTRAINT customer_preferences_staff_fkey FOREIGN KEY (company_id, favorite_staff_id) REFERENCES staff(company_id, id) ON DELETE SET NULL (favorite_staff_id);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_area_fkey FOREIGN KEY (company_id, area_id) REFERENCES service_areas(company_id, id) ON DELETE SET NULL (area_id);

ALTER TABLE ONLY customers
    ADD CONSTRAINT customers_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY dialog_contexts
    ADD CONSTRAINT dialog_contexts_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY dialog_contexts
    ADD CONSTRAINT dialog_contexts_customer_fkey FOREIGN KEY (company_id, customer_id) REFERENCES customers(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY feature_flags
    ADD CONSTRAINT feature_flags_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY holidays
    ADD CONSTRAINT holidays_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY inbox
    ADD CONSTRAINT inbox_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY inbox
    ADD CONSTRAINT inbox_conversation_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES dialog_contexts(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY message_templates
    ADD CONSTRAINT message_templates_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE messages
    ADD CONSTRAINT messages_conversation_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES dialog_contexts(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY outbox
    ADD CONSTRAINT outbox_conversation_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES dialog_contexts(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY reminders
    ADD CONSTRAINT reminders_booking_fkey FOREIGN KEY (company_id, booking_id) REFERENCES bookings(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY resources
    ADD CONSTRAINT resources_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY service_areas
    ADD CONSTRAINT service_areas_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY service_categories
    ADD CONSTRAINT service_categories_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY service_resources
    ADD CONSTRAINT service_resources_resource_fkey FOREIGN KEY (company_id, resource_id) REFERENCES resources(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY service_resources
    ADD CONSTRAINT service_resources_service_fkey FOREIGN KEY (company_id, service_id) REFERENCES services(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY services
    ADD CONSTRAINT services_category_fkey FOREIGN KEY (company_id, category_id) REFERENCES service_categories(company_id, id) ON DELETE SET NULL (category_id);

ALTER TABLE ONLY services
    ADD CONSTRAINT services_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_booking_fkey FOREIGN KEY (company_id, booking_id) REFERENCES bookings(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_conversation_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES dialog_contexts(company_id, id) ON DELETE SET NULL (conversation_id);

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_resource_fkey FOREIGN KEY (company_id, resource_id) REFERENCES resources(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_service_fkey FOREIGN KEY (company_id, service_id) REFERENCES services(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY slot_claims
    ADD CONSTRAINT slot_claims_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY staff
    ADD CONSTRAINT staff_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY staff_hours
    ADD CONSTRAINT staff_hours_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY staff_schedules
    ADD CONSTRAINT staff_schedules_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY staff_services
    ADD CONSTRAINT staff_services_service_fkey FOREIGN KEY (company_id, service_id) REFERENCES services(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY staff_services
    ADD CONSTRAINT staff_services_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY time_off
    ADD CONSTRAINT time_off_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY timers
    ADD CONSTRAINT timers_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY timers
    ADD CONSTRAINT timers_conversation_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES dialog_contexts(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_booking_fkey FOREIGN KEY (company_id, booking_id) REFERENCES bookings(company_id, id) ON DELETE SET NULL (booking_id);

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_company_fkey FOREIGN KEY (company_id) REFERENCES companies(id) ON DELETE CASCADE;

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_conversation_fkey FOREIGN KEY (company_id, conversation_id) REFERENCES dialog_contexts(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_customer_fkey FOREIGN KEY (company_id, customer_id) REFERENCES customers(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY waitlist_history
    ADD CONSTRAINT waitlist_history_entry_fkey FOREIGN KEY (company_id, waitlist_id) REFERENCES waitlist(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_service_fkey FOREIGN KEY (company_id, service_id) REFERENCES services(company_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY waitlist
    ADD CONSTRAINT waitlist_staff_fkey FOREIGN KEY (company_id, staff_id) REFERENCES staff(company_id, id) ON DELETE SET NULL (staff_id);
