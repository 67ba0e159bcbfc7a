"""What one PostgreSQL database remembers: its history, journal, claim and audit log."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy

from ...errors import BadInput, DbCycleError
from ...model.migration import Entry, Mark
from ..migrating import Signs, one_claim
from .session import Connection, translated

_BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS _dbcycle;
CREATE TABLE IF NOT EXISTS _dbcycle.migrations (
    position integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step text NOT NULL UNIQUE,
    checksum text NOT NULL,
    seconds double precision NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE _dbcycle.migrations
    ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'applied',
    ADD COLUMN IF NOT EXISTS applied_by text NOT NULL DEFAULT '';
CREATE TABLE IF NOT EXISTS _dbcycle.journal (
    step text NOT NULL,
    number integer NOT NULL,
    digest text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (step, number)
);
CREATE TABLE IF NOT EXISTS _dbcycle.audit (
    position integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document jsonb NOT NULL
);
CREATE TABLE IF NOT EXISTS _dbcycle.claim (document jsonb NOT NULL);
"""
_TABLES = 4
_NEEDED = {
    "migrations": {"position", "step", "checksum", "seconds", "applied_at"},
    "journal": {"step", "number", "digest", "finished_at"},
    "audit": {"position", "document"},
    "claim": {"document"},
}
_WRITE = """
INSERT INTO _dbcycle.migrations (step, checksum, seconds, state, applied_by)
VALUES ({0}, {0}, {0}, {0}, {0})
ON CONFLICT (step) DO UPDATE SET checksum = excluded.checksum, seconds = excluded.seconds,
    state = excluded.state, applied_by = excluded.applied_by, applied_at = now()
"""
_REMOVE = "DELETE FROM _dbcycle.migrations WHERE step = "
_SIGNS = """
SELECT current_database() AS name,
  pg_catalog.pg_is_in_recovery() AS standby,
  EXISTS (SELECT 1 FROM pg_catalog.pg_stat_replication) AS replicas,
  current_setting('archive_mode') <> 'off' AS archiving,
  current_setting('default_transaction_read_only') = 'on'
    OR pg_catalog.pg_is_in_recovery() AS read_only,
  (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_catalog.pg_backend_pid() AND application_name NOT LIKE 'dbcycle%'
    AND backend_type = 'client backend') AS sessions
"""


