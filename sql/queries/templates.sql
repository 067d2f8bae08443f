-- name: of_company :many
-- All of them at once, so that whoever sends asks once for many messages.
SELECT name, language, status, category, status_since FROM message_templates WHERE company_id = @company_id;

-- name: all_of_them :many
-- For operators.
SELECT
    t.company_id, c.waba_id, t.name, t.language, t.external_id, t.status, t.category, t.quality, t.rejected_reason,
    t.status_since, t.synced_at
FROM message_templates AS t
JOIN companies AS c ON c.id = t.company_id
WHERE @company_id::bigint IS NULL OR t.company_id = @company_id
ORDER BY t.company_id, t.name, t.language;

-- name: put :exec
-- What Meta says of templates. What it does not mention stays as it was known; news that is older than what is known,
-- for Meta's come in any order, changes nothing.
INSERT INTO message_templates AS t (
    company_id, name, language, external_id, status, category, quality, rejected_reason, status_since, synced_at
)
SELECT
    company_id, name, language, external_id, coalesce(status, 'UNKNOWN'), category, quality, rejected_reason, at,
    synced_at
FROM jsonb_to_recordset(@news) AS n (
    company_id bigint, name text, language text, external_id text, status text, category text, quality text,
    rejected_reason text, at timestamptz, synced_at timestamptz
)
ORDER BY company_id, name, language
ON CONFLICT (company_id, name, language) DO UPDATE
SET external_id = coalesce(excluded.external_id, t.external_id),
    status = CASE
        WHEN excluded.status = 'UNKNOWN' OR excluded.status_since < t.status_since THEN t.status ELSE excluded.status
    END,
    rejected_reason = CASE
        WHEN excluded.status = 'UNKNOWN' OR excluded.status_since < t.status_since THEN t.rejected_reason
        ELSE excluded.rejected_reason
    END,
    status_since = CASE
        WHEN excluded.status IN ('UNKNOWN', t.status) THEN t.status_since
        ELSE greatest(t.status_since, excluded.status_since)
    END,
    category = coalesce(excluded.category, t.category),
    quality = coalesce(excluded.quality, t.quality),
    synced_at = coalesce(excluded.synced_at, t.synced_at);

-- name: refused :exec
-- What a refused send has told, at once and without a notice from Meta: paused, disabled, or not there.
INSERT INTO message_templates AS t (company_id, name, language, status, status_since)
VALUES (@company_id, @name, @language, @status, @at)
ON CONFLICT (company_id, name, language) DO UPDATE SET status = excluded.status, status_since = excluded.status_since;
