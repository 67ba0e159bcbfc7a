"""What a SQLite file says about itself."""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from ...anonymizers.base import Kind
from ...errors import BadInput
from ...model.catalog import Catalog, Column, ForeignKey, Table, UniqueKey
from ...model.digest import digest_of
from . import lexer
from .session import OURS, identifier
from .values import affinity

_KINDS = (
    (("DATETIME", "TIMESTAMP"), Kind.TIMESTAMP),
    (("INTERVAL",), Kind.INTERVAL),
    (("UUID", "GUID", "UNIQUEIDENTIFIER"), Kind.UUID),
    (("JSON",), Kind.JSON),
    (("XML",), Kind.XML),
    (("DATE",), Kind.DATE),
    (("TIME",), Kind.TIME),
    (("BOOL",), Kind.BOOLEAN),
    (("BINARY", "BYTEA", "BLOB"), Kind.BYTES),
)
_OF_AFFINITY = {
    "INTEGER": Kind.INTEGER,
    "TEXT": Kind.TEXT,
    "REAL": Kind.FLOAT,
    "NUMERIC": Kind.NUMERIC,
    "BLOB": Kind.TEXT,  # a column without a type; most often words
}
_LENGTH = re.compile(r"\(\s*(\d+)\s*\)")
_VIRTUAL = ["create", "virtual", "table"]

GENERATED = {2, 3}
"""How ``table_xinfo`` marks generated columns."""


@dataclass(frozen=True)
class _Index:
    """A unique index: the parts are (column or None, collation)."""

    name: str
    parts: tuple[tuple[str | None, str], ...]
    partial: bool
    sql: str | None


def read_catalog(connection: sqlite3.Connection) -> Catalog:
    """Return the tables and keys.

    Raises:
        BadInput: the database has virtual tables.
    """
    objects = schema_objects(connection)
    refuse_virtual_tables(objects)
    tables = {
        name: _table(connection, name, sql or "", objects)
        for kind, name, _, sql in objects
        if kind == "table"
    }
    resolved = {name: _with_parents(table, tables) for name, table in sorted(tables.items())}
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    described = [
        [k, n, t, lexer.normalised(sql or "")] for k, n, t, sql in sorted(objects, key=str)
    ]
    return Catalog(
        engine="sqlite",
        tables=resolved,
        schema_digest=digest_of([version, described]),
        views=tuple(sorted(name for kind, name, _, _ in objects if kind == "view")),
        triggers=tuple(sorted(f"{t}.{name}" for kind, name, t, _ in objects if kind == "trigger")),
    )


def column_names(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Return (table, name) of every column, by both."""
    tables = [name for kind, name, _, _ in schema_objects(connection) if kind == "table"]
    return {
        f"{table}.{row[1]}": (table, row[1])
        for table in tables
        for row in connection.execute(f"PRAGMA table_xinfo({identifier(table)})")
    }


Object = tuple[str, str, str, str | None]


def schema_objects(connection: sqlite3.Connection) -> list[Object]:
    """Return (type, name, table, SQL) of everything but SQLite's own and ours, as created."""
    return connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master"
        " WHERE lower(name) NOT GLOB 'sqlite_*' AND lower(tbl_name) NOT GLOB 'sqlite_stat*'"
        " AND substr(tbl_name, 1, length(?1)) <> ?1 AND sql IS NOT NULL ORDER BY rowid",
        [OURS],
    ).fetchall()


def refuse_virtual_tables(objects: Iterable[Object]) -> None:
    """Refuse what cannot be copied row by row.

    Raises:
        BadInput: it names every virtual table.
    """
    names = sorted(name for _, name, _, sql in objects if lexer.head(sql or "", 3) == _VIRTUAL)
    if names:
        raise BadInput(
            f"virtual tables cannot be carried, nor the shadow tables behind them: "
            f"{', '.join(names)}",
            remedy="drop them in a migration step, and let the application fill them again",
        )


def _table(connection: sqlite3.Connection, name: str, sql: str, objects: Sequence[Object]) -> Table:
    options = lexer.table_options(sql)
    rows = connection.execute("SELECT * FROM pragma_table_xinfo(?)", [name]).fetchall()
    found = _unique_indexes(connection, name, objects)
    own_primary = any(origin == "pk" for origin, _ in found)
    collations = column_collations(sql, [row[1] for row in rows])
    primary = tuple(row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5])
    indexes = [index for origin, index in found if origin != "pk"]
    alias = len(primary) == 1 and not own_primary and "WITHOUT ROWID" not in options
    folded = {
        part[0] for index in indexes for part in index.parts if part[1].upper() == "NOCASE"
    } | {name for name, collation in collations.items() if collation.upper() == "NOCASE"}
    columns = []
    for _, column, declared, not_null, default, key, hidden in rows:
        identity = bool(key and alias and declared.upper() == "INTEGER")
        columns.append(
            replace(
                describe_type(column, declared),
                nullable=not (not_null or identity or (key and "WITHOUT ROWID" in options)),
                case_insensitive=column in folded,
                generated=hidden in GENERATED,
                identity=identity,
                has_default=default is not None,
                default=default or "",
            )
        )
    extra = [
        lexer.normalised(text or "")
        for kind, _, table, text in objects
        if table == name and (kind == "trigger" or (kind == "index" and not _is_unique(text)))
    ]
    return Table(
        id=name,
        schema="main",
        name=name,
        columns=tuple(columns),
        primary_key=primary,
        unique_keys=tuple(
            sorted((_unique_key(index, collations) for index in indexes), key=lambda key: key.name)
        ),
        foreign_keys=_foreign_keys(connection, name),
        checks=lexer.checks(sql),
        extra=tuple(sorted([*extra, *options])),
    )


