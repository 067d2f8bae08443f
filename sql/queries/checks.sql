-- name: companies :many
-- What a catalogue cannot be read without, as it stands.
SELECT id, name, timezone, settings FROM companies WHERE @company_id::bigint IS NULL OR id = @company_id ORDER BY id;

-- name: clocks :many
-- Whose clocks are others than their company's.
SELECT 'staff' AS kind, id, name, timezone FROM staff WHERE company_id = @company_id AND timezone IS NOT NULL AND active
UNION ALL
SELECT 'area', id, city, timezone FROM service_areas WHERE company_id = @company_id AND active
ORDER BY kind, id;

-- name: ahead :many
-- Visits that their customers were told a wall time of, with by how much its zone was ahead of UTC then.
SELECT company_id, id, code, starts_at, timezone, utc_offset_seconds
FROM bookings
WHERE (@company_id::bigint IS NULL OR company_id = @company_id) AND starts_at > @now AND status IN ('pending', 'confirmed')
ORDER BY company_id, starts_at, id;
