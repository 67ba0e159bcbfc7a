-- The production schema at v0.2, as it stands before the migrations of v0.3 and v0.4.
-- PostgreSQL 14 or later. citext is a trusted extension: no superuser is needed.

CREATE EXTENSION IF NOT EXISTS citext;

CREATE TYPE user_role AS ENUM ('admin', 'teacher', 'student', 'parent');
CREATE TYPE admin_privilege AS ENUM ('master', 'normal', 'read_only');
CREATE TYPE tuition_status AS ENUM ('active', 'paused', 'ended');
CREATE TYPE log_status AS ENUM ('ACTIVE', 'VOID');
CREATE TYPE log_origin AS ENUM ('SCHEDULED', 'CUSTOM');
CREATE TYPE payment_status AS ENUM ('pending', 'settled', 'failed');

CREATE DOMAIN phone_number AS varchar(32)
    CONSTRAINT phone_number_form CHECK (VALUE ~ '^\+?[0-9 ()./-]{5,31}$');
CREATE DOMAIN money_amount AS numeric(12, 2)
    CONSTRAINT money_amount_not_negative CHECK (VALUE >= 0);

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- People ------------------------------------------------------------------------------------

CREATE TABLE users (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    email citext NOT NULL,
    username varchar(60),
    -- v0.2 hashed as md5$salt$hex or sha1$salt$hex; the v0.3 backend reads neither.
    password text NOT NULL,
    role user_role NOT NULL,
    first_name varchar(80),
    last_name varchar(80),
    full_name text GENERATED ALWAYS AS (
        CASE WHEN first_name IS NULL THEN last_name
             WHEN last_name IS NULL THEN first_name
             ELSE first_name || ' ' || last_name END
    ) STORED,
    phone phone_number,
    alternate_emails text[],
    timezone varchar(40),
    settings jsonb NOT NULL DEFAULT '{}',
    referred_by uuid,
    is_active boolean NOT NULL DEFAULT true,
    last_login_at timestamptz,
    last_login_ip inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_referred_by_fkey FOREIGN KEY (referred_by) REFERENCES users (id)
);
CREATE UNIQUE INDEX users_lower_username_idx ON users (lower(username));
CREATE INDEX users_referred_by_idx ON users (referred_by);
CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE admins (
    user_id uuid NOT NULL,
    privilege admin_privilege NOT NULL DEFAULT 'normal',
    contact_history jsonb,
    CONSTRAINT admins_pkey PRIMARY KEY (user_id),
    CONSTRAINT admins_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE teachers (
    user_id uuid NOT NULL,
    hourly_rate money_amount,
    subjects text[],
    bio text,
    payout_iban varchar(34),
    primary_tuition_id uuid,               -- the other half of the cycle is tuitions.teacher_id
    CONSTRAINT teachers_pkey PRIMARY KEY (user_id),
    CONSTRAINT teachers_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX teachers_primary_tuition_id_idx ON teachers (primary_tuition_id);

CREATE TABLE parents (
    user_id uuid NOT NULL,
    currency char(3),
    street varchar(120),
    city varchar(80),
    postal_code varchar(16),
    country char(2),
    emergency_contact varchar(160),
    emergency_phone phone_number,
    CONSTRAINT parents_pkey PRIMARY KEY (user_id),
    CONSTRAINT parents_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE students (
    user_id uuid NOT NULL,
    date_of_birth date,
    grade smallint,
    school varchar(120),
    status text,                           -- typed by hand: 'Active', 'alumni ', NULL, …
    profile jsonb,
    wanted_subjects text[],
    preferred_teacher_ids uuid[],
    CONSTRAINT students_pkey PRIMARY KEY (user_id),
    CONSTRAINT students_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE student_parents (
    student_id uuid NOT NULL,
    parent_id uuid NOT NULL,
    relation varchar(20) NOT NULL,
    is_primary boolean NOT NULL DEFAULT false,
    CONSTRAINT student_parents_pkey PRIMARY KEY (student_id, parent_id),
    CONSTRAINT student_parents_student_id_fkey
        FOREIGN KEY (student_id) REFERENCES students (user_id) ON DELETE CASCADE,
    CONSTRAINT student_parents_parent_id_fkey
        FOREIGN KEY (parent_id) REFERENCES parents (user_id) ON DELETE CASCADE
);
CREATE INDEX student_parents_parent_id_idx ON student_parents (parent_id);

-- Lessons -----------------------------------------------------------------------------------

CREATE TABLE tuitions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    teacher_id uuid NOT NULL,
    subject varchar(40) NOT NULL,
    title varchar(200),
    lesson_index smallint NOT NULL DEFAULT 1,
    min_duration_minutes smallint NOT NULL DEFAULT 60,
    max_duration_minutes smallint NOT NULL DEFAULT 90,
    status tuition_status NOT NULL DEFAULT 'active',
    ends_at timestamptz NOT NULL DEFAULT 'infinity',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tuitions_pkey PRIMARY KEY (id),
    CONSTRAINT tuitions_teacher_id_fkey FOREIGN KEY (teacher_id) REFERENCES teachers (user_id),
    CONSTRAINT tuitions_durations_check CHECK (min_duration_minutes <= max_duration_minutes)
);
CREATE INDEX tuitions_teacher_id_idx ON tuitions (teacher_id);
CREATE TRIGGER tuitions_set_updated_at BEFORE UPDATE ON tuitions
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

ALTER TABLE teachers ADD CONSTRAINT teachers_primary_tuition_id_fkey
    FOREIGN KEY (primary_tuition_id) REFERENCES tuitions (id) ON DELETE SET NULL;

CREATE TABLE tuition_enrolments (
    tuition_id uuid NOT NULL,
    student_id uuid NOT NULL,
    cost money_amount NOT NULL,
    joined_on date NOT NULL,
    CONSTRAINT tuition_enrolments_pkey PRIMARY KEY (tuition_id, student_id),
    CONSTRAINT tuition_enrolments_tuition_id_fkey
        FOREIGN KEY (tuition_id) REFERENCES tuitions (id) ON DELETE CASCADE,
    CONSTRAINT tuition_enrolments_student_id_fkey
        FOREIGN KEY (student_id) REFERENCES students (user_id)
);
CREATE INDEX tuition_enrolments_student_id_idx ON tuition_enrolments (student_id);

CREATE TABLE meeting_links (
    tuition_id uuid NOT NULL,
    provider varchar(20) NOT NULL,
    url text NOT NULL,
    passcode varchar(20),
    host_email citext,
    CONSTRAINT meeting_links_pkey PRIMARY KEY (tuition_id),
    CONSTRAINT meeting_links_url_key UNIQUE (url),
    CONSTRAINT meeting_links_tuition_id_fkey
        FOREIGN KEY (tuition_id) REFERENCES tuitions (id) ON DELETE CASCADE
);

CREATE TABLE tuition_logs (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    tuition_id uuid,                       -- null for a lesson outside any tuition
    teacher_id uuid NOT NULL,
    start_time timestamptz NOT NULL,
    end_time timestamptz NOT NULL,
    duration_minutes integer GENERATED ALWAYS AS (
        (extract(epoch FROM end_time - start_time) / 60)::integer
    ) STORED,
    status log_status NOT NULL DEFAULT 'ACTIVE',
    origin log_origin NOT NULL DEFAULT 'SCHEDULED',
    summary text,
    attendee_emails text[] NOT NULL DEFAULT '{}',
    corrected_from_log_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tuition_logs_pkey PRIMARY KEY (id),
    CONSTRAINT tuition_logs_tuition_id_fkey FOREIGN KEY (tuition_id) REFERENCES tuitions (id),
    CONSTRAINT tuition_logs_teacher_id_fkey
        FOREIGN KEY (teacher_id) REFERENCES teachers (user_id),
    CONSTRAINT tuition_logs_corrected_from_fkey
        FOREIGN KEY (corrected_from_log_id) REFERENCES tuition_logs (id),
    CONSTRAINT tuition_logs_times_check CHECK (start_time < end_time)
);
CREATE INDEX tuition_logs_tuition_id_idx ON tuition_logs (tuition_id);
CREATE INDEX tuition_logs_teacher_id_start_time_idx ON tuition_logs (teacher_id, start_time);
CREATE INDEX tuition_logs_corrected_from_idx ON tuition_logs (corrected_from_log_id)
    WHERE corrected_from_log_id IS NOT NULL;
CREATE TRIGGER tuition_logs_set_updated_at BEFORE UPDATE ON tuition_logs
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Money -------------------------------------------------------------------------------------

CREATE TABLE tuition_log_charges (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    log_id uuid NOT NULL,
    student_id uuid NOT NULL,
    parent_id uuid NOT NULL,
    cost money_amount NOT NULL,
    CONSTRAINT tuition_log_charges_pkey PRIMARY KEY (id),
    CONSTRAINT tuition_log_charges_log_student_key UNIQUE (log_id, student_id),
    CONSTRAINT tuition_log_charges_log_id_fkey
        FOREIGN KEY (log_id) REFERENCES tuition_logs (id) ON DELETE CASCADE,
    CONSTRAINT tuition_log_charges_student_id_fkey
        FOREIGN KEY (student_id) REFERENCES students (user_id),
    CONSTRAINT tuition_log_charges_parent_id_fkey
        FOREIGN KEY (parent_id) REFERENCES parents (user_id)
);
CREATE INDEX tuition_log_charges_student_id_idx ON tuition_log_charges (student_id);
CREATE INDEX tuition_log_charges_parent_id_idx ON tuition_log_charges (parent_id);

CREATE TABLE payments (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    parent_id uuid NOT NULL,
    teacher_id uuid NOT NULL,
    amount money_amount NOT NULL,
    currency char(3),
    status payment_status NOT NULL DEFAULT 'pending',
    method text,                           -- typed by hand: 'Bank transfer', 'CASH', 'card', …
    payer_name varchar(160),
    reference varchar(40) NOT NULL,
    note text,
    paid_at timestamptz,
    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_reference_key UNIQUE (reference),
    CONSTRAINT payments_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES parents (user_id),
    CONSTRAINT payments_teacher_id_fkey FOREIGN KEY (teacher_id) REFERENCES teachers (user_id)
);
CREATE INDEX payments_parent_id_idx ON payments (parent_id);
CREATE INDEX payments_teacher_id_idx ON payments (teacher_id);

CREATE TABLE invoices (
    number bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 1001),
    parent_id uuid NOT NULL,
    payment_id uuid,
    issued_on date NOT NULL,
    total money_amount NOT NULL,
    billing jsonb NOT NULL,
    receipt bytea,
    CONSTRAINT invoices_pkey PRIMARY KEY (number),
    CONSTRAINT invoices_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES parents (user_id),
    CONSTRAINT invoices_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments (id)
);
CREATE INDEX invoices_parent_id_idx ON invoices (parent_id);
CREATE UNIQUE INDEX invoices_payment_id_idx ON invoices (payment_id) WHERE payment_id IS NOT NULL;

-- Words and traces --------------------------------------------------------------------------

CREATE TABLE notes (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    author_id uuid NOT NULL,
    about_user_id uuid,
    body text NOT NULL,
    tags text[],
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notes_pkey PRIMARY KEY (id),
    CONSTRAINT notes_author_id_fkey FOREIGN KEY (author_id) REFERENCES users (id),
    CONSTRAINT notes_about_user_id_fkey FOREIGN KEY (about_user_id) REFERENCES users (id)
);
CREATE INDEX notes_author_id_idx ON notes (author_id);
CREATE INDEX notes_about_user_id_idx ON notes (about_user_id);
CREATE INDEX notes_search_idx ON notes USING gin (search);

CREATE TABLE login_sessions (
    token varchar(64) NOT NULL,
    user_id uuid NOT NULL,
    ip inet,
    user_agent text,
    expires_at timestamptz NOT NULL,
    CONSTRAINT login_sessions_pkey PRIMARY KEY (token),
    CONSTRAINT login_sessions_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX login_sessions_user_id_idx ON login_sessions (user_id);

CREATE TABLE audit_events (
    id bigserial NOT NULL,
    occurred_at timestamptz NOT NULL,
    actor_id uuid,
    actor_email text,
    action varchar(40) NOT NULL,
    details jsonb NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id, occurred_at),
    CONSTRAINT audit_events_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES users (id)
) PARTITION BY RANGE (occurred_at);
CREATE TABLE audit_events_2023 PARTITION OF audit_events
    FOR VALUES FROM ('2023-01-01 00:00:00+00') TO ('2024-01-01 00:00:00+00');
CREATE TABLE audit_events_2024 PARTITION OF audit_events
    FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00');
CREATE TABLE audit_events_rest PARTITION OF audit_events DEFAULT;
CREATE INDEX audit_events_actor_id_idx ON audit_events (actor_id);

-- Views -------------------------------------------------------------------------------------

CREATE VIEW parent_balances AS
SELECT p.user_id AS parent_id,
       coalesce(c.charged, 0) AS charged,
       coalesce(m.paid, 0) AS paid,
       coalesce(c.charged, 0) - coalesce(m.paid, 0) AS due
FROM parents p
LEFT JOIN (
    SELECT g.parent_id, sum(g.cost) AS charged
    FROM tuition_log_charges g
    JOIN tuition_logs l ON l.id = g.log_id AND l.status = 'ACTIVE'
    GROUP BY g.parent_id
) c ON c.parent_id = p.user_id
LEFT JOIN (
    SELECT parent_id, sum(amount) AS paid
    FROM payments
    WHERE status = 'settled'
    GROUP BY parent_id
) m ON m.parent_id = p.user_id;

CREATE MATERIALIZED VIEW teacher_hours AS
SELECT l.teacher_id,
       date_trunc('month', l.start_time AT TIME ZONE 'UTC')::date AS month,
       count(*) AS lessons,
       sum(l.duration_minutes) AS minutes
FROM tuition_logs l
WHERE l.status = 'ACTIVE'
GROUP BY 1, 2
WITH NO DATA;
CREATE UNIQUE INDEX teacher_hours_idx ON teacher_hours (teacher_id, month);

COMMENT ON TABLE users IS 'Everybody who can log in; the role decides the joined table.';
COMMENT ON COLUMN tuition_logs.corrected_from_log_id IS 'The void log that this one replaces.';
