-- migrate:up transaction:false

-- A search for a month reads hundreds of claims of everybody who does a service. A B-tree finds them at half of what
-- the index of the EXCLUDE constraint takes, and by whose time they are, also of rooms and chairs. What is over is never
-- read, and claims are forgotten soon after, so what lies ahead is all that follows.
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_claimant_end_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS slot_claims_claimant_end_idx
    ON slot_claims (company_id, claimant, upper(during));
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_staff_end_idx;

DO $$
BEGIN
    ASSERT (
        SELECT indisvalid FROM pg_index WHERE indexrelid = 'slot_claims_claimant_end_idx'::regclass
    ), 'claims are not found by whose time they are';
END
$$;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS slot_claims_staff_end_idx;
CREATE INDEX CONCURRENTLY slot_claims_staff_end_idx ON slot_claims (company_id, staff_id, upper(during));
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_claimant_end_idx;
