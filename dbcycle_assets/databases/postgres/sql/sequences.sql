-- Which columns each sequence feeds, through ownership (serial, identity) or a default.
SELECT DISTINCT n.nspname AS sequence_schema, s.relname AS sequence_name,
       q.seqincrement AS increment, q.seqmin AS minimum, q.seqmax AS maximum,
       tn.nspname AS table_schema, t.relname AS table_name, a.attname AS column_name
FROM pg_sequence q
JOIN pg_class s ON s.oid = q.seqrelid
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN (
    SELECT d.objid AS sequence_oid, d.refobjid AS table_oid, d.refobjsubid AS number
    FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, ad.adrelid, ad.adnum
    FROM pg_depend d
    JOIN pg_attrdef ad ON ad.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
) AS feeds ON feeds.sequence_oid = s.oid
JOIN pg_class t ON t.oid = feeds.table_oid AND t.relkind IN ('r', 'p') AND NOT t.relispartition
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = feeds.number AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid AND y.typcategory = 'N'
WHERE n.nspname !~ '^pg_' AND n.nspname <> '_dbcycle'
ORDER BY 1, 2, 6, 7, 8
