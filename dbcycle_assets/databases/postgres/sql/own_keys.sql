-- What to drop of tables before their rows are replaced, foreign keys of others to them first; those
-- of partitions go with their root's.
WITH tree AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN unnest(%(schemas)s::text[], %(names)s::text[]) AS t (schema, name)
      ON t.schema = n.nspname AND t.name = c.relname
),
whole AS (
    SELECT oid FROM tree
    UNION
    SELECT p.relid FROM tree, pg_partition_tree(tree.oid) AS p
)
SELECT 'foreign' AS kind, n.nspname AS schema, t.relname AS relation, k.conname AS name
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
  AND (k.conrelid IN (SELECT oid FROM whole) OR k.confrelid IN (SELECT oid FROM whole))
UNION ALL
SELECT 'constraint', n.nspname, t.relname, k.conname
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE k.contype IN ('p', 'u', 'x') AND k.conparentid = 0
  AND k.conrelid IN (SELECT oid FROM whole)
UNION ALL
SELECT 'index', n.nspname, c.relname, c.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indrelid IN (SELECT oid FROM whole) AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype <> 'f')
ORDER BY 1 DESC, 2, 3, 4
