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
                 s.seqmax, s.seqcycle, s.seqcache, c.relpersistence)
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
UNION ALL
SELECT 'schema', own.nspname, ''
FROM own
WHERE NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_namespace'::regclass AND b.objid = own.oid)
UNION ALL
SELECT 'settings', own.nspname || '.' || c.relname,
       concat_ws(' ', c.relpersistence, c.relreplident, c.reloptions::text,
                 (SELECT string_agg(concat_ws(' ', a.attname, a.attstorage::text,
                                              to_jsonb(a) ->> 'attcompression',
                                              to_jsonb(a) ->> 'attstattarget', a.attoptions::text),
                                    ',' ORDER BY a.attnum)
                  FROM pg_attribute a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                 (SELECT string_agg(ic.relname, ',' ORDER BY ic.relname)
                  FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                  WHERE i.indrelid = c.oid AND (i.indisclustered OR i.indisreplident)))
FROM pg_class c
JOIN own ON own.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_class'::regclass AND b.objid = c.oid)
UNION ALL
SELECT 'not null', own.nspname || '.' || c.relname || '.' || k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN own ON own.oid = c.relnamespace
WHERE k.contype = 'n' AND NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_class'::regclass AND b.objid = c.oid)
UNION ALL
SELECT 'operator', own.nspname || '.' || o.oprname,
       concat_ws(' ', o.oprleft::regtype, o.oprright::regtype, o.oprcode::regprocedure)
FROM pg_operator o
JOIN own ON own.oid = o.oprnamespace
WHERE NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_operator'::regclass AND b.objid = o.oid)
UNION ALL
SELECT 'collation', own.nspname || '.' || k.collname,
       (to_jsonb(k) - ARRAY['oid', 'collowner', 'collnamespace', 'collversion'])::text
FROM pg_collation k
JOIN own ON own.oid = k.collnamespace
WHERE NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_collation'::regclass AND b.objid = k.oid)
UNION ALL
SELECT 'cast', concat_ws(' to ', k.castsource::regtype, k.casttarget::regtype),
       concat_ws(' ', k.castfunc::regprocedure, k.castcontext, k.castmethod)
FROM pg_cast k
WHERE k.oid > 16383 AND NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_cast'::regclass AND b.objid = k.oid)
UNION ALL
SELECT 'text search', own.nspname || '.' || t.cfgname, t.cfgparser::text
FROM pg_ts_config t
JOIN own ON own.oid = t.cfgnamespace
WHERE NOT EXISTS (
    SELECT FROM brought b WHERE b.classid = 'pg_ts_config'::regclass AND b.objid = t.oid)
ORDER BY 1, 2, 3
