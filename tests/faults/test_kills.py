"""Killed anywhere: what is served stays whole, and the same command ends well afterwards."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dbcycle_assets.databases.postgres.session import connect

from .kit import (
    ROWS,
    SCHEMA,
    TABLES,
    database_digest,
    ended,
    publish,
    read_until,
    run,
    started,
    told,
    wait_until,
)

case = pytest.mark.case
A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"

AT_MESSAGE = """
import os, signal, sys
from pathlib import Path
from dbcycle_assets import load_project
from dbcycle_assets.defs.run import refresh

left = int(sys.argv[2])

def told(message):
    global left
    left -= 1
    if left == 0:
        print(message, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

refresh(load_project(Path(sys.argv[1])), force=True, progress=told,
        instance_home=Path(os.environ["DAGSTER_HOME"]))
"""
"""A refresh of everything that is killed as it tells of its Nth piece of work."""


@case(1, 2, 9, 16)
def test_a_refresh_that_is_killed_at_every_piece_of_work(shop):
    """One kill behind the other, each within the recovery of the last: what is served is the same
    database all along, and one run more ends well with nothing left over.
    """
    before = shop.state()["test"]
    seen = []
    for number in range(1, 60):
        done = subprocess.run(
            [sys.executable, "-c", AT_MESSAGE, str(shop.root), str(number)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        seen.append(done.stdout.strip())
        assert shop.state()["test"] == before, seen[-1]
    stages = " ".join(seen)
    for stage in ("restoring", "cloning the restored", "extracting", "seeding", "switching"):
        assert stage in stages
    assert shop.run("refresh").code == 0
    shop.no_leftovers()


@case(10)
@pytest.mark.parametrize("left", [None, b"", b'{"table": "orders"'])
def test_an_extract_without_a_whole_manifest_is_none(shop, left):
    """Cut off before it, or within: not loaded, and what makes it anew is told."""
    path = shop.root / "extracts/orders.json"
    whole = path.read_bytes()
    before = shop.state()["test"]
    try:
        path.unlink()
        if left is not None:
            path.write_bytes(left)
        told(shop.run("seed-test-db", "--force"), 7, "orders", "dbcycle --project", "extract")
        assert shop.state()["test"] == before
        assert shop.run("refresh").code == 0
    finally:
        path.write_bytes(whole)


CUT_WRITE = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from dbcycle_assets.cli import main
sys.exit(main())
"""
"""A command that the kernel kills as soon as a file of its own grows beyond 20 kB."""


@case(9)
def test_a_kill_within_a_file(sqlite):
    """The former extract is whole, the half-written one has no name, and the next run removes it."""
    more = "".join(
        f"INSERT INTO users VALUES ({n}, 'user{n}@example.net', 'Ada Lovelace', 'x');"
        for n in range(10, 4000)
    )
    sqlite.produce(SCHEMA + ROWS + more, TABLES)
    assert sqlite.run("refresh").code == 0
    before = sqlite.state()
    assert (sqlite.root / "extracts/users.copy.zst").stat().st_size > 20_000
    words = [sys.executable, "-c", CUT_WRITE, *map(str, sqlite.words("extract", "--force"))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGXFSZ, done.stderr
    parts = list((sqlite.root / "extracts").glob(".*.part"))
    assert parts
    other = (
        "ledger extracts/orders"  # it was made anew before the kill, or not: its rows are the same
    )
    after = {key: value for key, value in sqlite.state().items() if not key.endswith(".part")}
    assert after | {other: ""} == before | {other: ""}
    assert sqlite.run("extract", "--force").code == 0
    sqlite.no_leftovers()


@case(15)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_stop_in_the_middle_of_a_step(place, number):
    """The statement is cancelled and rolled back, the lock is free; exit code 130, one line."""
    slow = {
        "postgresql": "SELECT pg_sleep(60);\n",
        "sqlite": "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
        " WHERE n < 3000000000) SELECT count(*) FROM s;\n",
    }[place.engine]
    place.write({"1_a.sql": A}).migrate()
    place.write({"2_b.sql": A.replace(" a ", " b ") + slow})
    with started("--project", place.root, "db", "migrate") as going:
        wait_until(lambda: place.status.lock is not None)
        time.sleep(0.5)
        going.send_signal(number)
        done = told(ended(going, 30), 130)
    assert len([line for line in done.err.splitlines() if "dbcycle:" in line]) == 1
    assert place.status.lock is None
    place.write({"2_b.sql": A.replace(" a ", " b ")})
    assert place.migrate() == ["v1/2_b.sql"]


@case(15)
def test_a_stop_of_a_stage(sqlite):
    """Ctrl-C leaves every extract whole, and threads that wait for each other nowhere; a table that
    was done before is recorded anew, with the same rows.
    """

    def kept():
        state = {key: each for key, each in sqlite.state().items() if not key.startswith("ledger")}
        names = ("test_db", "extracts/users", "extracts/orders")
        return state, [sqlite.cycle.ledger.get(name).data_version for name in names]

    before = kept()
    with started(*sqlite.words("extract", "--force")) as going:
        read_until(going, "extracting")
        going.send_signal(signal.SIGINT)
        told(ended(going, 60), 130)
    assert kept() == before
    sqlite.no_leftovers()


DEAF = """
import signal
import time


class Deaf:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def run(connection, step):
    Deaf()
    time.sleep(20)
"""


@case(15)
def test_a_stop_that_python_ignores_comes_again(place):
    """An exception in a destructor is only printed: the run would end well, as if never stopped."""
    place.write({"1_a.py": DEAF})
    with started("--project", place.root, "db", "migrate") as going:
        done = told(ended(going, 30), 130)
    assert "Traceback" not in done.err
    assert "Exception ignored" not in done.err
    assert place.status.lock is None


@case(11)
def test_the_lock_of_a_killed_run_is_free(place):
    """The next run has it as soon as the server has noticed; meanwhile it is told whose it is."""
    slow = {"postgresql": "SELECT pg_sleep(60);\n", "sqlite": ""}[place.engine]
    place.write({"1_a.sql": A}).migrate()
    python = "import time\n\n\ndef run(connection, step):\n    time.sleep(60)\n"
    files = {"2_b.sql": A.replace(" a ", " b ") + slow} if slow else {"2_b.py": python}
    place.write(files)
    with started("--project", place.root, "db", "migrate") as going:
        wait_until(lambda: place.status.lock is not None)
        time.sleep(0.3)
        words = ["--project", place.root, "db", "migrate", "--wait", "0.2"]
        told(run(*words), 4, f"process {going.pid}", "since")
        os.killpg(going.pid, signal.SIGKILL)
    place.write({"2_b.sql": A.replace(" a ", " b "), **({} if slow else {"2_b.py": None})})
    assert len(place.migrate(wait=10.0)) == 1


@case(12)
def test_an_orphan_of_a_killed_run_is_ended_and_nobody_else(postgres):
    """A statement of ours that goes on without its client and its lock; others' sessions stay."""
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_b.sql": A.replace(" a ", " b ")})
    server, name = postgres.target.server, postgres.target.name
    with connect(server.base_url, name) as other, connect(server.base_url, name) as watching:
        orphan = subprocess.Popen(
            [sys.executable, "-c", ORPHAN, server.url(name)], stderr=subprocess.DEVNULL
        )
        own = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(120)' AND pid <> pg_backend_pid()"
        wait_until(lambda: watching.execute(own).fetchone())
        assert postgres.migrate() == ["v1/2_b.sql"]
        assert watching.execute(own).fetchone() is None
        assert other.execute("SELECT 1 AS here").fetchone() == {"here": 1}
        assert orphan.wait(20) != 0


ORPHAN = """
import sys, psycopg
with psycopg.connect(sys.argv[1], autocommit=True, application_name="dbcycle step") as connection:
    connection.execute("SELECT pg_sleep(120)")
"""


@case(18)
def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    """Whatever appears under a name of its own was flushed before: a power loss leaves the old
    file or the new one, and never a name without content.
    """
    from dbcycle_assets.databases import open_server

    from .kit import World

    flushed, named = {}, []
    real = os.fsync

    def fsync(handle):
        real(handle)
        flushed[str(Path(f"/proc/self/fd/{handle}").readlink())] = os.fstat(handle).st_size

    def seen(event, arguments):
        if event == "os.rename" and watching:
            source = str(arguments[0])
            if source.startswith(str(tmp_path)) and Path(source).is_file():
                named.append((source, Path(source).stat().st_size))

    watching = [True]
    monkeypatch.setattr(os, "fsync", fsync)
    sys.addaudithook(seen)
    world = World("sqlite", tmp_path / "shop", open_server("sqlite", url=None, state=tmp_path))
    publish(world)
    assert world.run("key", "rotate", "--yes").code in {0, 2}
    watching.clear()
    ours = [(path, size) for path, size in named if "/home/" not in path]
    assert len(ours) > 10
    late = [path for path, size in ours if flushed.get(path) != size]
    assert not late, late


@case(22)
def test_a_watch_that_is_killed_leaves_a_whole_registry(place):
    """Old or new, never half: whatever was being saved."""
    folder = place.root / "seeds/base"
    folder.mkdir(parents=True)
    registry = place.root / "seeds/registry.json"
    for turn in range(3):
        with started("--project", place.root, "db", "seed-watch") as going:
            for number in range(40):
                (folder / f"{turn}{number:02}_s.sql").write_text("-- version: 1.0.0\nSELECT 1;\n")
            last = f"base/{turn}39_s"
            wait_until(lambda last=last: registry.exists() and last in registry.read_text(), 40)
            (folder / f"{turn}99_late.sql").write_text("-- version: 1.0.0\nSELECT 1;\n")
            time.sleep(0.2 * turn)
            os.killpg(going.pid, signal.SIGKILL)
        names = [each["name"] for each in json.loads(registry.read_text())]
        assert len(names) in {40 * (turn + 1) + turn, 40 * (turn + 1) + turn + 1}
    assert run("--project", place.root, "db", "seed-sync").code == 0


@case(14)
def test_unlogged_tables_are_told(postgresql):
    """A crash empties them: the database of a role is proven by its counts, table by table."""
    before = database_digest(postgresql.server, postgresql.cycle.database("test"))
    name = postgresql.cycle.database("test")
    with connect(postgresql.server.admin_url, name) as connection:
        kept = connection.execute("SELECT * FROM orders").fetchall()
        connection.execute("DELETE FROM orders")
    try:
        told(postgresql.run("verify"), 8, "orders")
    finally:
        with connect(postgresql.server.admin_url, name) as connection:
            for row in kept:
                connection.execute("INSERT INTO orders VALUES (%s, %s, %s)", list(row.values()))
    assert database_digest(postgresql.server, name) == before


SLOW = """
CREATE TABLE slow (id integer PRIMARY KEY, CHECK (pg_sleep(0.03)::text IS NOT NULL));
INSERT INTO slow SELECT n FROM generate_series(1, 150) n;
"""


@pytest.fixture(scope="module")
def slow(on_postgresql):
    """The shop with a table whose rows are loaded slowly, so that a COPY can be met half-way; for
    the tests at the end of the module.
    """
    on_postgresql.produce(SCHEMA + ROWS + SLOW, TABLES + "  slow: {keep: [id]}\n")
    done = on_postgresql.run("refresh")
    assert done.code == 0, done.err
    return on_postgresql


def copying(world, role):
    """Tell whether rows are being copied into the database of a role."""
    with connect(world.server.admin_url) as connection:
        return connection.execute(
            "SELECT 1 FROM pg_stat_progress_copy WHERE datname = %s AND bytes_processed > 300",
            [world.cycle.database(role)],
        ).fetchone()


def programs(parent, name):
    """Return the processes of a name that a process started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        if head.endswith(name) and int(rest.split()[1]) == parent:
            found.append(int(stat.parent.name))
    return found


@case(8)
def test_a_kill_in_the_middle_of_a_copy(slow):
    """No row of the batch is there; what is served is as it was, and the next run loads all."""
    before = slow.state()["test"]
    (slow.root / "extracts/slow.json").unlink()
    assert slow.run("extract", "--table", "slow").code == 0
    words = slow.words("seed-test-db", "--force")
    with started(*words) as going:
        wait_until(lambda: copying(slow, "seeded"), 60)
        os.killpg(going.pid, signal.SIGKILL)
    name = slow.cycle.database("seeded")
    wait_until(lambda: not copying(slow, "seeded"))
    with connect(slow.server.base_url, name) as connection:
        found = connection.execute("SELECT count(*) AS n FROM slow").fetchone()
    assert found["n"] in {0, 150}
    assert slow.state()["test"] == before
    assert slow.run("refresh", "--all").code == 0
    assert slow.rows("SELECT count(*) FROM slow") == [(150,)]


@case(13)
def test_the_programs_that_we_started_die_with_us(slow):
    """A kill of the command alone ends its pg_restore: nothing goes on in secret."""
    with started(*slow.words("restore", "--force")) as going:
        wait_until(lambda: copying(slow, "restoring"), 60)
        (program,) = programs(going.pid, "pg_restore")
        os.kill(going.pid, signal.SIGKILL)
        wait_until(lambda: is_dead(program))
        wait_until(lambda: not copying(slow, "restoring"))
    assert slow.run("restore", "--force").code == 0
    slow.no_leftovers()


def is_dead(pid):
    """Tell whether a process has ended and only waits to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@case(17)
def test_a_program_that_is_killed_under_us(slow):
    """As by the kernel, for want of memory: its name is told, and nothing is published."""
    before = slow.state()
    with started(*slow.words("restore", "--force")) as going:
        wait_until(lambda: copying(slow, "restoring"), 60)
        (program,) = programs(going.pid, "pg_restore")
        for child in [program, *programs(program, "pg_restore")]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        told(ended(going), 9, "pg_restore", "killed")
    assert slow.state() == before
    slow.no_leftovers()
