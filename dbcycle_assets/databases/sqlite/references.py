"""References between tables: orphans, and the repair after golden records displaced rows."""

import json
import re
import sqlite3
from collections.abc import Sequence

from ...model.catalog import ForeignKey
from .keys import Key, locator, same_row
from .session import exists, identifier, transaction
from .values import Undecodable, Value, affinity, decode

Displaced = Sequence[tuple[tuple[str, ...], tuple[str, ...]]]
Texts = tuple[str, ...]

_WRITES = re.compile(
    r"""(?ix) \s* (?: (?P<verb> insert | replace | update | delete ) \s+ )
    (?: or \s+ \w+ \s+ )? (?: (?: into | from ) \s+ )?
    (?: "(?P<quoted> (?:[^"]|"")+ )" | (?P<plain> \w+ ) )"""
)


def orphans(connection: sqlite3.Connection, key: ForeignKey) -> int:
    """Return how many rows refer to no parent; a reference with a null refers to nothing."""
    pairs = zip(key.columns, key.parent_columns, strict=True)
    present = " AND ".join(f"c.{identifier(name)} IS NOT NULL" for name in key.columns)
    # The parent's column comes first: its collation decides, as it does for the key itself.
    match = " AND ".join(f"p.{identifier(parent)} = c.{identifier(c)}" for c, parent in pairs)
    found = connection.execute(
        f"SELECT count(*) FROM {identifier(key.table)} AS c WHERE {present}"
        f" AND NOT EXISTS (SELECT 1 FROM {identifier(key.parent)} AS p WHERE {match})"
    ).fetchone()
    return int(found[0])


