"""One session on one SQLite file."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy

from ...anonymizers.base import Reading
from ...errors import BadInput, DbCycleError
from ...model.catalog import Catalog, Column, ForeignKey, Table
from ...model.subset import Program
from ..explaining import ExplainedDrawing
from ..port import WHOLE, ElementCodec, Fingerprint, Loaded, Part, Progress, Row
from ..scripting import asks_to_be_alone
from ..sets import Kept, everything, joined
from . import loading, references, reflection, rows, scripts
from .catalog import read_catalog, schema_objects
from .lexer import table_options
from .migrations import SqliteMigrations
from .session import (
    OURS,
    exists,
    identifier,
    message_of,
    sqlalchemy_transaction,
    transaction,
    translated,
)
from .subsetting import SqliteDialect


class SqliteDatabase:
    """The protocol's Database; ``connect`` opens a further session on the same file."""

    def __init__(
        self,
        name: str,
        connection: sqlite3.Connection,
        connect: Callable[[], sqlite3.Connection],
    ) -> None:
        self.name = name
        self._connection = connection
        self._connect = connect
        self._migrations = SqliteMigrations(name, connection, connect)

    def catalog(self) -> Catalog:
        """Return the tables and keys; our own bookkeeping is left out.

        Raises:
            BadInput: the database has virtual tables.
        """
        with translated(self.name):
            return read_catalog(self._connection)

    def fingerprints(self, tables: Iterable[Table]) -> dict[str, Fingerprint]:
        """Return each table's fingerprint; equal rows in any order give an equal digest."""
        with translated(self.name):
            return {table.id: rows.fingerprint(self._connection, table) for table in tables}

    def count(self, table: Table, *, subset: bool = False) -> int:
        """Return the number of rows, of the subset if asked for."""
        with translated(table.id):
            return rows.count(self._connection, table, self._kept(table) if subset else everything)

    def read(
        self,
        table: Table,
        columns: Sequence[Column],
        *,
        beside: Sequence[Reading] = (),
        parents: Mapping[str, Table] = MappingProxyType({}),
        part: Part = WHOLE,
        subset: bool = False,
    ) -> Iterator[bytes]:
        """Yield copy text in blocks of whole lines; see the protocol."""
        with translated(table.id, BadInput if beside else DbCycleError):
            kept = self._kept(table) if subset else everything
            yield from rows.read(
                self._connection, table, columns, beside, parents, part=part, kept=kept
            )

    def _kept(self, table: Table) -> Kept:
        return joined(SqliteDialect(self._connection), table)

    @contextmanager
    def drawing(
        self, program: Program, salts: Mapping[str, str], progress: Progress, *, keep: bool
    ) -> Iterator[ExplainedDrawing]:
        """Give what draws a subset in one transaction; see the protocol."""
        with translated(self.name):
            dialect = SqliteDialect(self._connection)
            with transaction(self._connection, keep=keep):
                dialect.settle()
                yield ExplainedDrawing(dialect, program, salts, progress)

    def materialized_columns(self) -> dict[str, tuple[Column, ...]]:
        """Return nothing: SQLite has no materialized views."""
        return {}

    def read_view(self, name: str) -> Iterator[bytes]:  # noqa: ARG002
        """Yield nothing: SQLite has no materialized views."""
        yield from ()

    def schema_texts(self) -> Iterator[tuple[str, str]]:
        """Yield (place, text) of every statement that made the schema."""
        with translated(self.name):
            for kind, name, _table, sql in schema_objects(self._connection):
                yield f"{kind} {name}", sql or ""

    def sample(self, table: Table, column: Column, limit: int) -> list[str]:
        """Return up to ``limit`` distinct non-null values in text form, for the detector alone."""
        with translated(table.id):
            return rows.sample(self._connection, table, column, limit)

    def element_codec(self, column: Column) -> ElementCodec | None:  # noqa: ARG002
        """Return None: SQLite has no arrays."""
        return None

    def replace_rows(
        self,
        table: Table,
        columns: Sequence[Column],
        blocks: Iterable[bytes],
        golden: Sequence[Row],
        content: str,
    ) -> Loaded:
        """Replace the rows of a table; see the protocol.

        Raises:
            GoldenError: a golden record does not fit; the message names its number (from 1).
            BadInput: a row of the extract does not fit; the message names its number.
        """
        with translated(table.id):
            return loading.replace_rows(self._connection, table, columns, blocks, golden, content)

    def release(self, tables: Iterable[Table]) -> None:
        """Do nothing: foreign keys are part of a table here, and nobody heeds them meanwhile."""

    def note_content(self, table: Table, content: str) -> None:
        """Record another content for a table that was loaded and then changed."""
        with translated(table.id):
            self._connection.execute(
                "UPDATE _dbcycle_loaded SET content = ? WHERE table_id = ?", [content, table.id]
            )

    def loaded_content(self) -> dict[str, str]:
        """Return what :meth:`replace_rows` recorded, by table id."""
        with translated(self.name):
            if not exists(self._connection, "_dbcycle_loaded"):
                return {}
            found = self._connection.execute(
                "SELECT table_id, content FROM _dbcycle_loaded ORDER BY table_id"
            )
            return dict(found.fetchall())

    def repoint(self, key: ForeignKey, displaced: references.Displaced) -> int:
        """Let references to displaced rows refer to what displaced them; return how many rows."""
        with translated(key.table):
            return references.repoint(self._connection, key, displaced)

    def orphans(self, key: ForeignKey) -> int:
        """Return how many rows refer to no parent, by anti-join."""
        with translated(key.table):
            return references.orphans(self._connection, key)

    def group_sizes(self, table: Table, columns: Sequence[str], *, nulls: bool) -> dict[int, int]:
        """Return how many groups of rows that agree in ``columns`` there are, by their size."""
        with translated(table.id):
            return rows.group_sizes(self._connection, table, columns, nulls=nulls)

    def set_sequences(self) -> int:
        """Move AUTOINCREMENT sequences past the largest rowid stored; return how many."""
        count = 0
        with translated(self.name), transaction(self._connection):
            for kind, name, _, sql in schema_objects(self._connection):
                if kind != "table" or "AUTOINCREMENT" not in table_options(sql or ""):
                    continue
                count += 1
                largest = self._connection.execute(
                    f"SELECT max(rowid) FROM {identifier(name)}"
                ).fetchone()[0]
                raise_sequence(self._connection, name, largest or 0)
        return count

    def refresh_views(self) -> int:
        """Return 0: SQLite has no materialized views."""
        return 0

    def analyze(self, tables: Iterable[Table]) -> None:
        """Gather statistics of tables, and of those of which there are none."""
        names = {table.name for table in tables}
        with translated(self.name):
            names |= {
                name for kind, name, _, _ in schema_objects(self._connection) if kind == "table"
            }
            if exists(self._connection, "sqlite_stat1"):
                found = self._connection.execute("SELECT DISTINCT tbl FROM sqlite_stat1")
                names -= {name for (name,) in found} - {table.name for table in tables}
            for name in sorted(names):
                self._connection.execute(f"ANALYZE main.{identifier(name)}")

    def run_sql(self, script: str, path: Path) -> None:
        """Run one SQL file in one transaction; see the protocol.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """
        scripts.run_script(self._connection, script, path, alone=asks_to_be_alone(script))

    def run_within(self, connection: sqlalchemy.Connection, script: bytes, path: Path) -> None:
        """Run a SQL file inside the transaction of a connection; see the protocol.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """
        raw: Any = connection.connection.driver_connection
        scripts.run_within(raw, script.decode("utf-8-sig"), path)

    @contextmanager
    def inspecting(self) -> Iterator[tuple[sqlalchemy.Connection, sqlalchemy.MetaData]]:
        """Give a SQLAlchemy connection that only reads, and the reflected tables."""
        catalog, raw = self.catalog(), self._connect()
        raw.execute("PRAGMA query_only = ON")
        with sqlalchemy_transaction(raw, "BEGIN") as connection:
            yield connection, reflection.reflect(connection, catalog)

    @contextmanager
    def sqlalchemy(self) -> Iterator[sqlalchemy.Connection]:
        """Give a Python step a SQLAlchemy connection inside one transaction.

        Raises:
            MigrationError: the block broke a foreign key.
        """
        raw = self._connect()
        with sqlalchemy_transaction(raw) as connection, scripts.whole_keys(raw, None):
            yield connection

    def explain(self, error: BaseException) -> str:
        """Return what a driver's error says, without values; see the protocol."""
        return message_of(error) if isinstance(error, sqlite3.Error) else ""

    def bookkeeping(self, name: str) -> tuple[str | None, str]:
        """Return (None, table) for a table of our own."""
        return None, f"{OURS}{name}"

    def migrations(self) -> SqliteMigrations:
        """Return the migrations of this database, the same object every time."""
        return self._migrations


def raise_sequence(connection: sqlite3.Connection, table: str, least: int) -> None:
    """Let the sequence of an AUTOINCREMENT table be at least some number."""
    changed = connection.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", [least, table]
    )
    if not changed.rowcount:
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", [table, least])
