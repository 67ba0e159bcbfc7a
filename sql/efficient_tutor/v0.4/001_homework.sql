-- v0.4: homework given after a lesson.

CREATE TYPE homework_status AS ENUM ('assigned', 'submitted', 'graded', 'missed');

CREATE TABLE homeworks (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    log_id uuid NOT NULL,
    student_id uuid NOT NULL,
    title varchar(200) NOT NULL,
    instructions text,
    status homework_status NOT NULL DEFAULT 'assigned',
    grade numeric(4, 1),
    attachments jsonb NOT NULL DEFAULT '[]',
    follows_homework_id uuid,
    due_at timestamptz NOT NULL,
    submitted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT homeworks_pkey PRIMARY KEY (id),
    CONSTRAINT homeworks_log_student_key UNIQUE (log_id, student_id),
    CONSTRAINT homeworks_log_id_fkey
        FOREIGN KEY (log_id) REFERENCES tuition_logs (id) ON DELETE CASCADE,
    CONSTRAINT homeworks_student_id_fkey FOREIGN KEY (student_id) REFERENCES students (user_id),
    CONSTRAINT homeworks_follows_fkey FOREIGN KEY (follows_homework_id) REFERENCES homeworks (id),
    CONSTRAINT homeworks_grade_check CHECK (grade BETWEEN 0 AND 100),
    CONSTRAINT homeworks_graded_check CHECK (status <> 'graded' OR grade IS NOT NULL)
);
CREATE INDEX homeworks_student_id_due_at_idx ON homeworks (student_id, due_at);
CREATE INDEX homeworks_follows_idx ON homeworks (follows_homework_id);
CREATE TRIGGER homeworks_set_updated_at BEFORE UPDATE ON homeworks
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
