-- migrate:up

-- What a customer said about being late: when they said it, and by how many minutes if they did.
ALTER TABLE bookings ADD COLUMN late_said_at timestamptz;
ALTER TABLE bookings ADD COLUMN late_minutes smallint
    CONSTRAINT bookings_late_minutes_are_positive CHECK (late_minutes > 0);

-- migrate:down

ALTER TABLE bookings DROP COLUMN late_minutes;
ALTER TABLE bookings DROP COLUMN late_said_at;
