-- A note may comment on a homework; open homework is a view.

ALTER TABLE notes ADD COLUMN homework_id uuid;
ALTER TABLE notes ADD CONSTRAINT notes_homework_id_fkey
    FOREIGN KEY (homework_id) REFERENCES homeworks (id) ON DELETE SET NULL;
CREATE INDEX notes_homework_id_idx ON notes (homework_id) WHERE homework_id IS NOT NULL;

CREATE VIEW open_homeworks AS
SELECT h.id, h.student_id, u.full_name AS student, h.title, h.due_at
FROM homeworks h
JOIN users u ON u.id = h.student_id
WHERE h.status = 'assigned';
