-- name: company :value
-- A company under a WhatsApp number; nothing when the number has one already.
INSERT INTO companies (
    name, vertical, timezone, locale, currency, country_code, phone_number_id, waba_id, phone, address, settings
)
VALUES (
    @name, @vertical, @timezone, @locale, @currency, @country_code, @phone_number_id, @waba_id, @phone, @address,
    @settings
)
ON CONFLICT ON CONSTRAINT companies_phone_number_id_is_unique DO NOTHING
RETURNING id;

-- name: catalogue :exec
-- What a company offers and who does it, when: the plan names things, the rows get ids.
WITH made_categories AS (
    INSERT INTO service_categories (company_id, name, position)
    SELECT @company_id, name, ordinality FROM unnest(@categories::text[]) WITH ORDINALITY AS c (name, ordinality)
    RETURNING id, name
),
made_services AS (
    INSERT INTO services (
        company_id, category_id, name, description, translations, minutes, price_minor, buffer_before_minutes,
        buffer_after_minutes, position
    )
    SELECT
        @company_id, k.id, s.name, s.description, s.translations, s.minutes, s.price_minor, s.buffer_before,
        s.buffer_after, s.position
    FROM jsonb_to_recordset(@services) AS s (
        category text, name text, description text, translations jsonb, minutes integer, price_minor bigint,
        buffer_before integer, buffer_after integer, position integer
    )
    LEFT JOIN made_categories AS k ON k.name = s.category
    RETURNING id, name
),
made_staff AS (
    INSERT INTO staff (company_id, name, position)
    SELECT @company_id, name, ordinality FROM unnest(@staff::text[]) WITH ORDINALITY AS p (name, ordinality)
    RETURNING id, name
),
made_offers AS (
    INSERT INTO staff_services (company_id, staff_id, service_id, minutes, price_minor)
    SELECT @company_id, p.id, s.id, o.minutes, o.price_minor
    FROM jsonb_to_recordset(@offers) AS o (staff text, service text, minutes integer, price_minor bigint)
    JOIN made_staff AS p ON p.name = o.staff
    JOIN made_services AS s ON s.name = o.service
)
INSERT INTO staff_hours (company_id, staff_id, weekday, starts, ends, kind)
SELECT @company_id, p.id, h.weekday, h.starts, h.ends, h.kind
FROM jsonb_to_recordset(@hours) AS h (staff text, weekday smallint, starts time, ends time, kind text)
JOIN made_staff AS p ON p.name = h.staff;

-- name: areas :exec
-- Where a mobile business comes to.
INSERT INTO service_areas (company_id, postal_code, city, state, timezone)
SELECT @company_id, a.postal_code, a.city, a.state, a.timezone
FROM unnest(@postal_codes::text[], @cities::text[], @states::text[], @timezones::text[])
    AS a (postal_code, city, state, timezone);

-- name: customers :many
-- Customers by phone number and first name; their ids, in that order.
WITH made AS (
    INSERT INTO customers (company_id, phone, first_name, created_at)
    SELECT @company_id, c.phone, c.name, @created_at
    FROM unnest(@phones::text[], @names::text[]) AS c (phone, name)
    RETURNING id, phone
)
SELECT made.id, made.phone
FROM unnest(@phones::text[]) WITH ORDINALITY AS c (phone, n)
JOIN made ON made.phone = c.phone
ORDER BY c.n;

-- name: dialogs :many
-- A conversation for each of these customers, begun one after the other.
WITH made AS (
    INSERT INTO dialog_contexts (
        company_id, customer_id, status, last_inbound_at, last_message_at, started_at
    )
    SELECT
        @company_id, c.id, CASE WHEN c.n % 10 = 0 THEN 'closed' ELSE 'active' END,
        @since::timestamptz + c.n * @every::interval, @since::timestamptz + c.n * @every::interval,
        @since::timestamptz
    FROM unnest(@customer_ids::bigint[]) WITH ORDINALITY AS c (id, n)
    RETURNING id, customer_id
)
SELECT id, customer_id FROM made ORDER BY customer_id;

-- name: partitions :many
-- Partitions for everything between two dates: seeds write about the past.
SELECT create_bookings_partition(month::date), create_messages_partition(month::date)
FROM generate_series(
    date_trunc('month', @first::date), date_trunc('month', @last::date), interval '1 month'
) AS month;

-- name: analyze :value
-- What looks at all tables that have rows, themselves or in their partitions.
SELECT 'ANALYZE ' || string_agg(c.oid::regclass::text, ', ')
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND c.relkind IN ('r', 'p')
    AND (
        pg_relation_size(c.oid) > 0
        OR EXISTS (SELECT FROM pg_partition_tree(c.oid) AS t WHERE pg_relation_size(t.relid) > 0)
    );

-- name: unwatched :value
-- Until the transaction ends, foreign keys are not looked up for every row: that takes longer than to write it. Only for
-- whoever may say so; whoever does looks for strangers in the end.
SELECT set_config('session_replication_role', 'replica', true)
WHERE has_parameter_privilege('session_replication_role', 'SET');

-- name: watched :one
-- From here on foreign keys are looked up again. What is looked for next is everything: tables are read whole, once.
SELECT
    set_config('session_replication_role', 'origin', true), set_config('enable_seqscan', 'on', true),
    set_config('enable_nestloop', 'off', true), set_config('enable_indexscan', 'off', true);

-- name: strangers :value
-- How many rows of these companies refer to what is not there: all at once, as foreign keys do one by one.
SELECT sum(n) FROM (
    SELECT count(*) AS n FROM bookings AS b
    WHERE b.company_id = ANY (@companies::bigint[]) AND (
        NOT EXISTS (SELECT FROM customers AS c WHERE c.company_id = b.company_id AND c.id = b.customer_id)
        OR NOT EXISTS (SELECT FROM staff_services AS o
            WHERE o.company_id = b.company_id AND o.staff_id = b.staff_id AND o.service_id = b.service_id)
    )
    UNION ALL
    SELECT count(*) FROM booking_codes AS k
    LEFT JOIN bookings AS b ON b.company_id = k.company_id AND b.id = k.booking_id
    WHERE k.company_id = ANY (@companies::bigint[]) AND b.id IS NULL
    UNION ALL
    SELECT count(*) FROM slot_claims AS s
    LEFT JOIN bookings AS b ON b.company_id = s.company_id AND b.id = s.booking_id AND b.staff_id = s.staff_id
    WHERE s.company_id = ANY (@companies::bigint[]) AND b.id IS NULL
    UNION ALL
    SELECT count(*) FROM messages AS m
    LEFT JOIN dialog_contexts AS d ON d.company_id = m.company_id AND d.id = m.conversation_id
    WHERE m.company_id = ANY (@companies::bigint[]) AND d.id IS NULL
) AS found;
