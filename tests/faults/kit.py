"""What the tests of the faults share: published shops, commands, and what must not change."""

import contextlib
import hashlib
import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass

import psycopg

from dbcycle_assets.cli import main

from ..cycle.kit import Shop

SCHEMA = """
CREATE TABLE users (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, full_name TEXT NOT NULL, role TEXT NOT NULL
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), note TEXT
);
"""
ROWS = """
INSERT INTO users VALUES
  (1, 'ada@lovelace.example.net', 'Ada Lovelace', 'admin'),
  (2, 'grace@hopper.example.net', 'Grace Hopper', 'customer');
INSERT INTO orders VALUES (1, 2, 'Grace Hopper wants it by Friday'), (2, 2, NULL);
"""
TABLES = """\
tables:
  users: {columns: {email: email, full_name: full_name}, keep: [id, role]}
  orders: {columns: {note: free_text}, keep: [id, user_id]}
"""
SECRETS = ("lovelace", "hopper", "Ada ", "Grace", "Traceback (most recent")
"""Words of the production rows, and of a traceback: they appear in no message."""

OBSERVED: dict[str, tuple[int, str, str]] = {}
"""The exit code and the message that each test saw, and whether all was as before."""


def _test():
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


@dataclass(frozen=True)
class Told:
    """What a command printed and returned."""

    code: int
    out: str
    err: str


def told(done, code, *words, secrets=()):
    """Require an exit code and words of the message; nothing that is secret may be in it."""
    message = done.err.strip().rpartition("dbcycle: ")[2]
    OBSERVED[_test()] = (done.code, message, "")
    assert done.code == code, done.err + done.out
    missing = [word for word in words if word not in done.err + done.out]
    assert not missing, f"{missing} in:\n{done.err}{done.out}"
    shown = [word for word in (*SECRETS, *secrets) if word in done.err + done.out]
    assert not shown, f"{shown} in:\n{done.err}{done.out}"
    if code and code != 130:
        assert "→" in done.err or code in {5, 8}, f"no remedy in:\n{done.err}"
    return done


def run(*words):
    """Run one command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return Told(code, out.getvalue(), err.getvalue())


def apart(*words, env=(), **kwargs):
    """Run one command line in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "dbcycle_assets", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **dict(env)},
        **kwargs,
    )
    return Told(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def started(*words, env=(), **kwargs):
    """Give a running command in a process group of its own; it is gone after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dbcycle_assets", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **dict(env)},
        **kwargs,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def ended(process, seconds=120):
    """Wait for a command that was started."""
    out, err = process.communicate(timeout=seconds)
    return Told(process.returncode, out, err)


def read_until(process, word):
    """Read a command's progress until a word occurs."""
    seen = []
    for line in process.stderr:
        seen.append(line)
        if word in line:
            return
    raise AssertionError(f"never said `{word}`:\n{''.join(seen)}")


def wait_until(condition, seconds=20.0):
    """Wait for something to become true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
    return found


class World(Shop):
    """A shop whose database is published, and the digest of all that must not change."""

    def run(self, *words):
        """Run one command for the project in this process."""
        return run("--project", self.root, *words)

    def words(self, *words):
        """Return a command line for the project."""
        return ("--project", self.root, *words)

    @property
    def dump(self):
        """The production dump."""
        return self.root / "prod.dump"

    def state(self):
        """Return a digest of each thing that a refused command must leave alone."""
        cycle = self.cycle
        found = {"test": database_digest(cycle.server, cycle.database("test"))}
        for path in sorted([*(self.root / "extracts").rglob("*"), self.root / "dbcycle.yaml"]):
            if path.is_file():
                found[path.name] = digest(path.read_bytes())
        for asset in ("test_db", "extracts/users", "extracts/orders"):
            found[f"ledger {asset}"] = str(cycle.ledger.get(asset))
        return found

    @contextlib.contextmanager
    def unchanged(self):
        """Require that the block leaves the published database and the extracts as they were, and
        no half-made file or database."""
        before = self.state()
        yield
        after = self.state()
        assert after == before, sorted(n for n in after | before if after.get(n) != before.get(n))
        self.no_leftovers()
        if _test() in OBSERVED:
            OBSERVED[_test()] = (*OBSERVED[_test()][:2], "unchanged")

    def no_leftovers(self):
        """Require that nothing half-made lies about."""
        parts = [path for path in self.root.rglob("*") if path.name.endswith(".part")]
        assert not parts, parts
        cycle = self.cycle
        for role in ("restoring", "migrating", "staging", "replaced"):
            assert not cycle.server.exists(cycle.database(role)), role


def publish(world):
    """Make and publish the shop."""
    world.produce(SCHEMA + ROWS, TABLES)
    done = world.run("refresh")
    assert done.code == 0, done.err


def digest(content):
    """Return a short digest."""
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


def row_of(kind):
    """Return what stands for a row of a relation in its digest."""
    return "t.last_value, t.is_called" if kind == "S" else "t"


def database_digest(server, name):
    """Return a digest of everything in a database, schema and rows, and which database it is; but
    for its audit log, since refusals are written down too.
    """
    url = server.url(name)
    if url.startswith("sqlite"):
        with contextlib.closing(
            sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)
        ) as connection:
            lines = [line for line in connection.iterdump() if "_dbcycle_audit" not in line]
            return digest("\n".join(line for line in lines if "sqlite_sequence" not in line))
    with psycopg.connect(url) as connection:
        connection.read_only = True
        rows = connection.execute(
            "SELECT c.oid::regclass::text, c.oid, d.oid, c.relkind FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace, pg_database d WHERE d.datname = current_database()"
            " AND c.relkind IN ('r', 'S', 'm') AND n.nspname !~ '^pg_|^information'"
            " AND NOT (n.nspname = '_dbcycle' AND c.relname ~ '^audit') ORDER BY 1"
        ).fetchall()
        content = [
            (
                row,
                connection.execute(
                    f"SELECT ({row_of(row[3])})::text FROM {row[0]} t ORDER BY 1"
                ).fetchall(),
            )
            for row in rows
        ]
        return digest(repr(content))
