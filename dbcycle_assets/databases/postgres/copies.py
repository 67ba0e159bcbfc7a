"""Copies of whole databases on one PostgreSQL server: backups, rehearsals, and putting one back."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from ...errors import DbCycleError, ServerUnavailable
from ..port import Stamp
from .clients import Clients, ProgramFailed, environment, pipe, without_password
from .session import Connection, drop_database, identifier, literal, statement, translated
from .stamps import make_database

_KEY = 1_684_169_572
"""The advisory lock under which databases are made, so that two starters make one."""

_TRIES = 600
SUFFIX = "_replaced"

_SLOW, _SMALL = 0.1, 64 << 20
"""Seconds and bytes: a copy that takes longer, of less, may be had faster by logging its pages."""

UNFINISHED = "unfinished"
"""The role of a copy that is being filled; one without a session was left by a kill."""

_PROVIDERS = {"i": ("icu", "ICU_LOCALE"), "b": ("builtin", "BUILTIN_LOCALE")}


def once(connection: Connection, make: Callable[[], bool]) -> bool:
    """Do something on the server that nobody else does at the same time.

    Raises:
        ServerUnavailable: somebody else does not come to an end.
    """
    for _ in range(_TRIES):
        row = connection.execute(
            "SELECT pg_catalog.pg_try_advisory_lock(%s) AS taken", [_KEY]
        ).fetchone()
        if row is not None and row["taken"]:
            try:
                return make()
            finally:
                connection.execute("SELECT pg_catalog.pg_advisory_unlock(%s)", [_KEY])
        time.sleep(0.1)
    raise ServerUnavailable("another run has been making a database for a minute")


def sessions(connection: Connection, name: str) -> int:
    """Return how many sessions of others a database has."""
    row = connection.execute(
        "SELECT count(*) AS n FROM pg_catalog.pg_stat_activity WHERE datname = %s"
        " AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'",
        [name],
    ).fetchone()
    return int(row["n"]) if row else 0


def like(connection: Connection, name: str) -> str:
    """Return the clause that makes a copy belong to whom the original belongs."""
    row = connection.execute(
        "SELECT pg_catalog.pg_get_userbyid(datdba) AS owner,"
        " pg_catalog.pg_has_role(datdba, 'USAGE') AS may"
        " FROM pg_catalog.pg_database WHERE datname = %s",
        [name],
    ).fetchone()
    if row is None:
        raise DbCycleError(f"there is no database `{name}` to copy")
    return f"TEMPLATE {identifier(name)}" + (
        f" OWNER {identifier(row['owner'])}" if row["may"] else ""
    )


def by_files(connection: Connection) -> str:
    """Return the clause that copies a database's files; PostgreSQL before 15 knows no other way."""
    return " STRATEGY file_copy" if connection.info.server_version >= 150000 else ""  # noqa: PLR2004


def empty_like(connection: Connection, name: str) -> str:
    """Return the clause that makes an empty database with the locale, encoding and owner of one."""
    row = connection.execute(
        "SELECT pg_catalog.to_jsonb(d) AS facts, pg_catalog.pg_get_userbyid(datdba) AS owner,"
        " pg_catalog.pg_encoding_to_char(encoding) AS encoding,"
        " pg_catalog.pg_has_role(datdba, 'USAGE') AS may"
        " FROM pg_catalog.pg_database d WHERE datname = %s",
        [name],
    ).fetchone()
    if row is None:
        raise DbCycleError(f"there is no database `{name}` to copy")
    facts = row["facts"]
    words = [f"TEMPLATE template0 ENCODING {literal(row['encoding'])}"]
    words += [f"LC_COLLATE {literal(facts['datcollate'])} LC_CTYPE {literal(facts['datctype'])}"]
    provider = _PROVIDERS.get(facts.get("datlocprovider", "c"))
    if provider is not None:
        word, key = provider
        locale = facts.get("datlocale") or facts.get("daticulocale")
        words.append(f"LOCALE_PROVIDER {word} {key} {literal(locale)}")
    return " ".join([*words, *([f"OWNER {identifier(row['owner'])}"] if row["may"] else [])])


