-- What else shapes a table: checks (its own and its domains'), indexes, triggers, policies, rules.
SELECT c.conrelid AS table_oid, 'check' AS kind,
       c.conname || ' ' || pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c
WHERE c.contype = 'c' AND c.conrelid = ANY (%(tables)s)
UNION ALL
SELECT a.attrelid, 'check', a.attname || ' ' || pg_get_constraintdef(c.oid)
FROM pg_attribute a
JOIN pg_constraint c ON c.contypid = a.atttypid AND c.contype = 'c'
WHERE a.attrelid = ANY (%(tables)s) AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT c.conrelid, 'extra', c.conname || ' ' || pg_get_constraintdef(c.oid)
FROM pg_constraint c
WHERE c.contype IN ('x', 'u', 'p') AND c.conrelid = ANY (%(tables)s)
UNION ALL
SELECT i.indrelid, 'extra', pg_get_indexdef(i.indexrelid)
FROM pg_index i
WHERE i.indislive AND i.indrelid = ANY (%(tables)s)
UNION ALL
SELECT t.tgrelid, 'trigger', t.tgname || chr(31) || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
FROM pg_trigger t
WHERE NOT t.tgisinternal AND t.tgrelid = ANY (%(tables)s)
UNION ALL
SELECT p.polrelid, 'extra',
       concat_ws(' ', 'POLICY', p.polname, p.polcmd, p.polpermissive,
                 pg_get_expr(p.polqual, p.polrelid), '/',
                 pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p
WHERE p.polrelid = ANY (%(tables)s)
UNION ALL
SELECT r.ev_class, 'extra', pg_get_ruledef(r.oid)
FROM pg_rewrite r
WHERE r.ev_class = ANY (%(tables)s)
ORDER BY 1, 2, 3
