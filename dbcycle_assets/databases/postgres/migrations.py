"""The migrations of one PostgreSQL database: history, journal and how statements run."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import sqlalchemy

from ...errors import DbCycleError, MigrationError
from ...model.digest import digest_of_text
from ...model.migration import Entry, Mark, Script
from ..migrating import Change, Effect, Fault, Holder, Part, Signs
from . import locking, outside, scripts
from .plain import Script as Reader
from .plain import Statement
from .session import Connection, prompt_end, settle, translated

_BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS _dbcycle;
CREATE TABLE IF NOT EXISTS _dbcycle.migrations (
    position integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step text NOT NULL UNIQUE,
    checksum text NOT NULL,
    seconds double precision NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE _dbcycle.migrations
    ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'applied',
    ADD COLUMN IF NOT EXISTS applied_by text NOT NULL DEFAULT '';
CREATE TABLE IF NOT EXISTS _dbcycle.journal (
    step text NOT NULL,
    number integer NOT NULL,
    digest text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (step, number)
);
CREATE TABLE IF NOT EXISTS _dbcycle.audit (
    position integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document jsonb NOT NULL
);
CREATE TABLE IF NOT EXISTS _dbcycle.claim (document jsonb NOT NULL);
"""
_TABLES = 4
_LONGER = 30
_WRITE = """
INSERT INTO _dbcycle.migrations (step, checksum, seconds, state, applied_by)
VALUES ({0}, {0}, {0}, {0}, {0})
ON CONFLICT (step) DO UPDATE SET checksum = excluded.checksum, seconds = excluded.seconds,
    state = excluded.state, applied_by = excluded.applied_by, applied_at = now()
"""
_REMOVE = "DELETE FROM _dbcycle.migrations WHERE step = "
_BEGIN = (b"BEGIN", b"START TRANSACTION")
_ENDS = (b"COMMIT", b"END", b"ROLLBACK", b"ABORT")


