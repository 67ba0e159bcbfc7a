"""Seconds for one isolated test, ours beside the usual ways, on one server in one run.

::

    python -m tests.benchmarks.isolation [MEGABYTES ...]

Each way gives a test a database that nobody else has changed, connects, runs one query, and cleans
up. ``bare`` is what no way with a database of its own can do without: CREATE DATABASE … TEMPLATE,
connect, DROP DATABASE. The ways take turns, so that noise falls on all alike; ``in a row`` is the
time of one of many tests that do nothing else, so that no copy is made while they work.
``pytest-postgresql`` is left out where it is not installed.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import sqlalchemy

from dbcycle_assets.config.model import Config, Project
from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.testing.clones import Clones
from dbcycle_assets.testing.sessions import taken_back
from dbcycle_assets.upkeep.temporary import Template

ROUNDS = 15
QUERY = "SELECT count(*) FROM small"


def main(sizes):
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        try:
            server = open_server("postgresql", url=None, state=state)
            print(f"{server.describe()}; medians of {ROUNDS}, milliseconds for one test")
            print(f"{'':24}" + "".join(f"{size:>9} MB" for size in sizes))
            table = {}
            for size in sizes:
                for name, seconds in measure(server, state, size).items():
                    table.setdefault(name, []).append(seconds)
            for name, seconds in table.items():
                print(f"{name:24}" + "".join(f"{1000 * each:12.1f}" for each in seconds))
            print("times bare")
            for name, seconds in table.items():
                ratios = (each / bare for each, bare in zip(seconds, table["bare"], strict=True))
                print(f"  {name:22}" + "".join(f"{ratio:12.2f}" for ratio in ratios))
        finally:
            embedded.remove(state)


def measure(server, state, size):
    """Return the median seconds of each way on a database of some megabytes, taken in turn."""
    name = "bench_tpl_1"
    server.create(name, Stamp("bench", "template"))
    fill(server.url(name), size)
    reloaded = statistics.median(timed(reload(server.url(name), state)) for _ in range(3))
    server.seal(name)
    project = Project(root=state, config=Config(name="bench", source={"dump": "x"}))
    clones = Clones(Template(project, server, name, "1"), 2)
    with contextlib.closing(clones), server._administer() as connection:
        shared = clones.take()
        ways = {
            "bare": bare(server, connection, name),
            "pytest-postgresql": janitor(server, name),
            "dbcycle_db": own(clones),
            "db_session": session(shared),
        }
        taken = {way: [] for way, work in ways.items() if work is not None}
        for _ in range(ROUNDS):
            for way, found in taken.items():
                time.sleep(0.05)  # what one test left in the background is not the next one's
                found.append(timed(ways[way]))
        back_to_back = timed(lambda: [own(clones)() for _ in range(ROUNDS)]) / ROUNDS
        clones.give_back(shared)
    server.drop(name, "bench")
    medians = {way: statistics.median(found) for way, found in taken.items()}
    return {
        "truncate and reload": reloaded,
        **medians,
        "dbcycle_db, in a row": back_to_back,
    }


def fill(url, size):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE small (id integer PRIMARY KEY, note text)")
        connection.execute("INSERT INTO small SELECT g, 'x' FROM generate_series(1, 1000) g")
        rows = size * 6000
        connection.execute(
            "CREATE TABLE large AS SELECT g AS id, md5(g::text) AS code, repeat('x', 60) AS note"
            f" FROM generate_series(1, {rows}) g"
        )
        connection.execute("ALTER TABLE large ADD PRIMARY KEY (id)")
        connection.execute("VACUUM ANALYZE")


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ask(url):
    with psycopg.connect(url) as connection:
        assert connection.execute(QUERY).fetchone() == (1000,)


def bare(server, connection, name):
    def work():
        connection.execute(f"CREATE DATABASE bench_bare TEMPLATE {name} STRATEGY file_copy")
        ask(server.url("bench_bare"))
        connection.execute("DROP DATABASE bench_bare")

    return work


def janitor(server, name):
    try:
        from pytest_postgresql.janitor import DatabaseJanitor
    except ModuleNotFoundError:
        return None
    facts = psycopg.conninfo.conninfo_to_dict(server.url(name))

    def work():
        with DatabaseJanitor(
            user=facts["user"],
            host=facts["host"],
            port=facts["port"],
            password=facts["password"],
            dbname="bench_janitor",
            template_dbname=name,
        ):
            ask(server.url("bench_janitor"))

    return work


def reload(url, state):
    """Return what empties the large table and fills it from a file; both as fast as COPY is."""
    file = state / "large.copy"
    with (
        psycopg.connect(url) as connection,
        file.open("wb") as out,
        connection.cursor().copy("COPY large TO STDOUT") as copy,
    ):
        for block in copy:
            out.write(block)

    def work():
        with psycopg.connect(url) as connection:
            connection.execute("TRUNCATE large")
            with file.open("rb") as rows, connection.cursor().copy("COPY large FROM STDIN") as copy:
                while block := rows.read(1 << 20):
                    copy.write(block)
        ask(url)

    return work


def own(clones):
    def work():
        copy = clones.take()
        with copy.engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text(QUERY)) == 1000
        clones.give_back(copy)

    return work


def session(shared):
    def work():
        with taken_back(shared) as session:
            assert session.scalar(sqlalchemy.text(QUERY)) == 1000

    return work


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10, 100, 800])
