"""The catalog of a PostgreSQL database, from ``pg_catalog``."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...anonymizers.base import Kind
from ...model.catalog import Catalog, Column, ForeignKey, Table, UniqueKey
from ...model.digest import digest_of
from .session import Connection, identifier, query

Row = Mapping[str, Any]

_KINDS = {
    Kind.TEXT: "text varchar bpchar char name citext",
    Kind.INTEGER: "int2 int4 int8 oid",
    Kind.NUMERIC: "numeric",
    Kind.FLOAT: "float4 float8",
    Kind.BOOLEAN: "bool",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamp timestamptz",
    Kind.TIME: "time timetz",
    Kind.INTERVAL: "interval",
    Kind.UUID: "uuid",
    Kind.JSON: "json jsonb",
    Kind.XML: "xml",
    Kind.BYTES: "bytea",
    Kind.TSVECTOR: "tsvector",
    Kind.NETWORK: "inet cidr macaddr macaddr8",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_CLASSES = {"e": Kind.ENUM, "c": Kind.COMPOSITE, "r": Kind.RANGE, "m": Kind.RANGE}
_FIXED_LENGTHS = {"char": 1, "name": 63}

_CAST = re.compile(
    r"::(?:character varying|double precision|bit varying|(?:timestamp|time) with(?:out)? time zone"
    r'|"[^"]+"(?:\."[^"]+"|\.\w+)?|\w+(?:\."[^"]+"|\.\w+)?)(?:\(\d+(?:,\d+)?\))?(?:\[\])*'
)
_ID_PART = re.compile(r'(?:^|(?<=\.))(?:("(?:[^"]|"")*")|([^".]+))')
_NOISE = re.compile(r"[\s()]+")


def table_id(schema: str, name: str) -> str:
    """Return the id of a table: the bare name in schema ``public``, else ``schema.name``.

    A part that holds a dot or a quote is quoted as in SQL: two tables never share an id.
    """
    parts = [name] if schema == "public" else [schema, name]
    return ".".join(
        '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part
        for part in parts
    )


def parts_of_id(table: str) -> tuple[str, str]:
    """Return the schema and the name behind a table's id."""
    parts = [
        quoted[1:-1].replace('""', '"') if quoted else bare
        for quoted, bare in _ID_PART.findall(table)
    ]
    return ("public", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def settled(definition: str) -> str:
    """Return a definition without casts, parentheses and spaces.

    The server prints expressions back with casts that a dump and a restore shift about
    (``x IN ('a')`` over varchar, for one), so that equal schemas would differ.
    """
    return _NOISE.sub("", _CAST.sub("", definition))


def column_numbers(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return (table id, name) of every column, by the numbers that it keeps when renamed."""
    tables = connection.execute(query("tables")).fetchall()
    ids = {row["oid"]: table_id(row["schema"], row["name"]) for row in tables}
    found = connection.execute(
        "SELECT attrelid, attnum, attname FROM pg_catalog.pg_attribute"
        " WHERE attrelid = ANY (%s) AND attnum > 0 AND NOT attisdropped ORDER BY 1, 2",
        [list(ids)],
    )
    return {
        f"{row['attrelid']}.{row['attnum']}": (ids[row["attrelid"]], row["attname"])
        for row in found
    }


def read_catalog(connection: Connection) -> Catalog:
    """Return the catalog; the session's search path must be ``pg_catalog`` alone."""
    rows = connection.execute(query("tables")).fetchall()
    scope = {"tables": [row["oid"] for row in rows]}
    columns = _grouped(connection.execute(query("columns"), scope).fetchall())
    keys = _grouped(connection.execute(query("keys"), scope).fetchall())
    references = _grouped(connection.execute(query("foreign_keys"), scope).fetchall())
    extras = _grouped(connection.execute(query("extras"), scope).fetchall())
    inner = _grouped(connection.execute(query("partition_references"), scope).fetchall())
    ids = {row["oid"]: table_id(row["schema"], row["name"]) for row in rows}
    tables = {
        ids[row["oid"]]: _table(
            row,
            columns[row["oid"]],
            keys[row["oid"]],
            (_references(references[row["oid"]], ids), _references(inner[row["oid"]], ids)),
            extras[row["oid"]],
        )
        for row in rows
    }
    objects = connection.execute(query("objects")).fetchall()
    extensions = [row["name"] for row in connection.execute(query("extensions")).fetchall()]
    triggers = [
        f"{ids[oid]}.{row['definition'].split(chr(31), 1)[0]}"
        for oid in ids
        for row in extras[oid]
        if row["kind"] == "trigger"
    ]
    described = {
        "tables": [_description(row, columns, references, extras) for row in rows],
        "keys": [
            [
                ids[oid],
                key["name"],
                key["is_primary"],
                settled(str([key["parts"], key["predicate"]])),
            ]
            for oid in ids
            for key in keys[oid]
        ],
        "objects": [
            [row["kind"], row["name"], _object(row["kind"], row["definition"])] for row in objects
        ],
        "extensions": extensions,
    }
    return Catalog(
        engine="postgresql",
        tables=dict(sorted(tables.items())),
        schema_digest=digest_of(described),
        extensions=tuple(extensions),
        views=_named(objects, "view"),
        materialized_views=_named(objects, "materialized view"),
        triggers=tuple(sorted(triggers)),
    )


def schema_texts(connection: Connection) -> list[tuple[str, str]]:
    """Return (place, text) of every definition and comment that somebody wrote."""
    oids = {"tables": [row["oid"] for row in connection.execute(query("tables")).fetchall()]}
    objects = connection.execute(query("objects")).fetchall()
    found = [(f"{row['kind']} {row['name']}", row["definition"] or "") for row in objects]
    for name in ("columns", "extras"):
        rows = connection.execute(query(name), oids).fetchall()
        found += [
            (f"schema {row.get('name') or row.get('kind')}", row["definition"]) for row in rows
        ]
    comments = connection.execute(query("comments")).fetchall()
    found += [(f"{row['name']} comment", row["text"]) for row in comments]
    return found


def materialized_columns(connection: Connection) -> dict[str, tuple[Column, ...]]:
    """Return the columns of each materialized view that holds rows, by its quoted name."""
    views = connection.execute(query("view_dependencies")).fetchall()
    names = {
        row["view_oid"]: identifier(row["schema"], row["name"])
        for row in views
        if row["materialized"] and row["filled"]
    }
    columns = _grouped(connection.execute(query("columns"), {"tables": list(names)}).fetchall())
    return {name: tuple(map(_column, columns[oid])) for oid, name in names.items()}


def _grouped(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["table_oid"]].append(row)
    return found


def _object(kind: str, definition: str | None) -> str:
    return (definition or "") if kind in {"function", "type"} else settled(definition or "")


def _named(objects: Iterable[Row], kind: str) -> tuple[str, ...]:
    names = [row["name"].removeprefix("public.") for row in objects if row["kind"] == kind]
    return tuple(sorted(names))


def _description(
    row: Row,
    columns: Mapping[int, Sequence[Row]],
    references: Mapping[int, Sequence[Row]],
    extras: Mapping[int, Sequence[Row]],
) -> list[Any]:
    oid = row["oid"]
    return [
        [value for name, value in sorted(row.items()) if name not in {"oid", "bounds"}],
        [
            [column["name"], column["type"], column["not_null"], settled(column["definition"])]
            for column in columns[oid]
        ],
        [[key["name"], key["definition"]] for key in references[oid]],
        sorted([extra["kind"], settled(extra["definition"])] for extra in extras[oid]),
    ]


def _table(
    row: Row,
    columns: Iterable[Row],
    keys: Sequence[Row],
    references: tuple[tuple[ForeignKey, ...], tuple[ForeignKey, ...]],
    extras: Sequence[Row],
) -> Table:
    primary = next((tuple(key["columns"]) for key in keys if key["is_primary"]), ())
    security = [
        text
        for flag, text in (
            ("row_security", "ROW LEVEL SECURITY"),
            ("force_row_security", "FORCE ROW LEVEL SECURITY"),
        )
        if row[flag]
    ]
    return Table(
        id=table_id(row["schema"], row["name"]),
        schema=row["schema"],
        name=row["name"],
        columns=tuple(map(_column, columns)),
        primary_key=primary,
        unique_keys=tuple(_unique_key(key) for key in keys if not key["is_primary"]),
        foreign_keys=references[0],
        checks=tuple(sorted(x["definition"] for x in extras if x["kind"] == "check")),
        partitions=tuple(sorted(row["partitions"])),
        extra=tuple(
            sorted(
                [x["definition"].replace(chr(31), " ") for x in extras if x["kind"] != "check"]
                + security
                + ([f"PARTITION BY {row['partition_key']}"] if row["partitioned"] else [])
            )
        ),
        bounds=tuple(row["bounds"]),
        partition_keys=references[1],
    )


def _column(row: Row) -> Column:
    base = row["base_type"]
    kind = _CLASSES.get(row["base_class"]) or _KIND_OF.get(base)
    if kind is None:
        kind = Kind.TEXT if row["base_category"] == "S" else Kind.OTHER
    length = _FIXED_LENGTHS.get(base)
    if base in {"varchar", "bpchar"} and row["typmod"] > 0:
        length = row["typmod"] - 4  # the modifier counts the length word
    return Column(
        name=row["name"],
        type=row["type"],
        kind=kind,
        nullable=not row["not_null"],
        dimensions=row["dimensions"],
        max_length=length,
        labels=tuple(row["labels"]),
        case_insensitive=base == "citext" or row["loose_collation"],
        generated=row["generated"],
        identity=row["identity"],
        has_default=row["has_default"],
        comment=row["comment"],
        base=row["base"],
        parts=tuple(row["parts"]),
        inner_checks=tuple(row["inner_checks"]),
        default=row["default_text"],
    )


def _unique_key(row: Row) -> UniqueKey:
    """Return a unique key; what is not simply a list of columns is told as an index would be:
    ``(lower(email)) WHERE (deleted_at IS NULL)``.
    """
    plain = not row["over_expression"] and row["predicate"] is None
    if plain and not row["nulls_not_distinct"]:
        return UniqueKey(row["name"], tuple(row["columns"]))
    expression = f"({', '.join(row['parts'])})"
    if row["nulls_not_distinct"]:
        expression += " NULLS NOT DISTINCT"
    if row["predicate"] is not None:
        expression += f" WHERE {row['predicate']}"
    columns = row["columns"] if plain else row["reads"]
    return UniqueKey(row["name"], tuple(columns), expression)


def _references(rows: Iterable[Row], ids: Mapping[int, str]) -> tuple[ForeignKey, ...]:
    return tuple(
        ForeignKey(
            row["name"],
            ids[row["table_oid"]],
            tuple(row["columns"]),
            ids[row["parent_oid"]],
            tuple(row["parent_columns"]),
            row.get("unproven", False),
        )
        for row in rows
        if row["parent_oid"] in ids
    )
