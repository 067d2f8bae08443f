-- migrate:up

-- What is due when, and what became of it: the truth, of which Redis is only the alarm clock. A key is a business key,
-- so that arming it again moves the timer; the generation tells what was armed then from what is armed now.
CREATE TABLE timers (
    company_id      bigint      NOT NULL,
    key             text        NOT NULL,
    conversation_id bigint      NOT NULL,
    name            text        NOT NULL,
    due_at          timestamptz NOT NULL,
    generation      bigint      NOT NULL DEFAULT 1,
    status          text        NOT NULL DEFAULT 'armed',
    payload         jsonb       NOT NULL DEFAULT '{}',
    -- Of what fires together the highest goes first.
    priority        smallint    NOT NULL DEFAULT 0,
    attempts        integer     NOT NULL DEFAULT 0,
    max_attempts    integer     NOT NULL DEFAULT 4,
    last_error      text,
    -- The turn of its conversation that armed it; NULL: something else did.
    turn            bigint,
    -- When it was armed, when it was moved to the inbox, and when its turn was taken or it was cancelled.
    scheduled_at    timestamptz NOT NULL,
    started_at      timestamptz,
    completed_at    timestamptz,
    CONSTRAINT timers_pkey PRIMARY KEY (company_id, key),
    CONSTRAINT timers_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE CASCADE,
    CONSTRAINT timers_conversation_fkey FOREIGN KEY (company_id, conversation_id)
        REFERENCES dialog_contexts (company_id, id) ON DELETE CASCADE,
    -- dead: its turn failed too often; the event waits in the inbox until an operator has it tried again.
    CONSTRAINT timers_status_is_known CHECK (status IN ('armed', 'fired', 'cancelled', 'dead')),
    CONSTRAINT timers_keys_are_short CHECK (length(key) BETWEEN 1 AND 200),
    CONSTRAINT timers_may_be_tried CHECK (max_attempts > 0),
    CONSTRAINT timers_armed_have_not_happened CHECK (
        status <> 'armed' OR (started_at IS NULL AND completed_at IS NULL)
    ),
    CONSTRAINT timers_that_happened_have_a_time CHECK (status NOT IN ('fired', 'dead') OR started_at IS NOT NULL),
    CONSTRAINT timers_cancelled_have_a_time CHECK (status <> 'cancelled' OR completed_at IS NOT NULL)
) WITH (
    -- Every timer is written twice or thrice and then lies still, and what is due is found at the edge of one index:
    -- what is dead there has to go soon.
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
-- Company and key are in it so that what comes next can be read from it alone, page by page.
CREATE INDEX timers_due_idx ON timers (due_at, company_id, key) WHERE status = 'armed';
CREATE INDEX timers_dead_idx ON timers (company_id, due_at) WHERE status = 'dead';
-- For retention alone, and next to nothing to keep up.
CREATE INDEX timers_scheduled_idx ON timers USING brin (scheduled_at);

-- The desk of a company, made when it is first needed: whoever comes second finds it.
CREATE FUNCTION desk_of(for_company_id bigint, moment timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    desk bigint;
BEGIN
    SELECT id INTO desk FROM dialog_contexts WHERE company_id = for_company_id AND customer_id IS NULL;
    IF desk IS NULL THEN
        INSERT INTO dialog_contexts AS d (company_id, state, last_message_at, started_at)
        VALUES (for_company_id, '{"step": "desk.resting"}', moment, moment)
        ON CONFLICT ON CONSTRAINT dialog_contexts_are_one_a_customer DO UPDATE SET started_at = d.started_at
        RETURNING d.id INTO desk;
    END IF;
    RETURN desk;
END
$$;

DO $$
BEGIN
    ASSERT to_regclass('timers_due_idx') IS NOT NULL, 'timers cannot be found when they are due';
END
$$;

-- migrate:down

DROP FUNCTION desk_of(bigint, timestamptz);
DROP TABLE timers;