class PostgresMigrations:
    """The protocol's Migrations; ``connect`` opens a further session on the same database."""

    def __init__(
        self, name: str, connection: Connection, connect: Callable[[], Connection]
    ) -> None:
        self.name = name
        self._connection = connection
        self._connect = connect
        self._lock: Connection | None = None
        self._patience = 10.0

    # --- scripts --------------------------------------------------------------------------------

    def parts(self, script: Script) -> list[Part]:
        """Take a script apart; see the protocol.

        Raises:
            MigrationError: it cannot be read; with file and line.
        """
        found: list[Part] = []
        group: list[tuple[Statement, tuple[bytes, ...]]] = []
        reader = Reader(scripts.lines_of(script.text))
        with scripts.explained(script.path, []):
            for each in reader:
                data = tuple(reader.data()) if each.data_follows else ()
                group.append((each, data))
                if not script.alone or not _opens(group):
                    found.append(_part(group))
                    group = []
        if group:
            raise MigrationError(
                "a transaction is begun and not committed",
                where=f"{script.path}:{group[0][0].line}",
                remedy="end it with COMMIT",
            )
        return found

    def faults(self, parts: Sequence[Part], *, in_transaction: bool) -> list[Fault]:
        """Return what would fail for certain, found by looking alone."""
        return outside.faults(parts, in_transaction=in_transaction)

    def run(self, script: Script, change: Change) -> None:
        """Run a script and write ``change`` in one transaction; see the protocol."""
        scripts.run_script(self._connection, script.text, script.path, change=change)

    def run_part(self, script: Script, part: Part, change: Change) -> None:
        """Run a part of a script and write ``change`` in one transaction."""
        with (
            scripts.explained(script.path, [_statement(part)]),
            self._connection.transaction(),
        ):
            for text in part.texts:
                if not _is_border(text):
                    self._execute(text, part.data)
            change()

    def run_outside(self, script: Script, part: Part) -> None:
        """Run a part that cannot be in a transaction."""
        with scripts.explained(script.path, [_statement(part)]):
            if "CONCURRENTLY" in part.code:  # it waits for old transactions, and blocks nobody
                self._wait_for_locks(self._patience * _LONGER)
            for text in part.texts:
                self._execute(text, part.data)
            if "CONCURRENTLY" in part.code:
                self._wait_for_locks(self._patience)

    def _wait_for_locks(self, seconds: float) -> None:
        self._connection.execute(
            "SELECT set_config('lock_timeout', %s, false)", [_milliseconds(seconds)]
        )

    def _execute(self, text: bytes, data: tuple[bytes, ...]) -> None:
        if not data:
            self._connection.execute(text)
            return
        with self._connection.cursor() as cursor, cursor.copy(text.rstrip(b"; \n")) as copy:
            for block in data:
                copy.write(block)

    @contextmanager
    def session(self, *, patience: float) -> Iterator[None]:
        """Run a step; whatever it sets is set back afterwards; see the protocol."""
        self._patience = patience
        connection = self._connection
        with translated(self.name):
            connection.execute(
                "SELECT set_config('search_path', 'public', false),"
                " set_config('application_name', %s, false), set_config('lock_timeout', %s, false)",
                [locking.WORKER, _milliseconds(patience)],
            )
            prompt_end(connection)
        try:
            yield
        finally:
            # The connection may be gone, and then there is nothing to set back.
            with suppress(psycopg.Error):
                if not connection.closed:
                    connection.execute("RESET ALL; RESET SESSION AUTHORIZATION")
                    settle(connection)

    def effect(self, part: Part) -> Effect:
        """Compare a part that was cut off with the catalogue; see the protocol."""
        with translated(self.name):
            self._wait_for_locks(self._patience * _LONGER)  # what it removes is removed concurrently
            try:
                return outside.effect(self._connection, part)
            finally:
                if not self._connection.closed:
                    self._wait_for_locks(self._patience)

    @contextmanager
    def python(
        self, change: Callable[[sqlalchemy.Connection], None]
    ) -> Iterator[sqlalchemy.Connection]:
        """Give a connection inside a transaction, in which ``change`` is written at the end."""
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=self._plain_connection,
            poolclass=sqlalchemy.pool.NullPool,
            hide_parameters=True,
        )
        try:
            with engine.begin() as connection:
                yield connection
                connection.exec_driver_sql("RESET SESSION AUTHORIZATION")
                change(connection)
        finally:
            engine.dispose()

    def _plain_connection(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = self._connect()
        connection.execute(
            "SELECT set_config('application_name', %s, false),"
            " set_config('lock_timeout', %s, false)",
            [locking.WORKER, _milliseconds(self._patience)],
        )
        prompt_end(connection)
        # Without it, "$user" would be the schema of our own bookkeeping.
        connection.execute("SET search_path = public")
        connection.row_factory = psycopg.rows.tuple_row
        connection.autocommit = False
        return connection

    # --- the lock -------------------------------------------------------------------------------

    @contextmanager
    def locked(self, holder: Holder, *, wait: float) -> Iterator[None]:
        """Hold the database's lock; see the protocol.

        Raises:
            Locked: somebody else has it still; the message names the holder and since when.
        """
        with locking.locked(self._connect, holder, wait) as connection:
            self._lock = connection
            try:
                yield
            finally:
                self._lock = None

    def holder(self) -> Holder | None:
        """Return who holds the lock, if anybody."""
        with translated(self.name):
            return locking.holder(self._connection)

    def release(self, holder: Holder) -> None:
        """End the session that holds the lock; see the protocol."""
        with translated(self.name):
            locking.release(self._connection, holder)

    def still_locked(self) -> bool:
        """Tell whether the lock is ours; false when its session was ended."""
        return self._lock is not None and locking.held(self._lock)

    # --- bookkeeping ----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make or complete our bookkeeping; call while holding the lock."""
        with translated(self.name):
            row = self._connection.execute(
                "SELECT count(DISTINCT table_name) = %s AND bool_or(column_name = 'applied_by')"
                " AS whole FROM information_schema.columns WHERE table_schema = '_dbcycle'"
                " AND table_name IN ('migrations', 'journal', 'audit', 'claim')",
                [_TABLES],
            ).fetchone()
            if row is None or not row["whole"]:
                with self._connection.transaction():
                    self._connection.execute(_BOOKKEEPING)

    def _rows(self, table: str, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        with translated(self.name):
            found = self._connection.execute(
                "SELECT to_regclass(%s) AS known", [f"_dbcycle.{table}"]
            ).fetchone()
            if found is None or found["known"] is None:
                return []
            return self._connection.execute(sql.encode(), values).fetchall()

    def entries(self) -> list[Entry]:
        """Return the history in order of application; writes nothing."""
        rows = self._rows(
            "migrations",
            "SELECT to_jsonb(m) AS row, to_char(m.applied_at AT TIME ZONE 'UTC',"
            ' \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') AS at FROM _dbcycle.migrations m ORDER BY position',
        )
        return [
            Entry(
                row["row"]["step"],
                row["row"]["checksum"],
                row["row"].get("state", "applied"),
                row["row"]["seconds"],
                row["row"].get("applied_by", ""),
                row["at"],
            )
            for row in rows
        ]

    def marks(self, key: str) -> list[Mark]:
        """Return the journal of one half-done step, in order; writes nothing."""
        rows = self._rows(
            "journal",
            "SELECT number, digest, finished_at IS NOT NULL AS finished"
            " FROM _dbcycle.journal WHERE step = %s ORDER BY number",
            [key],
        )
        return [Mark(row["number"], row["digest"], row["finished"]) for row in rows]

    def _write(self, sql: str, values: Sequence[object]) -> None:
        with translated(self.name):
            self._connection.execute(sql.encode(), values)

    def write(self, entry: Entry) -> None:
        """Add or replace a row of the history. Joins the transaction that is open."""
        self._write(_WRITE.format("%s"), _values(entry))

    def write_on(self, connection: sqlalchemy.Connection, entry: Entry | None, step: str) -> None:
        """Write (or, without an entry, remove) a row through a Python step's own connection."""
        sql = _REMOVE + "%s" if entry is None else _WRITE.format("%s")
        connection.exec_driver_sql(sql, (step,) if entry is None else tuple(_values(entry)))

    def remove(self, step: str) -> None:
        """Remove a row of the history. Joins the transaction that is open."""
        self._write(_REMOVE + "%s", [step])

    def start_mark(self, key: str, mark: Mark) -> None:
        """Add a line to the journal, or finish it. Joins the transaction that is open."""
        self._write(
            "INSERT INTO _dbcycle.journal (step, number, digest, finished_at)"
            " VALUES (%s, %s, %s, CASE WHEN %s THEN clock_timestamp() END)"
            " ON CONFLICT (step, number) DO UPDATE SET digest = excluded.digest,"
            " finished_at = excluded.finished_at",
            [key, mark.number, mark.digest, mark.finished],
        )

    def clear_marks(self, key: str) -> None:
        """Remove a step's journal. Joins the transaction that is open."""
        self._write("DELETE FROM _dbcycle.journal WHERE step = %s", [key])

    def claim(self) -> Mapping[str, Any] | None:
        """Return what :meth:`set_claim` wrote into the database, or None."""
        rows = self._rows("claim", "SELECT document FROM _dbcycle.claim")
        return rows[0]["document"] if len(rows) == 1 else None

    def set_claim(self, document: Mapping[str, Any]) -> None:
        """Write down, in the database, whose it is and in which environment."""
        self.prepare()
        with translated(self.name), self._connection.transaction():
            self._connection.execute("DELETE FROM _dbcycle.claim")
            self._write("INSERT INTO _dbcycle.claim VALUES (%s::jsonb)", [json.dumps(document)])

    def audit(self, document: Mapping[str, Any]) -> None:
        """Add one line to the database's own audit log."""
        self._write("INSERT INTO _dbcycle.audit (document) VALUES (%s::jsonb)", [_json(document)])

    def audited(self) -> list[dict[str, Any]]:
        """Return the audit log, the oldest line first; writes nothing."""
        rows = self._rows("audit", "SELECT document FROM _dbcycle.audit ORDER BY position")
        return [row["document"] for row in rows]

    def signs(self) -> Signs:
        """Return what the live connection tells about the database."""
        with translated(self.name):
            row = self._connection.execute(_SIGNS).fetchone()
            identity = self._identity()
        if row is None:  # a SELECT without FROM has a row
            raise DbCycleError("the server tells nothing about itself", where=self.name)
        production = tuple(name for name in ("standby", "replicas", "archiving") if row[name])
        return Signs(identity, row["name"], production, row["sessions"], row["read_only"])

    def _identity(self) -> str:
        try:
            row = self._connection.execute(
                "SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()"
            ).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            row = None
        facts = self._connection.info
        server = row["id"] if row else f"{facts.host}:{facts.port}"
        return f"{server}/{facts.dbname}"


_SIGNS = """
SELECT current_database() AS name,
  pg_catalog.pg_is_in_recovery() AS standby,
  EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication) AS replicas,
  current_setting('archive_mode') <> 'off' AS archiving,
  current_setting('default_transaction_read_only') = 'on'
    OR pg_catalog.pg_is_in_recovery() AS read_only,
  (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_catalog.pg_backend_pid() AND application_name NOT LIKE 'dbcycle%'
    AND backend_type = 'client backend') AS sessions
"""


def _values(entry: Entry) -> list[object]:
    return [entry.step, entry.checksum, entry.seconds, entry.state, entry.applied_by]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True).replace("\\u0000", "")


