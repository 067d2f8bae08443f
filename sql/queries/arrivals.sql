-- name: put :many
-- Events of people who are not all remembered, in one statement, which is a commit by itself. What has come before
-- is left out first, so that it enrols nobody and tells nothing new; LATERAL and LIMIT have it looked up by its key.
-- A phone number says who is talking before a business-scoped id does; whoever is new gets a customer and a
-- conversation, and what is new about others is written down: of several things the newest, and an id that belongs to
-- somebody else stays there. Events are left over, without a person, when another transaction added theirs just now, or
-- when it takes what is written here to see who they are: put again, they find them, and keep their place by
-- the id they have. All writers take customers, conversations, events and news in this order, each by key.
WITH arrived AS MATERIALIZED (
    SELECT
        coalesce(a.id, nextval('inbox_id_seq')) AS id, a.n, a.who, a.company_id, a.conversation_id, a.dedup_key, a.kind,
        a.event, a.occurred_at, a.kind IN ('account', 'kept') AS is_kept
    FROM jsonb_to_recordset(@events) AS a (
        n integer, id bigint, who integer, company_id bigint, conversation_id bigint, dedup_key text, kind text,
        event jsonb, occurred_at timestamptz
    )
    WHERE coalesce((
        SELECT false FROM inbox WHERE company_id = a.company_id AND dedup_key = a.dedup_key LIMIT 1
    ), true)
),
wanted AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@people) AS w (
        n integer, company_id bigint, phone text, bsuid text, parent_bsuid text, username text, profile_name text
    )
    WHERE n IN (SELECT who FROM arrived)
),
found AS MATERIALIZED (
    SELECT
        w.n, w.company_id, c.id, c.phone, c.bsuid, c.parent_bsuid, c.username, c.profile_name,
        d.id AS conversation_id
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT 1 AS rank, * FROM customers WHERE company_id = w.company_id AND phone = w.phone
        UNION ALL
        SELECT 2 AS rank, * FROM customers WHERE company_id = w.company_id AND bsuid = w.bsuid
        ORDER BY rank
        LIMIT 1
    ) AS c
    LEFT JOIN LATERAL (
        SELECT id FROM dialog_contexts WHERE company_id = c.company_id AND customer_id = c.id LIMIT 1
    ) AS d ON true
),
news AS MATERIALIZED (
    SELECT
        f.company_id, f.id,
        (array_agg(w.phone ORDER BY n DESC) FILTER (WHERE w.phone IS NOT NULL))[1] AS phone,
        (array_agg(w.bsuid ORDER BY n DESC) FILTER (WHERE w.bsuid IS NOT NULL))[1] AS bsuid,
        (array_agg(w.parent_bsuid ORDER BY n DESC) FILTER (WHERE w.parent_bsuid IS NOT NULL))[1] AS parent_bsuid,
        (array_agg(w.username ORDER BY n DESC) FILTER (WHERE w.username IS NOT NULL))[1] AS username,
        (array_agg(w.profile_name ORDER BY n DESC) FILTER (WHERE w.profile_name IS NOT NULL))[1] AS profile_name
    FROM found AS f
    JOIN wanted AS w USING (n)
    WHERE w.phone <> coalesce(f.phone, '') OR w.bsuid <> coalesce(f.bsuid, '')
        OR w.parent_bsuid <> coalesce(f.parent_bsuid, '') OR w.username <> coalesce(f.username, '')
        OR w.profile_name <> coalesce(f.profile_name, '')
    GROUP BY f.company_id, f.id
),
enrolled AS (
    INSERT INTO customers (company_id, phone, bsuid, parent_bsuid, username, profile_name)
    SELECT company_id, phone, bsuid, parent_bsuid, username, profile_name
    FROM wanted AS w
    WHERE n NOT IN (SELECT n FROM found)
        AND NOT EXISTS (SELECT FROM news AS o WHERE o.company_id = w.company_id AND o.phone = w.phone)
        AND NOT EXISTS (SELECT FROM news AS o WHERE o.company_id = w.company_id AND o.bsuid = w.bsuid)
    ORDER BY company_id, phone, bsuid
    ON CONFLICT DO NOTHING
    RETURNING *
),
opened AS (
    INSERT INTO dialog_contexts (company_id, customer_id, started_at, last_message_at)
    SELECT company_id, id, @now::timestamptz, @now::timestamptz FROM enrolled
    UNION
    SELECT company_id, id, @now, @now FROM found WHERE conversation_id IS NULL
    ON CONFLICT (company_id, customer_id) DO NOTHING
    RETURNING company_id, customer_id, id
),
known AS MATERIALIZED (
    SELECT
        n, coalesce(k.conversation_id, o.id) AS conversation_id,
        coalesce(w.parent_bsuid, k.parent_bsuid) AS parent_bsuid, coalesce(w.username, k.username) AS username,
        coalesce(w.profile_name, k.profile_name) AS profile_name
    FROM (
        SELECT n, company_id, id, conversation_id, parent_bsuid, username, profile_name FROM found
        UNION ALL
        SELECT w.n, e.company_id, e.id, NULL, e.parent_bsuid, e.username, e.profile_name
        FROM wanted AS w
        JOIN enrolled AS e
            ON e.company_id = w.company_id AND coalesce(e.phone, '') = coalesce(w.phone, '')
            AND coalesce(e.bsuid, '') = coalesce(w.bsuid, '')
    ) AS k
    JOIN wanted AS w USING (n)
    LEFT JOIN opened AS o ON o.company_id = k.company_id AND o.customer_id = k.id
    WHERE k.conversation_id IS NOT NULL OR o.id IS NOT NULL
),
added AS (
    INSERT INTO inbox (
        company_id, id, dedup_key, conversation_id, kind, event, occurred_at, received_at, not_before, status, done_at
    )
    OVERRIDING SYSTEM VALUE
    SELECT
        a.company_id, a.id, a.dedup_key, coalesce(a.conversation_id, k.conversation_id), a.kind, a.event, a.occurred_at,
        @now, @now, CASE WHEN a.is_kept THEN 'kept' ELSE 'pending' END, CASE WHEN a.is_kept THEN @now::timestamptz END
    FROM arrived AS a
    LEFT JOIN known AS k ON k.n = a.who
    WHERE a.who IS NULL OR k.n IS NOT NULL
    ORDER BY a.company_id, a.dedup_key
    ON CONFLICT (company_id, dedup_key) DO NOTHING
    RETURNING company_id, id
),
changed AS (
    SELECT t.*
    FROM news AS t
    JOIN customers AS c USING (company_id, id)
    ORDER BY company_id, id
    FOR NO KEY UPDATE OF c
),
refreshed AS (
    UPDATE customers AS c
    SET phone = coalesce(w.phone, c.phone),
        bsuid = CASE
            WHEN EXISTS (
                SELECT FROM customers AS o
                WHERE o.company_id = w.company_id AND o.bsuid = w.bsuid AND o.id <> w.id
            ) THEN c.bsuid
            ELSE coalesce(w.bsuid, c.bsuid)
        END,
        parent_bsuid = coalesce(w.parent_bsuid, c.parent_bsuid),
        username = coalesce(w.username, c.username),
        profile_name = coalesce(w.profile_name, c.profile_name)
    FROM changed AS w
    WHERE c.company_id = w.company_id AND c.id = w.id
)
SELECT
    a.n, a.id, a.who, p.id IS NOT NULL AS is_added, a.company_id,
    coalesce(a.conversation_id, k.conversation_id) AS conversation_id, a.kind, k.parent_bsuid, k.username, k.profile_name
FROM arrived AS a
LEFT JOIN known AS k ON k.n = a.who
LEFT JOIN added AS p ON p.company_id = a.company_id AND p.id = a.id;
