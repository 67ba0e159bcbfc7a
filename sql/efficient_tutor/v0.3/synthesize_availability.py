"""Give every teacher and student the weekly availability that v0.3 asks for.

Teachers and students are free at the hours at which they had lessons; everybody else of them gets
two slots chosen by a hash of the account's id. No clock and no chance: the same dump, the same rows.
"""

import sqlalchemy as sa

_ID = "encode(substring(sha256(convert_to({}, 'UTF8')) FOR 16), 'hex')::uuid"

_FROM_LESSONS = f"""
INSERT INTO availability_intervals (id, user_id, day, starts_at, ends_at, kind)
SELECT {_ID.format("'availability:' || s.user_id || ':' || s.day || ':' || s.hour")},
       s.user_id,
       (enum_range(NULL::weekday))[s.day],
       make_time(s.hour, 0, 0),
       make_time(s.hour, 0, 0) + interval '59 minutes',
       (CASE WHEN s.lessons > 2 THEN 'preferred' ELSE 'available' END)::availability_kind
FROM (
    SELECT x.user_id, x.day, x.hour, count(*) AS lessons
    FROM (
        SELECT l.teacher_id AS user_id,
               extract(isodow FROM l.start_time AT TIME ZONE 'UTC')::int AS day,
               extract(hour FROM l.start_time AT TIME ZONE 'UTC')::int AS hour
        FROM tuition_logs l
        WHERE l.status = 'ACTIVE'
        UNION ALL
        SELECT c.student_id,
               extract(isodow FROM l.start_time AT TIME ZONE 'UTC')::int,
               extract(hour FROM l.start_time AT TIME ZONE 'UTC')::int
        FROM tuition_log_charges c
        JOIN tuition_logs l ON l.id = c.log_id
        WHERE l.status = 'ACTIVE'
    ) AS x
    GROUP BY x.user_id, x.day, x.hour
    HAVING count(*) > 1
) AS s
"""

_FROM_HASH = f"""
INSERT INTO availability_intervals (id, user_id, day, starts_at, ends_at)
SELECT {_ID.format("'availability:' || u.id || ':' || n.slot")},
       u.id,
       (enum_range(NULL::weekday))[1 + (get_byte(h.digest, n.slot) + 3 * n.slot) % 7],
       make_time(14 + n.slot * 2 + get_byte(h.digest, 8 + n.slot) % 2, 0, 0),
       make_time(15 + n.slot * 2 + get_byte(h.digest, 8 + n.slot) % 2, 30, 0)
FROM users u
CROSS JOIN LATERAL (SELECT sha256(convert_to('slots:' || u.id, 'UTF8')) AS digest) AS h
CROSS JOIN generate_series(0, 1) AS n (slot)
WHERE u.role IN ('teacher', 'student')
  AND NOT EXISTS (SELECT FROM availability_intervals a WHERE a.user_id = u.id)
"""


def run(connection, step):
    """Fill availability_intervals; return how many came from lessons and how many from hashes."""
    lessons = connection.execute(sa.text(_FROM_LESSONS)).rowcount
    hashes = connection.execute(sa.text(_FROM_HASH)).rowcount
    return f"{lessons} intervals from lessons held, {hashes} for accounts without lessons"
