-- Foreign keys at the root level; those of partitions are copies of their root's.
SELECT c.conrelid AS table_oid,
       c.conname AS name,
       coalesce(nullif(pg_partition_root(c.confrelid)::oid, 0), c.confrelid) AS parent_oid,
       pg_get_constraintdef(c.oid) AS definition,
       NOT c.convalidated AS unproven,
       ARRAY(
           SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (number, position)
           JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
           ORDER BY k.position
       ) AS columns,
       ARRAY(
           SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (number, position)
           JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number
           ORDER BY k.position
       ) AS parent_columns
FROM pg_constraint c
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid = ANY (%(tables)s)
ORDER BY c.conrelid, c.conname
