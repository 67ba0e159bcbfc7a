"""Race processes on one database, and compare the result with that of one process alone.

python -m tests.benchmarks.migration_races [--rounds 20] [--runners 32] [--pairs 50] [--commands]

- runners: so many processes migrate a database that does not exist. One makes and applies
  everything, the others find nothing to do, all end well, and the history has each step once
- migrate + migrate, seed + seed, migrate + seed: two processes at once on one database; rows and
  histories afterwards are those of the two one after the other

Each process is forked from one that has the library loaded, and begins at a barrier, so that they
truly meet; with ``--commands`` the runners are whole ``dbcycle db migrate`` commands instead.
"""

import argparse
import contextlib
import multiprocessing
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import psycopg

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.errors import DbCycleError
from dbcycle_assets.upkeep import operations, seeding
from dbcycle_assets.upkeep.guards import Consent
from tests.upkeep.kit import NO_TRANSACTION, Place, silent

TABLES = (
    "CREATE TABLE a (id integer PRIMARY KEY, word text);\nCREATE TABLE s (code text PRIMARY KEY);\n"
)
ROWS = (
    "INSERT INTO a WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 500)"
    " SELECT n, 'w' || n FROM s;\n"
)
MORE = "ALTER TABLE a ADD COLUMN more text;\nUPDATE a SET more = word || '!';\n"
INDEX = {
    "postgresql": f"{NO_TRANSACTION}CREATE INDEX CONCURRENTLY words ON a (word);\n",
    "sqlite": "CREATE INDEX words ON a (word);\n",
}
SEED = "# version: 1.0.0\n# depends:\ns:\n  - {{code: {}}}\n"
CONTEXT = multiprocessing.get_context("fork")


def make(engine, root):
    """Return a project of its own with migrations and seeds; no database yet."""
    place = Place(engine, root).configure()
    place.write(
        {"1_a.sql": TABLES, "2_rows.sql": ROWS, "3_more.sql": MORE, "4_i.sql": INDEX[engine]}
    )
    seeds = root / "seeds" / "base"
    seeds.mkdir(parents=True)
    for number, code in enumerate("xyz"):
        (seeds / f"0{number}_{code}.yaml").write_text(SEED.format(code))
    return place


def migrate(place):
    """Return how many steps were applied."""
    done = operations.migrate(place.target, operations.Wish(wait=120.0), Consent(), silent)
    return len(done.steps)


def seed(place):
    """Return how many seeds were applied."""
    result = seeding.seed(place.target, Consent(), silent)
    return sum(done.kind == "apply" for done in result.done)


def at_once(place, works):
    """Run each in a process of its own; return what each gave, or its error, and the seconds."""
    barrier, told = CONTEXT.Barrier(len(works) + 1), CONTEXT.SimpleQueue()

    def run(number, work):
        barrier.wait()
        try:
            told.put((number, work(place)))
        except DbCycleError as error:
            told.put((number, f"exit {error.exit_code}: {error}"))
        except BaseException as error:  # noqa: BLE001 - it goes into the table
            told.put((number, f"{type(error).__name__}: {error}"))

    processes = [
        CONTEXT.Process(target=run, args=(number, work)) for number, work in enumerate(works)
    ]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.monotonic()
    found = dict(told.get() for _ in processes)
    seconds = time.monotonic() - started
    for process in processes:
        process.join()
    return [found[number] for number in range(len(works))], seconds


def commands(place, number):
    """The same with whole commands; return what each applied, or its error, and the seconds."""
    started = time.monotonic()
    processes = [place.start("db", "migrate", "--wait", "120") for _ in range(number)]
    found = []
    for process in processes:
        out, err = process.communicate()
        head = 0 if "already at head" in out else out.count(".sql")
        found.append(head if process.returncode == 0 else f"exit {process.returncode}: {err}")
    return found, time.monotonic() - started


def state(place):
    """Return everything that a race may change: rows, history, journal, seeds."""
    history = "_dbcycle_" if place.engine == "sqlite" else "_dbcycle."
    queries = (
        "SELECT * FROM a ORDER BY id",
        "SELECT code FROM s ORDER BY code",
        f"SELECT step, state, checksum FROM {history}migrations ORDER BY position",
        f"SELECT step FROM {history}journal",
        f"SELECT name, version, status FROM {history}seed_history ORDER BY name",
    )
    found = []
    for query in queries:
        try:
            found.append(place.ask(query))
        except (sqlite3.Error, psycopg.Error) as error:  # what this scenario does not make
            found.append(type(error).__name__)
    return found


def scenarios(chosen):
    """Return name, what is done before, who races, and the rounds."""

    def nothing(_place):
        pass

    def half(place):
        place.migrate(target="2_rows.sql")

    def whole(place):
        place.migrate()

    return [
        (f"{chosen.runners} runners", nothing, [migrate] * chosen.runners, chosen.rounds),
        ("migrate + migrate", half, [migrate] * 2, chosen.pairs),
        ("seed + seed", whole, [seed] * 2, chosen.pairs),
        ("migrate + seed", half, [migrate, seed], chosen.pairs),
    ]


def race(engine, root, scenario, *, whole_commands):
    """Run every round of a scenario; print its line of the table."""
    name, before, works, rounds = scenario
    alone = make(engine, root / "alone")
    before(alone)
    for work in works:
        work(alone)
    wanted = state(alone)
    well, seconds, wrong = 0, [], []
    for number in range(rounds):
        place = make(engine, root / f"{number}")
        before(place)
        if whole_commands:
            given, took = commands(place, len(works))
        else:
            given, took = at_once(place, works)
        faults = [each for each in given if isinstance(each, str)]
        busy = sum(each != 0 for each in given)
        same = state(place) == wanted
        if not faults and same and busy == len(set(works)):
            well += 1
        else:
            wrong.append((number, busy, same, sorted(set(faults))))
        seconds.append(took)
        place.close()
        shutil.rmtree(place.root, ignore_errors=True)
    alone.close()
    print(f"{engine:11} {name:18} {rounds:4} rounds  {len(works):3} processes  as if alone {well}/{rounds}"
          f"  median {statistics.median(seconds):.2f} s  most {max(seconds):.2f} s", flush=True)  # fmt: skip
    for each in wrong[:5]:
        print("   wrong: round {}, {} found work, same {}, {}".format(*each), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runners", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--commands", action="store_true")
    chosen = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="races-"))
    for engine in ("sqlite", "postgresql"):
        with contextlib.ExitStack() as stack:
            os.environ.pop("UPKEEP_SERVER", None)
            if engine == "postgresql":
                stack.callback(embedded.remove, root / "server")
                server = open_server("postgresql", url=None, state=root / "server")
                os.environ["UPKEEP_SERVER"] = server.base_url
            for number, scenario in enumerate(scenarios(chosen)):
                if chosen.commands and number:
                    continue
                folder = root / f"{engine}{number}"
                folder.mkdir()
                race(engine, folder, scenario, whole_commands=chosen.commands)
    shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
