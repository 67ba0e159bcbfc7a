-- Columns with their types resolved through domains and arrays down to a base type.
WITH RECURSIVE attribute AS (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attndims,
           a.attidentity, a.attgenerated, a.attcollation, a.atthasdef
    FROM pg_attribute a
    WHERE a.attrelid = ANY (%(tables)s) AND a.attnum > 0 AND NOT a.attisdropped
),
step AS (
    SELECT attrelid, attnum, atttypid AS type, atttypmod AS typmod,
           0 AS arrays, false AS not_null, false AS defaulted, 0 AS depth
    FROM attribute
    UNION ALL
    SELECT s.attrelid, s.attnum,
           CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
           CASE WHEN t.typtype = 'd' AND s.typmod < 0 THEN t.typtypmod ELSE s.typmod END,
           s.arrays + (t.typtype <> 'd')::int,
           s.not_null OR (t.typtype = 'd' AND t.typnotnull AND s.arrays = 0),
           s.defaulted OR (t.typtype = 'd' AND t.typdefault IS NOT NULL AND s.arrays = 0),
           s.depth + 1
    FROM step s
    JOIN pg_type t ON t.oid = s.type
    WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1)
),
base AS (
    SELECT DISTINCT ON (attrelid, attnum) *
    FROM step
    ORDER BY attrelid, attnum, depth DESC
)
SELECT a.attrelid AS table_oid,
       a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type,
       b.typname AS base_type,
       b.typtype AS base_class,
       b.typcategory AS base_category,
       base.typmod,
       format_type(base.type, base.typmod) AS base,
       ARRAY(
           SELECT format_type(f.atttypid, f.atttypmod) FROM pg_attribute f
           WHERE f.attrelid = b.typrelid AND f.attnum > 0 AND NOT f.attisdropped AND b.typtype = 'c'
           ORDER BY f.attnum
       ) || ARRAY(
           SELECT format_type(r.rngsubtype, NULL) FROM pg_range r
           WHERE b.oid = r.rngtypid OR b.oid::text = to_jsonb(r) ->> 'rngmultitypid'
       ) AS parts,
       ARRAY(
           SELECT pg_get_constraintdef(c.oid) FROM step s
           JOIN pg_constraint c ON c.contypid = s.type AND c.contype = 'c'
           WHERE s.attrelid = a.attrelid AND s.attnum = a.attnum AND s.depth > 0
           ORDER BY 1
       ) AS inner_checks,
       CASE WHEN base.arrays > 0 THEN greatest(a.attndims, 1) ELSE 0 END AS dimensions,
       a.attnotnull OR base.not_null AS not_null,
       a.attgenerated <> '' AS generated,
       a.attidentity <> '' OR EXISTS (
           SELECT FROM pg_depend d
           JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
           WHERE d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid
             AND d.refclassid = 'pg_class'::regclass
       ) AS identity,
       (a.atthasdef AND a.attgenerated = '') OR base.defaulted AS has_default,
       CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(ad.adbin, ad.adrelid), '') ELSE '' END
           AS default_text,
       coalesce(NOT co.collisdeterministic, false) AS loose_collation,
       coalesce(col_description(a.attrelid, a.attnum), '') AS comment,
       a.attidentity::text || '/' || a.attgenerated::text || '/'
           || coalesce(pg_get_expr(ad.adbin, ad.adrelid), '') || '/'
           || CASE WHEN a.attcollation <> t.typcollation THEN co.collname ELSE '' END AS definition,
       ARRAY(
           SELECT e.enumlabel::text FROM pg_enum e
           WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder
       ) AS labels
FROM attribute a
JOIN base ON base.attrelid = a.attrelid AND base.attnum = a.attnum
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = base.type
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
ORDER BY a.attrelid, a.attnum
