"""Statements that cannot run in a transaction: told apart before they run, and compared with the
catalogue after a run was killed inside one.
"""

import re
from collections.abc import Callable, Sequence

from ..migrating import Effect, Fault, Part
from .session import Connection, identifier, statement

_NAME = r'(?:"(?:[^"]|"")+"|[A-Z_\x80-\xff][\w$\x80-\xff]*)'
_QUALIFIED = rf"{_NAME}(?:\s*\.\s*{_NAME})?"
_OUTSIDE = [
    (r"CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\b", "CREATE INDEX CONCURRENTLY"),
    (r"DROP\s+INDEX\s+CONCURRENTLY\b", "DROP INDEX CONCURRENTLY"),
    (r"REINDEX\b.*\bCONCURRENTLY\b", "REINDEX CONCURRENTLY"),
    (r"REINDEX\s+(\([^)]*\)\s*)?(SCHEMA|DATABASE|SYSTEM)\b", "REINDEX of many tables"),
    (r"VACUUM\b", "VACUUM"),
    (r"ALTER\s+SYSTEM\b", "ALTER SYSTEM"),
    (r"(CREATE|DROP)\s+DATABASE\b", "CREATE or DROP DATABASE"),
    (r"(CREATE|DROP)\s+TABLESPACE\b", "CREATE or DROP TABLESPACE"),
    (r"ALTER\s+DATABASE\b.*\bSET\s+TABLESPACE\b", "ALTER DATABASE … SET TABLESPACE"),
    (r"ALTER\s+TABLE\b.*\bDETACH\s+PARTITION\b.*\bCONCURRENTLY\b", "DETACH … CONCURRENTLY"),
    (r"ALTER\s+TABLE\b.*\bDETACH\s+PARTITION\b.*\bFINALIZE\b", "DETACH … FINALIZE"),
    (r"(CREATE|DROP)\s+SUBSCRIPTION\b", "CREATE or DROP SUBSCRIPTION"),
    (r"CLUSTER\s*;?$", "CLUSTER of all tables"),
    (r"(COMMIT|ROLLBACK)\s+PREPARED\b", "COMMIT PREPARED"),
]
_KINDS = [(re.compile(pattern, re.DOTALL), name) for pattern, name in _OUTSIDE]
_INDEX = re.compile(
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{_NAME})\s+ON"
    rf"\s+(?:ONLY\s+)?(?P<table>{_QUALIFIED})",
    re.DOTALL,
)
_NAMED = re.compile(rf"\b(?:DATABASE|TABLESPACE)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<name>{_NAME})")
_DROP = re.compile(
    rf"DROP\s+INDEX\s+CONCURRENTLY\s+(?:IF\s+EXISTS\s+)?(?P<name>{_QUALIFIED})", re.DOTALL
)
_DETACH = re.compile(
    rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<table>{_QUALIFIED})\s+DETACH\s+PARTITION"
    rf"\s+(?P<name>{_QUALIFIED})",
    re.DOTALL,
)
_ADD_VALUE = re.compile(r"^ALTER\s+TYPE\b.*\bADD\s+VALUE\b", re.DOTALL)
_LABEL = re.compile(rb"(?is)ADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?'((?:[^']|'')*)'")
_TYPE = re.compile(rf"^ALTER\s+TYPE\s+(?P<name>{_QUALIFIED})", re.DOTALL)


def outside(code: str) -> str:
    """Return what a statement is, if it cannot run in a transaction, else an empty string."""
    return next((name for pattern, name in _KINDS if pattern.match(code)), "")


def faults(parts: Sequence[Part], *, in_transaction: bool) -> list[Fault]:
    """Return what cannot work for certain: see the protocol."""
    found = []
    if in_transaction:
        found += [
            Fault(
                f"{part.outside} cannot run in a transaction",
                part.line,
                part.column,
                "put it into a step of its own, with `-- dbcycle: no-transaction` on a line of "
                "its own at the top",
            )
            for part in parts
            if part.outside
        ]
        found += _values_used(parts)
    elif len(parts) > 1:
        return found
    return found


def _values_used(parts: Sequence[Part]) -> list[Fault]:
    """Return where a value that a script adds to an enum is used by the same script."""
    found = []
    for number, part in enumerate(parts):
        label = _LABEL.search(part.texts[0]) if _ADD_VALUE.match(part.code) else None
        name = _TYPE.match(part.code)
        if label is None or name is None:
            continue
        # A type that the same transaction made may be used at once.
        made = re.compile(rf"CREATE\s+TYPE\s+{re.escape(name['name'])}\s+AS\s+ENUM", re.DOTALL)
        if any(made.match(other.code) for other in parts[:number]):
            continue
        quoted = b"'" + label.group(1) + b"'"
        for later in parts[number + 1 :]:
            if _ADD_VALUE.match(later.code) or quoted not in b"".join(later.texts):
                continue
            found.append(
                Fault(
                    "uses an enum value that ALTER TYPE … ADD VALUE adds in the same transaction "
                    f"(line {part.line})",
                    later.line,
                    later.column,
                    "move ALTER TYPE … ADD VALUE into a step of its own, before this one",
                )
            )
            break
    return found


