-- Every view and materialized view, with each view that it reads (null when it reads none).
SELECT v.oid AS view_oid, v.relkind = 'm' AS materialized, v.relispopulated AS filled,
       n.nspname AS schema, v.relname AS name, p.oid AS reads_oid
FROM pg_class v
JOIN pg_namespace n ON n.oid = v.relnamespace
LEFT JOIN (
    SELECT DISTINCT r.ev_class, d.refobjid
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
     AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
) AS uses ON uses.ev_class = v.oid
LEFT JOIN pg_class p ON p.oid = uses.refobjid AND p.relkind IN ('v', 'm')
WHERE v.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, v.relname, 5