def _milliseconds(seconds: float) -> str:
    return f"{int(seconds * 1000)}ms"


def _word(text: bytes) -> bytes:
    return b" ".join(text.upper().rstrip(b"; \n\r\t").split()[:2])


def _is_border(text: bytes) -> bool:
    word = _word(text)
    return word.startswith(_BEGIN) or (word.startswith(_ENDS) and b" PREPARED" not in word)


def _opens(group: Sequence[tuple[Statement, tuple[bytes, ...]]]) -> bool:
    """Tell whether a group of statements has begun a transaction and not ended it."""
    first, last = group[0][0].skeleton, group[-1][0].skeleton
    return first.startswith(_BEGIN) and not (len(group) > 1 and last.startswith(_ENDS))


def _part(group: Sequence[tuple[Statement, tuple[bytes, ...]]]) -> Part:
    first = group[0][0]
    texts = tuple(each.text for each, _ in group)
    data = tuple(block for _, blocks in group for block in blocks)
    code = first.skeleton.decode("utf-8", "replace")
    return Part(
        texts,
        data,
        first.line,
        first.column,
        digest_of_text(b"\n".join((*texts, *data))),
        code,
        outside.outside(code),
    )


def _statement(part: Part) -> Statement:
    return Statement(part.texts[0], part.code.encode(), part.line, part.column)
