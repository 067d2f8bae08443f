-- migrate:up transaction:false

-- Whoever looks for the next free time of ten people looks at two days, and their calendars are full for weeks. Where
-- beginnings stand in the index too, what begins behind the period is passed over in it, and its rows are not read.
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_claimant_time_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS slot_claims_claimant_time_idx
    ON slot_claims (company_id, claimant, upper(during), lower(during));
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_claimant_end_idx;

DO $$
BEGIN
    ASSERT (
        SELECT indisvalid FROM pg_index WHERE indexrelid = 'slot_claims_claimant_time_idx'::regclass
    ), 'claims are not found by when they are';
END
$$;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS slot_claims_claimant_end_idx;
CREATE INDEX CONCURRENTLY slot_claims_claimant_end_idx ON slot_claims (company_id, claimant, upper(during));
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_claimant_time_idx;
