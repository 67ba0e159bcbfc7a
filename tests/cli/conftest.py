"""A small shop on SQLite, and the command line in this process."""

import contextlib
import io
import json
import sqlite3
import warnings
from dataclasses import dataclass

import pytest

from dbcycle_assets.cli import main

with warnings.catch_warnings():  # typer imports names that newer versions of click deprecate
    warnings.simplefilter("ignore")
    import dbcycle_assets.cli.app  # noqa: F401

SCHEMA = """
CREATE TABLE users (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, full_name TEXT NOT NULL, role TEXT NOT NULL
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id),
  note TEXT
);
INSERT INTO users VALUES
  (1, 'ada@lovelace.example.net', 'Ada Lovelace', 'admin'),
  (2, 'grace@hopper.example.net', 'Grace Hopper', 'customer');
INSERT INTO orders VALUES
  (1, 2, 'Grace Hopper wants it by Friday, mail grace@hopper.example.net'),
  (2, 2, NULL);
"""
SECRETS = ("lovelace", "hopper", "Ada ", "Grace")
"""Words of the production rows: they may appear in no output."""


@dataclass(frozen=True)
class Result:
    """What a command printed and returned."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """The document on stdout; nothing else may be there."""
        return json.loads(self.out)


def run(*words) -> Result:
    """Run one command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return Result(code, out.getvalue(), err.getvalue())


def production(path, more=""):
    """Write a production database."""
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA + more)
    connection.close()
    return path


@pytest.fixture
def dbcycle(monkeypatch, tmp_path):
    """Give the command line, in a folder and an environment without a project."""
    for name in ("DBCYCLE_PROJECT", "DBCYCLE_ENV", "DBCYCLE_KEY", "DATABASE_URL_TEST"):
        monkeypatch.setenv(name, "")  # put back afterwards, whatever a command makes of it
        monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def shop(dbcycle, tmp_path):
    """Give the folder of a judged project whose cycle has not run yet."""
    production(tmp_path / "prod.db")
    made = dbcycle("init", "shop", "--from", "prod.db", "--accept-all")
    assert made.code == 0, made.err
    return tmp_path / "shop"
