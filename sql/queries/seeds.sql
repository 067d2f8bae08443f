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

-- name: filled :many
-- Tables, and partitioned ones, that have rows; as ANALYZE takes their names.
SELECT c.oid::regclass::text AS name
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND NOT c.relispartition AND c.relkind IN ('r', 'p')
    AND EXISTS (SELECT FROM pg_partition_tree(c.oid) AS t WHERE pg_relation_size(t.relid) > 0);
