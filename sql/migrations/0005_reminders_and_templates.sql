-- migrate:up

-- What Meta says of our templates. They belong to an account, which several companies may share, but each company
-- has rows of its own: whoever sends looks under the company that it sends for. Status, category and quality are Meta's
-- words, of which there are new ones every year. No row: nothing is known, so it is tried.
CREATE TABLE message_templates (
    company_id      bigint      NOT NULL,
    name            text        NOT NULL,
    language        text        NOT NULL,
    external_id     text,
    status          text        NOT NULL,
    category        text,
    quality         text,
    rejected_reason text,
    -- Since when the status is what it is: what was paused or missing for long enough is tried again.
    status_since    timestamptz NOT NULL,
    synced_at       timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT message_templates_pkey PRIMARY KEY (company_id, name, language),
    CONSTRAINT message_templates_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT message_templates_status_is_in_capitals CHECK (status ~ '^[A-Z_]+$')
);
CREATE TRIGGER message_templates_touch BEFORE UPDATE ON message_templates
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- What a customer is to be asked or told about a visit, and what they answered. Timers say when; a row that is neither
-- sent nor ahead of its time was dropped on purpose: the visit had been changed, or they wished for silence.
CREATE TABLE reminders (
    company_id  bigint      NOT NULL,
    booking_id  uuid        NOT NULL,
    kind        text        NOT NULL,
    due_at      timestamptz NOT NULL,
    sent_at     timestamptz,
    answer      text,
    answered_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reminders_pkey PRIMARY KEY (company_id, booking_id, kind),
    CONSTRAINT reminders_booking_fkey FOREIGN KEY (company_id, booking_id)
        REFERENCES bookings (company_id, id) ON DELETE CASCADE,
    CONSTRAINT reminders_kind_is_known CHECK (kind IN ('24h', '2h', 'review', 'rebook')),
    CONSTRAINT reminders_answers_have_a_time CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CREATE INDEX reminders_due_idx ON reminders (company_id, due_at) WHERE sent_at IS NULL;
CREATE TRIGGER reminders_touch BEFORE UPDATE ON reminders
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- squawk-ignore adding-field-with-default -- constant, so no row is written
ALTER TABLE customers ADD COLUMN no_shows integer NOT NULL DEFAULT 0;
ALTER TABLE bookings ADD COLUMN rating smallint CONSTRAINT bookings_rating_is_one_to_five CHECK (rating BETWEEN 1 AND 5);

-- What a customer usually does, learned from completed visits.
CREATE TABLE customer_preferences (
    company_id          bigint      NOT NULL,
    customer_id         bigint      NOT NULL,
    favorite_staff_id   bigint,
    favorite_service_id bigint,
    preferred_weekday   smallint,
    preferred_hour      smallint,
    time_of_day         text,
    average_gap_days    numeric(6, 1),
    last_visit_at       timestamptz,
    next_suggested_on   date,
    visits_counted      integer     NOT NULL DEFAULT 0,
    -- How much of what they did was the usual: 0 to 1.
    confidence          numeric(3, 2) NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customer_preferences_pkey PRIMARY KEY (company_id, customer_id),
    CONSTRAINT customer_preferences_customer_fkey FOREIGN KEY (company_id, customer_id)
        REFERENCES customers (company_id, id) ON DELETE CASCADE,
    CONSTRAINT customer_preferences_staff_fkey FOREIGN KEY (company_id, favorite_staff_id)
        REFERENCES staff (company_id, id) ON DELETE SET NULL (favorite_staff_id),
    CONSTRAINT customer_preferences_service_fkey FOREIGN KEY (company_id, favorite_service_id)
        REFERENCES services (company_id, id) ON DELETE SET NULL (favorite_service_id),
    CONSTRAINT customer_preferences_weekday_is_iso CHECK (preferred_weekday BETWEEN 1 AND 7),
    CONSTRAINT customer_preferences_hour_is_of_a_day CHECK (preferred_hour BETWEEN 0 AND 23),
    CONSTRAINT customer_preferences_time_of_day_is_known CHECK (time_of_day IN ('morning', 'afternoon', 'evening')),
    CONSTRAINT customer_preferences_gap_is_positive CHECK (average_gap_days > 0),
    CONSTRAINT customer_preferences_count_is_not_negative CHECK (visits_counted >= 0),
    CONSTRAINT customer_preferences_confidence_is_a_share CHECK (confidence BETWEEN 0 AND 1)
);
CREATE INDEX customer_preferences_suggestion_idx ON customer_preferences (company_id, next_suggested_on)
    WHERE next_suggested_on IS NOT NULL;
CREATE INDEX customer_preferences_staff_idx ON customer_preferences (company_id, favorite_staff_id)
    WHERE favorite_staff_id IS NOT NULL;
CREATE INDEX customer_preferences_service_idx ON customer_preferences (company_id, favorite_service_id)
    WHERE favorite_service_id IS NOT NULL;
CREATE TRIGGER customer_preferences_touch BEFORE UPDATE ON customer_preferences
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The desk never rests: what it decides about may lie months ahead.
CREATE OR REPLACE FUNCTION cleanup_expired_dialog_contexts(moment timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    WITH rested AS (
        UPDATE dialog_contexts
        SET state = '{"step": "menu.idle"}', status = 'closed', expires_at = NULL, person_until = NULL
        WHERE expires_at <= moment AND customer_id IS NOT NULL
        RETURNING 1
    )
    SELECT count(*) FROM rested;
END;

DO $$
BEGIN
    ASSERT (
        SELECT count(*) FROM information_schema.columns WHERE table_name = 'customer_preferences'
    ) = 14, 'customer_preferences has not all columns';
    ASSERT to_regclass('message_templates') IS NOT NULL AND to_regclass('reminders') IS NOT NULL,
        'templates or reminders are missing';
END
$$;

-- migrate:down

CREATE OR REPLACE FUNCTION cleanup_expired_dialog_contexts(moment timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
    WITH rested AS (
        UPDATE dialog_contexts
        SET state = '{"step": "menu.idle"}', status = 'closed', expires_at = NULL, person_until = NULL
        WHERE expires_at <= moment
        RETURNING 1
    )
    SELECT count(*) FROM rested;
END;

DROP TABLE customer_preferences;
ALTER TABLE bookings DROP COLUMN rating;
ALTER TABLE customers DROP COLUMN no_shows;
DROP TABLE reminders;
DROP TABLE message_templates;
