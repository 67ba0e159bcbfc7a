"""What faulted runs once broke."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from dbcycle_assets.artifacts import Extracts
from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.postgres.clients import environment, run, without_password
from dbcycle_assets.databases.postgres.stamps import HALF_MADE
from dbcycle_assets.errors import ServerUnavailable

from ..cycle.kit import Shop
from ..faults.kit import apart

COLUMNS = (("id", "int"),)


def write(store, text):
    with store.write("users", COLUMNS, {}) as writer:
        writer.write(text, 1)


@pytest.mark.parametrize("number", [1, 2])
def test_a_kill_between_rows_and_manifest_is_seen_in_the_manifest(tmp_path, number):
    """Killed before either name is given: the manifest is the former one only if the rows are."""
    store, renames = Extracts(tmp_path), []
    write(store, b"1\n")
    former = store.manifest("users")

    def hear(event, _arguments):
        if event == "os.rename":
            renames.append(event)
            if len(renames) == number:
                os.kill(os.getpid(), signal.SIGKILL)

    process = os.fork()
    if process == 0:
        sys.addaudithook(hear)
        write(store, b"2\n")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    if store.manifest("users") == former:
        assert b"".join(store.read("users")) == b"1\n"
    write(store, b"2\n")
    assert b"".join(store.read("users")) == b"2\n"


def test_a_program_whose_server_is_gone_blames_the_server():
    """Not the rows: it may be tried again, with exit code 9."""
    url = "postgresql://nobody@127.0.0.1:9/nothing"
    dump = embedded.programs() / "pg_dump"
    with pytest.raises(ServerUnavailable, match="went away"):
        run([dump, without_password(url, "nothing")], environment(url))


UNTIL_NAMED = """
import os, signal, sys
from pathlib import Path
from dbcycle_assets import load_project
from dbcycle_assets.cycle import extract, migrate, plan, restore
from dbcycle_assets.cycle.session import Cycle

def hear(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hear)
cycle = Cycle(load_project(Path(sys.argv[1])))
restore.take_dump(cycle)
restore.restore(cycle)
migrate.migrate(cycle)
plan.decide(cycle)
list(extract.extract(cycle, ["users"]))
"""
"""A run that is killed as it gives a file its name."""

TABLE = "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80));\n"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_rows_of_a_killed_run_are_not_taken_for_those_of_the_former_dump(
    request, tmp_path, monkeypatch, engine
):
    """The former dump comes back, of the same schema: the migrated database is made again."""
    server = request.getfixturevalue("server") if engine == "postgresql" else None
    if server is not None:
        monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    shop = Shop(engine, tmp_path / "shop", server)
    config = "tables: {users: {columns: {email: email}, keep: [id]}}\n"
    shop.produce(TABLE + "INSERT INTO users VALUES (1, 'ada@corp.test')", config)
    shop.build()
    former = (shop.root / "prod.dump").read_bytes()
    shop.produce(TABLE + "INSERT INTO users VALUES (2, 'b@corp.test'), (3, 'c@corp.test')", config)
    done = subprocess.run(
        [sys.executable, "-c", UNTIL_NAMED, shop.root, "catalog.json"], check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert shop.rows("SELECT id FROM users ORDER BY 1", "migrated") == [(2,), (3,)]
    (shop.root / "prod.dump").write_bytes(former)
    shop.build()
    assert shop.rows("SELECT id FROM users ORDER BY 1", "migrated") == [(1,)]
    assert shop.rows("SELECT id FROM users ORDER BY 1") == [(1,)]
    assert not shop.cycle.stale()
    shop.close()


ENDS_ITSELF = """
CREATE FUNCTION ends(id integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF current_query() LIKE 'ANALYZE%' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
  RETURN id;
END $$;
CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80));
CREATE INDEX ends_itself ON users (ends(id));
INSERT INTO users VALUES (1, 'ada@corp.test');
"""
"""A dump of which the server ends the session that gathers its statistics."""


def test_a_session_that_ends_after_the_rows_are_restored_blames_the_server(
    server, tmp_path, monkeypatch
):
    """Through Dagster as well: exit code 9, not a defect of ours, and no half-made database."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    shop = Shop("postgresql", tmp_path / "shop", server)
    shop.produce(ENDS_ITSELF, "tables: {users: {columns: {email: email}, keep: [id]}}\n")
    done = shop.refresh()
    assert isinstance(done.error, ServerUnavailable)
    assert not shop.cycle.server.exists("dbcycle_shop_restoring")
    shop.close()


def test_a_reset_begins_anew_where_a_killed_one_left_a_half_made_database(server, place_on):
    """It has no mark yet that it may be lost, and needs none: nobody was ever let in."""
    place = place_on("postgresql")
    place.write({"1_a.sql": "CREATE TABLE a (id integer PRIMARY KEY);"}).migrate()
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{place.target.name}"')
        connection.execute(f'CREATE DATABASE "{place.target.name}" CONNECTION LIMIT {HALF_MADE}')
    done = apart("--project", place.root, "db", "reset", "--force")
    assert done.code == 0, done.err
    assert place.ask("SELECT count(*) FROM a") == [(0,)]


def test_an_extract_that_a_killed_run_did_not_record_is_loaded_by_nobody(tmp_path):
    """Its rows would bear the former extract's name in the seeded database, and be published when
    the former dump comes back.
    """
    shop = Shop("sqlite", tmp_path / "shop", None)
    config = "tables: {users: {columns: {email: email}, keep: [id]}}\n"
    shop.produce(TABLE + "INSERT INTO users VALUES (1, 'ada@corp.test')", config)
    shop.build()
    former = (shop.root / "prod.dump").read_bytes()
    shop.produce(TABLE + "INSERT INTO users VALUES (2, 'ada@corp.test')", config)
    words = [sys.executable, "-c", UNTIL_NAMED, shop.root, "ledger/extracts/users.json"]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    done = apart("--project", shop.root, "seed-test-db", "--force")
    assert done.code == 6, done.err
    assert "dbcycle refresh" in done.err
    (shop.root / "prod.dump").write_bytes(former)
    shop.build()
    assert shop.rows("SELECT id FROM users ORDER BY 1") == [(1,)]
    assert not shop.cycle.stale()
