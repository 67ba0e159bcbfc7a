-- New tables and columns. New columns are nullable or have constant defaults here; 003 fills them
-- and 004 tightens them.

CREATE TABLE subjects (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    code varchar(40) NOT NULL,
    name varchar(40) NOT NULL,
    CONSTRAINT subjects_pkey PRIMARY KEY (id),
    CONSTRAINT subjects_code_key UNIQUE (code)
);

CREATE TABLE availability_intervals (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    day weekday NOT NULL,
    starts_at time NOT NULL,
    ends_at time NOT NULL,
    kind availability_kind NOT NULL DEFAULT 'available',
    CONSTRAINT availability_intervals_pkey PRIMARY KEY (id),
    CONSTRAINT availability_intervals_user_day_key UNIQUE (user_id, day, starts_at),
    CONSTRAINT availability_intervals_times_check CHECK (starts_at < ends_at),
    CONSTRAINT availability_intervals_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

ALTER TABLE users ADD COLUMN must_reset_password boolean NOT NULL DEFAULT false;
ALTER TABLE students RENAME COLUMN status TO status_v02;
ALTER TABLE students ADD COLUMN status student_status;
ALTER TABLE tuitions ADD COLUMN subject_id uuid;
ALTER TABLE payments RENAME COLUMN method TO method_v02;
ALTER TABLE payments ADD COLUMN method payment_method;
ALTER TABLE notes ADD COLUMN visibility note_visibility;
