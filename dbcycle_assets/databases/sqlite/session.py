"""Connections with fixed settings, quoted identifiers, and errors without values."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy

from ...errors import Cancelled, DbCycleError, DiskUnavailable, ServerUnavailable, on_one_line
from .. import stopping
from .values import text_of

OURS = "_dbcycle_"
"""What the names of our own bookkeeping tables start with."""

SIBLINGS = ("-wal", "-shm", "-journal")
"""What SQLite may keep beside a database file."""

_PATIENCE = 30.0
_STEPS = 500_000
"""After how many instructions of SQLite's machine a signal is looked for: some milliseconds."""
_TRIGGER = 1811  # SQLITE_CONSTRAINT_TRIGGER: the text is the trigger's own
_QUOTED = re.compile(r"'(?:[^']|'')*'")


def identifier(name: str) -> str:
    """Return a quoted identifier: the one place where names become SQL."""
    return '"' + name.replace('"', '""') + '"'


def connect(path: Path, mode: str = "rw", *, immutable: bool = False) -> sqlite3.Connection:
    """Open a file in autocommit mode with fixed settings; nothing is read from it yet."""
    uri = f"{path.resolve().as_uri()}?mode={mode}{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = text_of
    # Python looks for signals between its own instructions only: a long statement has to give it
    # some, or Ctrl-C would wait for its end.
    connection.set_progress_handler(_go_on, _STEPS)
    settle(connection)
    return connection


def _go_on() -> int:
    return int(stopping.due())


def settle(connection: sqlite3.Connection) -> None:
    """Give a session our fixed settings."""
    # Off while rebuilding and loading (a DROP TABLE would cascade); anti-joins prove the keys.
    connection.execute("PRAGMA foreign_keys = OFF")
    # A file from elsewhere may hold hostile views, triggers and pages.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # What a table held before its rule changed must not stay in free pages of what we publish.
    connection.execute("PRAGMA secure_delete = ON")


@contextmanager
def sqlalchemy_transaction(
    raw: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE"
) -> Iterator[sqlalchemy.Connection]:
    """Give a SQLAlchemy connection over a new connection, in one transaction; both are closed."""
    raw.text_factory = str
    engine = sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: raw,
        poolclass=sqlalchemy.pool.NullPool,
        hide_parameters=True,
    )
    # The driver begins nothing by itself here, so that DDL is inside the transaction too.
    sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
        raw.close()


@contextmanager
def transaction(connection: sqlite3.Connection, *, keep: bool = True) -> Iterator[None]:
    """Commit what the block does, whole or not at all; never if it is not to be kept."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT" if keep else "ROLLBACK")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def exists(connection: sqlite3.Connection, table: str) -> bool:
    """Tell whether a table is there."""
    found = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [table]
    ).fetchone()
    return found is not None


def message_of(error: sqlite3.Error) -> str:
    """Return SQLite's message without anything that may be a value."""
    if getattr(error, "sqlite_errorcode", 0) == _TRIGGER:
        return "a trigger raised an error (its text is withheld, it may hold values)"
    return on_one_line(_QUOTED.sub("…", str(error)))


def failure(
    error: sqlite3.Error, where: str, kind: type[DbCycleError] = DbCycleError
) -> DbCycleError:
    """Return our error for SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    message = message_of(error)
    if code == sqlite3.SQLITE_INTERRUPT:
        return Cancelled("stopped; nothing half-made was kept", where=where)
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}:
        return DiskUnavailable(
            f"SQLite cannot write: {message}",
            where=where,
            remedy="free some space or check the folder's permissions, and run again",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return ServerUnavailable(
            "another program keeps the database locked",
            where=where,
            remedy=f"let its transaction end, or close it (`fuser {where}` says who has it open), "
            "and run again; nothing was changed",
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return ServerUnavailable(
            "cannot open the database file", where=where, remedy="`dbcycle doctor` tells more"
        )
    return kind(f"SQLite refused: {message}", where=where)


@contextmanager
def translated(where: str, kind: type[DbCycleError] = DbCycleError) -> Iterator[None]:
    """Turn a driver's error into one of ours, without values."""
    try:
        yield
    except sqlite3.Error as error:
        raise failure(error, where, kind) from None
