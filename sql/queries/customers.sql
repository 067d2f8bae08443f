-- name: relink :exec
-- The customer has a new number or a new id. Where that belongs to somebody already, both stay as they are; news that
-- has come before moves nobody.
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
    )
    AND NOT EXISTS (SELECT FROM inbox WHERE company_id = @company_id AND dedup_key = @dedup_key);

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
