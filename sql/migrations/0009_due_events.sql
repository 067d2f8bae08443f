-- migrate:up transaction:false

-- For whoever asks when events are due, and for nobody else: a turn that looks for the events of its own conversation
-- must never be sent through all that wait, which is what the planner chose when it believed that nothing waits.
-- What has to be asked for, not_before, is never NULL; that it is named makes the difference.
CREATE INDEX CONCURRENTLY IF NOT EXISTS inbox_not_before_idx ON inbox (not_before)
WHERE status = 'pending' AND not_before IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS inbox_due_idx;

-- migrate:down transaction:false

CREATE INDEX CONCURRENTLY IF NOT EXISTS inbox_due_idx ON inbox (not_before) WHERE status = 'pending';
DROP INDEX CONCURRENTLY IF EXISTS inbox_not_before_idx;