def _is_unique(sql: str | None) -> bool:
    return "unique" in lexer.head(sql or "", 2)


def describe_type(name: str, declared: str) -> Column:
    """Return a column by its declared type alone."""
    upper = declared.upper()
    natural = affinity(declared)
    kind = next(
        (kind for parts, kind in _KINDS if any(part in upper for part in parts)),
        _OF_AFFINITY[natural],
    )
    if natural in {"INTEGER", "REAL"}:
        kind = _OF_AFFINITY[natural]
    length = _LENGTH.search(declared) if natural == "TEXT" and kind is Kind.TEXT else None
    return Column(name, declared, kind, max_length=int(length[1]) if length else None)


def column_collations(sql: str, columns: Sequence[str]) -> dict[str, str]:
    """Return the collation of each column.

    No pragma tells it; an index over the columns does, so an empty twin of the table gets one.
    """
    with closing(sqlite3.connect(":memory:")) as twin:
        try:
            twin.execute(sql)
            name = twin.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()
            listed = ", ".join(map(identifier, columns))
            twin.execute(f"CREATE INDEX _dbcycle_twin ON {identifier(name[0])} ({listed})")
        except (sqlite3.Error, TypeError):  # a collation or function of the application
            return dict.fromkeys(columns, "BINARY")
        rows = twin.execute("SELECT name, coll FROM pragma_index_xinfo('_dbcycle_twin') WHERE key")
        return dict(rows.fetchall())


def _unique_indexes(
    connection: sqlite3.Connection, table: str, objects: Sequence[Object]
) -> list[tuple[str, _Index]]:
    sql_of = {name: sql for kind, name, _, sql in objects if kind == "index"}
    listed = connection.execute(
        'SELECT name, origin, partial FROM pragma_index_list(?) WHERE "unique" ORDER BY seq',
        [table],
    ).fetchall()
    found = []
    for name, origin, partial in listed:
        parts = connection.execute(
            "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", [name]
        ).fetchall()
        found.append((origin, _Index(name, tuple(parts), bool(partial), sql_of.get(name))))
    return found


def _unique_key(index: _Index, collations: Mapping[str, str]) -> UniqueKey:
    """Return a unique key; what is not simply a list of columns under their own collations is told
    as an index would be: ``(lower(email)) WHERE deleted_at IS NULL``.
    """
    names = [name for name, _ in index.parts]
    plain = [name for name in names if name is not None]
    as_columns = all(collations.get(name or "") == collation for name, collation in index.parts)
    if len(plain) == len(names) and not index.partial and as_columns:
        return UniqueKey(_key_name(index, plain), tuple(plain))
    if len(plain) == len(names):
        parts = [
            identifier(name)
            if collations.get(name) == collation
            else f"{identifier(name)} COLLATE {identifier(collation)}"
            for name, collation in index.parts
            if name is not None
        ]
        condition = lexer.key_parts(lexer.index_key(index.sql or ""))[1] if index.partial else None
    else:
        found, condition = lexer.key_parts(lexer.index_key(index.sql or ""))
        parts = list(found)
    expression = f"({', '.join(parts)})" + (f" WHERE {condition}" if condition else "")
    named = lexer.names_in(expression)
    reads = tuple(name for name in collations if name.lower() in named)
    return UniqueKey(_key_name(index, plain), reads, expression)


def _key_name(index: _Index, columns: Sequence[str]) -> str:
    """Return the index's name; SQLite numbers those of constraints, which tells nobody anything."""
    return index.name if index.sql else f"unique ({', '.join(columns)})"


def _foreign_keys(connection: sqlite3.Connection, table: str) -> tuple[ForeignKey, ...]:
    """Return the references as written; parent columns may be omitted, names may differ in case."""
    rows = connection.execute(
        'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq',
        [table],
    ).fetchall()
    keys: dict[int, list[tuple[str, str, str | None]]] = {}
    for number, parent, child, to in rows:
        keys.setdefault(number, []).append((parent, child, to))
    found: list[ForeignKey] = []
    for parts in keys.values():
        columns = tuple(child for _, child, _ in parts)
        name = stem = f"{table}_{'_'.join(columns)}_fkey"
        taken = {key.name for key in found}
        count = 1
        while name in taken:
            count += 1
            name = f"{stem}_{count}"
        parents = tuple(to for _, _, to in parts if to is not None)
        found.append(ForeignKey(name, table, columns, parts[0][0], parents))
    return tuple(found)


def _with_parents(table: Table, tables: Mapping[str, Table]) -> Table:
    """Resolve what references mean; what can mean nothing stays a text of the shape."""
    by_name = {name.lower(): parent for name, parent in tables.items()}
    keys, broken = [], []
    for key in table.foreign_keys:
        parent = by_name.get(key.parent.lower())
        columns = _parent_columns(key, parent) if parent is not None else None
        if parent is None or columns is None:
            broken.append(f"FOREIGN KEY {key.name} refers to nothing in {key.parent}")
        else:
            keys.append(
                ForeignKey(
                    key.name,
                    table.id,
                    _spelled(key.columns, table) or key.columns,
                    parent.id,
                    columns,
                )
            )
    return replace(
        table,
        foreign_keys=tuple(sorted(keys, key=lambda key: key.name)),
        extra=tuple(sorted([*table.extra, *broken])),
    )


def _parent_columns(key: ForeignKey, parent: Table) -> tuple[str, ...] | None:
    columns = _spelled(key.parent_columns or parent.primary_key, parent)
    return columns if columns and len(columns) == len(key.columns) else None


def _spelled(names: Sequence[str], table: Table) -> tuple[str, ...] | None:
    known = {column.name.lower(): column.name for column in table.columns}
    found = [known.get(name.lower()) for name in names]
    return None if None in found else tuple(name for name in found if name is not None)
