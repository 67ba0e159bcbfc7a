"""Databases that this product has never seen: proposals accepted, refreshed, published, clean."""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from dbcycle_assets.databases import embedded

DATA = Path(__file__).parents[1] / "data"
PERSONAL = re.compile(r"e_?mail|phone|fax|first_?name|last_?name|address$|surname", re.IGNORECASE)


def dbcycle(folder, *words):
    """Run one command and return its JSON document."""
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "dbcycle_assets", *words, "--json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Postgres:
    """Reads a published PostgreSQL database without the product's help."""

    def __init__(self, url):
        self.connection = psycopg.connect(url, autocommit=True)

    def columns(self):
        """Return (schema, table, column) of every column of an ordinary table."""
        query = """
            SELECT table_schema, table_name, column_name FROM information_schema.columns
            JOIN information_schema.tables USING (table_schema, table_name)
            WHERE table_type = 'BASE TABLE' AND table_schema !~ '^(pg_|information_schema|_dbcycle)'
        """
        return self.connection.execute(query).fetchall()

    def texts(self, schema, table, column):
        """Return the column's values as text."""
        query = sql.SQL("SELECT {}::text FROM {} WHERE {} IS NOT NULL").format(
            sql.Identifier(column), sql.Identifier(schema, table), sql.Identifier(column)
        )
        return [text for (text,) in self.connection.execute(query)]


class Sqlite:
    """Reads a published SQLite database without the product's help."""

    def __init__(self, url):
        self.connection = sqlite3.connect(url.removeprefix("sqlite:///"))

    def columns(self):
        """Return (schema, table, column) of every column."""
        query = """
            SELECT 'main', m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT GLOB '_dbcycle*'
              AND m.name NOT GLOB 'sqlite_*'
        """
        return self.connection.execute(query).fetchall()

    def texts(self, schema, table, column):
        """Return the column's values as text."""
        quoted = [name.replace('"', '""') for name in (column, schema, table)]
        query = 'SELECT CAST("{0}" AS TEXT) FROM "{1}"."{2}" WHERE "{0}" IS NOT NULL'
        return [text for (text,) in self.connection.execute(query.format(*quoted))]


@pytest.mark.parametrize(
    "name", ["pagila.dump", "chinook.dump", "common_pg14.dump", "chinook.sqlite"]
)
def test_a_strangers_database_is_published_without_an_original(tmp_path, name):
    """What `init` proposes is enough to publish, and no personal value is found afterwards."""
    shutil.copy(DATA / name, tmp_path / name)
    open_database = Sqlite if name.endswith("sqlite") else Postgres
    try:
        judged = dbcycle(tmp_path, "init", "shop", "--from", name, "--accept-all")["judged"]
        assert judged
        assert all(entry["reason"] and 0 < entry["confidence"] <= 1 for entry in judged)
        done = dbcycle(tmp_path, "--project", "shop", "refresh")
        assert done["published"]
        coverage = dbcycle(tmp_path, "--project", "shop", "verify")["coverage"]
        assert coverage["rows"]
        assert coverage["leaves_compared"]
        raw = dbcycle(tmp_path, "--project", "shop", "url", "--role", "migrated")["url"]
        compare(open_database(raw), open_database(done["url"]))
    finally:
        if not name.endswith("sqlite"):
            embedded.remove(tmp_path / "shop/.dbcycle")


def compare(raw, published):
    """Look for every personal original in every value of the published database."""
    with contextlib.closing(raw.connection), contextlib.closing(published.connection):
        assert sorted(raw.columns()) == sorted(published.columns())
        originals = {
            value.casefold()
            for column in raw.columns()
            if PERSONAL.search(column[2])
            for value in raw.texts(*column)
            if len(value) > 3 and not value.isdigit()
        }
        assert len(originals) > 50 or not originals
        words = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(originals))) + r")(?!\w)")
        read = 0
        for column in published.columns():
            values = published.texts(*column)
            assert len(values) == len(raw.texts(*column)), column
            read += len(values)
            if originals and any(words.search(value.casefold()) for value in values):
                pytest.fail(f"an original survives in {column}")
        assert read
