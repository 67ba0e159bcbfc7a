-- Everything beside the tables that a schema consists of, each with its definition, for the digest.
WITH own AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '_dbcycle')
),
brought AS (
    SELECT d.classid, d.objid FROM pg_depend d WHERE d.deptype = 'e'
)
SELECT 'function' AS kind,
       own.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
           AS name,
       CASE WHEN p.prokind = 'a'
            THEN concat_ws(' ', a.aggtransfn::text, a.aggfinalfn::text,
                           format_type(a.aggtranstype, NULL), a.agginitval)
            ELSE pg_get_functiondef(p.oid) END AS definition
FROM pg_proc p
JOIN own ON own.oid = p.pronamespace
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_proc'::regclass AND b.objid = p.oid)
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END,
       own.nspname || '.' || c.relname, pg_get_viewdef(c.oid)
FROM pg_class c
JOIN own ON own.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_class'::regclass AND b.objid = c.oid)
UNION ALL
SELECT 'index', own.nspname || '.' || c.relname || '.' || ic.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid AND c.relkind = 'm'
JOIN pg_class ic ON ic.oid = i.indexrelid
JOIN own ON own.oid = c.relnamespace
UNION ALL
SELECT 'sequence', own.nspname || '.' || c.relname,
       concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
                 s.seqmax, s.seqcycle)
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN own ON own.oid = c.relnamespace
UNION ALL
SELECT 'type', own.nspname || '.' || t.typname,
       CASE t.typtype
           WHEN 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
                          FROM pg_enum e WHERE e.enumtypid = t.oid)
           WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod), t.typnotnull,
                                   t.typdefault,
                                   (SELECT string_agg(pg_get_constraintdef(k.oid), ' '
                                                      ORDER BY k.conname)
                                    FROM pg_constraint k
                                    WHERE k.contypid = t.oid AND k.contype = 'c'))
           WHEN 'c' THEN (SELECT string_agg(a.attname || ' '
                                            || format_type(a.atttypid, a.atttypmod), ','
                                            ORDER BY a.attnum)
                          FROM pg_attribute a
                          WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
           ELSE t.typtype::text END
FROM pg_type t
JOIN own ON own.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (
      SELECT FROM brought b WHERE b.classid = 'pg_type'::regclass AND b.objid = t.oid)
UNION ALL
SELECT 'trigger', own.nspname || '.' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid AND c.relkind = 'v'
JOIN own ON own.oid = c.relnamespace
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'statistics', own.nspname || '.' || s.stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s
JOIN own ON own.oid = s.stxnamespace
ORDER BY 1, 2, 3
