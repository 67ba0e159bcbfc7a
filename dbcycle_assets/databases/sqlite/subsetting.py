"""Subsets on SQLite: rows are told apart by their rowid, or by the primary key without one."""

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from ...errors import BadInput
from ...model.catalog import Table
from ..sets import BOUND
from .keys import locator
from .session import OURS, exists, identifier, translated


class SqliteDialect:
    """What subsetting needs of SQLite; see the protocol."""

    recursive = False
    """A recursive query takes a row at a time, and would search the table for each."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._salt = b""
        self._identities: dict[str, tuple[str, ...]] = {}

    def settle(self) -> None:
        """Prepare the session for drawing."""
        self._connection.create_function("dbcycle_drawn", -1, self._drawn, deterministic=True)
        self._connection.create_function("dbcycle_mark", -1, _mark, deterministic=True)

    def _drawn(self, *parts: bytes | None) -> bytes:
        text = repr(parts).encode()
        return hashlib.blake2b(text, key=self._salt, digest_size=8).digest()

    def relation(self, table: Table) -> str:
        """Return what to select from."""
        return identifier(table.name)

    def identifier(self, name: str) -> str:
        """Return a quoted name."""
        return identifier(name)

    def bookkeeping(self, name: str) -> str:
        """Return the quoted name of a table of our own."""
        return identifier(f"{OURS}{name}")

    def identity(self, table: Table) -> tuple[str, ...]:
        """Return the names that tell one row from every other."""
        if table.id not in self._identities:
            self._identities[table.id] = tuple(locator(self._connection, table.name))
        return self._identities[table.id]

    def text(self, value: str) -> str:
        """Return a value as text."""
        return f"CAST({value} AS TEXT)"

    def drawn(self, table: Table, alias: str) -> str:
        """Return a row's place in the draw."""
        return f"dbcycle_drawn({_parts(table, alias)})"

    def mark(self, table: Table, alias: str) -> str:
        """Return a number that a row's key decides."""
        return f"dbcycle_mark({_parts(table, alias)})"

    def below(self, fraction: float) -> str:
        """Return the comparison that holds for that share of all places."""
        if fraction >= 1:
            return "IS NOT NULL"
        return f"< x'{int(fraction * 2**64).to_bytes(8, 'big').hex()}'"

    def salted(self, salt: str) -> None:
        """Put a salt in force."""
        self._salt = bytes.fromhex(salt)

    def create(self, name: str, identity: int, select: str, columns: Sequence[str]) -> int:
        """Make a table of what a query finds, and return how many rows that were."""
        # Without a type a column keeps what it is given, and a comparison goes by the other side's
        # type, as for a foreign key.
        listed = ", ".join(columns)
        keys = ", ".join(columns[:identity])
        made = self.bookkeeping(name)
        self.run(f"CREATE TABLE {made} ({listed}, PRIMARY KEY ({keys})) WITHOUT ROWID")
        return self.run(f"INSERT INTO {made} ({listed}) {select}")

    def exists(self, name: str) -> bool:
        """Tell whether a table of our own is there."""
        return exists(self._connection, f"{OURS}{name}")

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement and return how many rows it changed."""
        return self._connection.execute(sql.replace(BOUND, "?"), values).rowcount

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self._connection.execute(sql.replace(BOUND, "?"), values).fetchall()

    def refused(self, where: str) -> AbstractContextManager[None]:
        """Turn a refusal of the user's own SQL into BadInput, without a value."""
        return translated(where, BadInput)

    def measured(self, name: str, rows: int) -> None:
        """Do nothing: the sets are found by their keys."""

    def size(self, table: Table) -> int | None:
        """Return how many bytes a table's pages take, or None where SQLite cannot tell."""
        try:
            found = self.rows(
                f"SELECT sum(pgsize) FROM dbstat WHERE name = {BOUND} AND aggregate", [table.name]
            )
        except sqlite3.OperationalError:
            return None
        return int(found[0][0] or 0)

    def marked(self, kept: str) -> tuple[int, str]:
        """Return how many rows a set has, and the sum of their marks."""
        rows = total = 0
        for (mark,) in self._connection.execute(f"SELECT mark FROM {kept}"):
            rows += 1
            total += mark
        return rows, str(total)


def _mark(*parts: bytes | None) -> int:
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _parts(table: Table, alias: str) -> str:
    # As bytes: a text that is no UTF-8 cannot be given to a function.
    return ", ".join(f"CAST({alias}.{identifier(name)} AS BLOB)" for name in _key(table))


def _key(table: Table) -> tuple[str, ...]:
    """Return the columns that a row is drawn by: its primary key, all of them without one."""
    columns = [table.column(name) for name in table.primary_key]
    if columns and not any(column is None or column.nullable for column in columns):
        return table.primary_key
    return tuple(column.name for column in table.stored_columns)
