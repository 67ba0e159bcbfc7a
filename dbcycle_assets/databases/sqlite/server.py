"""A folder that holds a project's databases, a file each."""

import os
import re
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from ...errors import (
    BadInput,
    DbCycleError,
    GuardRefused,
    ServerUnavailable,
    Unavailable,
)
from ..migrating import Holder
from ..port import Progress, Restored, Stamp
from .catalog import refuse_virtual_tables, schema_objects
from .database import SqliteDatabase, raise_sequence
from .dumps import (
    check_header,
    clear_bookkeeping,
    copy_dump,
    examine,
    is_blank,
    remove,
    rows_by_table,
)
from .files import (
    disk_errors,
    quieten,
    read_stamp,
    require_room,
    second_name,
    sync,
    write_stamp,
)
from .locking import locked
from .pool import pool
from .session import connect, exists, failure, message_of, transaction, translated

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_BACKUP = re.compile(r"_backup_\d{8}_\d{6}_\w+\Z")
"""Databases of such a name lie in a folder of their own."""

_TRIES = 20
_CREATION = 60.0
_ABANDONED = 3600.0
_SECTIONS = {
    "pre-data": ("table", "view"),
    "keys": ("index",),
    "post-data": ("index", "trigger"),
}


class SqliteServer:
    """The protocol's Server."""

    engine = "sqlite"

    def __init__(self, folder: Path, suffix: str = ".db", mode: str = "") -> None:
        self.folder = folder.resolve()
        self._suffix = suffix
        self._mode = mode

    def __repr__(self) -> str:
        return f"SqliteServer({str(self.folder)!r})"

    def describe(self) -> str:
        """Return a short name with the version."""
        return f"SQLite {sqlite3.sqlite_version}"

    def url(self, name: str) -> str:
        """Return a URL of the database, as SQLAlchemy and most frameworks read it."""
        return f"sqlite:///{self._path(name)}"

    def file(self, name: str) -> Path | None:
        """Return the file that is the database."""
        return self._path(name)

    def exists(self, name: str) -> bool:
        """Tell whether the database is there."""
        return self._path(name).is_file()

    def stamp(self, name: str) -> Stamp | None:
        """Return the database's stamp, or None if it is absent or not ours."""
        path = self._path(name)
        return read_stamp(path) if path.is_file() else None

    def set_stamp(self, name: str, stamp: Stamp) -> None:
        """Replace the stamp of a database that carries one.

        Raises:
            GuardRefused: the database carries no stamp of this project.
        """
        self._guard(name, stamp.project)
        with self._connected(name) as connection, translated(name):
            write_stamp(connection, stamp)

    def create(self, name: str, stamp: Stamp) -> None:
        """Create an empty database; one that carries our project's stamp is dropped first.

        Raises:
            GuardRefused: a database of that name exists without our project's stamp.
        """
        with self._built(name, stamp):
            pass

    def clone(self, source: str, name: str, stamp: Stamp) -> None:
        """Create ``name`` as a copy of ``source``; same guard as :meth:`create`."""
        self._guard(source, stamp.project)
        with self._connected(source) as original, self._built(name, stamp) as copy:
            original.backup(copy)

    def seal(self, name: str) -> None:
        """Do nothing: a copy of a file needs nobody to stay away from it."""

    @contextmanager
    def copier(self, source: str) -> Iterator["SqliteCopier"]:
        """Give what copies a file; see the protocol."""
        yield SqliteCopier(self, source)

    def ensure(self, name: str, stamp: Stamp) -> bool:
        """Create an empty database unless it is there; tell whether it was made now."""
        path = self._path(name)
        if (path.is_file() and not is_blank(path)) or self._mode in {"rw", "ro"}:
            return False
        with disk_errors(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = Holder(os.getpid(), socket.gethostname(), "", "")
        with locked(path, mine, _CREATION):
            if path.is_file() and not is_blank(path):
                return False
            self.create(name, stamp)
            return True

    def duplicate(
        self, source: str, name: str, stamp: Stamp, *, end_sessions: bool, live: bool = False
    ) -> None:
        """Create ``name`` as a copy of any database; see the protocol."""
        _ = end_sessions, live  # SQLite's backup needs none to end
        require_room(self._path(source), self.folder)
        with self._connected(source) as original, self._built(name, stamp) as copy:
            original.backup(copy)

    def duplicates(self, role: str) -> list[tuple[str, Stamp]]:
        """Return the databases that carry our stamp with a role, by name."""
        folders = (self.folder, self.folder / "backups")
        for part in (part for folder in folders for part in folder.glob(f"*{self._suffix}.part")):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _ABANDONED:
                    remove(part)
        paths = sorted(path for folder in folders for path in folder.glob(f"*{self._suffix}"))
        names = [path.name.removesuffix(self._suffix) for path in paths if path.is_file()]
        found = [(name, self.stamp(name)) for name in names if _NAME.fullmatch(name)]
        return [(name, stamp) for name, stamp in found if stamp and stamp.role == role]

    def put_back(self, copy: str, name: str) -> None:
        """Write a copy over a database, through SQLite, so that no log is replayed into it.

        Raises:
            ServerUnavailable: another program keeps the database busy.
        """
        former = self.stamp(name)
        with (
            self._connected(copy) as source,
            self._connected(name) as target,
            translated(name),
        ):
            if former is None:
                source.execute("DROP TABLE IF EXISTS _dbcycle_stamp")
            else:
                write_stamp(source, former)
            source.backup(target)
        with disk_errors(self.folder):
            sync(self._path(name))
            remove(self._path(copy))

    def drop(self, name: str, project: str) -> None:
        """Drop a stamped database; absent is fine; same guard."""
        self._guard(name, project)
        path = self._path(name)
        with disk_errors(self.folder):
            remove(path)
            remove(_part(path))  # of one that was being built when its process died

    def switch(self, new: str, live: str, previous: str, project: str) -> None:
        """Make ``new`` the ``live`` database; what was live becomes ``previous``.

        The live name is never missing: the former file gets its second name before the new one
        takes its place. A switch that was cut off is finished by calling again.

        Raises:
            GuardRefused: one of them is not ours.
            ServerUnavailable: another program is writing to one of them.
        """
        for name in (new, live, previous):
            self._guard(name, project)
        if not self.exists(new):
            raise DbCycleError(f"there is no database `{new}` to switch to")
        here, there = self._path(live), self._path(previous)
        quieten(self._path(new), new)
        with disk_errors(self.folder):
            if here.is_file() and not is_blank(here):
                quieten(here, live)
                remove(there)
                second_name(here, there)
            else:
                remove(here)  # a log without its file would be replayed into the new one
            self._path(new).replace(here)
            sync(self.folder)

    @contextmanager
    def open(self, name: str, *, read_only: bool = False) -> Iterator[SqliteDatabase]:
        """Open a session; a read-only one sees one snapshot of the database.

        Raises:
            ServerUnavailable: there is no such database.
        """
        with self._connected(name) as connection:
            if read_only or self._mode == "ro":
                with translated(name):
                    connection.execute("PRAGMA query_only = ON")
            if read_only:
                with translated(name):
                    connection.execute("BEGIN")
            yield SqliteDatabase(name, connection, lambda: connect(self._path(name)))

    def begin(self, name: str) -> bool:
        """Make an empty file without our stamp, in a folder that is there, if the URL asks for
        it; tell whether it was made.
        """
        path = self._path(name)
        if self._mode != "rwc" or path.exists() or not path.parent.is_dir():
            return False
        with disk_errors(self.folder):
            path.touch(mode=0o600)
        return True

    def pool(
        self, name: str, *, size: int, foreign_keys: bool = True, echo: bool = False
    ) -> sqlalchemy.Engine:
        """Return a pool of sessions for an application; see the protocol."""
        mode = "ro" if self._mode == "ro" else "rw"
        return pool(self._path(name), mode, size=size, foreign_keys=foreign_keys, echo=echo)

    def restore(self, dump: Path, name: str, stamp: Stamp, progress: Progress) -> Restored:
        """Restore a dump into a new database ``name``; nothing is left behind on failure, and the
        dump stays as it is.

        Raises:
            DumpError: with a diagnosis that names the fix.
        """
        check_header(dump)
        with self._building(name, stamp.project) as part:
            copy_dump(dump, part, progress)
            with closing(connect(part)) as connection:
                progress("checking every page")
                notes = examine(connection, dump)
                with translated(str(dump)):
                    clear_bookkeeping(connection)
                    write_stamp(connection, stamp)
                    rows = rows_by_table(connection)
        return Restored(rows, notes)

    def copy_schema(self, source: str, target: str, section: str, progress: Progress) -> None:
        """Build part of ``source``'s schema in ``target``: ``pre-data`` are the tables and views,
        ``keys`` the indexes that it lacks, ``post-data`` these and the triggers.

        Raises:
            BadInput: a unique index does not hold over the rows of ``target``.
        """
        kinds = _SECTIONS[section]
        with self._connected(source) as original, self._connected(target) as copy:
            with translated(source):
                objects = schema_objects(original)
                refuse_virtual_tables(objects)
                numbers = [
                    original.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("user_version", "application_id")
                ]
                sequences = (
                    original.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
                    if exists(original, "sqlite_sequence")
                    else []
                )
            present = {name for _, name, _, _ in schema_objects(copy)}
            chosen = [
                (kind, name, sql)
                for kind, name, _, sql in objects
                if kind in kinds and name not in present
            ]
            progress(f"building {len(chosen)} {' and '.join(f'{kind}s' for kind in kinds)}")
            with translated(target), transaction(copy):
                for kind, name, sql in sorted(chosen, key=lambda x: kinds.index(x[0])):
                    _create(copy, kind, name, sql or "")
                if section == "post-data":
                    for name, number in sequences:
                        raise_sequence(copy, name, number)
                copy.execute(f"PRAGMA user_version = {int(numbers[0])}")
                copy.execute(f"PRAGMA application_id = {int(numbers[1])}")

    def shell_command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Return the interactive client's command; there are no secrets.

        Raises:
            Unavailable: no client is installed.
        """
        path = str(self._path(name))
        if (program := shutil.which("sqlite3")) is not None:
            return [program, path], {}
        if sys.version_info >= (3, 12):
            return [sys.executable, "-m", "sqlite3", path], {}
        raise Unavailable(
            "the program sqlite3 is not installed",
            remedy="install it (package sqlite3), or use Python 3.12 or newer, which brings one",
        )

    def stop(self) -> None:
        """Do nothing: there is no server."""

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise DbCycleError(
                f"`{name}` cannot name a database",
                remedy="use letters, digits, underscores, dots and hyphens",
            )
        folder = self.folder / "backups" if _BACKUP.search(name) else self.folder
        return folder / f"{name}{self._suffix}"

    @contextmanager
    def _connected(self, name: str) -> Iterator[sqlite3.Connection]:
        path = self._path(name)
        if not path.is_file():
            raise ServerUnavailable(
                f"there is no database `{name}`", where=str(self.folder), remedy="build it first"
            )
        with translated(name):
            connection = connect(path)
        with closing(connection):
            yield connection

    def _guard(self, name: str, project: str) -> None:
        """Refuse to touch a database that does not carry the project's stamp; absent is fine.

        Raises:
            GuardRefused: it does not.
        """
        path = self._path(name)
        if not os.path.lexists(path) or is_blank(path):
            return
        stamp = read_stamp(path) if path.is_file() else None
        if stamp is None:
            raise GuardRefused(
                f"the database `{name}` was not made by this product; it is left alone",
                where=str(path),
                remedy="move or delete it yourself if it is in the way",
            )
        if stamp.project != project:
            raise GuardRefused(
                f"the database `{name}` belongs to project `{stamp.project}`, not `{project}`",
                where=str(path),
                remedy="give this project another name",
            )

    @contextmanager
    def _built(self, name: str, stamp: Stamp) -> Iterator[sqlite3.Connection]:
        """Build a database beside its place; it gets its stamp, then its name."""
        with (
            self._building(name, stamp.project) as part,
            translated(name),
            closing(connect(part)) as connection,
        ):
            yield connection
            connection.execute("PRAGMA journal_mode = DELETE")
            write_stamp(connection, stamp)

    @contextmanager
    def _building(self, name: str, project: str) -> Iterator[Path]:
        """Give a file to build a database in: whole under its name afterwards, or gone."""
        self._guard(name, project)
        path = self._path(name)
        part = _part(path)
        with disk_errors(self.folder):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove(part)
            # Production's rows are nobody else's business.
            part.touch(mode=0o600)
            try:
                yield part
                sync(part)
                remove(path)
                part.replace(path)
                sync(path.parent)
            except BaseException:
                remove(part)
                raise


@dataclass(frozen=True)
class SqliteCopier:
    """The protocol's Copier."""

    server: SqliteServer
    source: str

    def make(self, name: str, stamp: Stamp) -> None:
        """Make one copy."""
        self.server.clone(self.source, name, stamp)

    def drop(self, name: str) -> None:
        """Drop one that it made."""
        stamp = self.server.stamp(name)
        if stamp is not None:
            self.server.drop(name, stamp.project)


def _part(path: Path) -> Path:
    """Return where a database is built before it has its name."""
    return path.with_name(f"{path.name}.part")


def _create(connection: sqlite3.Connection, kind: str, name: str, sql: str) -> None:
    try:
        connection.execute(sql)
    except sqlite3.IntegrityError as error:
        raise BadInput(
            f"the unique {kind} {name} does not hold over the new rows: {message_of(error)}",
            remedy="choose rules that keep the values of its columns distinct",
        ) from None
    except sqlite3.Error as error:
        raise failure(error, f"{kind} {name}") from None
