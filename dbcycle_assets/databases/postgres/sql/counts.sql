-- Every relation with rows of its own, and the table whose rows they count as.
SELECT n.nspname AS schema, c.relname AS name,
       rn.nspname AS root_schema, r.relname AS root_name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class r ON r.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid
                                ELSE c.oid END
JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', '_dbcycle')
ORDER BY n.nspname, c.relname
