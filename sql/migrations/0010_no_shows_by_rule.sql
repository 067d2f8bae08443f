-- migrate:up

-- Who said that nobody came: an operator, or the company's rule.
ALTER TABLE bookings ADD COLUMN no_show_by text
    CONSTRAINT bookings_no_show_by_is_known CHECK (no_show_by IN ('operator', 'rule'));

-- Whether a company's rule takes it that nobody came to a visit that is over: because nobody noted that they came
-- (`unattended`), or because they were asked whether they will come and never answered (`unconfirmed`).
CREATE FUNCTION stayed_away_by_rule(visit bookings, rule text) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE rule
    WHEN 'unattended' THEN true
    WHEN 'unconfirmed' THEN visit.confirmed_at IS NULL AND EXISTS (
        SELECT FROM reminders AS r
        WHERE r.company_id = visit.company_id AND r.booking_id = visit.id AND r.kind IN ('24h', '2h')
            AND r.sent_at IS NOT NULL AND r.answer IS NULL
    )
    ELSE false
END;

DO $$
BEGIN
    ASSERT stayed_away_by_rule(NULL::bookings, 'off') IS FALSE, 'without a rule somebody stayed away';
END
$$;

-- migrate:down

DROP FUNCTION stayed_away_by_rule(bookings, text);
ALTER TABLE bookings DROP COLUMN no_show_by;
