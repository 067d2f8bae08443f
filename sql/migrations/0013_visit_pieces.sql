-- migrate:up

-- The services of a visit that has several, in order, as queries about visits give them: [service, staff member, from and
-- to in epoch seconds, price, and their names]. Asked for one visit, it reads the rows of that visit alone.
CREATE VIEW visit_pieces AS
SELECT
    o.company_id,
    o.booking_id,
    jsonb_agg(
        jsonb_build_array(
            o.service_id, o.staff_id, date_part('epoch', o.starts_at), date_part('epoch', o.ends_at), o.price_minor,
            s.name, p.name
        ) ORDER BY o.position
    ) AS pieces
FROM booking_services AS o
JOIN services AS s ON s.company_id = o.company_id AND s.id = o.service_id
JOIN staff AS p ON p.company_id = o.company_id AND p.id = o.staff_id
GROUP BY o.company_id, o.booking_id;

DO $$
BEGIN
    ASSERT NOT EXISTS (SELECT FROM visit_pieces WHERE company_id = 0), 'nobody has a visit of several services';
END
$$;

-- migrate:down

DROP VIEW visit_pieces;
