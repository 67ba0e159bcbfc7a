"""Rows as they are: relations, counts, fingerprints and ordered copy text."""

from collections.abc import Iterator, Sequence

from ...model.catalog import Column, Table
from ...model.digest import digest_of
from ..port import Fingerprint
from .session import Connection, identifier, in_template, statement

_BLOCK = 4 << 20


def partitioned(table: Table) -> bool:
    """Tell whether the table's rows lie in partitions."""
    return bool(table.partitions) or any(x.startswith("PARTITION BY ") for x in table.extra)


def relation(table: Table) -> str:
    """Return what to select from: a partitioned table whole, any other without its children."""
    name = identifier(table.schema, table.name)
    return name if partitioned(table) else f"ONLY {name}"


def count(connection: Connection, table: Table) -> int:
    """Return the number of rows."""
    row = connection.execute(statement(f"SELECT count(*) AS n FROM {relation(table)}")).fetchone()
    return int(row["n"]) if row else 0


def fingerprint(connection: Connection, table: Table) -> Fingerprint:
    """Return the number of rows and the sum of their hashes, which no order can change."""
    columns = sorted(column.name for column in table.stored_columns)
    record = ", ".join(f"t.{identifier(name)}" for name in columns)
    row = connection.execute(
        statement(
            "SELECT count(*) AS n, coalesce(sum(hashtextextended(ROW("
            f"{record})::text, 0)::numeric), 0)::text AS total FROM {relation(table)} AS t"
        )
    ).fetchone()
    rows, total = (int(row["n"]), row["total"]) if row else (0, "0")
    return Fingerprint(rows, digest_of([columns, rows, total]))


def read(
    connection: Connection, table: Table, columns: Sequence[Column], where: str | None
) -> Iterator[bytes]:
    """Yield copy text in blocks of whole lines, in an order that the content alone decides."""
    names = ", ".join(f"t.{identifier(column.name)}" for column in columns)
    if table.primary_key:
        order = ", ".join(f"t.{identifier(name)}" for name in table.primary_key)
    else:
        order = ", ".join(
            f't.{identifier(column.name)}::text COLLATE "C"' for column in table.stored_columns
        )
    limit = f" WHERE {where}" if where else ""
    select = f"SELECT {names} FROM {relation(table)} AS t{limit}"
    if order:
        select += f" ORDER BY {order}"
    gathered: list[bytes] = []
    size = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(statement(f"COPY ({select}) TO STDOUT")) as copy,
    ):
        for data in copy:
            line = bytes(data)
            gathered.append(line)
            size += len(line)
            if size >= _BLOCK:
                yield b"".join(gathered)
                gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def sample(connection: Connection, table: Table, column: Column, limit: int) -> list[str]:
    """Return distinct values (elements, of an array) in text form, the same on every call."""
    name, source = in_template(column.name), relation(table).replace("%", "%%")
    value = "unnest(c)" if column.dimensions else "c"
    rows = connection.execute(
        statement(
            f"SELECT v FROM (SELECT DISTINCT v::text AS v FROM (SELECT {value} AS v FROM"
            f" (SELECT {name} AS c FROM {source} WHERE {name} IS NOT NULL LIMIT 20000)"
            " AS sampled) AS single WHERE v IS NOT NULL) AS known"
            ' ORDER BY hashtext(v), v COLLATE "C" LIMIT %s'
        ),
        [limit],
    ).fetchall()
    return [row["v"] for row in rows]
