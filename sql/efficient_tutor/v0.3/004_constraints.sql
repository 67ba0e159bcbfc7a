-- Tighten what 003 filled, and drop what it replaced.

ALTER TABLE users ALTER COLUMN timezone SET NOT NULL;
ALTER TABLE users ALTER COLUMN timezone SET DEFAULT 'UTC';
ALTER TABLE users ALTER COLUMN first_name SET NOT NULL;
ALTER TABLE users ALTER COLUMN last_name SET NOT NULL;
ALTER TABLE users ADD CONSTRAINT users_last_login_check
    CHECK (last_login_at IS NULL OR last_login_at >= created_at);

ALTER TABLE parents ALTER COLUMN currency SET NOT NULL;
ALTER TABLE parents ALTER COLUMN currency SET DEFAULT 'USD';
ALTER TABLE parents ADD CONSTRAINT parents_currency_check CHECK (currency ~ '^[A-Z]{3}$');

ALTER TABLE teachers ALTER COLUMN hourly_rate SET NOT NULL;
ALTER TABLE teachers ALTER COLUMN subjects SET NOT NULL;
ALTER TABLE teachers ALTER COLUMN subjects SET DEFAULT '{}';

ALTER TABLE students ALTER COLUMN status SET NOT NULL;
ALTER TABLE students ALTER COLUMN status SET DEFAULT 'active';
ALTER TABLE students DROP COLUMN status_v02;
ALTER TABLE students ADD CONSTRAINT students_grade_check CHECK (grade BETWEEN 0 AND 13);

ALTER TABLE tuitions ALTER COLUMN subject_id SET NOT NULL;
ALTER TABLE tuitions ADD CONSTRAINT tuitions_subject_id_fkey
    FOREIGN KEY (subject_id) REFERENCES subjects (id);
CREATE INDEX tuitions_subject_id_idx ON tuitions (subject_id);
ALTER TABLE tuitions DROP COLUMN subject;

ALTER TABLE payments ALTER COLUMN currency SET NOT NULL;
ALTER TABLE payments ALTER COLUMN method SET NOT NULL;
ALTER TABLE payments DROP COLUMN method_v02;
ALTER TABLE payments ADD CONSTRAINT payments_settled_check
    CHECK (status <> 'settled' OR paid_at IS NOT NULL);

ALTER TABLE notes ALTER COLUMN visibility SET NOT NULL;
ALTER TABLE notes ALTER COLUMN visibility SET DEFAULT 'staff';

-- At most one parent of a student is the one who pays.
CREATE UNIQUE INDEX student_parents_primary_idx ON student_parents (student_id) WHERE is_primary;
