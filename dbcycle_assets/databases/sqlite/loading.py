"""Replacing a table's rows: extract in, golden records over it, everything in one transaction."""

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from ...anonymizers.base import Kind
from ...errors import BadInput, GoldenError, did_you_mean
from ...model.catalog import Column, Table
from ..port import Loaded, Row
from .batches import rows_in
from .catalog import column_collations
from .keys import Key, keys_of, locator, same_row
from .rows import fingerprint
from .session import exists, identifier, message_of, transaction
from .values import Undecodable, Value, affinity, decode, encode, insert_all, rows_of

BOOKKEEPING = (
    """CREATE TABLE IF NOT EXISTS _dbcycle_loaded (
        table_id TEXT PRIMARY KEY, content TEXT NOT NULL, keys TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS _dbcycle_displaced (
        table_id TEXT NOT NULL, former TEXT NOT NULL, present TEXT NOT NULL
    )""",
)

_GOLDEN = "temp._dbcycle_golden"
_NUMBER = '"_dbcycle_number"'
_PLACE = re.compile(r"(?:failed:|column) (?:.*[. ])?(?P<column>[^.\s]+)$")
_NUMBERS = {Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT, Kind.BOOLEAN}

Pairs = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
Values = tuple[Value | Undecodable, ...]


@dataclass(frozen=True)
class _Load:
    connection: sqlite3.Connection
    table: Table
    columns: Sequence[Column]

    @property
    def name(self) -> str:
        return identifier(self.table.name)

    @property
    def names(self) -> str:
        return ", ".join(identifier(column.name) for column in self.columns)

    @property
    def golden(self) -> str:
        """The golden records under the table's own name, which a key's SQL may use."""
        return f"{_GOLDEN} AS {self.name}"

    def insert(self, marks: Sequence[str]) -> str:
        # ABORT overrules a constraint's own ON CONFLICT clause: no row may vanish silently.
        return f"INSERT OR ABORT INTO {self.name} ({self.names}) VALUES ({', '.join(marks)})"

    def kind(self, name: str) -> str:
        column = self.table.column(name)
        return affinity(column.type) if column is not None else "BLOB"


@dataclass(frozen=True)
class _Hit:
    """An extracted row that a golden record displaces; values of the key columns before, after."""

    by_primary_key: bool
    former: dict[str, str | None]
    present: dict[str, str | None]


def replace_rows(
    connection: sqlite3.Connection,
    table: Table,
    columns: Sequence[Column],
    blocks: Iterable[bytes],
    golden: Sequence[Row],
    content: str,
) -> Loaded:
    """Replace the rows; see the protocol.

    Raises:
        GoldenError: a golden record does not fit; the message names its number (from 1).
        BadInput: a row of the extract does not fit; the message names its number.
    """
    load = _Load(connection, table, columns)
    keys = keys_of(table)
    with transaction(connection):
        for statement in BOOKKEEPING:
            connection.execute(statement)
        _strip(load)
        connection.execute(f"DELETE FROM {load.name}")
        connection.execute("DELETE FROM _dbcycle_displaced WHERE table_id = ?", [table.id])
        if golden:
            _take_golden(load, golden)
            _refuse_twins(load, keys)
        rows = _copy_in(load, blocks)
        replaced, displaced = _displace(load, keys) if golden else (0, ())
        if golden:
            _insert_golden(load)
            connection.execute(f"DROP TABLE {_GOLDEN}")
        done = fingerprint(connection, table) if golden else None
        described = [[key.name, key.columns, key.parts, key.where] for key in keys]
        connection.execute(
            "INSERT OR REPLACE INTO _dbcycle_loaded VALUES (?, ?, ?)",
            [table.id, content, json.dumps(described)],
        )
    return Loaded(done.rows if done is not None else rows, len(golden), replaced, displaced, done)


def _strip(load: _Load) -> None:
    """Drop the table's indexes, and what is known of its values."""
    connection, name = load.connection, load.table.name
    found = connection.execute(
        "SELECT name FROM main.sqlite_master"
        " WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
        [name],
    ).fetchall()
    for (index,) in found:
        connection.execute(f"DROP INDEX main.{identifier(index)}")
    if exists(connection, "sqlite_stat1"):
        connection.execute("DELETE FROM main.sqlite_stat1 WHERE tbl = ?", [name])


