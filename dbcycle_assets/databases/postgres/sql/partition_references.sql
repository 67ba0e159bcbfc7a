-- Foreign keys that partitions have and their root has not, once for each root.
SELECT DISTINCT ON (table_oid, parent_oid, columns)
       found.table_oid, found.name, found.parent_oid, found.columns, found.parent_columns
FROM (
    SELECT pg_partition_root(c.conrelid)::oid AS table_oid,
           c.conname AS name,
           coalesce(nullif(pg_partition_root(c.confrelid)::oid, 0), c.confrelid) AS parent_oid,
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
    JOIN pg_class p ON p.oid = c.conrelid AND p.relispartition
    WHERE c.contype = 'f' AND c.conparentid = 0
) AS found
WHERE found.table_oid = ANY (%(tables)s)
ORDER BY table_oid, parent_oid, columns, name
