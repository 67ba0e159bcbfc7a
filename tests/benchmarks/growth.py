"""How time and memory grow with rows, with tables and with columns, and what a second run costs.

::

    python -m tests.benchmarks.growth [--rows 10000 100000 1000000] [--wide 100] [--rounds 3]

Each size runs in a process of its own, so that its peak memory is its own. ``again`` changes one
rule of one table among many and runs again: its time beside that table's share of the first run,
beside the same change where there is no other table, and beside a run in which nothing is stale and
Dagster's smallest run. ``plan`` reads and plans a
schema of 1,000 tables and 5,000 foreign keys. Results are appended to
tests/benchmarks/history/growth.json.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg

from dbcycle_assets import load_project
from dbcycle_assets.cycle import extract, migrate, plan, publish, restore, seed
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.defs.run import refresh

from . import shop as shops
from .speed import keep, timed


def stages(rows, tables):
    """Return the seconds of each stage of a first run, the peak memory, and the rows."""
    with tempfile.TemporaryDirectory() as folder:
        shop = shops.make(folder, rows, tables, ready=False)
        cycle, found = shop.cycle, {}
        try:
            steps = {
                "restore": lambda: (
                    restore.take_dump(cycle),
                    restore.take_key(cycle),
                    restore.restore(cycle),
                ),
                "migrate": lambda: migrate.migrate(cycle),
                "plan": lambda: plan.decide(cycle),
                "extract": lambda: required(extract.extract(cycle, shop.tables)),
                "seed": lambda: required(seed.seed(cycle, shop.tables)),
                "publish": lambda: publish.publish(cycle),
            }
            for name, step in steps.items():
                found[name] = timed(step)
        finally:
            embedded.remove(cycle.project.state)
    found["memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def required(outcomes):
    """Go through outcomes, none of which may be a failure."""
    for outcome in outcomes:
        assert not isinstance(outcome, extract.Failure), outcome.error


@dg.asset
def nothing():
    """Do nothing: the smallest run that Dagster has."""


def run(project, home):
    """Refresh a project through Dagster, whatever is stale."""
    done = refresh(load_project(project), instance_home=home)
    assert done.ok, done.failed


def change(project, table, number):
    """Change the rule of one column of a table."""
    config = project / "dbcycle.yaml"
    shape = "map" if number % 2 == 0 else "safe"
    rule = f"columns: {{email: {{anonymize: email, domain: {shape}}}"
    head, mark, rest = config.read_text().partition(f"  {table}:\n    ")
    config.write_text(head + mark + rule + "".join(rest.partition(", name:")[1:]))


def again(rows, tables, rounds):
    """Return the seconds of a first run, of one after a changed rule, of the same change in a
    project that has no other table, of a run with nothing to do, and of Dagster's smallest.
    """
    with tempfile.TemporaryDirectory() as folder:
        many, one, home = (Path(folder) / name for name in ("many", "one", "home"))
        home.mkdir()
        found = {}

        def smallest():
            with dg.DagsterInstance.from_config(str(home)) as instance:
                assert dg.materialize([nothing], instance=instance).success

        try:
            shops.make(many, rows, tables, ready=False)
            shops.make(one, rows // tables, 1, ready=False)
            found["first"] = timed(run, many, home)
            run(one, home)
            for number in range(rounds):
                change(many, "people_1", number)
                change(one, "people_0", number)
                for name, work, words in (
                    ("changed", run, (many, home)),
                    ("alone", run, (one, home)),
                    ("nothing", run, (many, home)),
                    ("smallest", smallest, ()),
                ):
                    found.setdefault(name, []).append(timed(work, *words))
        finally:
            for project in (many, one):
                embedded.remove(project / ".dbcycle")
    return {
        name: each if isinstance(each, float) else statistics.median(each)
        for name, each in found.items()
    }


def planned(tables, keys):
    """Return the seconds of reading and planning a schema of so many tables and foreign keys."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = [f"t{number:04d}" for number in range(tables)]
        columns = [f"c{number}" for number in range(max(1, keys // tables))]
        rules = "\n".join(f"  {name}: {{keep: [id, {', '.join(columns)}]}}" for name in names)
        (root / "dbcycle.yaml").write_text(
            f"name: bench\nsource: {{dump: prod.dump}}\ntables:\n{rules}\n"
        )
        cycle = Cycle(load_project(root))
        try:
            cycle.server.create(cycle.database("migrated"), Stamp("bench", "migrated"))
            url = cycle.server.url(cycle.database("migrated"))
            with closing(psycopg.connect(url, autocommit=True)) as connection:
                made = ", ".join(f"{column} integer" for column in columns)
                for name in names:
                    connection.execute(f"CREATE TABLE {name} (id integer PRIMARY KEY, {made})")
                for number, name in enumerate(names):
                    for place, column in enumerate(columns):
                        parent = names[(number * 7 + place * 131) % tables]
                        connection.execute(
                            f"ALTER TABLE {name} ADD FOREIGN KEY ({column}) REFERENCES {parent}"
                        )

            def read():
                with cycle.server.open(cycle.database("migrated"), read_only=True) as database:
                    cycle.keep_catalog(database.catalog())

            return {"catalog": timed(read), "plan": timed(lambda: plan.current_plan(cycle))}
        finally:
            embedded.remove(root / ".dbcycle")


def alone(*words):
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.growth", *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def shown(title, table):
    """Print one table: a line for each thing measured, a column for each size."""
    print(f"\n{title}")
    names = list(next(iter(table.values())))
    print(f"  {'':12}" + "".join(f"{size:>14}" for size in table))
    for name in names:
        print(f"  {name:12}" + "".join(f"{found[name]:14.2f}" for found in table.values()))


def main():
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--tables", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--wide", type=int, default=100, help="tables of the second run; 0: none")
    parser.add_argument("--wide-rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=2, type=int, help="one size, for a process of its own")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(stages(*chosen.one)))
        return
    results = {}
    by_rows = {f"{rows:,} rows": alone("--one", rows, 2) for rows in chosen.rows}
    shown("first run, 2 tables, seconds", by_rows)
    results["rows"] = by_rows
    if chosen.tables:
        by_tables = {f"{n} tables": alone("--one", 100_000, n) for n in chosen.tables}
        shown("first run, 100,000 rows in all, seconds", by_tables)
        results["tables"] = by_tables
    if not chosen.wide:
        keep("growth", results)
        return
    started = time.monotonic()
    found = again(chosen.wide_rows, chosen.wide, chosen.rounds)
    share = found["first"] / chosen.wide
    found |= {"share": share, "changed/share": found["changed"] / share}
    found |= {"changed/alone": found["changed"] / found["alone"]}
    found |= {"nothing/smallest": found["nothing"] / found["smallest"]}
    shown("again, seconds", {f"{chosen.wide} tables": found})
    results["again"] = found
    results["plan"] = planned(1000, 5000)
    shown("planning, seconds", {"1,000 tables, 5,000 keys": results["plan"]})
    print(f"\n{time.monotonic() - started:.0f} s")
    keep("growth", results)


if __name__ == "__main__":
    main()
