"""Files of SQLite databases: their stamps, and how they are brought onto the disk whole."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ...errors import DiskUnavailable, ServerUnavailable
from ..port import Stamp
from .session import connect, exists, failure, transaction

_TRIES = 20


def read_stamp(path: Path) -> Stamp | None:
    """Return the stamp in a file, or None if it has none or is no database."""
    try:
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA query_only = ON")
            if not exists(connection, "_dbcycle_stamp"):
                return None
            row = connection.execute("SELECT document FROM _dbcycle_stamp").fetchone()
        document = json.loads(row[0])
        return Stamp(
            str(document["project"]),
            str(document["role"]),
            str(document["content"]),
            dict(document["facts"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise failure(error, path.name) from None
        return None


def write_stamp(connection: sqlite3.Connection, stamp: Stamp) -> None:
    """Put a stamp into a file, in place of its former one."""
    document = {
        "project": stamp.project,
        "role": stamp.role,
        "content": stamp.content,
        "facts": dict(stamp.facts),
    }
    with transaction(connection):
        connection.execute("CREATE TABLE IF NOT EXISTS _dbcycle_stamp (document TEXT NOT NULL)")
        connection.execute("DELETE FROM _dbcycle_stamp")
        connection.execute(
            "INSERT INTO _dbcycle_stamp VALUES (?)", [json.dumps(document, sort_keys=True)]
        )


def quieten(path: Path, name: str) -> None:
    """Bring everything into the one file, with nobody writing, and onto the disk.

    Raises:
        ServerUnavailable: another program does not let go of it.
    """
    for _ in range(_TRIES):
        try:
            with closing(connect(path)) as connection:
                connection.execute("PRAGMA busy_timeout = 100")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
                if mode == "delete":
                    connection.execute("BEGIN EXCLUSIVE")
                    connection.execute("COMMIT")
                    break
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                raise failure(error, name) from None
        time.sleep(0.05)
    else:
        raise ServerUnavailable(
            "another program keeps the database busy",
            where=name,
            remedy="close it and run again; nothing was switched",
        )
    sync(path)


def second_name(path: Path, second: Path) -> None:
    """Give a file a second name; where the file system knows no links, move it."""
    try:
        os.link(path, second)
    except OSError:
        path.replace(second)


def require_room(path: Path, folder: Path) -> None:
    """Refuse to begin a copy of a file where there is no room for it.

    Raises:
        DiskUnavailable: both sizes are told.
    """
    needed, free = path.stat().st_size, shutil.disk_usage(folder).free
    if needed > free:
        raise DiskUnavailable(
            f"a copy needs {needed:,} bytes, and {free:,} are free",
            where=str(folder),
            remedy="free some space and run again; nothing was done",
        )


def sync(path: Path) -> None:
    """Force a file, or a folder's names, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full, read-only or failing disk into DiskUnavailable that names the folder."""
    try:
        yield
    except OSError as error:
        raise DiskUnavailable(
            f"cannot write: {error.strerror}",
            where=str(folder),
            remedy="check the folder's permissions and the free space",
        ) from None
