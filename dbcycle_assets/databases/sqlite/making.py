"""Single rows on a SQLAlchemy connection to SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import sqlalchemy

from ...model.catalog import Catalog, Table
from .catalog import read_catalog
from .session import identifier
from .values import Undecodable, affinity, decode


class SqliteMaking:
    """See the protocol."""

    def version(self, connection: sqlalchemy.Connection) -> str:
        """Return the SQL that made everything there is."""
        found = connection.execute(
            sqlalchemy.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1")
        )
        return "\n".join(found.scalars())

    def catalog(self, connection: sqlalchemy.Connection) -> Catalog:
        """Read the catalog on the connection, or on the schema alone where its driver is not
        Python's own.
        """
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            former = driver.row_factory
            driver.row_factory = None
            try:
                return read_catalog(driver)
            finally:
                driver.row_factory = former
        with closing(sqlite3.connect(":memory:")) as twin:
            made = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
            for sql in connection.execute(sqlalchemy.text(f"{made} ORDER BY rowid")).scalars():
                twin.execute(sql)
            return read_catalog(twin)

    def insert(
        self, connection: sqlalchemy.Connection, table: Table, row: Mapping[str, str | None]
    ) -> dict[str, Any]:
        """Insert one row and return all its columns."""
        listed = ", ".join(_escaped(name) for name in row)
        marks = ", ".join(f":p{n}" for n in range(len(row)))
        head = f"INSERT INTO {_escaped(table.name)}"
        rest = f"({listed}) VALUES ({marks})" if row else "DEFAULT VALUES"
        done = connection.execute(
            sqlalchemy.text(f"{head} {rest} RETURNING *"), _values(table, row)
        )
        found = done.mappings().first()
        return dict(row) if found is None else {str(key): found[key] for key in found}

    def find(
        self,
        connection: sqlalchemy.Connection,
        table: Table,
        values: Mapping[str, str],
        unless: Sequence[str] = (),
    ) -> dict[str, Any] | None:
        """Return the first row that has these values."""
        conditions = [
            f"lower({_escaped(name)}) = lower(:p{n})"
            if name in unless
            else f"{_escaped(name)} = :p{n}"
            for n, name in enumerate(values)
        ]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(_escaped(name) for name in table.primary_key)
        text = f"SELECT * FROM {_escaped(table.name)}{where}"
        text += f" ORDER BY {order}" if order else ""
        row = (
            connection.execute(sqlalchemy.text(f"{text} LIMIT 1"), _values(table, values))
            .mappings()
            .first()
        )
        return None if row is None else {str(key): row[key] for key in row}


def _escaped(name: str) -> str:
    """Return a quoted identifier for SQLAlchemy's text, where a colon begins a parameter."""
    return identifier(name).replace(":", r"\:")


def _values(table: Table, row: Mapping[str, str | None]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for number, (name, text) in enumerate(row.items()):
        column = table.column(name)
        value = None
        if text is not None:
            value = decode(text, affinity(column.type) if column is not None else "TEXT")
        made[f"p{number}"] = value.raw if isinstance(value, Undecodable) else value
    return made
