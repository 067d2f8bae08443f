-- migrate:up transaction:false

-- What a conversation holds is looked for with every hold. Groups that it has begun are among that: an index that left
-- them out was of no use, and all claims of the company were read.
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_held_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS slot_claims_held_idx ON slot_claims (company_id, conversation_id)
WHERE conversation_id IS NOT NULL AND kind IN ('hold', 'offer', 'session');
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_conversation_idx;

DO $$
BEGIN
    ASSERT (
        SELECT indisvalid FROM pg_index WHERE indexrelid = 'slot_claims_held_idx'::regclass
    ), 'what conversations hold is not found by them';
END
$$;

-- migrate:down transaction:false

DROP INDEX CONCURRENTLY IF EXISTS slot_claims_conversation_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS slot_claims_conversation_idx ON slot_claims (company_id, conversation_id)
WHERE kind IN ('hold', 'offer');
DROP INDEX CONCURRENTLY IF EXISTS slot_claims_held_idx;
