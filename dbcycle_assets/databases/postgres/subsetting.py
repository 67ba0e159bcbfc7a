"""Subsets on PostgreSQL: rows are told apart by where they lie, which nothing moves between the
drawing and the reading of a scratch database.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from ...errors import BadInput
from ...model.catalog import Table
from ..sets import BOUND
from .rows import partitioned, relation
from .session import Connection, identifier, statement, translated

_SETTINGS = (
    "SET LOCAL jit = off; SET LOCAL work_mem = '128MB'; SET LOCAL random_page_cost = 1.1;"
    " SET LOCAL default_statistics_target = 10"
)
READING = "SET random_page_cost = 0.2"
"""For the reading of a set, which lies in the order of its table: fetched by their addresses, its
rows are read page after page, and what lies between them is not read at all."""

_MANY = 1000


class PostgresDialect:
    """What subsetting needs of PostgreSQL; see the protocol."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Recursion compares row addresses by hash, which PostgreSQL 14 learnt.
        self.recursive = connection.info.server_version >= 140000  # noqa: PLR2004

    def settle(self) -> None:
        """Prepare the transaction of one drawing."""
        self._connection.execute(_SETTINGS)
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS _dbcycle")

    def relation(self, table: Table) -> str:
        """Return what to select from."""
        return relation(table)

    def identifier(self, name: str) -> str:
        """Return a quoted name."""
        return identifier(name)

    def bookkeeping(self, name: str) -> str:
        """Return the quoted name of a table of our own."""
        return identifier("_dbcycle", name)

    def identity(self, table: Table) -> tuple[str, ...]:
        """Return the names that tell one row from every other."""
        return ("tableoid", "ctid") if partitioned(table) else ("ctid",)

    def text(self, value: str) -> str:
        """Return a value as text."""
        return f"{value}::text"

    def drawn(self, table: Table, alias: str) -> str:
        """Return a row's place in the draw."""
        key = _key(table, alias)
        return f"sha256(convert_to(current_setting('dbcycle.salt') || {key}, 'UTF8'))"

    def mark(self, table: Table, alias: str) -> str:
        """Return a number that a row's key decides."""
        return f"hashtextextended({_key(table, alias)}, 0)"

    def below(self, fraction: float) -> str:
        """Return the comparison that holds for that share of all places."""
        if fraction >= 1:
            return "IS NOT NULL"
        return f"< '\\x{int(fraction * 2**64).to_bytes(8, 'big').hex()}'::bytea"

    def salted(self, salt: str) -> None:
        """Put a salt in force for the rest of the transaction."""
        self._connection.execute("SELECT set_config('dbcycle.salt', %s, true)", [salt])

    def create(self, name: str, identity: int, select: str, columns: Sequence[str]) -> int:
        """Make a table of what a query finds, and return how many rows that were."""
        _ = identity, columns
        return self.run(f"CREATE UNLOGGED TABLE {self.bookkeeping(name)} AS {select}")

    def exists(self, name: str) -> bool:
        """Tell whether a table of our own is there."""
        found = self.rows(f"SELECT to_regclass({BOUND}) IS NOT NULL", [self.bookkeeping(name)])
        return bool(found[0][0])

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement, and never two; return how many rows it changed."""
        return self._execute(sql, values).rowcount

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self._execute(sql, values).fetchall()

    def _execute(self, sql: str, values: Sequence[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
        cursor = self._connection.cursor(row_factory=tuple_row)
        if values:
            text = sql.replace("%", "%%").replace(BOUND, "%s")
            return cursor.execute(statement(text), list(values))
        # A prepared statement is one statement, whatever a predicate holds.
        return cursor.execute(statement(sql), prepare=True)

    def refused(self, where: str) -> AbstractContextManager[None]:
        """Turn a refusal of the user's own SQL into BadInput, without a value."""
        return translated(where, BadInput)

    def measured(self, name: str, rows: int) -> None:
        """Let the planner know a table of ours that has grown."""
        if rows >= _MANY:
            self._connection.execute(statement(f"ANALYZE {self.bookkeeping(name)}"))

    def size(self, table: Table) -> int | None:
        """Return how many bytes a table's rows take, out-of-line values included."""
        name = identifier(table.schema, table.name)
        tree = "SELECT sum(pg_table_size(p.relid)) FROM pg_partition_tree"
        found = self.rows(
            f"{tree}({BOUND}::regclass) AS p"
            if partitioned(table)
            else f"SELECT pg_table_size({BOUND}::regclass)",
            [name],
        )
        return int(found[0][0] or 0)

    def marked(self, kept: str) -> tuple[int, str]:
        """Return how many rows a set has, and the sum of their marks."""
        ((rows, total),) = self.rows(
            f"SELECT count(*), coalesce(sum(mark::numeric), 0)::text FROM {kept}"
        )
        return int(rows), total


def _key(table: Table, alias: str) -> str:
    """Return the text of a row's primary key, of the whole row without one."""
    names = table.primary_key or tuple(column.name for column in table.stored_columns)
    found = [f"{alias}.{identifier(name)}" for name in names]
    return f"{found[0]}::text" if len(found) == 1 == len(table.primary_key) else _row(found)


def _row(names: Sequence[str]) -> str:
    return f"ROW({', '.join(names)})::text"
