"""A project's lock on the server that holds its databases, for runs on several machines.

Advisory locks of a session of its own: exclusive for a command, shared by the steps of one Dagster
run. The server frees them when the session ends; one whose machine vanished is noticed by
keepalives within a minute and a half.
"""

import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import Locked
from .session import Connection, connect, translated

_KIND = 1_684_169_572
"""The first number of the advisory locks; the second is of the project and of what is locked."""

_HOLDER = """
SELECT a.application_name, a.client_addr::text AS address,
       to_char(a.state_change AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') AS since
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.objsubid = 2 AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.pid <> pg_catalog.pg_backend_pid()
ORDER BY a.state_change
"""
_KEEPALIVES = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10"}


@contextmanager
def claimed(url: str, project: str, action: str, run: str) -> Iterator[None]:
    """Hold a project on the server at ``url``: alone, or together with other steps of ``run``.

    Raises:
        Locked: another machine, command or run holds it; the message says who and since when.
        ServerUnavailable: cannot connect.
    """
    connection = connect(url)
    try:
        with translated("the project's lock"):
            _name(connection, action, run)
            _claim(connection, project, run)
        yield
    finally:
        connection.close()


@contextmanager
def turn(url: str, project: str, what: str) -> Iterator[None]:
    """Wait for everybody else who does the same with a project, and keep them waiting.

    Raises:
        ServerUnavailable: cannot connect.
    """
    connection = connect(url)
    try:
        with translated("the project's lock"):
            _name(connection, what, "")
            connection.execute("SELECT set_config('lock_timeout', '0', false)")
            connection.execute(
                "SELECT pg_catalog.pg_advisory_lock(%s, %s)", [_KIND, _number(project, what)]
            )
        yield
    finally:
        connection.close()


def _claim(connection: Connection, project: str, run: str) -> None:
    whole, turn = _number(project, "whole"), _number(project, "turn")
    # Who holds it is asked and changed by one session at a time.
    connection.execute("SELECT pg_catalog.pg_advisory_lock(%s, %s)", [_KIND, turn])
    try:
        if _try(connection, "pg_try_advisory_lock", whole):
            if run:
                _try(connection, "pg_try_advisory_lock_shared", whole)
                connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", [_KIND, whole])
            return
        found = connection.execute(_HOLDER, [_KIND, whole]).fetchall()
        ours = bool(run) and all(_run_of(row["application_name"]) == run[:8] for row in found)
        if ours and _try(connection, "pg_try_advisory_lock_shared", whole):
            return
        who = "it has just ended"
        if found:
            name, since = found[0]["application_name"] or "?", found[0]["since"]
            who = f"{name.removeprefix('dbcycle ')} ({found[0]['address']}), since {since}"
        raise Locked(
            f"another run holds this project on its server: {who}",
            remedy="wait for it to end, or stop it; the lock goes with its process",
        )
    finally:
        connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", [_KIND, turn])


def _try(connection: Connection, function: str, number: int) -> bool:
    row = connection.execute(
        f"SELECT pg_catalog.{function}(%s, %s) AS taken",
        [_KIND, number],
    ).fetchone()
    return bool(row and row["taken"])


def _name(connection: Connection, action: str, run: str) -> None:
    """Let the session's name tell whose it is, and let it stay however long its step takes."""
    settings = dict(_KEEPALIVES)
    if connection.info.server_version >= 140000:  # noqa: PLR2004 - PostgreSQL 14
        settings["idle_session_timeout"] = "0"
    host = re.sub(r"[^\w.-]", "_", socket.gethostname())[:20]
    what = re.sub(r"[^!-~]", "_", action)[:20]
    settings["application_name"] = f"dbcycle {f'run {run[:8]} ' if run else ''}{what} on {host}"
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])


def _run_of(name: str | None) -> str:
    match = re.match(r"dbcycle run (\S+) ", name or "")
    return match[1] if match else ""


def _number(project: str, what: str) -> int:
    digest = hashlib.sha256(f"{project}/{what}".encode()).digest()
    return int.from_bytes(digest[:4], signed=True)
