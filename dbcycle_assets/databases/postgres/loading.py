"""Replacing a table's rows: extract in, golden records over it, everything in one transaction."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import DictRow

from ...errors import BadInput, DbCycleError, GoldenError
from ...model.catalog import Column, Table
from ..port import Loaded, Row
from .keys import Key, keys_of
from .refitting import strip
from .rows import fingerprint, relation
from .session import Connection, failure, identifier, in_template, literal, message_of, statement

BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS _dbcycle;
CREATE TABLE IF NOT EXISTS _dbcycle.loaded (
    table_id text PRIMARY KEY,
    content text NOT NULL,
    keys jsonb NOT NULL
);
ALTER TABLE _dbcycle.loaded ADD COLUMN IF NOT EXISTS analyzed boolean NOT NULL DEFAULT false;
CREATE TABLE IF NOT EXISTS _dbcycle.displaced (
    table_id text NOT NULL,
    former jsonb NOT NULL,
    present jsonb NOT NULL
);
"""

_GOLDEN = "pg_temp.dbcycle_golden"
_HIT = "pg_temp.dbcycle_hit"
_NUMBER = '"dbcycle number"'
_SAME_ROW = "t.tableoid = h.home AND t.ctid = h.row_id"
PLACE = re.compile(r"COPY .*?, line (\d+)(?:, column ([^:]+))?")

Pairs = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True)
class _Load:
    connection: Connection
    table: Table
    columns: Sequence[Column]

    @property
    def name(self) -> str:
        return identifier(self.table.schema, self.table.name)

    @property
    def names(self) -> str:
        return ", ".join(identifier(column.name) for column in self.columns)

    def run(self, text: str, values: Sequence[object] | None = None) -> psycopg.Cursor[DictRow]:
        """Execute SQL that this module composed."""
        return self.connection.execute(statement(text), values)


def replace_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[Column],
    blocks: Iterable[bytes],
    golden: Sequence[Row],
    content: str,
) -> Loaded:
    """Replace the rows; see the protocol.

    Raises:
        GoldenError: a golden record does not fit; the message names its number (from 1).
        BadInput: a row of the extract does not fit; the message names its line.
    """
    load = _Load(connection, table, columns)
    keys = keys_of(table)
    with connection.transaction():
        # Two tables loaded at once would both create the bookkeeping.
        load.run("SELECT pg_advisory_xact_lock(hashtext('_dbcycle.loaded'))")
        load.run(BOOKKEEPING)
    try:
        with connection.transaction():
            rows = _copy_in(load, blocks)
            displaced: Pairs = ()
            replaced = 0
            if golden:
                _take_golden(load, golden)
                _refuse_twins(load, keys)
                replaced, displaced = _displace(load, keys)
                _insert(load)
            else:
                load.run("DELETE FROM _dbcycle.displaced WHERE table_id = %s", [table.id])
            done = fingerprint(connection, table) if golden else None
            _remember(load, keys, content)
    except psycopg.Error as error:
        raise failure(error, table.id) from None
    return Loaded(done.rows if done is not None else rows, len(golden), replaced, displaced, done)


def _copy_in(load: _Load, blocks: Iterable[bytes]) -> int:
    """Empty the table and copy the extract in; return how many rows the server took.

    Raises:
        BadInput: a row does not fit.
    """
    try:
        strip(load.connection, load.table)
        load.run(f"TRUNCATE {relation(load.table)}")
    except psycopg.errors.FeatureNotSupported:
        raise DbCycleError(
            "other tables refer to the table, so it cannot be emptied alone",
            where=load.table.id,
            remedy="their foreign keys are dropped before, by `release`",
        ) from None
    rows, names = 0, f" ({load.names})" if load.columns else ""
    try:
        with load.connection.cursor() as cursor:
            with cursor.copy(statement(f"COPY {load.name}{names} FROM STDIN")) as copy:
                for block in blocks:
                    copy.write(block)
            rows = cursor.rowcount
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.RaiseException) as error:
        place = PLACE.search(error.diag.context or "")
        row = f", row {place[1]}" if place else ""
        column = place[2] if place and place[2] else error.diag.column_name
        rule = error.diag.constraint_name
        raise BadInput(
            f"a row does not fit{f' column {column}' if column else ''}"
            f"{f' ({rule})' if rule else ''}: {message_of(error)}",
            where=f"{load.table.id}{row}",
            remedy="choose an anonymizer whose values the column accepts",
        ) from None
    return rows


def _take_golden(load: _Load, golden: Sequence[Row]) -> None:
    """Put the records into a temporary table of the same shape; defaults fill what they omit.

    Raises:
        GoldenError: a value does not fit.
    """
    load.run(f"DROP TABLE IF EXISTS {_GOLDEN}")
    load.run(
        f"CREATE TEMP TABLE dbcycle_golden (LIKE {load.name} INCLUDING DEFAULTS"
        " INCLUDING GENERATED INCLUDING CONSTRAINTS) ON COMMIT DROP"
    )
    load.run(f"ALTER TABLE {_GOLDEN} ADD COLUMN {_NUMBER} integer")
    with load.connection.cursor() as cursor:
        for number, record in enumerate(golden, 1):
            names = sorted(record)
            columns = ", ".join([in_template(name) for name in names] + [_NUMBER])
            marks = ", ".join(["%s"] * (len(names) + 1))
            cursor.execute("SAVEPOINT record")
            try:
                cursor.execute(
                    statement(f"INSERT INTO {_GOLDEN} ({columns}) VALUES ({marks})"),
                    [*(record[name] for name in names), number],
                )
            except psycopg.Error as error:
                cursor.execute("ROLLBACK TO SAVEPOINT record")
                raise _misfit(load, record, number, error) from None
            cursor.execute("RELEASE SAVEPOINT record")