def pour(programs: Clients, url: str, source: str, name: str) -> None:
    """Fill an empty database with all of another one as it is at one moment.

    Raises:
        DbCycleError: it cannot be read or written; the copy is useless.
    """
    dump: list[str | Path] = [programs.program("pg_dump"), "--format=custom", "--compress=0"]
    load: list[str | Path] = [programs.program("pg_restore"), "--exit-on-error"]
    try:
        pipe(
            [*dump, "--dbname", without_password(url, source)],
            [*load, "--single-transaction", "--dbname", without_password(url, name)],
            environment(url),
        )
    except ProgramFailed as error:
        raise DbCycleError(
            f"the database cannot be copied while others use it: {'; '.join(error.lines)}",
            where=source,
            remedy="close their sessions and run again; nothing was changed",
        ) from None


def put_back(connection: Connection, copy: str, name: str, end: Callable[[str], None]) -> None:
    """Let a copy take a database's name, with its settings and comment; the other one is dropped.

    Both renames are one transaction: a kill leaves all names as they were, or as they shall be.

    Raises:
        ServerUnavailable: other sessions keep the database busy; nothing was changed.
    """
    former = f"{name[: 63 - len(SUFFIX)]}{SUFFIX}"
    settings = _settings(connection, name)
    for _ in range(20):
        with translated(name):
            connection.execute(statement(f"DROP DATABASE IF EXISTS {identifier(former)}"))
            end(name)
            end(copy)
            try:
                with connection.transaction():
                    for old, new in ((name, former), (copy, name)):
                        connection.execute(
                            statement(
                                f"ALTER DATABASE {identifier(old)} RENAME TO {identifier(new)}"
                            )
                        )
                    for text in settings:
                        connection.execute(statement(text))
            except psycopg.errors.ObjectInUse:
                time.sleep(0.1)
                continue
            drop_database(connection, former)
            return
    raise ServerUnavailable(
        "other sessions keep the database busy",
        where=name,
        remedy="close them and run again; nothing was changed",
    )


def _settings(connection: Connection, name: str) -> list[str]:
    """Return what belongs to a database's name and is in no copy: its settings and its comment."""
    found = []
    row = connection.execute(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') AS comment"
        " FROM pg_catalog.pg_database WHERE datname = %s",
        [name],
    ).fetchone()
    comment = row["comment"] if row else None
    text = "NULL" if comment is None else literal(comment)
    found.append(f"COMMENT ON DATABASE {identifier(name)} IS {text}")
    rows = connection.execute(
        "SELECT unnest(s.setconfig) AS setting FROM pg_catalog.pg_db_role_setting s"
        " JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase"
        " WHERE d.datname = %s AND s.setrole = 0",
        [name],
    ).fetchall()
    for each in rows:
        key, _, value = str(each["setting"]).partition("=")
        shown = value if key == "search_path" else literal(value)
        found.append(f"ALTER DATABASE {identifier(name)} SET {identifier(key)} = {shown}")
    return found


@dataclass
class PostgresCopier:
    """The protocol's Copier: the files are copied, which is the fastest way unless the server has
    to flush much else first. Where that took long for a small database, logging its pages is tried.
    """

    connection: Connection
    source: str
    _taken: dict[str, float] = field(default_factory=dict)

    def make(self, name: str, stamp: Stamp) -> None:
        """Make one copy."""
        clause, began = self._strategy(), time.monotonic()
        make_database(self.connection, name, f"TEMPLATE {identifier(self.source)}{clause}", stamp)
        self._taken.setdefault(clause, time.monotonic() - began)

    def drop(self, name: str) -> None:
        """Drop one that it made, and the sessions on it."""
        with translated(name):
            drop_database(self.connection, name)

    def _strategy(self) -> str:
        files, pages = by_files(self.connection), " STRATEGY wal_log"
        if not files or self._taken.get(files, 0.0) < _SLOW or not self._is_small():
            return files
        return pages if self._taken.get(pages, 0.0) < self._taken[files] else files

    def _is_small(self) -> bool:
        row = self.connection.execute(
            "SELECT pg_catalog.pg_database_size(%s) AS size", [self.source]
        ).fetchone()
        return row is not None and int(row["size"]) < _SMALL
