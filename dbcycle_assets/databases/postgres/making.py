"""Single rows on a SQLAlchemy connection to PostgreSQL, whatever its driver."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
import sqlalchemy
from psycopg.rows import dict_row

from ...anonymizers.base import Kind
from ...model.catalog import Catalog, Column, Table
from .catalog import read_catalog
from .session import Connection, connect, identifier

_VERSION = """
SELECT md5(string_agg(t, ',')) FROM (
    SELECT 'a' || attrelid || ' ' || max(xmin::text::bigint) AS t FROM pg_catalog.pg_attribute
    WHERE attrelid >= 16384 GROUP BY attrelid
    UNION ALL SELECT 'c' || oid || ' ' || xmin FROM pg_catalog.pg_constraint WHERE oid >= 16384
    UNION ALL SELECT 'i' || indexrelid || ' ' || xmin FROM pg_catalog.pg_index
              WHERE indexrelid >= 16384
    UNION ALL SELECT 'e' || oid || ' ' || xmin FROM pg_catalog.pg_enum
    UNION ALL SELECT 'd' || oid || ' ' || xmin FROM pg_catalog.pg_attrdef
    ORDER BY 1
) AS found (t)
"""


class PostgresMaking:
    """See the protocol."""

    def version(self, connection: sqlalchemy.Connection) -> str:
        """Return a digest of the versions of the catalog's rows; clones of a template share it."""
        return str(connection.execute(sqlalchemy.text(_VERSION)).scalar())

    def catalog(self, connection: sqlalchemy.Connection) -> Catalog:
        """Read the catalog inside the connection's transaction if its driver is ours, else in a
        session of our own, which sees what is committed.
        """
        driver = connection.connection.driver_connection
        if isinstance(driver, psycopg.Connection):
            with _as_catalog_reader(driver) as reader:
                return read_catalog(reader)
        url = connection.engine.url.set(drivername="postgresql")
        own = connect(url.render_as_string(hide_password=False))
        try:
            with _as_catalog_reader(own) as reader:
                return read_catalog(reader)
        finally:
            own.close()

    def insert(
        self, connection: sqlalchemy.Connection, table: Table, row: Mapping[str, str | None]
    ) -> dict[str, Any]:
        """Insert one row, keys of identity columns included, and return all its columns."""
        names = list(row)
        listed = ", ".join(_escaped(name) for name in names)
        marks = ", ".join(_mark(table, name, f"p{n}") for n, name in enumerate(names))
        head = f"INSERT INTO {_escaped(table.schema, table.name)}"
        rest = f"({listed}) OVERRIDING SYSTEM VALUE VALUES ({marks})" if names else "DEFAULT VALUES"
        told = f" RETURNING {_columns(table)}" if table.columns else ""
        done = connection.execute(
            sqlalchemy.text(f"{head} {rest}{told}"),
            {f"p{n}": row[name] for n, name in enumerate(names)},
        )
        found = done.first() if told else None
        return dict(row) if found is None else _read(table, found)

    def find(
        self,
        connection: sqlalchemy.Connection,
        table: Table,
        values: Mapping[str, str],
        unless: Sequence[str] = (),
    ) -> dict[str, Any] | None:
        """Return the first row that has these values."""
        conditions = [
            f"lower({_escaped(name)}::text) = lower(CAST(:p{n} AS text))".replace("::", r"\:\:")
            if name in unless
            else f"{_escaped(name)} = {_mark(table, name, f'p{n}')}"
            for n, name in enumerate(values)
        ]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = ", ".join(_escaped(name) for name in table.primary_key)
        text = f"SELECT {_columns(table)} FROM {_escaped(table.schema, table.name)}{where}"
        if order:
            text += f" ORDER BY {order}"
        found = connection.execute(
            sqlalchemy.text(f"{text} LIMIT 1"),
            {f"p{n}": value for n, value in enumerate(values.values())},
        )
        row = found.first()
        return None if row is None else _read(table, row)


@contextmanager
def _as_catalog_reader(driver: psycopg.Connection[Any]) -> Iterator[Connection]:
    """Give a connection that reads the catalog as ours does; its settings are put back."""
    former_rows = driver.row_factory
    reader = cast("Connection", driver)
    reader.row_factory = dict_row
    try:
        shown = reader.execute("SELECT current_setting('search_path') AS path").fetchone()
        reader.execute("SELECT set_config('search_path', 'pg_catalog', false)")
        try:
            yield reader
        finally:
            path = shown["path"] if shown is not None else ""
            reader.execute("SELECT set_config('search_path', %s, false)", [path])
    finally:
        driver.row_factory = former_rows


def _escaped(*parts: str) -> str:
    """Return a quoted identifier for SQLAlchemy's text, where a colon begins a parameter."""
    return identifier(*parts).replace(":", r"\:")


def _mark(table: Table, name: str, parameter: str) -> str:
    """Return a parameter that is given as text and read as the column's type.

    A cast to varchar(n) would cut what is too long; an assignment refuses it.
    """
    column = table.column(name)
    text = f"CAST(:{parameter} AS text)"
    if column is None or _is_text(column):
        return text
    return f"CAST({text} AS {column.type.replace(':', chr(92) + ':')})"


def _is_text(column: Column) -> bool:
    return column.kind is Kind.TEXT and not column.dimensions


def _is_moment(column: Column) -> bool:
    return column.kind in {Kind.DATE, Kind.TIMESTAMP} and not column.dimensions


def _columns(table: Table) -> str:
    """Return the columns as SQL; moments twice, since Python has none that are infinite."""
    names = {column.name: _escaped(column.name) for column in table.columns}
    plain = [
        f"CASE WHEN isfinite({name}) THEN {name} END" if _is_moment(column) else name
        for column, name in zip(table.columns, names.values(), strict=True)
    ]
    texts = [f"CAST({names[c.name]} AS text)" for c in table.columns if _is_moment(c)]
    return ", ".join([*plain, *texts])


def _read(table: Table, row: sqlalchemy.Row[Any]) -> dict[str, Any]:
    """Return a row by column, with infinite moments as text."""
    values = tuple(row)
    found = dict(zip([c.name for c in table.columns], values, strict=False))
    moments = [c.name for c in table.columns if _is_moment(c)]
    for name, text in zip(moments, values[len(table.columns) :], strict=True):
        if found[name] is None:
            found[name] = text
    return found