def violations(connection: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """Return how many rows of each table refer to no row of each parent, for every foreign key
    that SQLite itself can check.
    """
    found: dict[tuple[str, str], int] = {}
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    for (table,) in names.fetchall():
        try:
            rows = connection.execute(
                "SELECT parent, count(*) FROM pragma_foreign_key_check(?) GROUP BY parent", [table]
            ).fetchall()
        except sqlite3.OperationalError:  # the parent's columns are no key (yet)
            continue
        found |= {(table, parent): int(number) for parent, number in rows}
    return found


def named(connection: sqlite3.Connection, table: str, parent: str) -> str:
    """Return a child table with the columns by which it refers to a parent."""
    return f"{table} ({' or '.join(_columns(connection, table, parent)) or '?'})"


def _columns(connection: sqlite3.Connection, table: str, parent: str) -> list[str]:
    rows = connection.execute(
        'SELECT group_concat("from", \', \') FROM (SELECT id, "from" FROM'
        ' pragma_foreign_key_list(?) WHERE "table" = ? COLLATE NOCASE ORDER BY id, seq)'
        " GROUP BY id ORDER BY id DESC",
        [table, parent],
    )
    return [str(columns) for (columns,) in rows.fetchall()]


def explain(connection: sqlite3.Connection, statement: str) -> str:
    """Return which foreign keys a refused statement (none: a COMMIT) may have violated: tables and
    columns, no value.
    """
    if (found := _WRITES.match(statement)) is None:
        broken = violations(connection)
        pairs = [(named(connection, table, parent), parent) for table, parent in broken]
    else:
        name = (found["quoted"] or found["plain"]).replace('""', '"')
        rows = connection.execute(
            'SELECT DISTINCT m.name, k."table" FROM sqlite_master AS m'
            " JOIN pragma_foreign_key_list(m.name) AS k WHERE m.type = 'table'"
            ' AND (m.name = ?1 COLLATE NOCASE OR k."table" = ?1 COLLATE NOCASE) ORDER BY 1, 2',
            [name],
        ).fetchall()
        own = [(t, p) for t, p in rows if t.casefold() == name.casefold()]
        adds = found["verb"].casefold() in {"insert", "replace"}
        pairs = [(named(connection, t, p), p) for t, p in (own if adds else rows)]
    return "; ".join(
        f"a row of {child} would refer to no row of {parent}" for child, parent in pairs
    )


def repoint(connection: sqlite3.Connection, key: ForeignKey, displaced: Displaced) -> int:
    """Let references to displaced rows refer to what displaced them; return how many rows.

    Where a moved row then has a key that another row has (a golden one, most likely), the moved
    row gives way.
    """
    moves = _moves(connection, key, displaced)
    if not moves:
        return 0
    child = identifier(key.table)
    where = locator(connection, key.table)
    unique = [k for k in _keys(connection, key.table) if set(k.columns) & set(key.columns)]
    kinds = _kinds(connection, key)
    with transaction(connection):
        found = [
            (row, new)
            for old, new in moves
            for row in connection.execute(
                f"SELECT {', '.join(where)} FROM {child}"
                f" WHERE {same_row([identifier(name) for name in key.columns])}"
                f" ORDER BY {', '.join(where)}",
                _values(old, kinds),
            ).fetchall()
        ]
        sets = ", ".join(f"{identifier(name)} = ?" for name in key.columns)
        for row, new in found:
            values = _values(new, kinds)
            moved = connection.execute(
                f"UPDATE OR IGNORE {child} SET {sets} WHERE {same_row(where)}", [*values, *row]
            )
            changed = dict(zip(map(identifier, key.columns), values, strict=True))
            place = [changed.get(name, value) for name, value in zip(where, row, strict=True)]
            if not moved.rowcount:
                connection.execute(f"DELETE FROM {child} WHERE {same_row(where)}", row)
            elif any(_shared(connection, child, k, where, place) for k in unique):
                connection.execute(f"DELETE FROM {child} WHERE {same_row(where)}", place)
    return len(found)


def _moves(connection: sqlite3.Connection, key: ForeignKey, displaced: Displaced) -> Displaced:
    """Return old and new values of the columns that the key refers to.

    The pairs are of the parent's primary key; a key that refers to other columns is served from
    what loading noted.
    """
    rows = connection.execute(
        "SELECT name FROM pragma_table_xinfo(?) WHERE pk ORDER BY pk", [key.parent]
    ).fetchall()
    primary = [name for (name,) in rows]
    moves: list[tuple[Texts, Texts]] = []
    if set(key.parent_columns) <= set(primary):
        at = [primary.index(name) for name in key.parent_columns]
        moves = [
            (tuple(old[n] for n in at), tuple(new[n] for n in at))
            for old, new in displaced
            if len(old) == len(primary)
        ]
    elif exists(connection, "_dbcycle_displaced"):
        for former, present in connection.execute(
            "SELECT former, present FROM _dbcycle_displaced WHERE table_id = ?", [key.parent]
        ).fetchall():
            old, new = (_picked(json.loads(text), key) for text in (former, present))
            if old and new:
                moves.append((old, new))
    return sorted({(old, new) for old, new in moves if old != new})


def _picked(values: dict[str, str | None], key: ForeignKey) -> Texts:
    found = [values.get(name) for name in key.parent_columns]
    return () if None in found else tuple(text for text in found if text is not None)


def _kinds(connection: sqlite3.Connection, key: ForeignKey) -> list[str]:
    """Return the affinities in which the texts were written: the parent's columns'."""
    rows = connection.execute("SELECT name, type FROM pragma_table_xinfo(?)", [key.parent])
    types = dict(rows.fetchall())
    return [affinity(types[name]) for name in key.parent_columns]


def _values(texts: Texts, kinds: Sequence[str]) -> list[Value]:
    found = [decode(text, kind) for text, kind in zip(texts, kinds, strict=True)]
    return [value.raw if isinstance(value, Undecodable) else value for value in found]


def _keys(connection: sqlite3.Connection, table: str) -> list[Key]:
    """Return the keys of a table as loading noted them."""
    if not exists(connection, "_dbcycle_loaded"):
        return []
    row = connection.execute(
        "SELECT keys FROM _dbcycle_loaded WHERE table_id = ?", [table]
    ).fetchone()
    return [
        Key(name, tuple(columns), tuple(parts), where)
        for name, columns, parts, where in (json.loads(row[0]) if row else [])
    ]


def _shared(
    connection: sqlite3.Connection,
    child: str,
    key: Key,
    where: Sequence[str],
    place: Sequence[Value],
) -> bool:
    """Tell whether another row has the key of the row at a place; indexes may not exist yet."""
    here = [f"{name} AS r{n}" for n, name in enumerate(where)]
    at = " AND ".join(f"a.r{n} = ?" for n in range(len(where)))
    other = " OR ".join(f"a.r{n} <> b.r{n}" for n in range(len(where)))
    found = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM {key.side(child, 'a', here)}"
        f" JOIN {key.side(child, 'b', here)} ON {key.equal('a', 'b')} AND ({other}) WHERE {at})",
        place,
    ).fetchone()
    return bool(found[0])
