-- name: load :one
-- All that conversations read about a business, in one round trip: it is read again only when its version has
-- changed. Arrays instead of objects, because the names of the fields would be most of what is sent.
SELECT
    c.name, c.vertical, c.timezone, c.locale, c.currency, c.country_code, c.phone_number_id, c.phone, c.address,
    c.settings, c.catalog_version,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(
                s.id, s.name, s.minutes, s.price_minor, s.description, k.name, s.translations,
                s.buffer_before_minutes, s.buffer_after_minutes, s.lead_minutes, s.horizon_days, s.grid_minutes,
                s.grid_offset_minutes, s.processing_from_minutes, s.processing_minutes, s.capacity,
                (
                    SELECT coalesce(jsonb_agg(n.resource_id ORDER BY n.resource_id), '[]')
                    FROM service_resources AS n
                    WHERE n.company_id = s.company_id AND n.service_id = s.id
                )
            ) ORDER BY k.position, k.id, s.position, s.id
        ), '[]')
        FROM services AS s
        LEFT JOIN service_categories AS k ON k.company_id = s.company_id AND k.id = s.category_id
        WHERE s.company_id = c.id AND s.active
    ) AS services,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(p.id, p.name, p.timezone, p.most_visits_a_day, p.weight) ORDER BY p.position, p.id
        ), '[]')
        FROM staff AS p
        WHERE p.company_id = c.id AND p.active
    ) AS staff,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(
                o.staff_id, o.service_id, coalesce(o.minutes, s.minutes), coalesce(o.price_minor, s.price_minor)
            )
        ), '[]')
        FROM staff_services AS o
        JOIN services AS s ON s.company_id = o.company_id AND s.id = o.service_id
        WHERE o.company_id = c.id AND s.active
    ) AS offers,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(h.staff_id, h.weekday, h.starts, h.ends, h.kind) ORDER BY h.weekday, h.starts
        ), '[]')
        FROM staff_hours AS h
        WHERE h.company_id = c.id
    ) AS shifts,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(d.staff_id, d.day, d.kind, d.starts, d.ends) ORDER BY d.day, d.starts
        ), '[]')
        FROM staff_schedules AS d
        WHERE d.company_id = c.id
    ) AS dated_shifts,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(t.staff_id, date_part('epoch', t.starts_at), date_part('epoch', t.ends_at))
            ORDER BY t.starts_at
        ), '[]')
        FROM time_off AS t
        WHERE t.company_id = c.id
    ) AS time_off,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_array(r.id, r.name, r.units) ORDER BY r.id), '[]')
        FROM resources AS r
        WHERE r.company_id = c.id AND r.active
    ) AS resources,
    (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(a.id, a.postal_code, a.city, a.state, a.timezone) ORDER BY a.postal_code, a.id
        ), '[]')
        FROM service_areas AS a
        WHERE a.company_id = c.id AND a.active
    ) AS areas,
    (SELECT coalesce(jsonb_agg(y.day), '[]') FROM holidays AS y WHERE y.company_id = c.id) AS holidays,
    (SELECT coalesce(jsonb_object_agg(f.key, f.enabled), '{}') FROM feature_flags AS f WHERE f.company_id = c.id) AS flags
FROM companies AS c
WHERE c.id = @company_id;
