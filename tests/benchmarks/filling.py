"""Fill every table of a database with rows that its own constraints accept, on either engine.

Values are drawn by type, from what CHECKs compare with, and from the parents' rows; a row that is
refused is drawn again. Nobody's schema is known here, so a table may stay empty: the count says.
"""

import random
import re
import sqlite3
import uuid

import psycopg

from dbcycle_assets.anonymizers.base import Kind

ROWS = 5
TRIES = 60
PASSES = 3
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


def fill(connection, catalog):
    """Insert rows; return how many tables have some, of how many, and how many rows there are.

    The connection is a driver's own, in autocommit mode.
    """
    draws = random.Random(7)  # noqa: S311
    numbers = {table: count(connection, each) for table, each in catalog.tables.items()}
    for _ in range(PASSES):  # parents first; whoever waits for a later parent gets another pass
        for table in _parents_first(catalog):
            for _ in range(TRIES):
                if numbers[table.id] >= ROWS:
                    break
                numbers[table.id] += _insert(connection, table, catalog, draws)
    numbers = {table: count(connection, each) for table, each in catalog.tables.items()}
    return sum(map(bool, numbers.values())), len(numbers), sum(numbers.values())


def name_of(table):
    """Return a table's name in SQL."""
    return ".".join(_quoted(part) for part in (table.schema, table.name) if part)


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'


def count(connection, table):
    """Return how many rows a table has."""
    return connection.execute(f"SELECT count(*) FROM {name_of(table)}").fetchone()[0]


def _parents_first(catalog):
    waiting, ready = dict(sorted(catalog.tables.items())), []
    while waiting:
        free = [
            table
            for table in waiting.values()
            if not any(k.parent in waiting and k.parent != table.id for k in table.foreign_keys)
        ] or list(waiting.values())[:1]
        ready += [waiting.pop(table.id) for table in free]
    return ready


def _insert(connection, table, catalog, draws):
    """Try one row; return whether it is there."""
    row, bound = {}, {}
    for key in table.foreign_keys:
        parent = _parent_row(connection, catalog.tables.get(key.parent), key)
        bound.update(dict(zip(key.columns, parent, strict=True)) if parent else {})
    for column in table.columns:
        if column.generated:
            continue
        if column.name in bound:
            row[column.name] = bound[column.name]
        elif (
            column.identity
            or (column.has_default and draws.random() < 0.6)
            or (column.nullable and draws.random() < 0.4)
        ):
            continue
        else:
            row[column.name] = _value(column, table, draws)
    names = ", ".join(map(_quoted, row))
    mark = "?" if isinstance(connection, sqlite3.Connection) else "%s"
    marks = ", ".join(
        mark if mark == "?" else f"%s::{table.column(name).type.replace('%', '%%')}" for name in row
    )
    values = f"({names}) VALUES ({marks})" if row else "DEFAULT VALUES"
    try:
        connection.execute(f"INSERT INTO {name_of(table)} {values}", list(row.values()))
    except (psycopg.Error, sqlite3.Error):
        return 0
    return 1


def _parent_row(connection, parent, key):
    if parent is None:
        return None
    names = ", ".join(map(_quoted, key.parent_columns))
    whole = " AND ".join(f"{_quoted(each)} IS NOT NULL" for each in key.parent_columns)
    text = ", ".join(f"CAST({_quoted(each)} AS text)" for each in key.parent_columns)
    if isinstance(connection, sqlite3.Connection):
        text = names
    return connection.execute(
        f"SELECT {text} FROM {name_of(parent)} WHERE {whole} ORDER BY random() LIMIT 1"
    ).fetchone()


def _value(column, table, draws):
    if column.dimensions:
        return "{}" if draws.random() < 0.5 or not column.labels else f"{{{column.labels[0]}}}"
    if column.labels:
        return draws.choice(column.labels)
    told = [
        literal
        for check in table.checks
        if column.name in check
        for literal in _LITERAL.findall(check)
    ]
    if told and draws.random() < 0.8:
        return draws.choice(told)
    return _plain(column, table, draws)


def _plain(column, table, draws):
    number = draws.randrange(1, 30_000)
    kind, type_ = column.kind, column.type.lower()
    if kind in {Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT}:
        limits = [
            int(float(each))
            for check in table.checks
            if column.name in check
            for each in _NUMBER.findall(check)
        ]
        near = [limit + step for limit in limits for step in (-1, 0, 1)]
        small = re.match(r"numeric\((\d+),(\d+)\)", type_)
        top = min(30_000, 10 ** (int(small[1]) - int(small[2]))) if small else 30_000
        return str(draws.choice(near) if near and draws.random() < 0.7 else number % top)
    exact = {
        "uuid": lambda: str(uuid.UUID(int=draws.getrandbits(128), version=4)),
        "boolean": lambda: draws.choice(["true", "false"]),
        "json": lambda: draws.choice(['{"a": 1}', "[]", '"x"']),
        "jsonb": lambda: draws.choice(['{"a": 1}', "[]", '"x"']),
        "date": lambda: f"20{number % 30 + 10}-0{number % 9 + 1}-1{number % 10}",
        "bytea": lambda: f"\\x{number:08x}",
        "blob": f"{number:08x}".encode,
        "inet": lambda: f"10.0.{number % 200}.{number % 250}",
        "interval": lambda: f"{number} seconds",
        "ltree": lambda: f"0.{number}",
        "tsvector": lambda: f"word{number}",
        "xml": lambda: "<a/>",
        "int4range": lambda: f"[{number},{number + 1})",
    }
    if type_ in exact:
        return exact[type_]()
    if type_.startswith(("timestamp", "datetime")):
        return f"20{number % 20 + 10}-0{number % 9 + 1}-1{number % 10} 10:{number % 50 + 10}:00"
    if type_.startswith("time"):
        return f"10:{number % 50 + 10}:00"
    word = draws.choice(
        [f"w{number}", f"w{number}@example.net", f"https://example.net/{number}", f"{number}"]
    )
    return word[: column.max_length] if column.max_length else word