def _misfit(load: _Load, record: Row, number: int, error: psycopg.Error) -> GoldenError:
    """Return an error that names the record and, if one can be found, its column."""
    where = f"record {number}"
    if error.diag.column_name:
        where += f", field {error.diag.column_name}"
    elif not error.diag.constraint_name:
        for name in sorted(record):
            column = load.table.column(name)
            try:
                with load.connection.transaction():
                    kind = column.type if column else "text"
                    load.run(f"SELECT CAST(%s AS {kind.replace('%', '%%')})", [record[name]])
            except psycopg.Error:
                where += f", field {name}"
                break
    return GoldenError(
        f"does not fit {load.table.id}: {message_of(error)}",
        where=where,
        remedy="correct the record, or give it a value for every column without a default",
    )


def _refuse_twins(load: _Load, keys: Sequence[Key]) -> None:
    """Refuse golden records that claim one key twice."""
    for key in keys:
        left = key.side(_GOLDEN, "a", [f"{_NUMBER} AS n"])
        right = key.side(_GOLDEN, "b", [f"{_NUMBER} AS n"])
        twin = load.run(
            f"SELECT a.n AS first, b.n AS second FROM {left} JOIN {right}"
            f" ON {key.equal('a', 'b')} AND a.n < b.n ORDER BY 2, 1 LIMIT 1"
        ).fetchone()
        if twin is not None:
            raise GoldenError(
                f"has the same {key.name} ({', '.join(key.columns)}) as record {twin['first']}",
                where=f"record {twin['second']}",
                remedy="golden records must not compete with each other",
            )


def _displace(load: _Load, keys: Sequence[Key]) -> tuple[int, Pairs]:
    """Delete the extracted rows that golden records displace; return how many, and old and new
    primary keys where they differ.
    """
    _find_hits(load, keys)
    load.run("DELETE FROM _dbcycle.displaced WHERE table_id = %s", [load.table.id])
    displaced = _note_displaced(load, keys) if load.table.primary_key else ()
    removed = load.run(
        f"DELETE FROM {relation(load.table)} AS t"
        f" USING (SELECT DISTINCT home, row_id FROM {_HIT}) AS h WHERE {_SAME_ROW}"
    )
    return removed.rowcount, displaced


def _find_hits(load: _Load, keys: Sequence[Key]) -> None:
    """Note every extracted row that shares a key with a golden record."""
    load.run(f"DROP TABLE IF EXISTS {_HIT}")
    load.run(
        "CREATE TEMP TABLE dbcycle_hit (home oid, row_id tid, number integer, rank integer)"
        " ON COMMIT DROP"
    )
    for rank, key in enumerate(keys):
        rows = key.side(relation(load.table), "t", ["tableoid AS home", "ctid AS row_id"])
        records = key.side(_GOLDEN, "g", [f"{_NUMBER} AS n"])
        load.run(
            f"INSERT INTO {_HIT} SELECT t.home, t.row_id, g.n, {rank}"
            f" FROM {rows} JOIN {records} ON {key.equal('t', 'g')}"
        )


def _note_displaced(load: _Load, keys: Sequence[Key]) -> Pairs:
    """Keep the former and the present key values of the rows whose primary key gives way."""
    told = sorted({name for key in keys for name in key.columns})
    primary = load.table.primary_key
    found = load.run(
        f"SELECT {_as_array('t', primary)} AS former, {_as_array('g', primary)} AS present,"
        f" {_as_object('t', told)} AS was, {_as_object('g', told)} AS now"
        f" FROM (SELECT DISTINCT ON (home, row_id) * FROM {_HIT}"
        "       ORDER BY home, row_id, rank, number) AS h"
        f" JOIN {relation(load.table)} AS t ON {_SAME_ROW}"
        f" JOIN {_GOLDEN} AS g ON g.{_NUMBER} = h.number"
        f" WHERE {_as_array('t', primary)} <> {_as_array('g', primary)} ORDER BY 1, 2"
    ).fetchall()
    with load.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO _dbcycle.displaced VALUES (%s, %s::jsonb, %s::jsonb)",
            [(load.table.id, json.dumps(row["was"]), json.dumps(row["now"])) for row in found],
        )
    return tuple((tuple(row["former"]), tuple(row["present"])) for row in found)


def _as_array(alias: str, names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(f'{alias}.{identifier(name)}::text' for name in names)}]"


def _as_object(alias: str, names: Iterable[str]) -> str:
    pairs = (f"{literal(name)}, {alias}.{identifier(name)}::text" for name in names)
    return f"jsonb_build_object({', '.join(pairs)})"


def _insert(load: _Load) -> None:
    """Add the golden records.

    Raises:
        GoldenError: they break a rule of the table as a whole.
    """
    try:
        load.run(
            f"INSERT INTO {load.name} ({load.names}) OVERRIDING SYSTEM VALUE"
            f" SELECT {load.names} FROM {_GOLDEN} ORDER BY {_NUMBER}"
        )
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.RaiseException) as error:
        raise GoldenError(
            f"the records do not fit {load.table.id}: {message_of(error)}",
            remedy="correct the records",
        ) from None


def _remember(load: _Load, keys: Sequence[Key], content: str) -> None:
    """Record what the table now holds and by which keys its rows are told apart."""
    described = [
        {"columns": key.columns, "parts": key.parts, "where": key.where, "nulls": key.nulls_equal}
        for key in keys
    ]
    load.run(
        "INSERT INTO _dbcycle.loaded (table_id, content, keys) VALUES (%s, %s, %s::jsonb)"
        " ON CONFLICT (table_id) DO UPDATE SET content = excluded.content, keys = excluded.keys,"
        " analyzed = false",
        [load.table.id, content, json.dumps(described)],
    )
