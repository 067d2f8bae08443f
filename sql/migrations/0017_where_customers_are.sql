-- migrate:up transaction:false

-- The place that a mobile business comes to for a customer: asked for once, by its postal code. A place that is not
-- served any more is forgotten.
ALTER TABLE customers ADD COLUMN IF NOT EXISTS area_id bigint;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'customers_area_fkey') THEN
        ALTER TABLE customers ADD CONSTRAINT customers_area_fkey FOREIGN KEY (company_id, area_id)
            REFERENCES service_areas (company_id, id) ON DELETE SET NULL (area_id) NOT VALID;
    END IF;
END
$$;
DO $$
BEGIN
    ALTER TABLE customers VALIDATE CONSTRAINT customers_area_fkey;
END
$$;
DROP INDEX CONCURRENTLY IF EXISTS customers_area_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_area_idx ON customers (company_id, area_id) WHERE area_id IS NOT NULL;

DO $$
BEGIN
    ASSERT (
        SELECT convalidated FROM pg_constraint WHERE conname = 'customers_area_fkey'
    ), 'customers are in areas that are not there';
    ASSERT (
        SELECT indisvalid FROM pg_index WHERE indexrelid = 'customers_area_idx'::regclass
    ), 'customers are not found by area';
END
$$;

-- migrate:down transaction:false

ALTER TABLE customers DROP COLUMN IF EXISTS area_id;
