-- Fill blanks and map free words to enums. Everything is derived from the rows themselves: no
-- now(), no random(), no gen_random_uuid(), so that the same dump always gives the same rows. The
-- updated_at triggers rest for the same reason.

ALTER TABLE users DISABLE TRIGGER users_set_updated_at;
ALTER TABLE tuitions DISABLE TRIGGER tuitions_set_updated_at;
ALTER TABLE tuition_logs DISABLE TRIGGER tuition_logs_set_updated_at;

-- Users: blanks, and sign-ins that were recorded before the account existed.
UPDATE users SET timezone = 'UTC' WHERE timezone IS NULL;
-- A missing name comes from the e-mail address, or from the other half of the name.
UPDATE users
SET first_name = coalesce(
        first_name,
        nullif(initcap(regexp_replace(split_part(email::text, '@', 1), '[^[:alpha:]].*$', '')), ''),
        last_name, '-'),
    last_name = coalesce(last_name, first_name, '-')
WHERE first_name IS NULL OR last_name IS NULL;
UPDATE users SET last_login_at = NULL WHERE last_login_at < created_at;

-- Parents and payments: a parent's blank currency is that of most of their payments, else USD.
UPDATE parents p
SET currency = coalesce(
    (SELECT m.currency FROM payments m
     WHERE m.parent_id = p.user_id AND m.currency IS NOT NULL
     GROUP BY m.currency ORDER BY count(*) DESC, m.currency LIMIT 1),
    'USD')
WHERE p.currency IS NULL;
UPDATE payments m SET currency = p.currency
FROM parents p WHERE p.user_id = m.parent_id AND m.currency IS NULL;

-- Teachers without a rate take the median of the others.
UPDATE teachers
SET hourly_rate = (SELECT coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY hourly_rate), 30)
                   FROM teachers WHERE hourly_rate IS NOT NULL)
WHERE hourly_rate IS NULL;
UPDATE teachers SET subjects = '{}' WHERE subjects IS NULL;

-- Words typed by hand become enums.
UPDATE students SET status = CASE lower(trim(coalesce(status_v02, '')))
    WHEN 'active' THEN 'active'
    WHEN 'enrolled' THEN 'active'
    WHEN 'on hold' THEN 'paused'
    WHEN 'paused' THEN 'paused'
    WHEN 'alumni' THEN 'alumni'
    WHEN 'left' THEN 'alumni'
    WHEN 'lead' THEN 'prospect'
    ELSE 'unknown'
END::student_status;
UPDATE payments SET method = CASE
    WHEN method_v02 ILIKE 'bank%' OR method_v02 ILIKE 'wire%' THEN 'bank_transfer'
    WHEN method_v02 ILIKE '%card%' OR method_v02 ILIKE 'visa%' THEN 'card'
    WHEN method_v02 ILIKE 'cash%' THEN 'cash'
    ELSE 'other'
END::payment_method;
UPDATE notes SET visibility = CASE
    WHEN 'private' = ANY (tags) THEN 'private'
    WHEN 'family' = ANY (tags) THEN 'family'
    ELSE 'staff'
END::note_visibility;

-- The new enum values.
UPDATE tuition_logs SET status = 'CORRECTED'
WHERE status = 'VOID'
  AND id IN (SELECT corrected_from_log_id FROM tuition_logs
             WHERE corrected_from_log_id IS NOT NULL);
UPDATE tuitions SET status = 'archived'
WHERE status = 'ended' AND ends_at < timestamptz '2024-01-01 00:00:00+00';
UPDATE payments SET status = 'refunded' WHERE status = 'failed' AND paid_at IS NOT NULL;

-- Subjects leave the tuitions for a table of their own, with ids derived from their codes.
INSERT INTO subjects (id, code, name)
SELECT encode(substring(sha256(convert_to('subject:' || s.code, 'UTF8')) FOR 16), 'hex')::uuid,
       s.code, s.name
FROM (SELECT DISTINCT ON (1) replace(lower(trim(subject)), ' ', '_') AS code,
             initcap(trim(subject)) AS name
      FROM tuitions ORDER BY 1, 2) AS s
ORDER BY s.code;
UPDATE tuitions t SET subject_id = s.id
FROM subjects s WHERE s.code = replace(lower(trim(t.subject)), ' ', '_');

ALTER TABLE users ENABLE TRIGGER users_set_updated_at;
ALTER TABLE tuitions ENABLE TRIGGER tuitions_set_updated_at;
ALTER TABLE tuition_logs ENABLE TRIGGER tuition_logs_set_updated_at;