class PostgresHistory:
    """The bookkeeping of the protocol's Migrations."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self._connection = connection

    def prepare(self) -> None:
        """Make or complete our bookkeeping; call while holding the lock."""
        with translated(self.name):
            row = self._connection.execute(
                "SELECT count(DISTINCT table_name) = %s AND bool_or(column_name = 'applied_by')"
                " AS whole FROM information_schema.columns WHERE table_schema = '_dbcycle'"
                " AND table_name IN ('migrations', 'journal', 'audit', 'claim')",
                [_TABLES],
            ).fetchone()
            if row is None or not row["whole"]:
                with self._connection.transaction():
                    self._connection.execute(_BOOKKEEPING)

    def _rows(self, table: str, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        with translated(self.name):
            found = self._connection.execute(
                "SELECT array_agg(attname::text ORDER BY attnum) AS columns"
                " FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
                " AND NOT attisdropped",
                [f"_dbcycle.{table}"],
            ).fetchone()
            if found is None or not found["columns"]:
                return []
            if missing := sorted(_NEEDED[table] - set(found["columns"])):
                raise BadInput(
                    f"the table _dbcycle.{table} is not of this product's making: it has no "
                    f"{', '.join(missing)}",
                    where=self.name,
                    remedy="rename or drop the schema _dbcycle if it is nobody's",
                )
            return self._connection.execute(sql.encode(), values).fetchall()

    def entries(self) -> list[Entry]:
        """Return the history in order of application; writes nothing."""
        rows = self._rows(
            "migrations",
            "SELECT to_jsonb(m) AS row, to_char(m.applied_at AT TIME ZONE 'UTC',"
            ' \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') AS at FROM _dbcycle.migrations m ORDER BY position',
        )
        return [
            Entry(
                row["row"]["step"],
                row["row"]["checksum"],
                row["row"].get("state", "applied"),
                row["row"]["seconds"],
                row["row"].get("applied_by", ""),
                row["at"],
            )
            for row in rows
        ]

    def marks(self, key: str) -> list[Mark]:
        """Return the journal of one half-done step, in order; writes nothing."""
        rows = self._rows(
            "journal",
            "SELECT number, digest, finished_at IS NOT NULL AS finished"
            " FROM _dbcycle.journal WHERE step = %s ORDER BY number",
            [key],
        )
        return [Mark(row["number"], row["digest"], row["finished"]) for row in rows]

    def _write(self, sql: str, values: Sequence[object]) -> None:
        with translated(self.name):
            self._connection.execute(sql.encode(), values)

    def write(self, entry: Entry) -> None:
        """Add or replace a row of the history. Joins the transaction that is open."""
        self._write(_WRITE.format("%s"), _values(entry))

    def write_on(self, connection: sqlalchemy.Connection, entry: Entry | None, step: str) -> None:
        """Write (or, without an entry, remove) a row through a Python step's own connection."""
        sql = _REMOVE + "%s" if entry is None else _WRITE.format("%s")
        connection.exec_driver_sql(sql, (step,) if entry is None else tuple(_values(entry)))

    def remove(self, step: str) -> None:
        """Remove a row of the history. Joins the transaction that is open."""
        self._write(_REMOVE + "%s", [step])

    def start_mark(self, key: str, mark: Mark) -> None:
        """Add a line to the journal, or finish it. Joins the transaction that is open."""
        self._write(
            "INSERT INTO _dbcycle.journal (step, number, digest, finished_at)"
            " VALUES (%s, %s, %s, CASE WHEN %s THEN clock_timestamp() END)"
            " ON CONFLICT (step, number) DO UPDATE SET digest = excluded.digest,"
            " finished_at = excluded.finished_at",
            [key, mark.number, mark.digest, mark.finished],
        )

    def clear_marks(self, key: str) -> None:
        """Remove a step's journal. Joins the transaction that is open."""
        self._write("DELETE FROM _dbcycle.journal WHERE step = %s", [key])

    def claim(self) -> Mapping[str, Any] | None:
        """Return what :meth:`set_claim` wrote into the database, or None."""
        rows = self._rows("claim", "SELECT document FROM _dbcycle.claim")
        return one_claim([row["document"] for row in rows], self.name)

    def set_claim(self, document: Mapping[str, Any]) -> None:
        """Write down, in the database, whose it is and in which environment."""
        self.prepare()
        with translated(self.name), self._connection.transaction():
            self._connection.execute("DELETE FROM _dbcycle.claim")
            self._write("INSERT INTO _dbcycle.claim VALUES (%s::jsonb)", [json.dumps(document)])

    def audit(self, document: Mapping[str, Any]) -> None:
        """Add one line to the database's own audit log."""
        self._write("INSERT INTO _dbcycle.audit (document) VALUES (%s::jsonb)", [_json(document)])

    def audited(self) -> list[dict[str, Any]]:
        """Return the audit log, the oldest line first; writes nothing."""
        rows = self._rows("audit", "SELECT document FROM _dbcycle.audit ORDER BY position")
        return [row["document"] for row in rows]

    def signs(self) -> Signs:
        """Return what the live connection tells about the database."""
        with translated(self.name):
            row = self._connection.execute(_SIGNS).fetchone()
            identity = self._identity()
        if row is None:  # a SELECT without FROM has a row
            raise DbCycleError("the server tells nothing about itself", where=self.name)
        production = tuple(name for name in ("standby", "replicas", "archiving") if row[name])
        return Signs(identity, row["name"], production, row["sessions"], row["read_only"])

    def _identity(self) -> str:
        try:
            row = self._connection.execute(
                "SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()"
            ).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            row = None
        facts = self._connection.info
        server = row["id"] if row else f"{facts.host}:{facts.port}"
        return f"{server}/{facts.dbname}"


def _values(entry: Entry) -> list[object]:
    return [entry.step, entry.checksum, entry.seconds, entry.state, entry.applied_by]


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True).replace("\\u0000", "")
