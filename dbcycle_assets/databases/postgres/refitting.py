"""Indexes and keys of tables whose rows are replaced: dropped before, made again afterwards.

Rows are loaded several times as fast into a heap as under indexes, and keys are proven as a whole
when they are added. Only what a replaced table had is dropped, so that all others keep theirs.
"""

import re
from collections.abc import Iterable, Iterator

import psycopg

from ...model.catalog import Table
from .dumps import Entry
from .session import Connection, identifier, query, statement

KEYS = ("INDEX", "INDEX ATTACH", "CONSTRAINT", "FK CONSTRAINT")
"""The kinds of an archive's entries that are indexes and keys."""

_ENTRY = re.compile(r"^\d+; \d+ \d+ (FK CONSTRAINT|CONSTRAINT|INDEX ATTACH|INDEX) (.*)$")


def missing(connection: Connection, entries: Iterable[Entry], section: str) -> Iterator[Entry]:
    """Yield those of an archive's entries that a database lacks: of its indexes and keys for the
    section ``keys``, else of all.
    """
    # Listed names have blanks for line breaks.
    present = {
        (row["kind"], re.sub(r"[\r\n]", " ", row["name"]))
        for row in connection.execute(query("present_keys")).fetchall()
    }
    for entry in entries:
        match = _ENTRY.match(entry.line)
        wanted = section != "keys" if match is None else match.groups() not in present
        if wanted:
            yield entry


def release(connection: Connection, tables: Iterable[Table]) -> None:
    """Drop the foreign keys that tables have, and those that refer to them; wait for as long as
    somebody loads a table at their other end.
    """
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = 0")
        for row in _own_keys(connection, tables):
            if row["kind"] == "foreign":
                _drop_constraint(connection, row)


def strip(connection: Connection, table: Table) -> None:
    """Drop a table's indexes and keys inside the transaction that replaces its rows.

    What something else depends on stays; rows are then loaded under it.
    """
    for row in _own_keys(connection, [table]):
        try:
            with connection.transaction():
                if row["kind"] == "index":
                    name = identifier(row["schema"], row["name"])
                    connection.execute(statement(f"DROP INDEX {name}"))
                else:
                    _drop_constraint(connection, row)
        except psycopg.errors.DependentObjectsStillExist:
            continue


def _own_keys(connection: Connection, tables: Iterable[Table]) -> list[dict[str, str]]:
    known = list(tables)
    parameters = {
        "schemas": [table.schema for table in known],
        "names": [table.name for table in known],
    }
    return connection.execute(query("own_keys"), parameters).fetchall()


def _drop_constraint(connection: Connection, row: dict[str, str]) -> None:
    relation = identifier(row["schema"], row["relation"])
    connection.execute(
        statement(f"ALTER TABLE {relation} DROP CONSTRAINT {identifier(row['name'])}")
    )
