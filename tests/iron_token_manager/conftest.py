"""A copy of the project, as a checkout has it, to run commands in."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.upkeep.target import resolve

ROOT = Path(__file__).parents[2]
VARIABLES = ("DB_PATH", "DBCYCLE_ENV", "DBCYCLE_KEEP", "DBCYCLE_PROJECT", "DATABASE_URL")


@dataclass
class Iron:
    """One copy: its folder, and the commands of its handbook."""

    root: Path

    @property
    def project(self):
        """The project."""
        return load_project(self.root)

    @property
    def database(self):
        """The development database, where the handbook says it is."""
        return self.root / "dev_tokens.db"

    @property
    def target(self):
        """The development database as a target."""
        return resolve(self.project, "development")

    def run(self, *words, **env):
        """Run one command; it succeeds."""
        done = self.fails(*words, code=0, **env)
        return done.stdout

    def fails(self, *words, code, **env):
        """Run one command; it ends with an exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "dbcycle_assets", "--project", str(self.root), *words],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **env},
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def ask(self, query, *values, path=None):
        """Return the rows of a query on the development database, or another file."""
        with contextlib.closing(sqlite3.connect(path or self.database)) as connection:
            return connection.execute(query, values).fetchall()

    def change(self, script, path=None):
        """Run a script, as somebody's shell would."""
        with contextlib.closing(sqlite3.connect(path or self.database)) as connection:
            connection.executescript(script)


@pytest.fixture
def iron(tmp_path, monkeypatch):
    """A fresh copy of the project."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    left_out = shutil.ignore_patterns(
        ".dbcycle", "extracts", "__pycache__", "dev_tokens*", "backups"
    )
    for part in ("data/iron_token_manager", "sql/iron_token_manager"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=left_out)
    return Iron(tmp_path / "data/iron_token_manager")
