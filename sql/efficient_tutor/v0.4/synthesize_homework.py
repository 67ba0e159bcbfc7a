"""Give past lessons the homework that v0.4 can hold, so that the new table is not empty.

One lesson in three, chosen by a hash of the log and the student, gets one homework for each
student charged. Everything is derived from existing rows: the same dump, the same rows.
"""

import sqlalchemy as sa

_ID = "encode(substring(sha256(convert_to({}, 'UTF8')) FOR 16), 'hex')::uuid"

_HOMEWORKS = f"""
INSERT INTO homeworks (id, log_id, student_id, title, instructions, status, grade, attachments,
                       due_at, submitted_at, created_at, updated_at)
SELECT {_ID.format("'homework:' || c.log_id || ':' || c.student_id")},
       c.log_id,
       c.student_id,
       'Homework for ' || u.full_name,
       'Please send it to ' || t.email || ' before the next lesson.',
       s.status,
       CASE WHEN s.status = 'graded' THEN 40 + get_byte(h.digest, 2) % 120 / 2.0 END,
       CASE WHEN s.status IN ('submitted', 'graded')
            THEN jsonb_build_array(jsonb_build_object(
                'uploaded_by', u.email, 'pages', 1 + get_byte(h.digest, 3) % 6))
            ELSE '[]' END,
       l.end_time + interval '7 days',
       CASE WHEN s.status IN ('submitted', 'graded')
            THEN l.end_time + make_interval(hours => get_byte(h.digest, 4)) END,
       l.end_time,
       l.end_time
FROM tuition_log_charges c
JOIN tuition_logs l ON l.id = c.log_id AND l.status = 'ACTIVE'
JOIN users u ON u.id = c.student_id
JOIN users t ON t.id = l.teacher_id
CROSS JOIN LATERAL (
    SELECT sha256(convert_to('homework:' || c.log_id || ':' || c.student_id, 'UTF8')) AS digest
) AS h
CROSS JOIN LATERAL (
    SELECT (enum_range(NULL::homework_status))[1 + get_byte(h.digest, 1) % 4] AS status
) AS s
WHERE get_byte(h.digest, 0) % 3 = 0
"""

_CHAIN = """
UPDATE homeworks h
SET follows_homework_id = p.former
FROM (SELECT id, lag(id) OVER (PARTITION BY student_id ORDER BY due_at, id) AS former
      FROM homeworks) AS p
WHERE p.id = h.id AND p.former IS NOT NULL AND get_byte(uuid_send(h.id), 0) % 2 = 0
"""


def run(connection, step):
    """Fill homeworks; return how many, and how many follow an earlier one."""
    connection.execute(sa.text("ALTER TABLE homeworks DISABLE TRIGGER homeworks_set_updated_at"))
    made = connection.execute(sa.text(_HOMEWORKS)).rowcount
    chained = connection.execute(sa.text(_CHAIN)).rowcount
    connection.execute(sa.text("ALTER TABLE homeworks ENABLE TRIGGER homeworks_set_updated_at"))
    return f"{made} homeworks, {chained} of them following an earlier one"
