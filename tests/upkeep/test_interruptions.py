"""Killed, cut off, raced: the history tells the truth, and the next run finishes."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from dbcycle_assets.errors import Locked, MigrationError, ServerUnavailable
from dbcycle_assets.upkeep import audit, custody

from .kit import NO_TRANSACTION, kill, silent, wait_until

A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
ROWS = {
    "postgresql": "INSERT INTO a SELECT n, 'w' || n FROM generate_series(1, 2000) n;\n",
    "sqlite": "INSERT INTO a WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
    " WHERE n < 2000) SELECT n, 'w' || n FROM s;\n",
}
SLOW = {
    "postgresql": "SELECT pg_sleep(30);\n",
    "sqlite": "SELECT count(*) FROM a x, a y, a z WHERE x.word || y.word || z.word = 'no';\n",
}


@pytest.mark.case(3)
def test_a_kill_inside_a_transactional_step_leaves_nothing(place):
    """Neither its tables nor its row; the lock is free, and the next run applies it."""
    slow = A.replace(" a ", " b ") + SLOW[place.engine]
    place.write({"1_a.sql": A + ROWS[place.engine], "2_b.sql": slow})
    process = place.start("db", "migrate")
    wait_until(lambda: place.target.server.exists(place.target.name))
    wait_until(lambda: place.applied == ["v1/1_a.sql"])
    time.sleep(0.3)
    kill(process)

    place.write({"2_b.sql": A.replace(" a ", " b ")})
    assert place.migrate() == ["v1/2_b.sql"]
    assert place.tables() == ["a", "b"]


UNTIL_ONE = """
import os, signal, sys
from pathlib import Path
from dbcycle_assets import load_project
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.target import resolve

def told(message):
    os.kill(os.getpid(), signal.SIGKILL)

