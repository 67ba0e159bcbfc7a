-- Primary and unique keys, whether from a constraint or from an index alone.
SELECT i.indrelid AS table_oid,
       ic.relname AS name,
       i.indisprimary AS is_primary,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
       i.indexprs IS NOT NULL AS over_expression,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       ARRAY(
           SELECT pg_get_indexdef(i.indexrelid, position, true)
           FROM generate_series(1, i.indnkeyatts) AS position
           ORDER BY position
       ) AS parts,
       ARRAY(
           SELECT a.attname::text
           FROM generate_series(0, i.indnkeyatts - 1) AS position
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[position]
           ORDER BY position
       ) AS columns,
       ARRAY(
           SELECT DISTINCT a.attname::text COLLATE "C"
           FROM pg_depend d
           JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid
             AND d.refobjsubid > 0
           ORDER BY 1
       ) AS reads
FROM pg_index i
JOIN pg_class ic ON ic.oid = i.indexrelid
WHERE i.indisunique AND i.indislive AND i.indrelid = ANY (%(tables)s)
ORDER BY i.indrelid, ic.relname
