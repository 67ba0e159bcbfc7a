-- Comments on anything of the project; those of PostgreSQL itself and of extensions are theirs.
SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid) AS name, d.description AS text
FROM pg_description d
WHERE d.objoid >= 16384
  AND NOT EXISTS (
      SELECT FROM pg_depend e
      WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e'
  )
  AND NOT (d.classoid = 'pg_extension'::regclass)
ORDER BY 1