def effect(connection: Connection, part: Part) -> Effect:
    """Compare a statement that was cut off with the catalogue; see the protocol."""
    for start, probe in _PROBES:
        if re.match(start, part.code, re.DOTALL):
            return probe(connection, part)
    return Effect.UNKNOWN


def _index(connection: Connection, part: Part) -> Effect:
    match = _INDEX.match(part.code)
    if match is None:  # an index without a name
        return Effect.UNKNOWN
    row = connection.execute(
        "SELECT n.nspname, i.indisvalid FROM pg_catalog.pg_index i"
        " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = %s AND i.indrelid = to_regclass(%s)",
        [_plain(match["name"]), _folded(match["table"])],
    ).fetchone()
    if row is None:
        return Effect.NONE
    if row["indisvalid"]:
        return Effect.DONE
    name = identifier(row["nspname"], _plain(match["name"]))
    connection.execute(statement(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
    return Effect.NONE


def _drop_index(connection: Connection, part: Part) -> Effect:
    match = _DROP.match(part.code)
    gone = match is not None and _missing(connection, match["name"])
    return Effect.DONE if gone else Effect.NONE


def _reindex(connection: Connection, _part: Part) -> Effect:
    """Remove the invalid twins that a killed REINDEX CONCURRENTLY leaves; it can then run again."""
    rows = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_index i"
        " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'"
    ).fetchall()
    for row in rows:
        name = identifier(row["nspname"], row["relname"])
        connection.execute(statement(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
    return Effect.NONE


def _detach(connection: Connection, part: Part) -> Effect:
    match = _DETACH.match(part.code)
    if match is None:
        return Effect.UNKNOWN
    parent, child = _folded(match["table"]), _folded(match["name"])
    row = connection.execute(
        "SELECT inhdetachpending AS pending FROM pg_catalog.pg_inherits"
        " WHERE inhparent = to_regclass(%s) AND inhrelid = to_regclass(%s)",
        [parent, child],
    ).fetchone()
    if row is None:
        return Effect.DONE
    if row["pending"]:
        connection.execute(statement(f"ALTER TABLE {parent} DETACH PARTITION {child} FINALIZE"))
        return Effect.DONE
    return Effect.NONE


def _named(catalog: str, column: str, *, made: bool) -> Callable[[Connection, Part], Effect]:
    def probe(connection: Connection, part: Part) -> Effect:
        match = _NAMED.search(part.code)
        if match is None:
            return Effect.UNKNOWN
        row = connection.execute(
            statement(f"SELECT 1 FROM pg_catalog.{catalog} WHERE {column} = %s"),
            [_plain(match["name"])],
        ).fetchone()
        return Effect.DONE if (row is not None) == made else Effect.NONE

    return probe


def _again(_connection: Connection, _part: Part) -> Effect:
    return Effect.NONE


_PROBES: list[tuple[str, Callable[[Connection, Part], Effect]]] = [
    (r"CREATE\s+(UNIQUE\s+)?INDEX", _index),
    (r"DROP\s+INDEX", _drop_index),
    (r"REINDEX\b", _reindex),
    (r"ALTER\s+TABLE\b.*\bDETACH\b", _detach),
    (r"(VACUUM|CLUSTER|ALTER\s+SYSTEM)\b", _again),
    (r"CREATE\s+DATABASE\b", _named("pg_database", "datname", made=True)),
    (r"DROP\s+DATABASE\b", _named("pg_database", "datname", made=False)),
    (r"CREATE\s+TABLESPACE\b", _named("pg_tablespace", "spcname", made=True)),
    (r"DROP\s+TABLESPACE\b", _named("pg_tablespace", "spcname", made=False)),
    (r"CREATE\s+SUBSCRIPTION\b", _named("pg_subscription", "subname", made=True)),
]


def _missing(connection: Connection, name: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) AS known", [_folded(name)]).fetchone()
    return row is None or row["known"] is None


def _plain(name: str) -> str:
    """Return the name that a word of the code means; unquoted ones fold to lower case."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _folded(name: str) -> str:
    """Return a name of the code, dotted or not, with every part quoted."""
    return identifier(*(_plain(part) for part in re.findall(_NAME, name)))
