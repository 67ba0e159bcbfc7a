"""One database looked after directly, on either engine."""

import contextlib
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from dbcycle_assets import load_project
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.operations import Wish
from dbcycle_assets.upkeep.target import resolve

NO_TRANSACTION = "-- dbcycle: no-transaction\n"


def silent(_message):
    pass


@dataclass
class Place:
    """A project with a folder of migrations, and the database of its environment."""

    engine: str
    root: Path
    name: str = field(default_factory=lambda: f"up_{secrets.token_hex(4)}")
    environment: str = "development"
    url: str | None = None

    def configure(self, migrations="[{version: v1, directory: migrations}]", more=""):
        """Write the config."""
        self.root.mkdir(exist_ok=True)
        (self.root / "migrations").mkdir(exist_ok=True)
        (self.root / "dbcycle.yaml").write_text(
            f"name: {self.name}\nengine: {self.engine}\nsource: {{dump: prod.dump}}\n"
            f"migrations: {migrations}\n"
            f"targets: {{test: {{url_env: UPKEEP_SERVER}}, production: {{url_env: UPKEEP_PROD}}}}\n"
            + more
        )
        return self

    def write(self, files):
        """Write files of migrations; None removes one."""
        for name, text in files.items():
            path = self.root / "migrations" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    @property
    def target(self):
        """The database."""
        return resolve(load_project(self.root), self.environment, url=self.url)

    def migrate(self, *, prod=False, confirm=None, **wish):
        """Apply what is pending; return the steps."""
        wish = {"wait": 20.0, "patience": 1.0} | wish
        done = operations.migrate(self.target, Wish(**wish), Consent(prod, confirm), silent)
        return [step for step, _ in done.steps]

    def roll_back(self, count=1, **consent):
        """Undo steps; return them."""
        done = operations.roll_back(self.target, count, Consent(**consent), silent)
        return [step for step, _ in done.steps]

    @property
    def status(self):
        """Where it stands."""
        return operations.status(self.target)

    @property
    def applied(self):
        """The steps in effect."""
        return [entry.step for entry in self.status.applied if entry.done]

    @contextlib.contextmanager
    def connect(self):
        """Give a driver's connection in autocommit mode."""
        target = self.target
        url = target.server.url(target.name)
        if self.engine == "sqlite":
            with contextlib.closing(
                sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            ) as connection:
                yield connection
        else:
            with psycopg.connect(url, autocommit=True) as connection:
                yield connection

    def ask(self, sql):
        """Return the rows of a query."""
        with self.connect() as connection:
            return [tuple(row) for row in connection.execute(sql).fetchall()]

    def tables(self):
        """Return the names of the tables."""
        with self.target.open() as database:
            return sorted(database.catalog().tables)

    def command(self, *words):
        """Return a command line of the product for this project, as a process would get it."""
        return [sys.executable, "-m", "dbcycle_assets", "--project", str(self.root), *words]

    def run(self, *words, env=()):
        """Run one command in a process of its own."""
        return subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **dict(env)},
        )

    def start(self, *words):
        """Start one command in a process group of its own."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def close(self):
        """Drop every database of the project."""
        if self.engine == "postgresql":
            server = self.target.server
            with server._administer() as connection:
                names = [
                    row["datname"]
                    for row in connection.execute(
                        "SELECT datname FROM pg_database WHERE datname LIKE %s",
                        [f"%{self.name}%"],
                    ).fetchall()
                ]
                for name in names:
                    connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def kill(process):
    """Kill a process as the system would, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(condition, seconds=15.0):
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
