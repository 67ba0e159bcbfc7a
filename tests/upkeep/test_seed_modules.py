"""Modules beside the seeds, secrets that a seed asks for, and checks of what a seed made."""

import sys

import pytest

from ..cli.conftest import run

CONFIG = """\
name: seeded
engine: sqlite
source: {dump: prod.db}
migrations: [{version: v1, directory: migrations, steps: [001_users.sql]}]
"""
USERS = """\
CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL, role TEXT NOT NULL);
"""
MODULE = '''\
"""Users, as every seed makes them."""

from __future__ import annotations

from dataclasses import dataclass

from words import ROLE


@dataclass
class User:
    name: str
    role: str = ROLE


def put(seed, name, password):
    user = User(name)
    row = {"name": user.name, "role": user.role, "password": seed.password_hash(password)}
    seed.insert_missing("users", row)
'''
SEED = '''\
"""The administrator."""

VERSION = "1.0.0"
DEPENDS = []

from people import put


def run(seed):
    put(seed, "ada", seed.secret("SEEDED_PASSWORD") or "changeme")


def check(seed):
    seed.connection.exec_driver_sql("UPDATE users SET role = 'edited by the check'")
    if seed.is_password("changeme", seed.find("users", name="ada")["password"]):
        yield "the default password is still in place"
'''
WARNING = {"seed": "base/00_admin", "text": "the default password is still in place"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give the folder of a project whose one seed imports a module, which imports another."""
    for name in ("DBCYCLE_ENV", "DBCYCLE_PROJECT", "DATABASE_URL_TEST", "SEEDED_PASSWORD"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "seeded"
    for folder in ("migrations", "seeds/base"):
        (root / folder).mkdir(parents=True)
    for name, text in {
        "dbcycle.yaml": CONFIG,
        "migrations/001_users.sql": USERS,
        "seeds/people.py": MODULE,
        "seeds/words.py": 'ROLE = "admin"\n',
        "seeds/base/00_admin.py": SEED,
    }.items():
        (root / name).write_text(text)
    return root


def db(project, *words):
    return run("--project", project, "db", *words)


def rows(project):
    place = db(project, "status", "--json").json["database"]
    found = list(project.rglob(f"*{place}*.db"))
    assert len(found) == 1
    import sqlite3

    with sqlite3.connect(found[0]) as connection:
        return connection.execute("SELECT name, role FROM users").fetchall()


def test_a_seed_imports_the_modules_beside_it(project):
    """By their plain names, and nobody else sees them."""
    done = db(project, "setup")
    assert done.code == 0, done.err
    assert rows(project) == [("ada", "admin")]
    assert "people" not in sys.modules
    assert str(project / "seeds") not in sys.path


def test_an_edited_module_is_an_edited_seed(project):
    """The text of what a seed imports, however far away, counts as its own."""
    assert db(project, "setup").code == 0
    (project / "seeds/words.py").write_text('ROLE = "owner"\n')
    assert db(project, "seed").code == 5
    (project / "seeds/words.py").write_text('ROLE = "admin"\n')
    assert db(project, "seed").code == 0
    (project / "seeds/unused.py").write_text("")
    assert db(project, "seed-sync", "--check").code == 5  # no registry yet
    assert db(project, "seed").code == 0


def test_a_check_is_told_by_the_seeding_and_by_the_status(project):
    """Each time, until it is mended; whatever the check wrote is undone."""
    assert db(project, "setup", "--json").json["warnings"] == [WARNING]
    assert db(project, "seed", "--json").json["warnings"] == [WARNING]
    assert db(project, "status", "--json").json["warnings"] == [WARNING]
    told = db(project, "status")
    assert (told.code, "default password is still in place" in told.out) == (0, True)
    assert rows(project) == [("ada", "admin")]


def test_a_secret_comes_from_the_environment(project, monkeypatch):
    """And the check has nothing to say; the secret is told to nobody."""
    monkeypatch.setenv("SEEDED_PASSWORD", "correct-horse-battery")
    done = db(project, "--verbose", "setup")
    assert done.code == 0, done.err
    assert "correct-horse" not in done.out + done.err
    assert db(project, "status", "--json").json["warnings"] == []


def test_a_check_that_fails_is_a_warning_without_its_message(project):
    """The status is still told; the message may quote a row."""
    text = SEED.replace('"changeme", seed', '"changeme", 1 / 0, seed')
    (project / "seeds/base/00_admin.py").write_text(text)
    assert db(project, "setup").code == 0
    (warning,) = db(project, "status", "--json").json["warnings"]
    assert warning["text"] == "its check failed: raised ZeroDivisionError and was rolled back"
