"""A PostgreSQL server, embedded or at a URL, that holds a project's databases."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy

from ...errors import DbCycleError, GuardRefused, ServerUnavailable
from ..port import Progress, Restored, Stamp
from . import copies
from .clients import Clients, choose, environment, installed, without_password
from .copies import PostgresCopier
from .database import PostgresDatabase
from .pool import pool
from .restoring import Restore
from .resuming import resume
from .session import (
    Connection,
    connect,
    connection_facts,
    drop_database,
    identifier,
    lost_lines,
    place,
    query,
    statement,
    translated,
    with_database,
)
from .stamps import HALF_MADE, facts_of, make_database, stamp_of, write_stamp
from .streams import Streams

_TRIES = 20


@dataclass(frozen=True)
class PostgresServer:
    """The protocol's Server.

    ``admin_url`` logs in as one who may create extensions, where that is another role;
    ``programs`` finds the folder of the embedded installation's programs; ``on_stop`` stops it.
    """

    base_url: str
    admin_url: str | None = None
    programs: Callable[[], Path | None] = lambda: None
    embedded: bool = False
    on_stop: Callable[[], None] | None = None

    engine = "postgresql"

    def __repr__(self) -> str:
        return f"PostgresServer({place(connection_facts(self.base_url))})"

    def describe(self) -> str:
        """Return a short name with the version, without a password."""
        with self._administer() as connection:
            row = connection.execute("SHOW server_version").fetchone()
        version = str(row["server_version"]).split(" ", 1)[0] if row else "?"
        where = "embedded" if self.embedded else place(connection_facts(self.base_url))
        return f"PostgreSQL {version} ({where})"

    def url(self, name: str) -> str:
        """Return a URL of the database with everything needed to connect."""
        return with_database(self.base_url, name)

    def file(self, name: str) -> Path | None:  # noqa: ARG002
        """Return None: a server holds the databases."""
        return None

    def exists(self, name: str) -> bool:
        """Tell whether the database is there."""
        return self._facts(name) is not None

    def stamp(self, name: str) -> Stamp | None:
        """Return the database's stamp, or None if it is absent or not ours."""
        facts = self._facts(name)
        return stamp_of(facts["comment"]) if facts else None

    def set_stamp(self, name: str, stamp: Stamp) -> None:
        """Replace the stamp of a database that carries one.

        Raises:
            GuardRefused: the database carries no stamp of this project.
        """
        with self._administer() as connection:
            self._guard(connection, name, stamp.project)
            write_stamp(connection, name, stamp)

    def create(self, name: str, stamp: Stamp) -> None:
        """Create an empty database; one that carries our project's stamp is dropped first.

        Raises:
            GuardRefused: a database of that name exists without our project's stamp.
        """
        with self._administer() as connection:
            self._make(connection, name, stamp, "TEMPLATE template0 ENCODING 'UTF8'")

    def clone(self, source: str, name: str, stamp: Stamp) -> None:
        """Create ``name`` as a copy of ``source``; same guard as :meth:`create`."""
        with self._administer() as connection:
            self._guard(connection, source, stamp.project)
            if facts_of(connection, source) is None:
                raise DbCycleError(f"there is no database `{source}` to copy")
            _end_sessions(connection, source)
            how = f"TEMPLATE {identifier(source)}{copies.by_files(connection)}"
            self._make(connection, name, stamp, how)

    def seal(self, name: str) -> None:
        """Let nobody connect to a database; see the protocol."""
        with self._administer() as connection:
            _end_sessions(connection, name)
            connection.execute(
                statement(f"ALTER DATABASE {identifier(name)} ALLOW_CONNECTIONS false")
            )

    @contextmanager
    def copier(self, source: str) -> Iterator["PostgresCopier"]:
        """Give what copies a sealed database over one session of its own; see the protocol."""
        with self._administer() as connection:
            yield PostgresCopier(connection, source)

    def _make(self, connection: Connection, name: str, stamp: Stamp, how: str) -> None:
        if len(name.encode()) > 63:  # noqa: PLR2004 - longer names are cut off silently
            raise DbCycleError(
                f"the database name `{name}` is too long", remedy="give the project a shorter name"
            )
        self._guard(connection, name, stamp.project)
        self._drop(connection, name)
        make_database(connection, name, how, stamp)

    def ensure(self, name: str, stamp: Stamp) -> bool:
        """Create an empty database unless it is there; tell whether it was made now."""
        with self._administer() as connection:

            def make() -> bool:
                facts = facts_of(connection, name)
                if facts is not None and facts["connection_limit"] != HALF_MADE:
                    return False
                self._make(connection, name, stamp, "TEMPLATE template0 ENCODING 'UTF8'")
                return True

            facts = facts_of(connection, name)
            if facts is not None and facts["connection_limit"] != HALF_MADE:
                return False
            with translated(name):
                return copies.once(connection, make)

    def duplicate(
        self, source: str, name: str, stamp: Stamp, *, end_sessions: bool, live: bool = False
    ) -> None:
        """Create ``name`` as a copy of any database; see the protocol.

        Raises:
            ServerUnavailable: others are connected to the source, they are not to be ended, and
                nobody asked for a live copy.
            DbCycleError: the live copy failed; nothing is left of it.
        """
        with self._administer() as connection:
            how = copies.like(connection, source)
            if end_sessions:
                _end_sessions(connection, source)
            elif (busy := copies.sessions(connection, source)) and live:
                self._copy_live(connection, source, name, stamp)
                return
            elif busy:
                raise ServerUnavailable(
                    f"{busy} other sessions use the database, so that it cannot be copied",
                    where=source,
                    remedy="close them and run again",
                )
            self._make(connection, name, stamp, how + copies.by_files(connection))

    def _copy_live(self, connection: Connection, source: str, name: str, stamp: Stamp) -> None:
        """Copy a database through pg_dump; it has its stamp once it is whole."""
        for left, known in self.duplicates(copies.UNFINISHED):
            if known.project == stamp.project and not copies.sessions(connection, left):
                self._drop(connection, left)
        unfinished = replace(stamp, role=copies.UNFINISHED)
        self._make(connection, name, unfinished, copies.empty_like(connection, source))
        try:
            copies.pour(self._fitting, self.admin_url or self.base_url, source, name)
        except BaseException:
            self._drop(connection, name)
            raise
        write_stamp(connection, name, stamp)

    def duplicates(self, role: str) -> list[tuple[str, Stamp]]:
        """Return the databases that carry our stamp with a role, by name."""
        with self._administer() as connection:
            rows = connection.execute(
                "SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') AS comment"
                " FROM pg_catalog.pg_database ORDER BY datname"
            ).fetchall()
        found = [(row["datname"], stamp_of(row["comment"])) for row in rows]
        return [(name, stamp) for name, stamp in found if stamp and stamp.role == role]

    def put_back(self, copy: str, name: str) -> None:
        """Let a copy take the place and name of a database, whoever made that; see the protocol."""
        with self._administer() as connection:
            copies.put_back(connection, copy, name, lambda each: _end_sessions(connection, each))

    def drop(self, name: str, project: str) -> None:
        """Drop a stamped database and its sessions; absent is fine; same guard."""
        with self._administer() as connection:
            self._guard(connection, name, project)
            self._drop(connection, name)

    def _drop(self, connection: Connection, name: str) -> None:
        with translated(name):
            _end_sessions(connection, name)
            drop_database(connection, name)

    def switch(self, new: str, live: str, previous: str, project: str) -> None:
        """Make ``new`` the ``live`` database; what was live becomes ``previous``.

        Both renames are one transaction: a kill leaves all names as they were, or as they shall
        be, and the next call has nothing left to finish.
        """
        with self._administer() as connection:
            for name in (new, live, previous):
                self._guard(connection, name, project)
            if facts_of(connection, new) is None:
                raise DbCycleError(f"there is no database `{new}` to switch to")
            replaces = facts_of(connection, live) is not None
            if replaces:
                self._drop(connection, previous)
            renames = [(live, previous), (new, live)] if replaces else [(new, live)]
            for _ in range(_TRIES):
                # Someone may connect after the sessions ended; then we try again.
                with translated(live), suppress(psycopg.errors.ObjectInUse):
                    _rename(connection, renames)
                    return
                time.sleep(0.1)
        raise ServerUnavailable(
            "other sessions keep the database busy",
            where=live,
            remedy="close them and run again; nothing was switched",
        )

    @contextmanager
    def open(self, name: str, *, read_only: bool = False) -> Iterator[PostgresDatabase]:
        """Open a session; a read-only one sees one snapshot of the database.

        Raises:
            ServerUnavailable: cannot connect.
        """
        connection = connect(self.base_url, name)
        try:
            with lost_lines(name):
                if read_only:
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield PostgresDatabase(
                    name, connection, lambda: connect(self.base_url, name), self._streams(name)
                )
        finally:
            connection.close()

    def begin(self, name: str) -> bool:  # noqa: ARG002
        """Return that nothing was made: a database on a server is its owner's to make."""
        return False

    def pool(
        self, name: str, *, size: int, foreign_keys: bool = True, echo: bool = False
    ) -> sqlalchemy.Engine:
        """Return a pool of sessions for an application; see the protocol."""
        return pool(self.base_url, name, size=size, foreign_keys=foreign_keys, echo=echo)

    def restore(self, dump: Path, name: str, stamp: Stamp, progress: Progress) -> Restored:
        """Restore a dump into a new database ``name``; nothing is left behind on failure.

        Raises:
            DumpError: with a diagnosis that names the fix.
        """
        work = Restore(
            dump,
            self.base_url,
            name,
            self._clients[-1],
            lambda: connect(self.base_url, name),
            lambda: connect(self.admin_url or self.base_url, name),
            progress,
        )
        work.check()
        self.create(name, stamp)
        try:
            with lost_lines(name):
                return work.run()
        except BaseException:
            self.drop(name, stamp.project)
            raise

    def copy_schema(self, source: str, target: str, section: str, progress: Progress) -> None:
        """Build part of ``source``'s schema in ``target``: ``section`` is ``pre-data`` (types,
        functions, tables, views) or ``post-data`` (indexes, keys, triggers).
        """
        work = Restore(
            Path(source),
            self.base_url,
            target,
            self._clients[-1],
            lambda: connect(self.base_url, target),
            lambda: connect(self.admin_url or self.base_url, target),
            progress,
        )
        extensions: list[tuple[str, str | None]] = []
        if section == "pre-data":
            with lost_lines(source), connect(self.base_url, source) as connection:
                rows = connection.execute(query("extensions")).fetchall()
            extensions = [(row["name"], row["schema"]) for row in rows]
        with lost_lines(target):
            work.copy_schema(source, section, extensions, self._fitting)
            if section == "post-data":
                with (
                    connect(self.base_url, source) as former,
                    connect(self.base_url, target) as copy,
                ):
                    resume(former, copy)

    def shell_command(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Return psql's command and extra environment (the password stays there)."""
        psql = self._fitting.program("psql")
        return [str(psql), without_password(self.base_url, name)], environment(self.base_url)

    def stop(self) -> None:
        """Stop the server if it is embedded; otherwise do nothing."""
        if self.on_stop is not None:
            self.on_stop()

    @cached_property
    def _clients(self) -> list[Clients]:
        """All installations at hand; the newest reads every archive."""
        return installed(self.programs())

    @cached_property
    def _fitting(self) -> Clients:
        """The installation that fits the server."""
        with self._administer() as connection:
            return choose(connection.info.server_version // 10000, self._clients)

    def _streams(self, name: str) -> Streams | None:
        """Return how to read large tables fast, or nothing where psql is not at hand."""
        try:
            psql = self._fitting.program("psql")
        except ServerUnavailable:
            return None
        return Streams(psql, self.base_url, name) if psql.is_file() else None

    @contextmanager
    def _administer(self) -> Iterator[Connection]:
        connection = connect(self.base_url)
        try:
            with lost_lines(place(connection_facts(self.base_url))):
                yield connection
        finally:
            connection.close()

    def _facts(self, name: str) -> Mapping[str, Any] | None:
        with self._administer() as connection:
            return facts_of(connection, name)

    def _guard(self, connection: Connection, name: str, project: str) -> None:
        """Refuse to touch a database that does not carry the project's stamp; absent is fine.

        Raises:
            GuardRefused: it does not.
        """
        facts = facts_of(connection, name)
        if facts is None or facts["connection_limit"] == HALF_MADE:
            return
        stamp = stamp_of(facts["comment"])
        if stamp is None:
            raise GuardRefused(
                f"the database `{name}` was not made by this product; it is left alone",
                where=place(connection_facts(self.base_url)),
                remedy="rename or drop it yourself if it is in the way",
            )
        if stamp.project != project:
            raise GuardRefused(
                f"the database `{name}` belongs to project `{stamp.project}`, not `{project}`",
                where=place(connection_facts(self.base_url)),
                remedy="give this project another name",
            )


def _rename(connection: Connection, renames: Sequence[tuple[str, str]]) -> None:
    """Rename databases in one transaction; their sessions end first."""
    with connection.transaction():
        for name, to in renames:
            _end_sessions(connection, name)
            connection.execute(
                statement(f"ALTER DATABASE {identifier(name)} RENAME TO {identifier(to)}")
            )


def _end_sessions(connection: Connection, name: str) -> None:
    """End the sessions on one of our databases, and wait until they are gone."""
    for _ in range(_TRIES):
        ended = connection.execute(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() AND usename = current_user",
            [name],
        ).fetchall()
        if not ended:
            return
        time.sleep(0.02)
