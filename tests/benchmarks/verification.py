"""Time verification against extraction: ``python -m tests.benchmarks.verification [--rows N]``.

One process, one table on SQLite with three personal columns of eight, prose among them; medians.
"""

import argparse
import contextlib
import cProfile
import pstats
import random
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from dbcycle_assets import load_project
from dbcycle_assets.cycle import extract, migrate, plan, publish, restore, seed
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.cycle.verify import verify

CONFIG = """\
name: verification
engine: sqlite
source: {dump: prod.db}
tables:
  customers:
    columns: {email: email, name: full_name, note: free_text}
    keep: [id, status, country, amount, created]
"""
SCHEMA = """
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, note TEXT,
  status TEXT NOT NULL, country TEXT NOT NULL, amount NUMERIC NOT NULL, created TIMESTAMP NOT NULL
)
"""
SYLLABLES = re.findall(
    r"\w+",
    "ba be bi bo da de di do ga ge go ka ke ki ko la le li lo ma me mi mo na ne no ra re",
)
PROSE = re.findall(
    r"\w+",
    "asked about the order and wants it by friday please call back before noon the parcel was late"
    " again and came open customer is very happy with our service but the invoice had a wrong date"
    " returned two of three items refund is on its way needs a larger size see ticket",
)


def rows(count):
    """Yield rows of customers: every second one has a note, most of them different."""
    draw = random.Random(7)  # noqa: S311 - the same rows every time

    def name():
        return "".join(draw.choices(SYLLABLES, k=3)).capitalize()

    for number in range(count):
        first, last = name(), name()
        note = None
        if number % 2:
            words = draw.choices(PROSE, k=draw.randint(4, 24))
            extra = draw.choice(
                [f"mail {first.lower()}@{last.lower()}.test", "+49 30 5550" + str(number), ""]
            )
            note = " ".join([*words, extra])
        yield (
            number + 1, f"{first}.{last}{number}@mail.test".lower(), f"{first} {last}", note,
            draw.choice(["active", "closed", "waiting"]), draw.choice(["DE", "FR", "PL", "IT"]),
            round(draw.uniform(1, 9999), 2), f"20{draw.randint(10, 25)}-0{draw.randint(1, 9)}-1{draw.randint(0, 9)} 08:15:{draw.randint(10, 59)}",
        )  # fmt: skip


def produce(folder, count):
    """Make a published project of so many rows; return it."""
    with contextlib.closing(sqlite3.connect(folder / "prod.db")) as connection, connection:
        connection.execute(SCHEMA)
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows(count))
    (folder / "dbcycle.yaml").write_text(CONFIG)
    project = load_project(folder)
    cycle = Cycle(project)
    restore.take_dump(cycle)
    restore.take_key(cycle)
    restore.restore(cycle)
    migrate.migrate(cycle)
    plan.decide(cycle)
    list(extract.extract(cycle, ["customers"]))
    list(seed.seed(cycle, ["customers"]))
    publish.publish(cycle)
    return project


def extraction(project):
    """Extract anew."""
    (outcome,) = extract.extract(Cycle(project, force=True), ["customers"])
    assert not isinstance(outcome, extract.Failure), outcome.error


def verification(project):
    """Verify what is published."""
    cycle = Cycle(project)
    found = verify(cycle, cycle.database("test"))
    assert found.passed, found.findings()
    return found


def median(work, project, times):
    """Return the median of some runs in seconds."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work(project)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def profile(project):
    """Print where verification spends its time."""
    profiler = cProfile.Profile()
    profiler.runcall(verification, project)
    pstats.Stats(profiler, stream=sys.stdout).sort_stats("tottime").print_stats(18)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[20_000, 200_000])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    lines = ["| rows | extraction | verification | ratio | leaves compared |", "| ---: " * 5 + "|"]
    for count in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            project = produce(Path(folder), count)
            if options.profile:
                profile(project)
            spent = median(extraction, project, options.times)
            checked = median(verification, project, options.times)
            leaves = verification(project).coverage.leaves_compared
        lines.append(
            f"| {count:,} | {spent:.2f} s | {checked:.2f} s | {checked / spent:.2f} | {leaves:,} |"
        )
    print("\n".join(lines))


if __name__ == "__main__":
    main()
