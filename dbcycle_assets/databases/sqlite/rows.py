"""Rows as they are: counts, fingerprints and ordered copy text."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence

from ...model.catalog import Column, Table
from ...model.digest import digest_of
from ..port import Fingerprint
from .session import identifier
from .values import affinity, encode, line_of

_BLOCK = 1 << 20
_ROWS = 1000
_MODULUS = 2**128
_SAMPLED = 20_000


def count(connection: sqlite3.Connection, table: Table) -> int:
    """Return the number of rows."""
    found = connection.execute(f"SELECT count(*) FROM {identifier(table.name)}").fetchone()
    return int(found[0])


def lines(
    connection: sqlite3.Connection, table: Table, columns: Sequence[Column], tail: str = ""
) -> Iterator[str]:
    """Yield each row as a line of copy text without its end."""
    kinds = [affinity(column.type) for column in columns]
    names = ", ".join(identifier(column.name) for column in columns)
    cursor = connection.execute(f"SELECT {names} FROM {identifier(table.name)}{tail}")
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


def read(
    connection: sqlite3.Connection, table: Table, columns: Sequence[Column], where: str | None
) -> Iterator[bytes]:
    """Yield copy text in blocks of whole lines, in an order that the content alone decides."""
    tail = (f" WHERE {where}" if where else "") + _order(table)
    gathered: list[str] = []
    size = 0
    for line in lines(connection, table, columns, tail):
        gathered.append(line)
        size += len(line) + 1
        if size >= _BLOCK:
            yield ("\n".join(gathered) + "\n").encode()
            gathered, size = [], 0
    if gathered:
        yield ("\n".join(gathered) + "\n").encode()


def _order(table: Table) -> str:
    """Return the order: the primary key, or every column where that key may be null or is none."""
    key = [column for name in table.primary_key if (column := table.column(name)) is not None]
    parts = [identifier(column.name) for column in key]
    if not key or any(column.nullable for column in key):
        for column in table.stored_columns:
            name = identifier(column.name)
            parts += [f"{name} COLLATE BINARY", f"typeof({name})"]
    return f" ORDER BY {', '.join(parts)}"


def sample(connection: sqlite3.Connection, table: Table, column: Column, limit: int) -> list[str]:
    """Return distinct values in text form, the same on every call."""
    name, kind = identifier(column.name), affinity(column.type)
    found = connection.execute(
        f"SELECT {name} FROM {identifier(table.name)} WHERE {name} IS NOT NULL LIMIT {_SAMPLED}"
    )
    texts = {text for (value,) in found if (text := encode(value, kind)) is not None}
    return sorted(texts, key=lambda text: (hashlib.blake2b(text.encode()).digest(), text))[:limit]
