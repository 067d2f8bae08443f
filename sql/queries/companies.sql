-- name: by_phone_number_id :many
-- Whose the numbers are.
SELECT id, phone_number_id FROM companies WHERE phone_number_id = ANY (@phone_number_ids::text[]);

-- name: by_waba_id :many
-- Several numbers, and so several companies, may share an account.
SELECT id, waba_id FROM companies WHERE waba_id = ANY (@waba_ids::text[]) ORDER BY id;

-- name: add :value
-- What the caller leaves empty is unknown.
INSERT INTO companies (
    name, phone_number_id, timezone, waba_id, vertical, locale, currency, country_code, phone, address
)
VALUES (
    @name, @phone_number_id, @timezone, nullif(@waba_id, ''), @vertical, @locale, @currency, @country,
    nullif(@phone, ''), nullif(@address, '')
)
RETURNING id;

-- name: all_of_them :many
-- For operators.
SELECT id, name, vertical, phone_number_id, waba_id, timezone, phone FROM companies ORDER BY id;

-- name: settings :value
-- Locked where somebody is about to change them.
SELECT settings FROM companies WHERE id = @company_id FOR NO KEY UPDATE;

-- name: set_settings :exec
-- The catalogue's version goes up with it.
UPDATE companies SET settings = @settings WHERE id = @company_id;
