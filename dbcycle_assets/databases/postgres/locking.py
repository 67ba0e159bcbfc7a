"""The lock of one PostgreSQL database: a session-level advisory lock in a session of its own.

It is tried and waited for, never queued for: a queued lock holds a snapshot, on which CREATE INDEX
CONCURRENTLY would wait in turn. The session's name tells everybody whose it is.
"""

import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from ...errors import GuardRefused, Locked, ServerUnavailable, on_one_line
from ..migrating import Holder
from .session import Connection, translated

KEY = (1_684_169_571, 1)
"""The two numbers of the advisory lock; every writer of ``dbcycle db`` takes it."""

WORKER = "dbcycle step"
"""The name of the sessions in which steps run."""

_HELD = """
SELECT a.pid, a.application_name, a.usename, a.client_addr::text AS address,
       to_char(a.state_change AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS since
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""
_BLOCKERS = """
SELECT a.pid, a.usename, a.application_name,
       string_agg(DISTINCT l.relation::regclass::text, ', ') AS tables
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'relation' AND l.granted AND l.relation >= 16384
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND a.pid <> pg_catalog.pg_backend_pid()
GROUP BY a.pid, a.usename, a.application_name ORDER BY a.pid
"""
_POOLED = 3
_ORPHAN_PATIENCE = 3.0
_GONE_PATIENCE = 30.0


def label(holder: Holder) -> str:
    """Return the name of a lock's session; the server cuts it off at 63 bytes."""
    host = re.sub(r"[^\w.-]", "_", holder.host)[:25]
    return f"dbcycle lock {holder.pid} {host} {re.sub(r'[^!-~]', '_', holder.user)}"[:63]


def holder(connection: Connection) -> Holder | None:
    """Return who holds the lock of the connection's database, if anybody."""
    row = connection.execute(_HELD, list(KEY)).fetchone()
    if row is None:
        return None
    match = re.match(r"dbcycle lock (\d+) (\S+) (\S+)", row["application_name"] or "")
    since = row["since"] or "an unknown time"
    if match is None:
        return Holder(0, row["address"] or "?", row["usename"] or "?", since, row["pid"] or 0)
    return Holder(int(match[1]), match[2], match[3], since, row["pid"])


@contextmanager
def locked(connect: Callable[[], Connection], mine: Holder, wait: float) -> Iterator[Connection]:
    """Hold the lock of a database; see the protocol.

    Raises:
        Locked: somebody else has it still; the message names the holder and since when.
    """
    with translated("the lock"):
        connection = connect()
    try:
        with translated("the lock"):
            connection.execute("SELECT set_config('application_name', %s, false)", [label(mine)])
            if connection.info.server_version >= 140000:  # noqa: PLR2004 - PostgreSQL 14
                # An idle session must stay, however long a step takes.
                connection.execute("SELECT set_config('idle_session_timeout', '0', false)")
            _refuse_pooler(connection, connect)
            _take(connection, wait)
            _wait_for_orphans(connection)
        yield connection
    finally:
        connection.close()


def blockers(connection: Connection) -> list[str]:
    """Return the sessions of others that hold locks on tables of the connection's database: who,
    and which tables; never what they run, which may hold values.
    """
    rows = connection.execute(_BLOCKERS).fetchall()
    return [
        f"process {row['pid']} of {row['usename'] or '?'}"
        f"{' (' + row['application_name'] + ')' if row['application_name'] else ''}"
        f" on {on_one_line(row['tables'])}"
        for row in rows
    ]


def held(connection: Connection) -> bool:
    """Tell whether the connection's session still has the lock."""
    try:
        row = connection.execute(
            "SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = %s"
            " AND objid = %s AND pid = pg_catalog.pg_backend_pid() AND granted",
            list(KEY),
        ).fetchone()
    except psycopg.Error:
        return False
    return row is not None


def release(connection: Connection, found: Holder) -> None:
    """End the session that holds the lock; see the protocol.

    Raises:
        GuardRefused: the server does not let us.
    """
    try:
        connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [found.session])
    except psycopg.errors.InsufficientPrivilege:
        raise GuardRefused(
            f"the session of {found} belongs to another role",
            remedy=f"let that role, or an administrator, run "
            f"`SELECT pg_terminate_backend({found.session})`",
        ) from None


def _refuse_pooler(connection: Connection, connect: Callable[[], Connection]) -> None:
    """Refuse a pooler that gives one session of the server to several clients in turn: a lock
    there is nobody's, and what one client sets, another one has.

    Only a pooler tells another process than the one that serves the session. Whether it shares
    sessions shows when a second client finds what the first has set, or the first is elsewhere.

    Raises:
        GuardRefused: it does; nothing was changed.
    """
    own = _session(connection)
    if own == connection.info.backend_pid:
        return
    mark = secrets.token_hex(8)
    for _ in range(_POOLED):
        connection.execute("SELECT set_config('dbcycle.session', %s, false)", [mark])
        other = connect()
        try:
            row = other.execute(
                "SELECT current_setting('dbcycle.session', true) AS mark"
            ).fetchone()
        finally:
            other.close()
        if (row is not None and row["mark"] == mark) or _session(connection) != own:
            raise GuardRefused(
                "the connection goes through a pooler that shares sessions between its clients",
                where=f"{connection.info.host}:{connection.info.port}",
                remedy="use the direct endpoint of the server (its own port, often 5432), or the "
                "pooler's session mode",
            )


def _session(connection: Connection) -> int:
    row = connection.execute("SELECT pg_catalog.pg_backend_pid() AS pid").fetchone()
    return int(row["pid"]) if row is not None else 0


def _take(connection: Connection, wait: float) -> None:
    end = time.monotonic() + wait
    while True:
        row = connection.execute(
            "SELECT pg_catalog.pg_try_advisory_lock(%s, %s) AS taken", list(KEY)
        ).fetchone()
        if row is not None and row["taken"]:
            return
        if time.monotonic() >= end:
            found = holder(connection)
            raise Locked(
                f"another run holds this database: {found or 'it has just ended'}",
                remedy="wait for it to end and run again; `dbcycle db unlock` frees a lock that "
                "was left behind",
            )
        time.sleep(random.uniform(0.05, 0.25))  # noqa: S311 - not a secret


def _wait_for_orphans(connection: Connection) -> None:
    """Wait until no step of a killed run is executed any more: whoever runs one without the lock
    is an orphan, since the lock is ours now.
    """
    started = time.monotonic()
    while True:
        rows = connection.execute(
            "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name = %s"
            " AND datname = current_database() AND pid <> pg_catalog.pg_backend_pid()",
            [WORKER],
        ).fetchall()
        if not rows:
            return
        waited = time.monotonic() - started
        if waited > _GONE_PATIENCE:
            raise ServerUnavailable(
                f"the server still runs a step of a killed run (session {rows[0]['pid']})",
                remedy="end that session and run again",
            )
        if waited > _ORPHAN_PATIENCE:
            for row in rows:
                connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [row["pid"]])
        time.sleep(0.1)
