-- Indexes, keys and attached partition indexes that are there, as an archive's contents name them.
SELECT 'INDEX' AS kind, concat_ws(' ', n.nspname, c.relname, pg_get_userbyid(c.relowner)) AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('i', 'I')
UNION ALL
SELECT 'INDEX ATTACH', concat_ws(' ', n.nspname, c.relname, pg_get_userbyid(c.relowner))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('i', 'I') AND c.relispartition
UNION ALL
SELECT CASE k.contype WHEN 'f' THEN 'FK CONSTRAINT' ELSE 'CONSTRAINT' END,
       concat_ws(' ', n.nspname, t.relname, k.conname, pg_get_userbyid(t.relowner))
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE k.contype IN ('p', 'u', 'x', 'f')
