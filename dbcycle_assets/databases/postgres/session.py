"""Connections with fixed settings, quoted identifiers, and errors without values."""

import random
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from typing import Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import sqlalchemy
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from ...config import credentials
from ...errors import (
    BadInput,
    DbCycleError,
    DiskUnavailable,
    GuardRefused,
    ServerUnavailable,
    on_one_line,
)
from .. import stopping

APPLICATION = "dbcycle"
TRIED = (13, 18)
"""The oldest and the newest major version of PostgreSQL that this product is used with."""

SETTINGS = {
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "row_security": "off",
    "lock_timeout": "30s",
    "statement_timeout": "0",
    "client_min_messages": "warning",
}
"""What every session sets, so that values have one text form wherever they are read."""

Connection = psycopg.Connection[DictRow]

_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|\([^()]*\)=\([^()]*\)")
_FULL = re.compile(r"too many (clients|connections)|remaining connection slots")
_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""How many seconds lie between the tries to log in to a server that is full."""
_BYTES = re.compile(r"0x[0-9a-f]{2}( 0x[0-9a-f]{2})*")
WITHHELD = {"P0001", "P0002", "P0003", "P0004"}


def identifier(*parts: str) -> str:
    """Return a quoted, dotted identifier: the one place where names become SQL."""
    return sql.Identifier(*parts).as_string(None)


def in_template(*parts: str) -> str:
    """Return a quoted identifier for SQL that also has parameters, where ``%`` stands for one."""
    return identifier(*parts).replace("%", "%%")


def literal(value: str) -> str:
    """Return a quoted text literal, for the few commands that take no parameters."""
    escaped = value.replace("'", "''").replace("\\", "\\\\")
    return (" E'" if "\\" in value else "'") + escaped + "'"


def statement(text: str | bytes) -> sql.SQL | bytes:
    """Return SQL that our own code composed (names quoted by :func:`identifier`) for execution."""
    return text if isinstance(text, bytes) else sql.SQL(text)


def query(name: str) -> bytes:
    """Return one of the catalog queries that ship as files."""
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_bytes()


def with_database(url: str, name: str) -> str:
    """Return a URL with another database; the driver suffix of SQLAlchemy is dropped, and so is a
    name in the query, which would count more.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.split("+", 1)[0]
    others = "&".join(p for p in parts.query.split("&") if not p.startswith("dbname="))
    moved = urlunsplit((scheme, parts.netloc, "/" + quote(name, safe=""), others, ""))
    # urlunsplit drops the empty authority of a URL whose host is in the query (a socket).
    return moved if moved.startswith(f"{scheme}://") else moved.replace(":", "://", 1)


def connection_facts(url: str) -> dict[str, str]:
    """Return a URL as libpq's parameters.

    Raises:
        BadInput: it is not one.
    """
    parts = urlsplit(url)
    plain = url.replace(parts.scheme, parts.scheme.split("+", 1)[0], 1)
    try:
        return {
            key: str(value)
            for key, value in psycopg.conninfo.conninfo_to_dict(plain).items()
            if value is not None
        }
    except psycopg.Error:
        raise BadInput(
            "the database URL cannot be read",
            remedy="write it as postgresql://user:password@host:port/database, with special "
            "characters percent-encoded",
        ) from None