operations.migrate(
    resolve(load_project(Path(sys.argv[1])), "development"), operations.Wish(), Consent(), told
)
"""
"""A run that is killed at the moment it tells of a step: after that one, before the next."""


@pytest.mark.case(3, 11)
def test_a_kill_at_every_step_boundary_loses_and_repeats_nothing(place):
    """Each run is killed after one step: the next begins with the one after it."""
    place.write(
        {
            "1_a.sql": A + ROWS[place.engine],
            "2_more.sql": "UPDATE a SET word = word || '!';",
            "3_single.sql": f"{NO_TRANSACTION}CREATE TABLE b (id integer);\n"
            "UPDATE a SET word = word || '?';\n",
            "4_python.py": "from sqlalchemy import text\ndef run(connection, step):\n"
            "    connection.execute(text(\"UPDATE a SET word = word || '.'\"))\n",
            "5_last.sql": "INSERT INTO b VALUES (1)",
        }
    )
    names = place.status.pending
    for number in range(1, len(names) + 1):
        done = subprocess.run([sys.executable, "-c", UNTIL_ONE, place.root], check=False)
        assert done.returncode == -signal.SIGKILL
        assert place.applied == list(names[:number])
        assert place.status.dirty is None
        assert place.status.lock is None
    assert place.migrate() == []
    assert place.ask("SELECT word FROM a WHERE id = 7") == [("w7!?.",)]
    assert place.ask("SELECT count(*) FROM b") == [(1,)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_inside_a_python_step_leaves_nothing(place, moment):
    """Neither what it did on its connection nor its row; the next run does it once."""
    kill_it = "    if mark.is_file(): os.kill(os.getpid(), signal.SIGKILL)\n"
    work = "    connection.execute(text('INSERT INTO a VALUES (1, NULL)'))\n"
    body = kill_it + work if moment == "before" else work + kill_it
    mark = place.root / "killed"
    mark.touch()
    place.write(
        {
            "1_a.sql": A,
            "2_p.py": "import os, pathlib, signal\nfrom sqlalchemy import text\n"
            f"mark = pathlib.Path({str(mark)!r})\ndef run(connection, step):\n{body}",
        }
    )
    assert place.run("db", "migrate").returncode == -signal.SIGKILL
    assert place.applied == ["v1/1_a.sql"]
    assert place.ask("SELECT * FROM a") == []
    assert place.status.dirty is None
    mark.unlink()
    assert place.migrate() == ["v1/2_p.py"]
    assert place.ask("SELECT id FROM a") == [(1,)]


def test_a_kill_inside_a_way_down_goes_on_with_the_next(place):
    """What was undone stays undone, and is not undone twice."""
    slow = SLOW[place.engine]
    down = f"{NO_TRANSACTION}UPDATE a SET word = word || '!';\n{{}}DROP TABLE b;\n"
    place.write(
        {
            "1_a.sql": A + ROWS[place.engine],
            "2_b.sql": "CREATE TABLE b (id integer)",
            "2_b.down.sql": down.format(slow),
        }
    ).migrate()
    process = place.start("db", "rollback", "--force")
    wait_until(lambda: len(marks(place, "v1/2_b.sql (down)")) == 1, 60)
    time.sleep(0.2)
    kill(process)
    assert place.status.dirty == "v1/2_b.sql"
    place.write({"2_b.down.sql": down.format("SELECT 1;\n")})
    assert place.roll_back() == ["v1/2_b.sql"]
    assert place.applied == ["v1/1_a.sql"]
    assert place.ask("SELECT word FROM a WHERE id = 7") == [("w7!",)]


def test_a_kill_between_single_statements_goes_on_with_the_next(place):
    """A statement that can be in a transaction is never done twice, nor left out."""
    first = f"{NO_TRANSACTION}{A}{ROWS[place.engine]}UPDATE a SET word = word || '!';\n"
    place.write({"1_a.sql": first + SLOW[place.engine] + "UPDATE a SET word = word || '?';\n"})
    process = place.start("db", "migrate")
    wait_until(lambda: place.target.server.exists(place.target.name))
    wait_until(lambda: len(marks(place)) == 3)
    time.sleep(0.2)
    kill(process)
    assert place.status.dirty == "v1/1_a.sql"

    quick = first + "SELECT 1;\n" + "UPDATE a SET word = word || '?';\n"
    place.write({"1_a.sql": quick})
    assert place.migrate() == ["v1/1_a.sql"]
    assert place.ask("SELECT word FROM a WHERE id = 7") == [("w7!?",)]
    assert marks(place) == []


def marks(place, key="v1/1_a.sql"):
    try:
        with place.target.open() as database:
            return database.migrations().marks(key)
    except ServerUnavailable:
        return []


INDEX = f"{NO_TRANSACTION}CREATE INDEX CONCURRENTLY words ON a (word);\nVACUUM a;\n"


@contextlib.contextmanager
def blocked(place):
    """Hold a snapshot, on which CREATE INDEX CONCURRENTLY waits."""
    with place.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("UPDATE a SET word = word WHERE id = 1")
        yield
        holder.execute("ROLLBACK")


def index(place):
    rows = place.ask(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.words')"
    )
    return rows[0][0] if rows else None


@pytest.mark.case(4, 16)
def test_a_kill_inside_create_index_concurrently_is_finished_by_the_next_run(postgres):
    """Killed several times while the index is built, and simply run again: the index is valid."""
    postgres.write({"1_a.sql": A + ROWS["postgresql"]}).migrate()
    postgres.write({"2_i.sql": INDEX})
    for _ in range(3):
        with blocked(postgres):
            process = postgres.start("db", "migrate")
            wait_until(lambda: workers(postgres) and index(postgres) is False)
            kill(process)
            wait_until(lambda: not workers(postgres))  # or the server would finish it alone
        assert postgres.status.dirty == "v1/2_i.sql"
    done = postgres.run("db", "migrate")
    assert done.returncode == 0, done.stderr
    assert index(postgres) is True
    assert postgres.status.dirty is None
    assert postgres.applied == ["v1/1_a.sql", "v1/2_i.sql"]


@pytest.mark.case(5)
def test_an_index_that_was_finished_without_us_is_not_built_again(postgres):
    """The server may end a statement whose client is dead; the catalogue knows."""
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_i.sql": INDEX})
    with blocked(postgres):
        process = postgres.start("db", "migrate")
        wait_until(lambda: index(postgres) is False)
        kill(process)
    wait_until(lambda: not workers(postgres))
    with postgres.connect() as connection:
        connection.execute("DROP INDEX words")
        connection.execute("CREATE INDEX words ON a (word)")
        before = connection.execute("SELECT 'words'::regclass::oid").fetchone()
        assert postgres.migrate() == ["v1/2_i.sql"]
        assert connection.execute("SELECT 'words'::regclass::oid").fetchone() == before


def workers(place):
    return place.ask(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'dbcycle step'"
        f" AND datname = '{place.target.name}'"
    )


def test_what_the_catalogue_cannot_tell_is_dirty_with_its_repair(postgres):
    """Exit code 6, the statement, and the two ways out."""
    postgres.write({"1_a.sql": A}).migrate()
    text = f"{NO_TRANSACTION}CREATE INDEX CONCURRENTLY ON a (word);\n"
    postgres.write({"2_i.sql": text})
    with blocked(postgres):
        process = postgres.start("db", "migrate")
        wait_until(lambda: workers(postgres))
        wait_until(lambda: postgres.status.dirty is not None)
        time.sleep(0.3)
        kill(process)
    done = postgres.run("db", "migrate")
    assert done.returncode == 6
    assert "2_i.sql:2:1" in done.stderr
    assert "db baseline --step v1/2_i.sql" in done.stderr
    assert postgres.run("db", "status").returncode == 6
    assert postgres.run("db", "baseline", "--step", "2_i.sql").returncode == 0
    assert postgres.run("db", "status").returncode == 0


@pytest.mark.case(24)
def test_a_connection_that_is_lost_leaves_nothing(postgres):
    """The server ends the session in the middle of a step: exit code 9, and the next run applies."""
    postgres.write({"1_a.sql": A + SLOW["postgresql"]})
    process = postgres.start("db", "migrate")
    wait_until(lambda: postgres.target.server.exists(postgres.target.name))
    wait_until(lambda: workers(postgres))
    postgres.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{postgres.target.name}' AND application_name = 'dbcycle step'"
    )
    _, told = process.communicate(timeout=20)
    assert process.returncode == 9, told
    assert "run the command again" in told
    postgres.write({"1_a.sql": A})
    assert postgres.migrate() == ["v1/1_a.sql"]


@pytest.mark.case(32)
def test_a_connection_that_is_lost_inside_create_index_concurrently_is_finished(postgres):
    """The server ends the session while it builds: exit code 9, and the next run builds it."""
    postgres.write({"1_a.sql": A + ROWS["postgresql"]}).migrate()
    postgres.write({"2_i.sql": INDEX})
    with blocked(postgres):
        process = postgres.start("db", "migrate")
        wait_until(lambda: workers(postgres) and index(postgres) is False)
        postgres.ask(f"SELECT pg_terminate_backend({workers(postgres)[0][0]})")
        _, told = process.communicate(timeout=20)
        assert process.returncode == 9, told
    assert postgres.status.dirty == "v1/2_i.sql"
    assert postgres.migrate() == ["v1/2_i.sql"]
    assert index(postgres) is True


def test_a_lock_that_is_lost_stops_the_run(postgres):
    """No step begins without the lock."""
    postgres.write({"1_a.sql": A + "SELECT pg_sleep(1.5);", "2_b.sql": "CREATE TABLE b ()"})
    process = postgres.start("db", "migrate")
    wait_until(lambda: postgres.target.server.exists(postgres.target.name))
    wait_until(lambda: workers(postgres))
    holder = postgres.status.lock
    assert holder.pid == process.pid
    postgres.ask(f"SELECT pg_terminate_backend({holder.session})")
    _, told = process.communicate(timeout=20)
    assert process.returncode == 9, told
    assert "the lock was lost" in told
    assert postgres.migrate() == ["v1/2_b.sql"]


def test_a_table_that_another_session_holds_is_not_waited_for_for_ever(postgres):
    """Three short tries, then exit code 4; the step left nothing."""
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_a.sql": "ALTER TABLE a ADD COLUMN more text"})
    with postgres.connect() as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM a")
        started = time.monotonic()
        with pytest.raises(Locked, match="waited too long") as caught:
            postgres.migrate(patience=0.3)
        assert time.monotonic() - started < 8
        assert caught.value.where.endswith("2_a.sql:1:1")
        other.execute("ROLLBACK")
    assert postgres.migrate() == ["v1/2_a.sql"]


def test_a_file_that_another_program_writes_is_not_waited_for_for_ever(place_on):
    """Exit code 4 and the place; nothing of the step stays, and the next run applies it."""
    place = place_on("sqlite")
    place.write({"1_a.sql": A}).migrate()
    place.write({"2_a.sql": "ALTER TABLE a ADD COLUMN more text"})
    with place.connect() as other:
        other.execute("BEGIN IMMEDIATE")
        done = place.run("db", "migrate", "--lock-timeout", "0.3")
        assert done.returncode == 4, done.stderr
        assert "2_a.sql" in done.stderr
        other.execute("ROLLBACK")
    assert place.migrate() == ["v1/2_a.sql"]


def test_an_index_that_waits_too_long_is_finished_by_the_next_run(postgres):
    """An old transaction holds it up: exit code 4, and once that has ended the index is built."""
    postgres.write({"1_a.sql": A + ROWS["postgresql"]}).migrate()
    postgres.write({"2_i.sql": INDEX})
    with blocked(postgres), pytest.raises(Locked, match="waited too long"):
        postgres.migrate(patience=0.03)
    assert postgres.migrate() == ["v1/2_i.sql"]
    assert index(postgres) is True
    assert postgres.status.dirty is None


def test_an_index_that_fails_leaves_no_invalid_one(postgres):
    """What failed in front of us is removed at once, so that nothing is half-done."""
    postgres.write({"1_a.sql": A + "INSERT INTO a VALUES (1, 'x'), (2, 'x');"}).migrate()
    postgres.write(
        {"2_i.sql": f"{NO_TRANSACTION}CREATE UNIQUE INDEX CONCURRENTLY words ON a (word)"}
    )
    with pytest.raises(MigrationError, match="23505"):
        postgres.migrate()
    assert index(postgres) is None
    assert postgres.status.dirty is None


@pytest.mark.case(91, 92)
def test_the_holder_of_the_lock_is_named(place):
    """Process, host, user and since when, in the error with exit code 4 and in the status."""
    place.write({"1_a.sql": A}).target.ensure()
    with place.target.open() as database, database.migrations().locked(audit.me(), wait=1):
        with pytest.raises(Locked) as caught:
            place.migrate(wait=0.2)
        for word in (f"process {os.getpid()} ", audit.me().host, audit.user(), "since 20"):
            assert word in str(caught.value)
        done = place.run("db", "migrate", "--wait", "0.2")
        assert done.returncode == 4
        lock = place.status.lock
        assert (lock.pid, lock.host) == (os.getpid(), audit.me().host)
    assert place.status.lock is None
    assert custody.unlock(place.target, agreed=False) is None


@pytest.mark.case(92)
def test_a_lock_is_freed_only_when_told_to(place):
    """The process of the holder is alive: --yes ends its session on PostgreSQL, never on SQLite."""
    place.write({"1_a.sql": A}).target.ensure()
    with (
        contextlib.suppress(psycopg.Error),
        place.target.open() as database,
        database.migrations().locked(audit.me(), wait=1),
    ):
        assert place.run("db", "unlock").returncode == 3
        code = place.run("db", "unlock", "--yes").returncode
        assert code == (3 if place.engine == "sqlite" else 0)
        assert database.migrations().still_locked() == (place.engine == "sqlite")


RUNNERS = int(os.environ.get("UPKEEP_RUNNERS", "4"))
ROUNDS = int(os.environ.get("UPKEEP_ROUNDS", "1"))


@pytest.mark.parametrize("number", range(ROUNDS))
@pytest.mark.case(88, 89)
def test_runners_at_once_are_as_one(place, number):
    """On no database at all: one makes and migrates it, the others say so and end well."""
    place.write({"1_a.sql": A, "2_b.sql": A.replace(" a ", " b ") + ROWS[place.engine]})
    if place.engine == "postgresql":
        place.write({"3_i.sql": INDEX})
    processes = [place.start("db", "migrate") for _ in range(RUNNERS)]
    ended = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert [code for _, code in ended] == [0] * RUNNERS, [err for (_, err), code in ended if code]
    assert sum("applied on" in out for (out, _), _ in ended) == 1
    assert sum("already at head" in out for (out, _), _ in ended) == RUNNERS - 1
    assert len(place.applied) == (3 if place.engine == "postgresql" else 2)
    assert silent("") is None
