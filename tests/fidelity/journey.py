"""One drawn database through the whole cycle, and what the server itself says of both ends.

Nothing here reads a row, a digest or a definition through the product: rows are compared as the
server's COPY text and by its own hashes, schemas as pg_dump writes them.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.errors import DbCycleError

from ..cycle.kit import Shop

FORMATS = ("custom", "plain", "directory", "tar", "gzip")
SOURCE = "production_of_fidelity"
_TABLES = """
SELECT c.oid, n.nspname, c.relname, c.relkind::text,
       coalesce((SELECT array_agg(a.attname ORDER BY a.attname COLLATE "C") FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_|^information_schema$|^_dbcycle$'
  AND c.relispopulated
"""
_SEQUENCES = """
SELECT n.nspname, c.relname, s.seqincrement, s.seqmin, s.seqmax
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname <> '_dbcycle'
"""
_FED = """
SELECT DISTINCT sn.nspname, s.relname, tn.nspname, t.relname, a.attname
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
JOIN pg_namespace sn ON sn.oid = s.relnamespace JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
"""
_FLAGS = """
SELECT conrelid::regclass::text, conname, contype::text, convalidated, condeferrable, condeferred,
       to_jsonb(c) ->> 'conenforced', pg_get_constraintdef(oid)
FROM pg_constraint c WHERE connamespace::regnamespace::text NOT IN ('_dbcycle', 'pg_catalog', 'information_schema')
"""


class Differs(AssertionError):
    """What came out is not what went in."""


def identifier(*parts):
    """Return a qualified name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


@dataclass
class Seen:
    """A database as the server describes it."""

    rows: dict = field(default_factory=dict)
    digests: dict = field(default_factory=dict)
    sequences: dict = field(default_factory=dict)
    flags: list = field(default_factory=list)
    schema: list = field(default_factory=list)
    stored: dict = field(default_factory=dict)
    """The least and the largest value of the column that a sequence feeds."""


class PostgresJourney:
    """A project on the tests' own server."""

    def __init__(self, server, root):
        self.server = server
        self.shop = Shop("postgresql", root, server)
        os.environ["SHOP_SERVER"] = server.url("postgres")

    def produce(self, script, form="custom"):
        """Run a script in a database of production and dump that with pg_dump."""
        self.server.create(SOURCE, Stamp("tests", "production"))
        with psycopg.connect(self.server.url(SOURCE), autocommit=True) as connection:
            connection.execute("SET client_min_messages = error")
            connection.execute(script)
        root = self.shop.root
        root.mkdir(parents=True, exist_ok=True)
        dump = root / "prod.dump"
        if dump.is_dir():
            shutil.rmtree(dump)
        dump.unlink(missing_ok=True)
        kind = "plain" if form == "gzip" else form
        packed = ["--compress=6"] if form == "gzip" else []
        self._client("pg_dump", SOURCE, f"--format={kind}", *packed, f"--file={dump}")

    def _client(self, program, name, *options):
        command, variables = self.server.shell_command(name)
        done = subprocess.run(
            [str(Path(command[0]).parent / program), *options, command[1]],
            env={**os.environ, **variables},
            check=True,
            capture_output=True,
        )
        return done.stdout

    def run(self, config):
        """Run every stage under a config of tables; return the cycle."""
        self.shop.configure("tables: " + json.dumps(config, ensure_ascii=False) + "\n")
        return self.shop.build()

    @contextlib.contextmanager
    def connect(self, role):
        """Connect to production or to a database of the cycle."""
        with psycopg.connect(self.url(role)) as connection:
            connection.execute("SET search_path = pg_catalog")
            yield connection

    def url(self, role):
        """Return the address of production or of a database of the cycle."""
        if role == "production":
            return self.server.url(SOURCE)
        cycle = self.shop.cycle
        return cycle.server.url(cycle.database(role))

    def name(self, role):
        """Return the name of production's database or of one of the cycle."""
        return SOURCE if role == "production" else self.shop.cycle.database(role)

    def see(self, role):
        """Return what the server says of a database."""
        seen = Seen()
        with self.connect(role) as connection:
            for _, schema, name, kind, columns in connection.execute(_TABLES).fetchall():
                self._rows(connection, seen, identifier(schema, name), kind, columns)
            for schema, name, *limits in connection.execute(_SEQUENCES).fetchall():
                known = connection.execute(
                    f"SELECT last_value, is_called FROM {identifier(schema, name)}"
                ).fetchone()
                seen.sequences[identifier(schema, name)] = (*known, *limits)
            for one, two, schema, table, column in connection.execute(_FED).fetchall():
                seen.stored[identifier(one, two)] = connection.execute(
                    f"SELECT min({identifier(column)}), max({identifier(column)})"
                    f" FROM {identifier(schema, table)}"
                ).fetchone()
            seen.flags = sorted(connection.execute(_FLAGS).fetchall(), key=str)
        seen.schema = blocks(
            self._client(
                "pg_dump", self.name(role), "--schema-only", "--no-comments", "--no-owner",
                "--no-privileges", "--exclude-schema=_dbcycle",
            ).decode()
        )  # fmt: skip
        return seen

    @staticmethod
    def _rows(connection, seen, name, kind, columns):
        only = "ONLY " if kind == "r" else ""
        listed = ", ".join(f"t.{identifier(column)}" for column in columns)
        with connection.cursor().copy(
            f"COPY (SELECT {listed} FROM {only}{name} t) TO STDOUT"
        ) as copy:
            seen.rows[name] = sorted(hashlib.sha256(bytes(row)).hexdigest() for row in copy)
        row = f"ROW({listed})::text" if columns else "''"
        seen.digests[name] = connection.execute(
            f"SELECT count(*), sum(hashtextextended({row}, 7)::numeric) FROM {only}{name} t"
        ).fetchone()

    def close(self):
        """Drop everything."""
        self.server.drop(SOURCE, "tests")
        self.shop.close()


def blocks(text):
    """Return a schema dump as its statements without comments and settings, in any order."""
    kept = []
    for block in re.split(r"\n--\n-- Name: ", text)[1:]:
        head, _, body = block.partition("\n")
        kept.append(
            head.split("; Owner:")[0]
            + body.split("\n--\n-- PostgreSQL database dump complete")[0].rstrip("\n- ")
        )
    return sorted(kept)


def compare(before, after, *, rows=True):
    """Hold one end against the other.

    Raises:
        Differs: naming what differs, and no value.
    """
    wrong = []
    if rows:
        names = sorted({*before.rows, *after.rows})
        wrong += [f"rows of {n}" for n in names if before.rows.get(n) != after.rows.get(n)]
        wrong += [f"digest of {n}" for n in names if before.digests.get(n) != after.digests.get(n)]
    wrong += _sequences(before, after)
    wrong += [f"constraint {a}" for a in before.flags if a not in after.flags]
    wrong += [f"constraint too much {a}" for a in after.flags if a not in before.flags]
    wrong += [f"schema lacks {b}" for b in before.schema if b not in after.schema]
    wrong += [f"schema has {b}" for b in after.schema if b not in before.schema]
    if wrong:
        raise Differs("\n".join(wrong[:12]))


def next_value(known):
    """Return what a sequence gives next, before it is cut at its ends."""
    last, called, increment, *_ = known
    return last + increment if called else last


def _expected(seen, name):
    """Return what a sequence must give next: what it would have given, unless a row has that."""
    known, (least, most) = seen.sequences[name], seen.stored.get(name, (None, None))
    following, increment = next_value(known), known[2]
    if most is None:
        return following
    if increment > 0:
        return max(following, most + increment)
    return min(following, least + increment)


def _sequences(before, after):
    found = []
    for name in sorted({*before.sequences, *after.sequences}):
        if name not in before.sequences or name not in after.sequences:
            found.append(f"sequence {name}")
        elif _expected(before, name) != next_value(after.sequences[name]):
            a, b = before.sequences[name], after.sequences[name]
            found.append(f"next value of {name}: {a} became {b}")
    return found


def keep_all(world):
    """Return a config that keeps every column of a world."""
    return {
        table.id: {"keep": [column.name for column in table.columns if column.stored]}
        for table in world.tables
    }


def told_well(error):
    """Tell whether an error says what, and what to do, as every one of the product's must."""
    return isinstance(error, DbCycleError) and bool(error.what)