def _copy_in(load: _Load, blocks: Iterable[bytes]) -> int:
    """Copy the extract in; return how many rows the table has then."""
    kinds = [affinity(column.type) for column in load.columns]
    done = 0
    try:
        for block in blocks:
            done += _insert_block(load, block, kinds, done)
        return int(load.connection.execute(f"SELECT count(*) FROM {load.name}").fetchone()[0])
    except (sqlite3.IntegrityError, sqlite3.DataError) as error:
        raise BadInput(
            f"a row does not fit: {message_of(error)}",
            where=f"{load.table.id}, row {done + getattr(error, 'row', 0)}",
            remedy="choose an anonymizer whose values the column accepts",
        ) from None


def _insert_block(load: _Load, block: bytes, kinds: Sequence[str], done: int) -> int:
    """Insert the rows of a block, all at once where that is possible; return how many.

    Raises:
        BadInput: a line cannot be read.
    """
    try:
        rows, plain = rows_in(block, kinds)
    except (ValueError, OverflowError, pl.exceptions.PolarsError):
        rows, plain = [], False  # which one it is, the way of single rows tells
    if plain:
        load.connection.execute("SAVEPOINT block")
        try:
            load.connection.executemany(load.insert(["?"] * len(kinds)), rows)
        except sqlite3.Error:
            load.connection.execute("ROLLBACK TO block")
        else:
            return len(rows)
        finally:
            load.connection.execute("RELEASE block")
    single = rows_of([block], kinds, load.table.id, done)
    return insert_all(load.connection, load.insert, single, len(kinds))


def _take_golden(load: _Load, golden: Sequence[Row]) -> None:
    """Let each record pass through the still empty table, which fills in defaults and checks it,
    into a temporary one.

    Raises:
        GoldenError: a record does not fit.
    """
    connection, table = load.connection, load.table
    connection.execute(f"DROP TABLE IF EXISTS {_GOLDEN}")
    sql = connection.execute(
        "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?", [table.name]
    ).fetchone()[0]
    collations = column_collations(sql, [column.name for column in table.columns])
    strict = "STRICT" in table.extra
    described = ", ".join(
        f"{identifier(column.name)} {_plain_type(column, strict=strict)}"
        f" COLLATE {identifier(collations[column.name])}"
        for column in table.columns
    )
    connection.execute(f"CREATE TABLE {_GOLDEN} ({_NUMBER} INTEGER, {described})")
    every = ", ".join(identifier(column.name) for column in table.columns)
    for number, record in enumerate(golden, 1):
        _insert_record(load, record, number)
        connection.execute(
            f"INSERT INTO {_GOLDEN} ({_NUMBER}, {every}) SELECT ?, {every} FROM {load.name}",
            [number],
        )
        connection.execute(f"DELETE FROM {load.name}")


def _plain_type(column: Column, *, strict: bool) -> str:
    """Return a type that keeps a stored value as it is; ANY converts nothing in a STRICT table."""
    return "BLOB" if strict and column.type.upper() == "ANY" else affinity(column.type)


def _insert_record(load: _Load, record: Row, number: int) -> None:
    names = sorted(record)
    values = [_golden_value(load, name, record[name], number) for name in names]
    listed = ", ".join(map(identifier, names))
    marks = ", ".join("?" * len(names))
    rest = f"({listed}) VALUES ({marks})" if names else "DEFAULT VALUES"
    try:
        load.connection.execute(f"INSERT OR ABORT INTO {load.name} {rest}", values)
    except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.OperationalError) as error:
        place = _PLACE.search(str(error))
        known = place is not None and load.table.column(place["column"]) is not None
        raise GoldenError(
            f"does not fit {load.table.id}: {message_of(error)}",
            where=f"record {number}" + (f", field {place['column']}" if place and known else ""),
            remedy="correct the record, or give it a value for every column without a default",
        ) from None


