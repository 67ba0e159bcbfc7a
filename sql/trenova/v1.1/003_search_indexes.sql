-- dbcycle: no-transaction
-- Built beside the running application, which goes on writing.

CREATE INDEX CONCURRENTLY IF NOT EXISTS workers_last_name_idx ON workers (lower(last_name));
CREATE INDEX CONCURRENTLY IF NOT EXISTS shipments_open_idx ON shipments (organization_id, status)
    WHERE status IN ('new', 'assigned', 'in_transit');
