-- name: resolve :many
-- Who is talking, for all who are not remembered. A phone number says it before a business-scoped id does. Whoever
-- is new gets a customer and a conversation. A row is missing from the answer when another transaction
-- added the customer or the conversation just now; asked again, this finds it.
WITH wanted AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@wanted) AS w (
        n integer, company_id bigint, phone text, bsuid text, parent_bsuid text, username text, profile_name text
    )
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
enrolled AS (
    INSERT INTO customers (company_id, phone, bsuid, parent_bsuid, username, profile_name)
    SELECT company_id, phone, bsuid, parent_bsuid, username, profile_name
    FROM wanted
    WHERE n NOT IN (SELECT n FROM found)
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
)
SELECT
    k.n, k.company_id, k.id, k.phone, k.bsuid, k.parent_bsuid, k.username, k.profile_name,
    coalesce(k.conversation_id, o.id) AS conversation_id
FROM (
    SELECT * FROM found
    UNION ALL
    SELECT w.n, e.company_id, e.id, e.phone, e.bsuid, e.parent_bsuid, e.username, e.profile_name, NULL
    FROM wanted AS w
    JOIN enrolled AS e
        ON e.company_id = w.company_id AND coalesce(e.phone, '') = coalesce(w.phone, '')
        AND coalesce(e.bsuid, '') = coalesce(w.bsuid, '')
) AS k
LEFT JOIN opened AS o ON o.company_id = k.company_id AND o.customer_id = k.id
WHERE k.conversation_id IS NOT NULL OR o.id IS NOT NULL;

-- name: refresh :exec
-- What has changed about customers we knew. An id that belongs to somebody else stays there.
WITH changed AS (
    SELECT w.*
    FROM jsonb_to_recordset(@changed) AS w (
        company_id bigint, id bigint, phone text, bsuid text, parent_bsuid text, username text, profile_name text
    )
    JOIN customers AS c USING (company_id, id)
    ORDER BY company_id, id
    FOR NO KEY UPDATE OF c
)
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
WHERE c.company_id = w.company_id AND c.id = w.id;

-- name: relink :exec
-- The customer has a new number or a new id. Where that belongs to somebody already, both stay as they are.
UPDATE customers AS c
SET phone = coalesce(@new_phone, c.phone),
    bsuid = coalesce(@new_bsuid, c.bsuid),
    parent_bsuid = coalesce(@new_parent_bsuid, c.parent_bsuid)
WHERE c.company_id = @company_id
    AND c.id = (
        SELECT id
        FROM customers
        WHERE company_id = @company_id AND (phone = @old_phone OR bsuid = @old_bsuid)
        ORDER BY (phone = @old_phone) IS NOT TRUE
        LIMIT 1
    )
    AND NOT EXISTS (
        SELECT FROM customers AS o
        WHERE o.company_id = @company_id AND o.id <> c.id AND (o.phone = @new_phone OR o.bsuid = @new_bsuid)
    );

-- name: note_wishes :exec
-- What customers told WhatsApp about marketing. Only marketing: a STOP that we were sent covers everything, and only a
-- START takes it back. News that is older than what is known changes nothing.
WITH wish AS MATERIALIZED (
    SELECT *
    FROM jsonb_to_recordset(@wishes) AS w (company_id bigint, phone text, bsuid text, wanted boolean, at timestamptz)
),
known AS MATERIALIZED (
    SELECT DISTINCT ON (c.company_id, c.id) c.company_id, c.id, w.wanted, w.at
    FROM wish AS w
    CROSS JOIN LATERAL (
        SELECT company_id, id FROM customers WHERE company_id = w.company_id AND phone = w.phone
        UNION
        SELECT company_id, id FROM customers WHERE company_id = w.company_id AND bsuid = w.bsuid
    ) AS c
    ORDER BY c.company_id, c.id, w.at DESC
)
UPDATE customers AS c
SET marketing_opted_out_at = CASE
        WHEN NOT k.wanted THEN coalesce(c.marketing_opted_out_at, k.at)
        WHEN c.marketing_opted_out_at < k.at THEN c.whatsapp_opted_out_at
        ELSE c.marketing_opted_out_at
    END
FROM known AS k
WHERE c.company_id = k.company_id AND c.id = k.id;
