"""Recipes that lose data elsewhere, followed here: flags, kills, histories and runs at once."""

import os

import pytest
import sqlalchemy as sa

from dbcycle_assets import load_project
from dbcycle_assets.upkeep.seeds import SeedRunner

from .kit import silent

A = "CREATE TABLE a (id integer PRIMARY KEY, note text);\n"
ONE = "-- version: 1.0.0\n-- depends:\nINSERT INTO a VALUES (1, 'one');\n"
TWO = "DEPENDS = []\n\n\ndef run(seed):\n    seed.upsert('a', {'id': 2, 'note': 'two'})\n"
KILLED = (
    TWO + "    import os, signal\n    if os.environ.get('CUT'):\n"
    "        os.kill(os.getpid(), signal.SIGKILL)\n"
)


@pytest.fixture
def shop(place):
    """A project with a table and a seed that can be applied only once."""
    place.write({"1_a.sql": A, "1_a.down.sql": "DROP TABLE a;"}).migrate()
    write(place, "00_one.sql", ONE)
    return place


def write(shop, name, text):
    path = shop.root / "seeds/base" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def runner(shop):
    target = shop.target
    project = load_project(shop.root)
    return SeedRunner(project, target.server, target.name, "development", progress=silent)


def active(shop):
    return sorted(row.name for row in runner(shop).history() if row.status == "Active")


def ids(shop):
    return [number for (number,) in shop.ask("SELECT id FROM a ORDER BY id")]


@pytest.mark.parametrize(
    "words", [("--target", "abc"), ("--target", "3"), ("--target", "6"), ("--ignore-errors",)]
)
@pytest.mark.case(80)
def test_a_rollback_target_that_means_nothing_is_a_usage_error(shop, words):
    """It is never taken for 1, nor cut down; nothing is undone."""
    assert shop.run("db", "rollback", *words, "--force").returncode == 2
    assert shop.applied == ["v1/1_a.sql"]


def test_no_flag_lets_a_seed_fail_unseen(shop):
    """There is none that ignores errors; the first failure ends the run with its exit code."""
    assert shop.run("db", "seed", "--ignore-errors").returncode == 2
    assert ids(shop) == []
    write(shop, "01_bad.py", "DEPENDS = []\n\n\ndef run(seed):\n    1 / 0\n")
    write(shop, "02_two.py", TWO)
    assert shop.run("db", "seed").returncode == 7
    assert (ids(shop), active(shop)) == ([1], ["base/00_one"])


@pytest.mark.case(7)
def test_a_seed_that_is_killed_leaves_neither_rows_nor_history(shop):
    """Those before it keep both; the next run goes on from there, and applies nothing twice."""
    write(shop, "02_two.py", KILLED)
    done = shop.run("db", "seed", env={"CUT": "1"})
    assert done.returncode == -9
    assert (ids(shop), active(shop)) == ([1], ["base/00_one"])
    done = shop.run("db", "seed")
    assert done.returncode == 0, done.stderr
    assert (ids(shop), active(shop)) == ([1, 2], ["base/00_one", "base/02_two"])


def test_a_history_that_cannot_be_written_keeps_the_seed_from_its_rows(shop):
    """A seed that nobody would know of is not applied: that is an error, and no warning."""
    runner(shop).run()
    write(shop, "02_two.py", TWO)
    with shop.target.open() as database:
        schema, name = database.bookkeeping("seed_history")
    table = f'"{schema}"."{name}"' if schema else f'"{name}"'
    with shop.connect() as connection:
        if shop.engine == "sqlite":
            connection.execute(
                f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            connection.execute(f"ALTER TABLE {table} ADD CHECK (name <> 'base/02_two')")
    assert shop.run("db", "seed").returncode == 7
    assert (ids(shop), active(shop)) == ([1], ["base/00_one"])


def test_seed_runs_at_once_are_as_one(shop):
    """One applies, the others wait for it and find nothing to do."""
    write(shop, "02_two.py", TWO)
    running = [shop.start("db", "seed") for _ in range(5)]
    ended = [(process.communicate()[1], process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * 5, ended
    assert (ids(shop), active(shop)) == ([1, 2], ["base/00_one", "base/02_two"])
    assert len(runner(shop).history()) == 2


def test_the_seed_history_has_every_column(shop):
    """The eleven that Trenova's has, and the three words of its status."""
    runner(shop).run()
    with shop.target.open() as database, database.sqlalchemy() as connection:
        schema, name = database.bookkeeping("seed_history")
        columns = {each["name"] for each in sa.inspect(connection).get_columns(name, schema=schema)}
    assert columns == {
        "id", "name", "version", "environment", "checksum", "applied_at", "applied_by", "status",
        "notes", "error", "details",
    }  # fmt: skip
    if shop.engine == "postgresql":
        words = "SELECT enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid"
        found = shop.ask(f"{words} WHERE typname = 'seed_status_enum' ORDER BY enumsortorder")
        assert found == [("Active",), ("Inactive",), ("Orphaned",)]


@pytest.mark.parametrize("word", ["prod", "PROD ", "production", "stage", "dev", "testing"])
@pytest.mark.case(111)
def test_every_name_of_an_environment_is_known_to_every_command(shop, word):
    """Where one is known, all are; a command that needs no database understands them too."""
    done = shop.run("db", "seed-sync", "--env", word)
    assert done.returncode == 0, done.stderr


def test_a_reset_is_undone_by_its_backup(shop):
    """The backup is made before anything is lost, and holds all of it."""
    runner(shop).run()
    done = shop.run("db", "reset", "--force")
    assert done.returncode == 0, done.stderr
    assert ids(shop) == []
    done = shop.run("db", "backup", "restore", "--force")
    assert done.returncode == 0, done.stderr
    assert (ids(shop), active(shop)) == ([1], ["base/00_one"])
    assert "CUT" not in os.environ
