-- dbcycle: no-transaction

DROP INDEX CONCURRENTLY IF EXISTS shipments_open_idx;
DROP INDEX CONCURRENTLY IF EXISTS workers_last_name_idx;
