-- How each partitioned table is partitioned.
SELECT n.nspname AS schema, c.relname AS name,
       pg_catalog.pg_get_partkeydef(c.oid) AS partition_key
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'p'
ORDER BY 1, 2
