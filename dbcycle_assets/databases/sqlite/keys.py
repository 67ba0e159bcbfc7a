"""Unique keys as SQL: which rows of one relation equal which rows of another."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...model.catalog import Table
from .lexer import key_parts
from .session import identifier


@dataclass(frozen=True)
class Key:
    """One key. ``parts`` are SQL over bare column names; ``where`` limits it to some rows."""

    name: str
    columns: tuple[str, ...]
    parts: tuple[str, ...]
    where: str | None = None

    def side(self, relation: str, alias: str, also: Iterable[str], *, apart: bool = False) -> str:
        """Return a derived table with the key's values as k1, k2, … and some more columns.

        ``apart`` has it computed once, beforehand, and indexed: for the smaller side of a join
        over an expression, which otherwise compares every row with every row.
        """
        values = [f"{part} AS k{n}" for n, part in enumerate(self.parts, 1)]
        where = f" WHERE {self.where}" if self.where else ""
        # A LIMIT keeps SQLite from merging the subquery into the query around it.
        limit = " LIMIT -1" if apart else ""
        return f"(SELECT {', '.join([*values, *also])} FROM {relation}{where}{limit}) AS {alias}"

    def equal(self, left: str, right: str) -> str:
        """Return the condition that two sides have equal keys; collations are the columns' own."""
        return " AND ".join(f"{left}.k{n} = {right}.k{n}" for n in range(1, len(self.parts) + 1))


def keys_of(table: Table) -> list[Key]:
    """Return the table's keys, the primary key first."""
    found = []
    if table.primary_key:
        parts = tuple(map(identifier, table.primary_key))
        found.append(Key("primary key", table.primary_key, parts))
    for key in table.unique_keys:
        if key.expression is None:
            found.append(Key(key.name, key.columns, tuple(map(identifier, key.columns))))
        else:
            parts, where = key_parts(key.expression)
            found.append(Key(key.name, key.columns, parts, where))
    return found


def locator(connection: sqlite3.Connection, table: str) -> list[str]:
    """Return the SQL names that tell one row of a table from every other."""
    rows = connection.execute("SELECT name, pk FROM pragma_table_xinfo(?)", [table]).fetchall()
    taken = {name.lower() for name, _ in rows}
    for name in ("rowid", "_rowid_", "oid"):
        if name not in taken:
            try:
                connection.execute(f"SELECT {name} FROM {identifier(table)} LIMIT 0")
            except sqlite3.OperationalError:  # WITHOUT ROWID
                break
            return [name]
    keyed = sorted((place, name) for name, place in rows if place)
    return [identifier(name) for _, name in keyed]


def same_row(names: Sequence[str]) -> str:
    """Return the condition that finds one row by its locator's values."""
    return " AND ".join(f"{name} = ?" for name in names)
