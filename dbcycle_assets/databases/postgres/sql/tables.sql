-- The tables that hold rows of the project: partitions belong to their root, and what an
-- extension brought along belongs to the extension.
SELECT c.oid,
       n.nspname AS schema,
       c.relname AS name,
       c.relkind = 'p' AS partitioned,
       c.relrowsecurity AS row_security,
       c.relforcerowsecurity AS force_row_security,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS partition_key,
       ARRAY(
           SELECT CASE WHEN pn.nspname = 'public' THEN p.relname::text
                       ELSE pn.nspname || '.' || p.relname END
           FROM pg_inherits i
           JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition
           JOIN pg_namespace pn ON pn.oid = p.relnamespace
           WHERE c.relkind = 'p' AND pg_partition_root(i.inhrelid) = c.oid
           ORDER BY 1
       ) AS partitions,
       ARRAY(
           SELECT pg_get_partition_constraintdef(l.relid)
           FROM pg_partition_tree(c.oid) l
           WHERE c.relkind = 'p' AND l.isleaf AND l.relid <> c.oid
             AND pg_get_partition_constraintdef(l.relid) IS NOT NULL
           ORDER BY 1
       ) AS bounds
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_'
  AND n.nspname NOT IN ('information_schema', '_dbcycle')
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
ORDER BY n.nspname, c.relname