def connect(url: str, database: str | None = None) -> Connection:
    """Open a session in autocommit mode with fixed settings.

    Raises:
        ServerUnavailable: cannot connect.
    """
    facts = connection_facts(url)
    if database is not None:
        facts["dbname"] = database
    facts.setdefault("connect_timeout", "10")
    facts["application_name"] = APPLICATION
    try:
        connection = _opened(facts)
    except psycopg.Error as error:
        raise ServerUnavailable(
            f"cannot connect to database `{facts.get('dbname', '')}`: {why(error)}",
            where=place(facts),
            remedy=f"tried {len(_PAUSES) + 1} times: close sessions, or raise the limit, and run "
            "again"
            if _FULL.search(str(error))
            else "check the URL and that the server runs; `dbcycle doctor` tells more",
        ) from None
    try:
        _require_tried(connection, place(facts))
        with translated(place(facts)):
            settle(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_tried(connection: Connection, where: str) -> None:
    """Refuse a server of a major version that this product was never tried with.

    Raises:
        GuardRefused: it is one, and the user has not agreed.
    """
    major = connection.info.server_version // 10_000
    if TRIED[0] <= major <= TRIED[1] or credentials.untested_server():
        return
    raise GuardRefused(
        f"the server is PostgreSQL {connection.info.parameter_status('server_version')}, and this "
        f"version of dbcycle was tried with {TRIED[0]} to {TRIED[1]}",
        where=where,
        remedy="update dbcycle, or set DBCYCLE_UNTESTED_SERVER=1 to use it all the same",
    )


class _Stoppable(psycopg.Connection[DictRow]):
    """A session whose statement is cancelled when a stop is asked for while it is waited for."""

    def wait(self, gen: Any, *arguments: Any, **named: Any) -> Any:
        return super().wait(cast("Any", _Watched(gen)), *arguments, **named)


class _Watched:
    """What a session waits for; a stop is raised in the waiting, as the driver expects Ctrl-C."""

    def __init__(self, waiting: Any) -> None:
        self._waiting = waiting

    def __iter__(self) -> "_Watched":
        return self

    def __next__(self) -> Any:
        return next(self._waiting)

    def send(self, ready: Any) -> Any:
        stopping.point()
        return self._waiting.send(ready)


def _opened(facts: Mapping[str, str]) -> Connection:
    """Open a session; a server whose sessions are all taken is asked a few times more."""
    for pause in (*_PAUSES, None):
        try:
            stopping.point()
            return _Stoppable.connect(
                **cast("Any", facts), autocommit=True, row_factory=dict_row, prepare_threshold=None
            )
        except psycopg.OperationalError as error:
            if pause is None or not _FULL.search(str(error)):
                raise
        time.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - not a secret
    raise AssertionError  # the last try returns or raises


def settle(connection: Connection) -> None:
    """Give a session our fixed settings."""
    settings = dict(SETTINGS)
    if connection.info.server_version >= 140000:  # noqa: PLR2004 - PostgreSQL 14
        # What a session executes ends within a second of its client's death. The server takes a
        # new interval only once the former has passed, so it is short from the beginning.
        settings["client_connection_check_interval"] = "1s"
    try:
        _set(connection, settings)
    except psycopg.errors.InvalidParameterValue:  # the interval needs an operating system's help
        settings.pop("client_connection_check_interval", None)
        _set(connection, settings)


def _set(connection: Connection, settings: Mapping[str, str]) -> None:
    connection.execute(
        "SELECT set_config(n, v, false) FROM unnest(%s::text[], %s::text[]) AS s (n, v)",
        [list(settings), list(settings.values())],
    )


def place(facts: Mapping[str, str]) -> str:
    """Return host and port, never a password."""
    host = facts.get("host") or facts.get("hostaddr") or "local socket"
    return f"{host}:{facts.get('port', '5432')}"


def why(error: psycopg.Error) -> str:
    """Return the last line of a connection failure; libpq puts no password there."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


def message_of(error: psycopg.Error) -> str:
    """Return a server's message without anything that may be a value.

    DETAIL and CONTEXT carry rows and are never read. Data exceptions quote the value in the
    primary message, and scripts write what they like into their own exceptions.
    """
    primary = error.diag.message_primary or type(error).__name__
    state = error.sqlstate or ""
    if state in WITHHELD:
        primary = "the script raised an exception (its text is withheld, it may hold values)"
    elif state.startswith("22") or state in {"42804", "42846"}:
        primary = _BYTES.sub("…", _QUOTED.sub("…", primary))
    primary = on_one_line(primary)
    return f"{primary} [{state}]" if state else primary


@contextmanager
def sqlalchemy_transaction(raw: psycopg.Connection[Any]) -> Iterator[sqlalchemy.Connection]:
    """Give a SQLAlchemy connection over a new connection, in one transaction; both are closed."""
    # Without it, "$user" would be the schema of our own bookkeeping.
    raw.execute("SET search_path = public")
    raw.row_factory = psycopg.rows.tuple_row
    raw.autocommit = False
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: raw,
        poolclass=sqlalchemy.pool.NullPool,
        hide_parameters=True,
    )
    try:
        with engine.begin() as connection:
            yield connection
    except sqlalchemy.exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error) and is_lost(error.orig):
            raise failure(error.orig, raw.info.dbname) from None
        raise
    finally:
        engine.dispose()


@contextmanager
def translated(where: str, kind: type[DbCycleError] = DbCycleError) -> Iterator[None]:
    """Turn a driver's error into one of ours, without values."""
    try:
        yield
    except psycopg.Error as error:
        raise failure(error, where, kind) from None


@contextmanager
def lost_lines(where: str) -> Iterator[None]:
    """Turn the loss of a session, wherever in the block it shows, into an error of ours; others
    pass as they are.
    """
    try:
        yield
    except psycopg.Error as error:
        if not is_lost(error):
            raise
        raise failure(error, where) from None


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether an error says that the server is gone, full or shutting down."""
    state = error.sqlstate or ""
    if not state:
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(("08", "57P", "53"))


def failure(
    error: psycopg.Error, where: str, kind: type[DbCycleError] = DbCycleError
) -> DbCycleError:
    """Return our error for a driver's."""
    state = error.sqlstate or ""
    if state == "53100":
        return DiskUnavailable(
            "the server's disk is full", where=where, remedy="free some space and run again"
        )
    if is_lost(error):
        return ServerUnavailable(
            f"the server went away or is full: {message_of(error)}",
            where=where,
            remedy="run the command again; nothing half-made was kept",
        )
    if state == "55P03":
        return ServerUnavailable(
            "another session holds a lock for too long",
            where=where,
            remedy="close other sessions on the database and run again",
        )
    if state == "42501" and kind is DbCycleError:
        return BadInput(
            f"the server refused: {message_of(error)}",
            where=where,
            remedy="connect as a role that may do this, or let an administrator grant it",
        )
    return kind(f"the server refused: {message_of(error)}", where=where)


def drop_database(connection: Connection, name: str) -> None:
    """Drop a database and end the sessions on it; absent is fine.

    FORCE ends other roles' sessions, but refuses while a worker of autovacuum is there, who is the
    superuser's; a plain DROP sends that one away.
    """
    plain = f"DROP DATABASE IF EXISTS {identifier(name)}"
    known = connection.info.server_version >= 130000  # noqa: PLR2004 - PostgreSQL 13
    forced = f"{plain} WITH (FORCE)" if known else plain
    for _ in range(20):
        for attempt in (forced, plain):
            try:
                connection.execute(statement(attempt))
            except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
                time.sleep(0.1)
            else:
                return
    connection.execute(statement(forced))
