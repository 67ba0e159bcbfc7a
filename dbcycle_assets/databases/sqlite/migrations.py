"""The migrations of one SQLite database: history, journal and how statements run."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy

from ...errors import MigrationError
from ...model.digest import digest_of_text
from ...model.migration import Entry, Mark, Script
from ..migrating import Change, Effect, Fault, Holder, Part, Signs, one_claim
from . import lexer, locking, scripts
from .catalog import column_names
from .session import exists, identifier, settle, sqlalchemy_transaction, transaction, translated

_BOOKKEEPING = """
CREATE TABLE IF NOT EXISTS _dbcycle_migrations (
    position INTEGER PRIMARY KEY,
    step TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    seconds REAL NOT NULL,
    applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS _dbcycle_journal (
    step TEXT NOT NULL,
    number INTEGER NOT NULL,
    digest TEXT NOT NULL,
    started_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    finished_at TEXT,
    PRIMARY KEY (step, number)
);
CREATE TABLE IF NOT EXISTS _dbcycle_audit (position INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _dbcycle_claim (document TEXT NOT NULL);
"""
_LATER = {"state": "TEXT NOT NULL DEFAULT 'applied'", "applied_by": "TEXT NOT NULL DEFAULT ''"}
_WRITE = """
INSERT INTO _dbcycle_migrations (step, checksum, seconds, state, applied_by)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (step) DO UPDATE SET checksum = excluded.checksum, seconds = excluded.seconds,
    state = excluded.state, applied_by = excluded.applied_by, applied_at = CURRENT_TIMESTAMP
"""
_REMOVE = "DELETE FROM _dbcycle_migrations WHERE step = ?"
_OUTSIDE = {"vacuum", "attach", "detach", "pragma"}
_ENDS = {"commit", "end", "rollback"}


class SqliteMigrations:
    """The protocol's Migrations; ``connect`` opens a further session on the same file."""

    def __init__(
        self,
        name: str,
        connection: sqlite3.Connection,
        connect: Callable[[], sqlite3.Connection],
    ) -> None:
        self.name = name
        self._connection = connection
        self._connect = connect
        self._locks = 0

    @property
    def _path(self) -> Path:
        rows = self._connection.execute("PRAGMA database_list").fetchall()
        return Path(next(str(row[2]) for row in rows if row[1] == "main"))

    # --- scripts --------------------------------------------------------------------------------

    def parts(self, script: Script) -> list[Part]:
        """Take a script apart; see the protocol.

        Raises:
            MigrationError: it cannot be read; with file and line.
        """
        text = scripts.text_of(script.text, script.path)
        found: list[Part] = []
        group: list[lexer.Statement] = []
        for each in lexer.statements(text):
            if each.text.startswith("\\") or (each.text.startswith(".") and not group):
                raise MigrationError(
                    f"the shell's command {each.text.split()[0]} is not SQL",
                    where=f"{script.path}:{each.line}:{each.column}",
                    remedy="a migration holds SQL only; see the line named",
                )
            group.append(each)
            if not script.alone or not _opens(group):
                found.append(_part(group))
                group = []
        if group:
            raise MigrationError(
                "a transaction is begun and not committed",
                where=f"{script.path}:{group[0].line}",
                remedy="end it with COMMIT",
            )
        return found

    def columns(self) -> dict[str, tuple[str, str]]:
        """Return every column by its name: SQLite keeps no other."""
        return column_names(self._connection)

    def faults(self, parts: Sequence[Part], *, in_transaction: bool) -> list[Fault]:
        """Return what would fail for certain, found by looking alone."""
        return [
            Fault(
                f"{part.outside} cannot run in a transaction",
                part.line,
                part.column,
                "put it into a step of its own, with `-- dbcycle: no-transaction` on a line of "
                "its own at the top",
            )
            for part in parts
            if in_transaction and part.outside and not part.code.startswith("PRAGMA")
        ]

    @contextmanager
    def session(self, *, patience: float) -> Iterator[None]:
        """Run a step; whatever it sets is set back afterwards; see the protocol."""
        self._connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            settle(self._connection)
            self._connection.execute("PRAGMA busy_timeout = 30000")

    def run(self, script: Script, change: Change) -> None:
        """Run a script and write ``change`` in one transaction; see the protocol."""
        text = scripts.text_of(script.text, script.path)
        scripts.run_script(self._connection, text, script.path, change=change)

    def run_part(self, script: Script, part: Part, change: Change) -> None:
        """Run a part of a script and write ``change`` in one transaction."""
        try:
            with (
                transaction(self._connection),
                scripts.whole_keys(self._connection, script.path),
            ):
                for text in part.texts:
                    if not _is_border(text):
                        self._execute(script, part, text)
                change()
        except sqlite3.Error as error:  # BEGIN or COMMIT itself
            raise scripts.refusal(error, str(script.path)) from None

    def run_outside(self, script: Script, part: Part) -> None:
        """Run a part that cannot be in a transaction."""
        for text in part.texts:
            self._execute(script, part, text)

    def _execute(self, script: Script, part: Part, text: bytes) -> None:
        statement = lexer.Statement(text.decode(), part.line, part.column)
        scripts.run_statement(self._connection, statement, script.path, alone=True)

    def effect(self, part: Part) -> Effect:  # noqa: ARG002
        """Return that nothing was done: what SQLite runs outside a transaction may run again."""
        return Effect.NONE

    @contextmanager
    def python(
        self, change: Callable[[sqlalchemy.Connection], None]
    ) -> Iterator[sqlalchemy.Connection]:
        """Give a connection inside a transaction, in which ``change`` is written at the end.

        Raises:
            MigrationError: the block broke a foreign key.
        """
        raw = self._connect()
        with sqlalchemy_transaction(raw) as connection:
            with scripts.whole_keys(raw, None):
                yield connection
            change(connection)

    # --- the lock -------------------------------------------------------------------------------

    @contextmanager
    def locked(self, holder: Holder, *, wait: float) -> Iterator[None]:
        """Hold the database's lock; see the protocol.

        Raises:
            Locked: somebody else has it still; the message names the holder and since when.
        """
        with locking.locked(self._path, holder, wait):
            self._locks += 1
            try:
                yield
            finally:
                self._locks -= 1

    def holder(self) -> Holder | None:
        """Return who holds the lock, if anybody."""
        return locking.holder(self._path)

    def release(self, holder: Holder) -> None:
        """Refuse: a lock that is held belongs to a living process; see the protocol."""
        locking.release(holder)

    def blockers(self) -> list[str]:
        """Return none: SQLite does not tell who has a file open."""
        return []

    def still_locked(self) -> bool:
        """Tell whether the lock is ours."""
        return self._locks > 0

    # --- bookkeeping ----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make or complete our bookkeeping; call while holding the lock."""
        with translated(self.name):
            names = ("migrations", "journal", "audit", "claim")
            if all(exists(self._connection, f"_dbcycle_{name}") for name in names) and not (
                set(_LATER) - self._columns()
            ):
                return
            with transaction(self._connection):
                for statement in lexer.statements(_BOOKKEEPING):
                    self._connection.execute(statement.text)
                for column in sorted(set(_LATER) - self._columns()):
                    self._connection.execute(
                        "ALTER TABLE _dbcycle_migrations"
                        f" ADD COLUMN {identifier(column)} {_LATER[column]}"
                    )

    def _columns(self) -> set[str]:
        with translated(self.name):
            rows = self._connection.execute(
                "SELECT name FROM pragma_table_info('_dbcycle_migrations')"
            )
            return {str(row[0]) for row in rows}

    def _rows(self, table: str, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with translated(self.name):
            if not exists(self._connection, f"_dbcycle_{table}"):
                return []
            return self._connection.execute(sql, values).fetchall()

    def entries(self) -> list[Entry]:
        """Return the history in order of application; writes nothing."""
        later = set(_LATER) <= self._columns()
        more = "state, seconds, applied_by" if later else "'applied', seconds, ''"
        rows = self._rows(
            "migrations",
            f"SELECT step, checksum, {more}, replace(applied_at, ' ', 'T') || 'Z'"
            " FROM _dbcycle_migrations ORDER BY position",
        )
        return [Entry(*row) for row in rows]

    def marks(self, key: str) -> list[Mark]:
        """Return the journal of one half-done step, in order; writes nothing."""
        rows = self._rows(
            "journal",
            "SELECT number, digest, finished_at IS NOT NULL FROM _dbcycle_journal"
            " WHERE step = ? ORDER BY number",
            [key],
        )
        return [Mark(number, digest, bool(finished)) for number, digest, finished in rows]

    def _write(self, sql: str, values: Sequence[object]) -> None:
        try:
            self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise scripts.refusal(error, self.name) from None

    def write(self, entry: Entry) -> None:
        """Add or replace a row of the history. Joins the transaction that is open."""
        self._write(_WRITE, _values(entry))

    def write_on(self, connection: sqlalchemy.Connection, entry: Entry | None, step: str) -> None:
        """Write (or, without an entry, remove) a row through a Python step's own connection."""
        values = (step,) if entry is None else tuple(_values(entry))
        connection.exec_driver_sql(_REMOVE if entry is None else _WRITE, values)

    def remove(self, step: str) -> None:
        """Remove a row of the history. Joins the transaction that is open."""
        self._write(_REMOVE, [step])

    def start_mark(self, key: str, mark: Mark) -> None:
        """Add a line to the journal, or finish it. Joins the transaction that is open."""
        self._write(
            "INSERT INTO _dbcycle_journal (step, number, digest, finished_at)"
            " VALUES (?, ?, ?, CASE WHEN ? THEN CURRENT_TIMESTAMP END)"
            " ON CONFLICT (step, number) DO UPDATE SET digest = excluded.digest,"
            " finished_at = excluded.finished_at",
            [key, mark.number, mark.digest, mark.finished],
        )

    def clear_marks(self, key: str) -> None:
        """Remove a step's journal. Joins the transaction that is open."""
        self._write("DELETE FROM _dbcycle_journal WHERE step = ?", [key])

    def claim(self) -> Mapping[str, Any] | None:
        """Return what :meth:`set_claim` wrote into the database, or None."""
        rows = self._rows("claim", "SELECT document FROM _dbcycle_claim")
        documents: list[object] = []
        for (text,) in rows:
            try:
                documents.append(json.loads(text))
            except (TypeError, ValueError):
                documents.append(None)
        return one_claim(documents, self.name)

    def set_claim(self, document: Mapping[str, Any]) -> None:
        """Write down, in the database, whose it is and in which environment."""
        self.prepare()
        with translated(self.name), transaction(self._connection):
            self._connection.execute("DELETE FROM _dbcycle_claim")
            self._write("INSERT INTO _dbcycle_claim VALUES (?)", [json.dumps(document)])

    def audit(self, document: Mapping[str, Any]) -> None:
        """Add one line to the database's own audit log; a file that others write to is not waited
        for long, since the log beside the project has the line in any case.
        """
        text = json.dumps(document, sort_keys=True)
        self._connection.execute("PRAGMA busy_timeout = 1000")
        try:
            self._write("INSERT INTO _dbcycle_audit (document) VALUES (?)", [text])
        finally:
            self._connection.execute("PRAGMA busy_timeout = 30000")

    def audited(self) -> list[dict[str, Any]]:
        """Return the audit log, the oldest line first; writes nothing."""
        rows = self._rows("audit", "SELECT document FROM _dbcycle_audit ORDER BY position")
        return [json.loads(text) for (text,) in rows]

    def signs(self) -> Signs:
        """Return what the file tells about the database."""
        path = self._path
        reading = bool(self._connection.execute("PRAGMA query_only").fetchone()[0])
        return Signs(str(path), path.stem, read_only=reading or not os.access(path, os.W_OK))


def _values(entry: Entry) -> list[object]:
    return [entry.step, entry.checksum, entry.seconds, entry.state, entry.applied_by]


def _is_border(text: bytes) -> bool:
    words = lexer.head(text.decode(), 3)
    return words[:1] == ["begin"] or (words[0] in _ENDS and "to" not in words)


def _opens(group: Sequence[lexer.Statement]) -> bool:
    """Tell whether a group of statements has begun a transaction and not ended it."""
    first, last = lexer.head(group[0].text, 1), lexer.head(group[-1].text, 1)
    return first == ["begin"] and not (len(group) > 1 and last[0] in _ENDS)


def _part(group: Sequence[lexer.Statement]) -> Part:
    first = group[0]
    texts = tuple(each.text.encode() for each in group)
    word = lexer.head(first.text, 1)[0]
    return Part(
        texts,
        (),
        first.line,
        first.column,
        digest_of_text(b"\n".join(texts)),
        lexer.normalised(first.text).upper(),
        word.upper() if word in _OUTSIDE else "",
    )
