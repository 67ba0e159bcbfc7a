"""Rows as they are: relations, counts, fingerprints and ordered copy text."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from ...anonymizers.base import Expression, Kind, Reading, Shuffled
from ...model.catalog import Column, Table
from ...model.digest import digest_of
from ..port import WHOLE, Fingerprint, Part
from ..sets import Kept, everything
from .session import Connection, identifier, in_template, statement

_BLOCK = 4 << 20
_INCOMPARABLE = frozenset({Kind.JSON, Kind.XML, Kind.COMPOSITE, Kind.OTHER})


def partitioned(table: Table) -> bool:
    """Tell whether the table's rows lie in partitions."""
    return bool(table.partitions) or any(x.startswith("PARTITION BY ") for x in table.extra)


def relation(table: Table) -> str:
    """Return what to select from: a partitioned table whole, any other without its children."""
    name = identifier(table.schema, table.name)
    return name if partitioned(table) else f"ONLY {name}"


def count(connection: Connection, table: Table, kept: Kept = everything) -> int:
    """Return the number of rows, of those that are kept."""
    source = f"{relation(table)} AS t{kept('t')}"
    row = connection.execute(statement(f"SELECT count(*) AS n FROM {source}")).fetchone()
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


def select(  # noqa: PLR0913 - the protocol has as many
    connection: Connection,
    table: Table,
    columns: Sequence[Column],
    beside: Sequence[Reading] = (),
    parents: Mapping[str, Table] = MappingProxyType({}),
    *,
    part: Part = WHOLE,
    kept: Kept = everything,
) -> str:
    """Return the query for a table's rows, in an order that the content alone decides; of the rows
    that are kept.
    """
    names = [f"t.{identifier(column.name)}" for column in columns]
    if table.primary_key:
        order = ", ".join(f"t.{identifier(name)}" for name in table.primary_key)
    else:
        order = ", ".join(
            f't.{identifier(column.name)}::text COLLATE "C"' for column in table.stored_columns
        )
    joins: list[str] = []
    for number, reading in enumerate(beside):
        name, join = _reading(table, reading, f"r{number}", parents, kept)
        names.append(name)
        joins.append(join)
    source = f"{relation(table)} AS t{kept('t')}"
    if part != WHOLE:
        window = _window(count(connection, table, kept), part)
        source = f"(SELECT t.* FROM {source} ORDER BY {order or 1}{window}) AS t"
    text = f"SELECT {', '.join(names)} FROM {source}{''.join(joins)}"
    return f"{text} ORDER BY {order}" if order else text


def _window(rows: int, part: Part) -> str:
    """Return where a part begins and how many rows it has."""
    number, parts = part
    begin, end = rows * number // parts, rows * (number + 1) // parts
    return f" LIMIT {end - begin} OFFSET {begin}"


def copy_out(connection: Connection, query: str) -> Iterator[bytes]:
    """Yield what a query finds as copy text in blocks of whole lines."""
    gathered: list[bytes] = []
    size = 0
    with (
        connection.cursor() as cursor,
        cursor.copy(statement(f"COPY ({query}) TO STDOUT")) as copy,
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


def _reading(
    table: Table, reading: Reading, alias: str, parents: Mapping[str, Table], kept: Kept
) -> tuple[str, str]:
    """Return what to select for something read beside a row, and the join that it needs."""
    if isinstance(reading, Expression):
        # The expression sees the row under the names of its columns alone.
        return f"{alias}.value", (
            f" CROSS JOIN LATERAL (SELECT ({reading.sql}\n)::text AS value"
            f" FROM (SELECT t.*) AS {identifier(table.name)}) AS {alias}"
        )
    column = identifier(reading.column)
    if isinstance(reading, Shuffled):
        key = ", ".join(f"s.{identifier(name)}" for name in table.primary_key)
        mine = " AND ".join(
            f"{alias}.k{n} = t.{identifier(name)}" for n, name in enumerate(table.primary_key)
        )
        keys = ", ".join(f"s.{identifier(x)} AS k{n}" for n, x in enumerate(table.primary_key))
        aliases = ", ".join(f"a.k{n}" for n, _ in enumerate(table.primary_key))
        source = f"FROM {relation(table)} AS s{kept('s')} WHERE s.{column} IS NOT NULL"
        drawn = f"sha256(convert_to('{reading.salt}' || ROW({key})::text, 'UTF8'))"
        return f"{alias}.value", (
            f" LEFT JOIN (SELECT {aliases}, b.value FROM"
            f" (SELECT {keys}, row_number() OVER (ORDER BY {key}) AS n {source}) AS a JOIN"
            f" (SELECT s.{column} AS value, row_number() OVER (ORDER BY {drawn}, {key}) AS n"
            f" {source}) AS b USING (n)) AS {alias} ON {mine}"
        )
    if reading.parent is None or reading.key is None or reading.parent_key is None:
        return f"t.{column}", ""
    parent = parents[reading.parent]
    mine, theirs = f"t.{identifier(reading.key)}", f"{alias}.{identifier(reading.parent_key)}"
    own, other = table.column(reading.key), parent.column(reading.parent_key)
    if own is None or other is None or own.type != other.type:
        mine, theirs = f"{mine}::text", f"{theirs}::text"
    source = relation(parent)
    return f"{alias}.{column}", f" LEFT JOIN {source} AS {alias} ON {theirs} = {mine}"


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


def group_sizes(
    connection: Connection, table: Table, columns: Sequence[str], *, nulls: bool
) -> dict[int, int]:
    """Return how many groups of rows that agree in ``columns`` there are, by their size."""
    found = [column for name in columns if (column := table.column(name)) is not None]
    present = " AND ".join(f"t.{identifier(column.name)} IS NOT NULL" for column in found)
    where = "" if nulls else f" WHERE {present}"
    # Types without equality are compared by their text.
    parts = ", ".join(
        f"t.{identifier(column.name)}{'::text' if column.kind in _INCOMPARABLE else ''}"
        for column in found
    )
    groups = f"SELECT count(*) AS size FROM {relation(table)} AS t{where} GROUP BY {parts}"
    counted = connection.execute(
        statement(f"SELECT size, count(*) AS n FROM ({groups}) AS g GROUP BY size ORDER BY size")
    ).fetchall()
    return {int(row["size"]): int(row["n"]) for row in counted}