def _golden_value(load: _Load, name: str, text: str | None, number: int) -> Value:
    column = load.table.column(name)
    if column is None or column.generated:
        known = [known.name for known in load.table.stored_columns]
        raise GoldenError(
            f"{load.table.id} has no column `{name}` to write{did_you_mean(name, known)}",
            where=f"record {number}",
        )
    if text is None:
        return None
    value = decode(text, affinity(column.type))
    # SQLite would take words in a column of numbers; whoever wrote the record did not mean that.
    if column.kind in _NUMBERS and isinstance(value, str) and not _numeric(value):
        raise GoldenError(
            f"does not fit {load.table.id}: a {column.type} column needs a number",
            where=f"record {number}, field {name}",
            remedy="write a number there",
        )
    return value.raw if isinstance(value, Undecodable) else value


def _numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_twins(load: _Load, keys: Sequence[Key]) -> None:
    """Refuse golden records that claim one key twice."""
    for key in keys:
        left = key.side(load.golden, "a", [f"{_NUMBER} AS n"])
        right = key.side(load.golden, "b", [f"{_NUMBER} AS n"])
        twin = load.connection.execute(
            f"SELECT a.n, b.n FROM {left} JOIN {right} ON {key.equal('a', 'b')} AND a.n < b.n"
            " ORDER BY 2, 1 LIMIT 1"
        ).fetchone()
        if twin is not None:
            raise GoldenError(
                f"has the same {key.name} ({', '.join(key.columns)}) as record {twin[0]}",
                where=f"record {twin[1]}",
                remedy="golden records must not compete with each other",
            )


def _displace(load: _Load, keys: Sequence[Key]) -> tuple[int, Pairs]:
    """Delete the extracted rows that golden records displace; return how many, and old and new
    primary keys where they differ.
    """
    where = locator(load.connection, load.table.name)
    told = sorted({name for key in keys for name in key.columns})
    hits: dict[Values, _Hit] = {}
    for key in keys:
        for place, hit in _hits(load, key, where, told):
            hits.setdefault(place, hit)
    load.connection.executemany(f"DELETE FROM {load.name} WHERE {same_row(where)}", hits)
    pairs = set()
    for hit in hits.values():
        if hit.former == hit.present:
            continue
        load.connection.execute(
            "INSERT INTO _dbcycle_displaced VALUES (?, ?, ?)",
            [load.table.id, json.dumps(hit.former), json.dumps(hit.present)],
        )
        if not hit.by_primary_key and load.table.primary_key:
            pairs.add((_primary(load, hit.former), _primary(load, hit.present)))
    return len(hits), tuple(sorted((old, new) for old, new in pairs if old != new))


def _primary(load: _Load, values: dict[str, str | None]) -> tuple[str, ...]:
    return tuple(values[name] or "" for name in load.table.primary_key)


def _hits(
    load: _Load, key: Key, where: Sequence[str], told: Sequence[str]
) -> list[tuple[Values, _Hit]]:
    """Return every extracted row that shares a key with a golden record, and what changes."""
    width, kinds = len(where), [load.kind(name) for name in told]
    here = [f"{name} AS r{n}" for n, name in enumerate(where)]
    values = [f"{identifier(name)} AS v{n}" for n, name in enumerate(told)]
    picked = [f"t.r{n}" for n in range(width)]
    picked += [f"{side}.v{n}" for side in "tg" for n in range(len(told))]
    rows = key.side(load.name, "t", [*here, *values])
    records = key.side(load.golden, "g", [f"{_NUMBER} AS n", *values], apart=True)
    found = load.connection.execute(
        f"SELECT {', '.join(picked)} FROM {rows} JOIN {records} ON {key.equal('t', 'g')}"
        f" ORDER BY g.n, {', '.join(picked[:width])}"
    ).fetchall()
    hits = []
    for row in found:
        texts = [
            {
                name: encode(value, kind)
                for name, value, kind in zip(told, row[start:], kinds, strict=False)
            }
            for start in (width, width + len(told))
        ]
        hits.append((row[:width], _Hit(key.name == "primary key", *texts)))
    return hits


def _insert_golden(load: _Load) -> None:
    try:
        load.connection.execute(
            f"INSERT OR ABORT INTO {load.name} ({load.names})"
            f" SELECT {load.names} FROM {_GOLDEN} ORDER BY {_NUMBER}"
        )
    except sqlite3.IntegrityError as error:
        raise GoldenError(
            f"the records do not fit {load.table.id}: {message_of(error)}",
            remedy="correct the records",
        ) from None
