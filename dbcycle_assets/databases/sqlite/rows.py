"""Rows as they are: counts, fingerprints and ordered copy text."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from ...anonymizers.base import Beside, Expression, Reading, Shuffled
from ...model.catalog import Column, Table
from ...model.digest import digest_of
from ..port import WHOLE, Fingerprint, Part
from ..sets import Kept, everything
from .batches import block_of
from .session import identifier
from .values import affinity, encode, line_of

_BATCH = 20_000
_ROWS = 1000
_MODULUS = 2**128
_SAMPLED = 20_000


def count(connection: sqlite3.Connection, table: Table, kept: Kept = everything) -> int:
    """Return the number of rows, of those that are kept."""
    source = f"{identifier(table.name)} AS t{kept('t')}"
    found = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    return int(found[0])


def lines(connection: sqlite3.Connection, table: Table, columns: Sequence[Column]) -> Iterator[str]:
    """Yield each row as a line of copy text without its end."""
    names = ", ".join(identifier(column.name) for column in columns)
    select = f"SELECT {names} FROM {identifier(table.name)}"
    return _lines(connection, select, [affinity(column.type) for column in columns])


def _lines(connection: sqlite3.Connection, select: str, kinds: Sequence[str]) -> Iterator[str]:
    cursor = connection.execute(select)
    while rows := cursor.fetchmany(_ROWS):
        for row in rows:
            yield line_of(row, kinds)


def fingerprint(connection: sqlite3.Connection, table: Table) -> Fingerprint:
    """Return the number of rows and the sum of their hashes, which no order can change."""
    columns = sorted(table.stored_columns, key=lambda column: column.name)
    rows = total = 0
    for line in lines(connection, table, columns):
        rows += 1
        digest = hashlib.blake2b(line.encode("utf-8"), digest_size=16).digest()
        total += int.from_bytes(digest, "big")
    names = [column.name for column in columns]
    return Fingerprint(rows, digest_of([names, rows, str(total % _MODULUS)]))


def read(  # noqa: PLR0913 - the protocol has as many
    connection: sqlite3.Connection,
    table: Table,
    columns: Sequence[Column],
    beside: Sequence[Reading] = (),
    parents: Mapping[str, Table] = MappingProxyType({}),
    *,
    part: Part = WHOLE,
    kept: Kept = everything,
) -> Iterator[bytes]:
    """Yield copy text in blocks of whole lines, in an order that the content alone decides; of
    the rows that are kept.
    """
    names = [f"t.{identifier(column.name)}" for column in columns]
    kinds = [affinity(column.type) for column in columns]
    joins: list[str] = []
    for number, reading in enumerate(beside):
        name, join, kind = _reading(table, reading, f"r{number}", parents, kept)
        names.append(name)
        joins.append(join)
        kinds.append(kind)
    if any(isinstance(reading, Shuffled) for reading in beside):
        connection.create_function("dbcycle_draw", -1, _draw, deterministic=True)
    source = f"{identifier(table.name)} AS t{kept('t')}"
    if part != WHOLE:
        rows, (number, parts) = count(connection, table, kept), part
        begin, end = rows * number // parts, rows * (number + 1) // parts
        window = f" LIMIT {end - begin} OFFSET {begin}"
        source = f"(SELECT t.* FROM {source}{_order(table)}{window}) AS t"
    source += "".join(joins)
    select = f"SELECT {', '.join(names)} FROM {source}{_order(table)}"
    cursor = connection.execute(select)
    while batch := cursor.fetchmany(_BATCH):
        yield block_of(batch, kinds)


def _order(table: Table) -> str:
    """Return the order: the primary key, or every column where that key may be null or is none."""
    key = [column for name in table.primary_key if (column := table.column(name)) is not None]
    parts = [f"t.{identifier(column.name)}" for column in key]
    if not key or any(column.nullable for column in key):
        for column in table.stored_columns:
            name = f"t.{identifier(column.name)}"
            parts += [f"{name} COLLATE BINARY", f"typeof({name})"]
    return f" ORDER BY {', '.join(parts)}"


def _reading(
    table: Table, reading: Reading, alias: str, parents: Mapping[str, Table], kept: Kept
) -> tuple[str, str, str]:
    """Return what to select for something read beside a row, the join that it needs, and how its
    values are written.
    """
    own = identifier(table.name)
    looked_up = reading.parent if isinstance(reading, Beside) else None
    source_table = table if looked_up is None else parents[looked_up]
    found = source_table.column(reading.column)
    kind = affinity(found.type if found is not None else "")
    if isinstance(reading, Expression):
        # SQLite has no lateral joins; the expression sees the row through its key instead.
        key = " AND ".join(
            f"{own}.{identifier(name)} IS t.{identifier(name)}" for name in table.primary_key
        )
        return f"(SELECT ({reading.sql}\n) FROM {own} WHERE {key})", "", kind
    column = identifier(reading.column)
    if isinstance(reading, Shuffled):
        names = [identifier(name) for name in table.primary_key]
        keys = ", ".join(f"s.{name} AS k{n}" for n, name in enumerate(names))
        mine = " AND ".join(f"{alias}.k{n} IS t.{name}" for n, name in enumerate(names))
        picked = ", ".join(f"a.k{n}" for n, _ in enumerate(names))
        order = ", ".join(f"s.{name}" for name in names)
        source = f"FROM {own} AS s{kept('s')} WHERE s.{column} IS NOT NULL"
        drawn = f"dbcycle_draw('{reading.salt}', {order})"
        join = (
            f" LEFT JOIN (SELECT {picked}, b.value FROM"
            f" (SELECT {keys}, row_number() OVER (ORDER BY {order}) AS n {source}) AS a JOIN"
            f" (SELECT s.{column} AS value, row_number() OVER (ORDER BY {drawn}, {order}) AS n"
            f" {source}) AS b USING (n)) AS {alias} ON {mine}"
        )
        return f"{alias}.value", join, kind
    if reading.parent is None or reading.key is None or reading.parent_key is None:
        return f"t.{column}", "", kind
    on = f"{alias}.{identifier(reading.parent_key)} = t.{identifier(reading.key)}"
    join = f" LEFT JOIN {identifier(source_table.name)} AS {alias} ON {on}"
    return f"{alias}.{column}", join, kind


def _draw(*parts: object) -> bytes:
    """Return the place of a row in a shuffle: a digest of the salt and the row's key."""
    return hashlib.sha256(repr(parts).encode()).digest()


def sample(connection: sqlite3.Connection, table: Table, column: Column, limit: int) -> list[str]:
    """Return distinct values in text form, the same on every call."""
    name, kind = identifier(column.name), affinity(column.type)
    found = connection.execute(
        f"SELECT {name} FROM {identifier(table.name)} WHERE {name} IS NOT NULL LIMIT {_SAMPLED}"
    )
    texts = {text for (value,) in found if (text := encode(value, kind)) is not None}
    return sorted(texts, key=lambda text: (hashlib.blake2b(text.encode()).digest(), text))[:limit]


def group_sizes(
    connection: sqlite3.Connection, table: Table, columns: Sequence[str], *, nulls: bool
) -> dict[int, int]:
    """Return how many groups of rows that agree in ``columns`` there are, by their size."""
    parts = [identifier(name) for name in columns]
    where = "" if nulls else f" WHERE {' AND '.join(f'{part} IS NOT NULL' for part in parts)}"
    groups = (
        f"SELECT count(*) AS size FROM {identifier(table.name)}{where} GROUP BY {', '.join(parts)}"
    )
    counted = connection.execute(f"SELECT size, count(*) FROM ({groups}) GROUP BY size ORDER BY 1")
    return {int(size): int(number) for size, number in counted}
