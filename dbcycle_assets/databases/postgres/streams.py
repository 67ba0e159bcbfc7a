"""Rows of large tables through psql: our own process does nothing for each row.

A driver hands over what COPY sends message by message, and each row is one. psql writes rows into a
pipe, from which they are read by the block.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from ...errors import ServerUnavailable
from .clients import ProgramFailed, environment, stream, without_password
from .session import SETTINGS, Connection, literal

BLOCK = 4 << 20
"""The bytes of a block."""
WORTH = 8 << 20
"""From so many bytes of a table on, a session of psql's own is worth its start."""


class Streams:
    """Reads tables of one database through psql."""

    def __init__(self, psql: Path, url: str, name: str) -> None:
        target = without_password(url, name)
        self._command: list[str | Path] = [psql, "-XqAt", "-v", "ON_ERROR_STOP=1"]
        self._command += ["-v", "VERBOSITY=sqlstate", "-d", target, "-f", "-"]
        self._variables = environment(url)

    def copy(self, connection: Connection, select: str, setting: str = "") -> Iterator[bytes]:
        """Yield what a query finds in blocks of whole lines, as the session would see it; a
        ``setting`` is made before.

        Raises:
            ServerUnavailable: the stream broke; what was yielded is not whole.
        """
        with tempfile.TemporaryFile() as script:
            # By its input: an argument list can be read by everybody.
            script.write(self._script(connection, select, setting).encode())
            script.seek(0)
            try:
                with stream(self._command, self._variables, script) as output:
                    yield from _whole_lines(output.fileno())
            except ProgramFailed:
                raise ServerUnavailable(
                    "the server ended the stream of a table's rows",
                    remedy="run the command again; nothing half-made was kept",
                ) from None

    def _script(self, connection: Connection, select: str, setting: str) -> str:
        settings = {**SETTINGS, "search_path": "pg_catalog"}
        lines = [
            f"SELECT set_config({literal(n)}, {literal(v)}, false);" for n, v in settings.items()
        ]
        script = ["\\o /dev/null", *lines, *([f"{setting};"] if setting else [])]
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            row = connection.execute("SELECT pg_export_snapshot() AS name").fetchone()
            script += [
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
                f"SET TRANSACTION SNAPSHOT {literal(row['name'] if row else '')};",
            ]
        return "\n".join([*script, "\\o", f"COPY ({select}) TO STDOUT;", ""])


def worth_it(connection: Connection, relation: tuple[str, str]) -> bool:
    """Tell whether a table is so large that a stream of its own is worth its start."""
    row = connection.execute(
        "SELECT coalesce((SELECT sum(pg_table_size(relid)) FROM pg_partition_tree(c.oid)),"
        " pg_table_size(c.oid)) AS size FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        relation,
    ).fetchone()
    return row is not None and row["size"] >= WORTH


def _whole_lines(handle: int) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    while data := os.read(handle, 1 << 20):
        gathered.append(data)
        size += len(data)
        if size >= BLOCK:
            whole, newline, rest = b"".join(gathered).rpartition(b"\n")
            if newline:
                yield whole + newline
            gathered, size = [rest], len(rest)
    if rest := b"".join(gathered):
        yield rest
