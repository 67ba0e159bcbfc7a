"""One session on one PostgreSQL database."""

import graphlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
import sqlalchemy

from ...anonymizers.base import Expression, Reading
from ...errors import BadInput, DbCycleError
from ...model.catalog import Catalog, Column, ForeignKey, Table
from ...model.subset import Program
from ..explaining import ExplainedDrawing
from ..port import WHOLE, ElementCodec, Fingerprint, Loaded, Part, Progress, Row
from ..scripting import asks_to_be_alone
from ..sets import Kept, everything, joined
from . import loading, references, refitting, reflection, rows, scripts
from .arrays import ArrayCodec
from .catalog import materialized_columns, parts_of_id, read_catalog, schema_texts
from .migrations import PostgresMigrations
from .resuming import unfilled
from .session import (
    Connection,
    identifier,
    in_template,
    message_of,
    query,
    settle,
    sqlalchemy_transaction,
    statement,
    translated,
)
from .streams import Streams, worth_it
from .subsetting import READING, PostgresDialect


class PostgresDatabase:
    """The protocol's Database; ``connect`` opens a further session on the same database."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        connect: Callable[[], Connection],
        streams: Streams | None = None,
    ) -> None:
        self.name = name
        self._connection = connection
        self._connect = connect
        self._streams = streams
        self._migrations = PostgresMigrations(name, connection, connect)

    def _path(self, *schemas: str) -> None:
        """Set the search path; ``pg_catalog`` alone makes printed definitions fully qualified."""
        self._connection.execute(
            "SELECT set_config('search_path', %s, false)", [", ".join(schemas)]
        )

    def _everyday_path(self) -> None:
        """Let operators and functions of extensions be found, wherever those were put."""
        self._path("pg_catalog")
        found = self._connection.execute(query("extensions")).fetchall()
        schemas = {row["schema"] for row in found} - {"public", "pg_catalog"}
        self._path("public", *(identifier(name) for name in sorted(schemas)))

    def catalog(self) -> Catalog:
        """Return the tables and keys; our own bookkeeping is left out."""
        with translated(self.name):
            self._path("pg_catalog")
            return read_catalog(self._connection)

    def fingerprints(self, tables: Iterable[Table]) -> dict[str, Fingerprint]:
        """Return each table's fingerprint; equal rows in any order give an equal digest."""
        with translated(self.name):
            self._path("pg_catalog")
            return {table.id: rows.fingerprint(self._connection, table) for table in tables}

    def count(self, table: Table, *, subset: bool = False) -> int:
        """Return the number of rows (partitions included), of the subset if asked for."""
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
            if any(isinstance(reading, Expression) for reading in beside):
                self._everyday_path()
            else:
                self._path("pg_catalog")
            kept = self._kept(table) if subset else everything
            query = rows.select(
                self._connection, table, columns, beside, parents, part=part, kept=kept
            )
            if self._streams is not None and self._streamable(table, beside):
                yield from self._streams.copy(self._connection, query, READING if subset else "")
            else:
                yield from rows.copy_out(self._connection, query)

    def _streamable(self, table: Table, beside: Sequence[Reading]) -> bool:
        """Tell whether a table is best read by psql; expressions of the user's never are."""
        if any(isinstance(reading, Expression) for reading in beside):
            return False
        return worth_it(self._connection, (table.schema, table.name))

    def _kept(self, table: Table) -> Kept:
        self._connection.execute(READING)
        return joined(PostgresDialect(self._connection), table)

    @contextmanager
    def drawing(
        self, program: Program, salts: Mapping[str, str], progress: Progress, *, keep: bool
    ) -> Iterator[ExplainedDrawing]:
        """Give what draws a subset in one transaction; see the protocol."""
        with translated(self.name):
            self._everyday_path()
            dialect = PostgresDialect(self._connection)
            with self._connection.transaction(force_rollback=not keep):
                dialect.settle()
                yield ExplainedDrawing(dialect, program, salts, progress)

    def materialized_columns(self) -> dict[str, tuple[Column, ...]]:
        """Return the columns of each materialized view by its quoted name."""
        with translated(self.name):
            self._path("pg_catalog")
            return materialized_columns(self._connection)

    def read_view(self, name: str) -> Iterator[bytes]:
        """Yield the rows of a materialized view as copy text."""
        with translated(name):
            self._path("pg_catalog")
            yield from rows.copy_out(self._connection, f"SELECT * FROM {name}")

    def schema_texts(self) -> Iterator[tuple[str, str]]:
        """Yield (place, text) of every definition and comment that somebody wrote."""
        with translated(self.name):
            self._path("pg_catalog")
            yield from schema_texts(self._connection)

    def sample(self, table: Table, column: Column, limit: int) -> list[str]:
        """Return up to ``limit`` distinct non-null values (elements, of an array) as text."""
        with translated(table.id):
            self._everyday_path()
            return rows.sample(self._connection, table, column, limit)

    def element_codec(self, column: Column) -> ElementCodec | None:
        """Return how to take an array value apart, or None for a scalar column."""
        if not column.dimensions:
            return None
        return ArrayCodec(";" if column.type.startswith("box") else ",")

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
            BadInput: a row of the extract does not fit; the message names its line.
        """
        with translated(table.id):
            self._everyday_path()
            return loading.replace_rows(self._connection, table, columns, blocks, golden, content)

    def release(self, tables: Iterable[Table]) -> None:
        """Drop the foreign keys that touch tables; see the protocol."""
        with translated(self.name):
            refitting.release(self._connection, tables)

    def note_content(self, table: Table, content: str) -> None:
        """Record another content for a table that was loaded and then changed."""
        with translated(table.id):
            self._connection.execute(
                "UPDATE _dbcycle.loaded SET content = %s WHERE table_id = %s", [content, table.id]
            )

    def loaded_content(self) -> dict[str, str]:
        """Return what :meth:`replace_rows` recorded, by table id."""
        with translated(self.name):
            if not self._exists("_dbcycle.loaded"):
                return {}
            found = self._connection.execute(
                'SELECT table_id, content FROM _dbcycle.loaded ORDER BY table_id COLLATE "C"'
            ).fetchall()
        return {row["table_id"]: row["content"] for row in found}

    def _exists(self, name: str) -> bool:
        row = self._connection.execute("SELECT to_regclass(%s) AS known", [name]).fetchone()
        return row is not None and row["known"] is not None

    def repoint(self, key: ForeignKey, displaced: references.Displaced) -> int:
        """Let references to displaced rows refer to what displaced them; return how many rows."""
        with translated(key.table):
            self._everyday_path()
            return references.repoint(self._connection, key, displaced)

    def orphans(self, key: ForeignKey) -> int:
        """Return how many rows refer to no parent, by anti-join (never by ``convalidated``)."""
        with translated(key.table):
            self._everyday_path()
            return references.orphans(self._connection, key)

    def group_sizes(self, table: Table, columns: Sequence[str], *, nulls: bool) -> dict[int, int]:
        """Return how many groups of rows that agree in ``columns`` there are, by their size."""
        with translated(table.id):
            self._everyday_path()
            return rows.group_sizes(self._connection, table, columns, nulls=nulls)

    def set_sequences(self) -> int:
        """Move every sequence and identity past the largest value stored; return how many."""
        with translated(self.name):
            self._path("pg_catalog")
            found = self._connection.execute(query("sequences")).fetchall()
            feeds: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for row in found:
                feeds.setdefault((row["sequence_schema"], row["sequence_name"]), []).append(row)
            return sum(self._set_sequence(identifier(*name), fed) for name, fed in feeds.items())

    def _set_sequence(self, name: str, fed: Sequence[dict[str, Any]]) -> bool:
        first = fed[0]
        extreme = "max" if first["increment"] > 0 else "min"
        further = "greatest" if first["increment"] > 0 else "least"
        values = " UNION ALL ".join(
            f"SELECT {extreme}({in_template(row['column_name'])})::numeric AS v"
            f" FROM {in_template(row['table_schema'], row['table_name'])}"
            for row in fed
        )
        sequence = name.replace("%", "%%")
        done = self._connection.execute(
            statement(
                f"SELECT setval(%s::regclass, {further}(stored.v, s.last_value)::bigint,"
                # One that has given nothing yet begins with its last value, unless a row has that.
                f" s.is_called OR {further}(stored.v, s.last_value) = stored.v)"
                f" FROM (SELECT {extreme}(v) AS v FROM ({values}) AS each) AS stored,"
                f" {sequence} AS s"
                " WHERE stored.v BETWEEN %s AND %s"
            ),
            [name, first["minimum"], first["maximum"]],
        )
        return done.rowcount == 1

    def refresh_views(self) -> int:
        """Fill the materialized views in dependency order; return how many."""
        with translated(self.name):
            self._path("pg_catalog")
            found = self._connection.execute(query("view_dependencies")).fetchall()
        names = {row["view_oid"]: (row["schema"], row["name"]) for row in found}
        graph: dict[int, set[int]] = {oid: set() for oid in names}
        for row in found:
            if row["reads_oid"] in graph:
                graph[row["view_oid"]].add(row["reads_oid"])
        left = unfilled(self._connection)
        stored = {
            row["view_oid"]
            for row in found
            if row["materialized"] and identifier(row["schema"], row["name"]) not in left
        }
        order = [oid for oid in graphlib.TopologicalSorter(graph).static_order() if oid in stored]
        for oid in order:
            with translated(".".join(names[oid])):
                self._everyday_path()
                self._connection.execute(
                    statement(f"REFRESH MATERIALIZED VIEW {identifier(*names[oid])}")
                )
                self._connection.execute(statement(f"ANALYZE {identifier(*names[oid])}"))
        return len(order)

    def analyze(self, tables: Iterable[Table]) -> None:
        """Gather statistics of tables, and of those that were loaded since they were gathered."""
        names = {identifier(table.schema, table.name) for table in tables}
        with translated(self.name):
            if self._exists("_dbcycle.loaded"):
                found = self._connection.execute(
                    "UPDATE _dbcycle.loaded SET analyzed = true WHERE NOT analyzed"
                    " RETURNING table_id"
                ).fetchall()
                names |= {identifier(*parts_of_id(row["table_id"])) for row in found}
            if names:
                self._connection.execute(statement(f"ANALYZE {', '.join(sorted(names))}"))

    def run_sql(self, script: str, path: Path) -> None:
        """Run one SQL file in one transaction; see the protocol.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """
        with translated(self.name):
            self._path("public")
        try:
            scripts.run_script(
                self._connection, script.encode(), path, alone=asks_to_be_alone(script)
            )
        finally:
            if not self._connection.closed:
                self._connection.execute(
                    "RESET ALL; RESET ROLE"
                )  # a script may have changed anything
                settle(self._connection)

    def run_within(self, connection: sqlalchemy.Connection, script: bytes, path: Path) -> None:
        """Run a SQL file inside the transaction of a connection; see the protocol.

        Raises:
            MigrationError: with file, line and column; no value of a row.
        """
        raw: Any = connection.connection.driver_connection
        scripts.run_script(raw, script, path)

    @contextmanager
    def inspecting(self) -> Iterator[tuple[sqlalchemy.Connection, sqlalchemy.MetaData]]:
        """Give a SQLAlchemy connection that only reads, and the reflected tables."""
        catalog = self.catalog()
        with sqlalchemy_transaction(self._connect()) as connection:
            connection.execute(sqlalchemy.text("SET TRANSACTION READ ONLY"))
            yield connection, reflection.reflect(connection, catalog)

    @contextmanager
    def sqlalchemy(self) -> Iterator[sqlalchemy.Connection]:
        """Give a Python step a SQLAlchemy connection inside one transaction."""
        with sqlalchemy_transaction(self._connect()) as connection:
            yield connection

    def explain(self, error: BaseException) -> str:
        """Return what a driver's error says, without values; see the protocol."""
        if not isinstance(error, psycopg.Error):
            return ""
        if isinstance(error, psycopg.errors.ForeignKeyViolation):
            return references.explain(self._connection, error) or message_of(error)
        return message_of(error)

    def bookkeeping(self, name: str) -> tuple[str | None, str]:
        """Return (schema, table) for a table of our own; neither need exist."""
        return "_dbcycle", name

    def migrations(self) -> PostgresMigrations:
        """Return the migrations of this database, the same object every time."""
        return self._migrations
