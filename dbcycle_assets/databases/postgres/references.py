"""References between tables: orphans, and the repair after golden records displaced rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from ...model.catalog import ForeignKey
from .catalog import parts_of_id
from .keys import Key
from .session import Connection, identifier, in_template, statement

Displaced = Sequence[tuple[tuple[str, ...], tuple[str, ...]]]


def relation_of(connection: Connection, table: str) -> str:
    """Return what to select from for a table id: a partitioned table whole, others alone."""
    schema, name = parts_of_id(table)
    row = connection.execute(
        "SELECT c.relkind = 'p' AS partitioned"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND n.nspname = %s AND c.relname = %s",
        [schema, name],
    ).fetchone()
    found = identifier(schema, name)
    return found if row is None or row["partitioned"] else f"ONLY {found}"


def orphans(connection: Connection, key: ForeignKey) -> int:
    """Return how many rows refer to no parent.

    A reference with a null refers to nothing; under MATCH FULL (known once the key exists) a
    reference that is null in part is an orphan.
    """
    child, parent = relation_of(connection, key.table), relation_of(connection, key.parent)
    pairs = list(zip(key.columns, key.parent_columns, strict=True))
    present = " AND ".join(f"c.{identifier(name)} IS NOT NULL" for name in key.columns)
    match = " AND ".join(f"p.{identifier(p)} = c.{identifier(c)}" for c, p in pairs)
    condition = f"({present} AND NOT EXISTS (SELECT FROM {parent} AS p WHERE {match}))"
    if len(pairs) > 1 and _match_full(connection, key):
        absent = " AND ".join(f"c.{identifier(name)} IS NULL" for name in key.columns)
        condition += f" OR (NOT ({present}) AND NOT ({absent}))"
    row = connection.execute(
        statement(f"SELECT count(*) AS n FROM {child} AS c WHERE {condition}")
    ).fetchone()
    return int(row["n"]) if row else 0


def _match_full(connection: Connection, key: ForeignKey) -> bool:
    row = connection.execute(
        "SELECT FROM pg_catalog.pg_constraint WHERE contype = 'f' AND confmatchtype = 'f'"
        " AND conname = %s AND conrelid = %s::regclass",
        [key.name, relation_of(connection, key.table).removeprefix("ONLY ")],
    ).fetchone()
    return row is not None


def explain(connection: psycopg.Connection[Any], error: psycopg.Error) -> str:
    """Return which foreign key a refused statement violates: tables and columns, no value. The
    connection is another one: that of the statement answers no more.
    """
    row = connection.execute(
        "SELECT k.conrelid::regclass::text AS child, k.confrelid::regclass::text AS parent,"
        " (SELECT string_agg(a.attname, ', ' ORDER BY u.n)"
        "  FROM unnest(k.conkey) WITH ORDINALITY AS u (number, n)"
        "  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number)"
        " AS columns"
        " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE k.contype = 'f' AND k.conname = %s"
        " ORDER BY c.relname = %s AND n.nspname = %s DESC LIMIT 1",
        [error.diag.constraint_name, error.diag.table_name, error.diag.schema_name],
    ).fetchone()
    if row is None:
        return ""
    child, parent, columns = row.values() if isinstance(row, dict) else row
    return f"a row of {child} ({columns}) would refer to no row of {parent}"


def repoint(connection: Connection, key: ForeignKey, displaced: Displaced) -> int:
    """Let references to displaced rows refer to what displaced them; return how many rows.

    Where a moved row then has a key that another row has (a golden one, most likely), the moved
    row gives way.
    """
    moves = _moves(connection, key, displaced)
    if not moves:
        return 0
    child = relation_of(connection, key.table)
    with connection.transaction():
        connection.execute("DROP TABLE IF EXISTS pg_temp.dbcycle_moved")
        connection.execute("CREATE TEMP TABLE dbcycle_moved (home oid, row_id tid) ON COMMIT DROP")
        count = len(key.columns)
        types = _types(connection, child, key.columns)
        olds = [[old[n] for old, _ in moves] for n in range(count)]
        news = [[new[n] for _, new in moves] for n in range(count)]
        arrays = ", ".join(["%s::text[]"] * (2 * count))
        names = ", ".join([f"o{n}" for n in range(count)] + [f"n{n}" for n in range(count)])
        sets = ", ".join(
            f"{in_template(column)} = CAST(m.n{n} AS {types[column]})"
            for n, column in enumerate(key.columns)
        )
        same = " AND ".join(
            f"c.{in_template(column)} = CAST(m.o{n} AS {types[column]})"
            for n, column in enumerate(key.columns)
        )
        moved = connection.execute(
            statement(
                f"WITH moved AS (UPDATE {child.replace('%', '%%')} AS c SET {sets}"
                f" FROM unnest({arrays}) AS m ({names}) WHERE {same}"
                " RETURNING c.tableoid, c.ctid)"
                " INSERT INTO pg_temp.dbcycle_moved SELECT * FROM moved"
            ),
            [*olds, *news],
        ).rowcount
        if moved:
            for unique in _keys(connection, key.table):
                _give_way(connection, child, unique)
    return moved


def _moves(connection: Connection, key: ForeignKey, displaced: Displaced) -> Displaced:
    """Return old and new values of the columns that the key refers to.

    The pairs are of the parent's primary key; a key that refers to other columns is served from
    what loading noted.
    """
    primary = next(iter(_keys(connection, key.parent)), None)
    columns = primary.columns if primary else key.parent_columns
    if set(key.parent_columns) <= set(columns):
        at = [columns.index(name) for name in key.parent_columns]
        moves = [
            (tuple(old[n] for n in at), tuple(new[n] for n in at))
            for old, new in displaced
            if len(old) == len(columns)
        ]
    else:
        moves = []
        for row in connection.execute(
            "SELECT former, present FROM _dbcycle.displaced WHERE table_id = %s", [key.parent]
        ).fetchall():
            old = tuple(row["former"].get(name) for name in key.parent_columns)
            new = tuple(row["present"].get(name) for name in key.parent_columns)
            if None not in old and None not in new:
                moves.append((old, new))
    return sorted({(old, new) for old, new in moves if old != new})


def _types(connection: Connection, child: str, columns: Sequence[str]) -> Mapping[str, str]:
    rows = connection.execute(
        "SELECT a.attname AS name, n.nspname AS schema, t.typname AS type"
        " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
        " WHERE a.attrelid = %s::regclass AND a.attname = ANY (%s)",
        [child.removeprefix("ONLY "), list(columns)],
    ).fetchall()
    return {row["name"]: in_template(row["schema"], row["type"]) for row in rows}


def _keys(connection: Connection, table: str) -> list[Key]:
    """Return the keys of a table as loading noted them, the primary key first."""
    if connection.execute("SELECT to_regclass('_dbcycle.loaded') AS known").fetchone() == {
        "known": None
    }:
        return []
    row: dict[str, Any] | None = connection.execute(
        "SELECT keys FROM _dbcycle.loaded WHERE table_id = %s", [table]
    ).fetchone()
    return [
        Key("", tuple(key["columns"]), tuple(key["parts"]), key["where"], key["nulls"])
        for key in (row["keys"] if row else [])
    ]


def _give_way(connection: Connection, child: str, unique: Key) -> None:
    """Delete moved rows that now share a key with a row that did not move, or moved before them."""
    places = ["tableoid AS home", "ctid AS row_id"]
    connection.execute(
        statement(
            f"DELETE FROM {child} AS t USING (SELECT a.home, a.row_id"
            f" FROM {unique.side(child, 'a', places)}"
            " JOIN pg_temp.dbcycle_moved AS m ON m.home = a.home AND m.row_id = a.row_id"
            f" WHERE EXISTS (SELECT FROM {unique.side(child, 'b', places)}"
            f" WHERE {unique.equal('a', 'b')} AND (a.home, a.row_id) <> (b.home, b.row_id)"
            " AND (NOT EXISTS (SELECT FROM pg_temp.dbcycle_moved AS n"
            "                  WHERE n.home = b.home AND n.row_id = b.row_id)"
            "      OR (b.home, b.row_id) < (a.home, a.row_id)))) AS h"
            " WHERE t.tableoid = h.home AND t.ctid = h.row_id"
        )
    )
