-- migrate:up

-- One row per conversation: where it stands, and the lock that puts its events in order. The desk is the one
-- conversation of a company that is with nobody.
CREATE TABLE dialog_contexts (
    company_id      bigint      NOT NULL,
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    customer_id     bigint,
    state           jsonb       NOT NULL DEFAULT '{"step": "menu.idle"}',
    step            text        GENERATED ALWAYS AS (state ->> 'step') STORED,
    turn            bigint      NOT NULL DEFAULT 0,
    status          text        NOT NULL DEFAULT 'active',
    locale          text,
    -- The customer's last message or call: free-form replies are allowed for 24 hours after it.
    last_inbound_at timestamptz,
    last_message_at timestamptz NOT NULL,
    -- Until then a person has the conversation and the bot is silent.
    person_until    timestamptz,
    expires_at      timestamptz,
    started_at      timestamptz NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dialog_contexts_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT dialog_contexts_are_one_a_customer UNIQUE NULLS NOT DISTINCT (company_id, customer_id),
    CONSTRAINT dialog_contexts_customer_fkey FOREIGN KEY (company_id, customer_id)
        REFERENCES customers (company_id, id) ON DELETE CASCADE,
    CONSTRAINT dialog_contexts_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT dialog_contexts_state_names_its_step CHECK (state ->> 'step' IS NOT NULL),
    CONSTRAINT dialog_contexts_status_is_known CHECK (status IN ('active', 'person', 'closed'))
) WITH (fillfactor = 70);
CREATE INDEX dialog_contexts_status_idx ON dialog_contexts (company_id, status, last_message_at);
CREATE INDEX dialog_contexts_started_idx ON dialog_contexts (company_id, started_at);
CREATE INDEX dialog_contexts_expiry_idx ON dialog_contexts (expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER dialog_contexts_touch BEFORE UPDATE ON dialog_contexts
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Nothing is in either table yet.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE slot_claims ADD CONSTRAINT slot_claims_conversation_fkey
    FOREIGN KEY (company_id, conversation_id)
    REFERENCES dialog_contexts (company_id, id) ON DELETE SET NULL (conversation_id);

-- Events to be handled. What Meta sent stays whole in event; dedup_key makes one message one turn.
CREATE TABLE inbox (
    company_id      bigint      NOT NULL,
    id              bigint      GENERATED ALWAYS AS IDENTITY,
    dedup_key       text        NOT NULL,
    -- NULL: concerns no conversation (statuses, account changes).
    conversation_id bigint,
    kind            text        NOT NULL,
    event           jsonb       NOT NULL,
    occurred_at     timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    status          text        NOT NULL DEFAULT 'pending',
    attempts        integer     NOT NULL DEFAULT 0,
    not_before      timestamptz NOT NULL,
    last_error      text,
    done_at         timestamptz,
    CONSTRAINT inbox_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT inbox_events_come_once UNIQUE (company_id, dedup_key),
    CONSTRAINT inbox_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT inbox_conversation_fkey FOREIGN KEY (company_id, conversation_id)
        REFERENCES dialog_contexts (company_id, id) ON DELETE CASCADE,
    -- kept: nothing to do, stored because Meta sent it; dead: parked after too many attempts, replayable.
    CONSTRAINT inbox_status_is_known CHECK (status IN ('pending', 'done', 'kept', 'dead')),
    CONSTRAINT inbox_handled_events_have_a_time CHECK ((status IN ('done', 'kept')) = (done_at IS NOT NULL))
);
CREATE INDEX inbox_conversation_idx ON inbox (company_id, conversation_id, occurred_at, id)
    WHERE status = 'pending';
CREATE INDEX inbox_due_idx ON inbox (not_before) WHERE status = 'pending';
CREATE INDEX inbox_dead_idx ON inbox (company_id, received_at) WHERE status = 'dead';
-- For retention alone, and next to nothing to keep up: rows come in the order of time.
CREATE INDEX inbox_received_idx ON inbox USING brin (received_at);

CREATE SEQUENCE messages_id_seq AS bigint;

CREATE TABLE messages (
    company_id      bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    id              bigint      NOT NULL DEFAULT nextval('messages_id_seq'),
    conversation_id bigint      NOT NULL,
    -- The conversation's customer, and goes with it: one key checks both.
    customer_id     bigint      NOT NULL,
    phone           text,
    direction       text        NOT NULL,
    wamid           text,
    type            text        NOT NULL,
    body            jsonb       NOT NULL,
    status          text        NOT NULL,
    sent_at         timestamptz,
    delivered_at    timestamptz,
    read_at         timestamptz,
    failed_at       timestamptz,
    error_code      integer,
    price_category  text,
    price_type      text,
    price_model     text,
    cost_minor      numeric(12, 4),
    in_reply_to     text,
    CONSTRAINT messages_pkey PRIMARY KEY (company_id, created_at, id),
    CONSTRAINT messages_conversation_fkey FOREIGN KEY (company_id, conversation_id)
        REFERENCES dialog_contexts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT messages_direction_is_known CHECK (direction IN ('in', 'out')),
    CONSTRAINT messages_status_is_known CHECK (
        status IN ('received', 'queued', 'sent', 'delivered', 'read', 'played', 'failed')
    )
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE messages_id_seq OWNED BY messages.id;
-- By company and time: the primary key.
CREATE INDEX messages_phone_idx ON messages (company_id, phone, created_at DESC) WHERE phone IS NOT NULL;
CREATE INDEX messages_customer_idx ON messages (company_id, customer_id, created_at DESC);
CREATE INDEX messages_conversation_idx ON messages (company_id, conversation_id, created_at DESC);
CREATE INDEX messages_direction_idx ON messages (company_id, direction, created_at DESC);

-- Sends to be made: one row per message that goes out, under the id of its row in messages, written by the same
-- statement; the pair needs no foreign key, and a turn is spared its check.
CREATE TABLE outbox (
    company_id      bigint      NOT NULL,
    id              bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    conversation_id bigint      NOT NULL,
    status          text        NOT NULL DEFAULT 'pending',
    attempts        integer     NOT NULL DEFAULT 0,
    not_before      timestamptz NOT NULL,
    -- While a process sends the row: when others may conclude that it died.
    lease_until     timestamptz,
    -- What the message body alone does not say: attachment to upload, template to fall back to.
    extras          jsonb       NOT NULL DEFAULT '{}',
    wamid           text,
    error_code      integer,
    settled_at      timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT outbox_conversation_fkey FOREIGN KEY (company_id, conversation_id)
        REFERENCES dialog_contexts (company_id, id) ON DELETE CASCADE,
    -- doubt: handed to the network, no answer; a status webhook settles it before anything is sent again.
    CONSTRAINT outbox_status_is_known CHECK (status IN ('pending', 'sending', 'doubt', 'held', 'sent', 'failed')),
    CONSTRAINT outbox_sending_rows_have_a_lease CHECK ((status IN ('sending', 'doubt')) = (lease_until IS NOT NULL)),
    CONSTRAINT outbox_settled_rows_have_a_time CHECK ((status IN ('sent', 'failed')) = (settled_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX outbox_waiting_idx ON outbox (company_id, conversation_id, id)
    WHERE status IN ('pending', 'sending', 'doubt', 'held');
CREATE INDEX outbox_due_idx ON outbox (not_before) WHERE status = 'pending';
CREATE INDEX outbox_lease_idx ON outbox (lease_until) WHERE status IN ('sending', 'doubt');
-- Statuses find a message by its row here, which is kept for as long as they may come; messages has no index on what
-- changes after a row is written, so that sending and reading a message cost it no index entry.
CREATE INDEX outbox_wamid_idx ON outbox (company_id, wamid) WHERE wamid IS NOT NULL;
CREATE INDEX outbox_created_idx ON outbox USING brin (created_at);

CREATE SEQUENCE analytics_events_id_seq AS bigint;

CREATE TABLE analytics_events (
    company_id      bigint      NOT NULL,
    created_at      timestamptz NOT NULL,
    id              bigint      NOT NULL DEFAULT nextval('analytics_events_id_seq'),
    -- No foreign key: raw events go after 30 days, and every turn writes some.
    conversation_id bigint,
    booking_id      uuid,
    event_type      text        NOT NULL,
    event_data      jsonb       NOT NULL DEFAULT '{}',
    session_id      text,
    utm_source      text,
    utm_medium      text,
    utm_campaign    text,
    gclid           text,
    ctwa_clid       text,
    CONSTRAINT analytics_events_pkey PRIMARY KEY (company_id, created_at, id),
    CONSTRAINT analytics_events_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT analytics_events_booking_fkey FOREIGN KEY (company_id, booking_id)
        REFERENCES bookings (company_id, id) ON DELETE SET NULL (booking_id)
) PARTITION BY RANGE (created_at);
ALTER SEQUENCE analytics_events_id_seq OWNED BY analytics_events.id;
CREATE INDEX analytics_events_type_idx ON analytics_events (company_id, event_type, created_at);
CREATE INDEX analytics_events_session_idx ON analytics_events (company_id, session_id, created_at)
    WHERE session_id IS NOT NULL;
CREATE INDEX analytics_events_booking_idx ON analytics_events (company_id, booking_id) WHERE booking_id IS NOT NULL;

CREATE FUNCTION create_messages_partition(month date) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN attach_partition(
        'messages', 'messages_' || to_char(month, 'YYYY_MM'),
        (date_trunc('month', month)::timestamp AT TIME ZONE 'UTC')::text,
        ((date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC')::text, 'created_at',
        fill => 80);
END
$$;

CREATE FUNCTION maintain_messages_partitions(
    today date DEFAULT current_date, months_ahead integer DEFAULT 6, months_kept integer DEFAULT 6
) RETURNS integer
LANGUAGE plpgsql AS $$
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

CREATE FUNCTION create_analytics_events_partition(week date) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RETURN attach_partition(
        'analytics_events', 'analytics_events_' || to_char(week, 'IYYY_"w"IW'),
        (date_trunc('week', week)::timestamp AT TIME ZONE 'UTC')::text,
        ((date_trunc('week', week) + interval '1 week')::timestamp AT TIME ZONE 'UTC')::text, 'created_at');
END
$$;

CREATE FUNCTION maintain_analytics_events_partitions(
    today date DEFAULT current_date, weeks_ahead integer DEFAULT 8, days_kept integer DEFAULT 30
) RETURNS integer
LANGUAGE plpgsql AS $$
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

CREATE FUNCTION get_recent_messages(for_phone text, for_company_id bigint, max_rows integer DEFAULT 20)
RETURNS SETOF messages
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT * FROM messages
    WHERE company_id = for_company_id AND phone = for_phone
    ORDER BY created_at DESC, id DESC
    LIMIT max_rows;
END;

CREATE FUNCTION cleanup_expired_dialog_contexts(moment timestamptz DEFAULT now()) RETURNS bigint
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

CREATE FUNCTION get_messages_stats()
RETURNS TABLE (partition_name text, row_estimate bigint, total_bytes bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.relname::text, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'messages'::regclass
    ORDER BY c.relname;
END;

CREATE FUNCTION get_database_stats()
RETURNS TABLE (table_name text, row_estimate bigint, total_bytes bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT c.relname::text,
        greatest(sum(leaf.reltuples), 0)::bigint,
        sum(pg_total_relation_size(leaf.oid))::bigint
    FROM pg_class AS c
    CROSS JOIN LATERAL pg_partition_tree(c.oid) AS t
    JOIN pg_class AS leaf ON leaf.oid = t.relid AND t.isleaf
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'p'
    GROUP BY c.relname
    UNION ALL
    SELECT c.relname::text, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
    ORDER BY 1;
END;

SELECT maintain_messages_partitions();
SELECT maintain_analytics_events_partitions();

DO $$
BEGIN
    ASSERT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass) >= 8, 'messages has no partitions';
    ASSERT (SELECT count(*) FROM pg_inherits WHERE inhparent = 'analytics_events'::regclass) >= 10,
        'analytics_events has no partitions';
END
$$;

-- migrate:down

DROP FUNCTION get_database_stats();
DROP FUNCTION get_messages_stats();
DROP FUNCTION cleanup_expired_dialog_contexts(timestamptz);
DROP FUNCTION get_recent_messages(text, bigint, integer);
DROP FUNCTION maintain_analytics_events_partitions(date, integer, integer);
DROP FUNCTION create_analytics_events_partition(date);
DROP FUNCTION maintain_messages_partitions(date, integer, integer);
DROP FUNCTION create_messages_partition(date);
DROP TABLE analytics_events;
DROP TABLE outbox;
DROP TABLE messages;
DROP TABLE inbox;
ALTER TABLE slot_claims DROP CONSTRAINT slot_claims_conversation_fkey;
DROP TABLE dialog_contexts;
