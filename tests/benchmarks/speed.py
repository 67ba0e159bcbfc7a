"""An anonymized refresh beside an unmasked dump and restore of the same tables, in one run.

::

    python -m tests.benchmarks.speed [--rows 1000000 ...] [--tables 2] [--rounds 5]

Every round takes all ways in turn, so that noise falls on all alike; the table shows medians and
their ratios. ``floor`` is pg_dump -Fd -j2 without compression, then pg_restore -j2. ``refresh`` is
ours: extracts, seeded tables, indexes and keys. ``verify`` is the full verification after it.
``mask`` is one table read, masked and loaded into a heap; ``copy`` the same without a mask, COPY
out into COPY in. Results are appended to tests/benchmarks/history/speed.json.
"""

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg

from dbcycle_assets.cycle import blocks, extract, plan, publish, seed
from dbcycle_assets.cycle.masking import Masking
from dbcycle_assets.cycle.verify import verify
from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.port import Stamp

from . import shop as shops

HISTORY = Path(__file__).parent / "history"


def timed(work, *arguments):
    """Return the seconds of some work."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def floor(shop, folder):
    """Dump the source and restore it, two jobs each; nothing is masked."""
    shutil.rmtree(folder, ignore_errors=True)
    shop.server.create("dbcycle_bench_floor", Stamp("bench", "floor"))
    dump = [shop.program("pg_dump"), "-Fd", "-j2", "-Z0", "-f", str(folder)]
    restore = [shop.program("pg_restore"), "-j2", "--no-owner", "-d"]

    def work():
        subprocess.run([*dump, shop.url(shops.SOURCE)], check=True)
        subprocess.run([*restore, shop.url("dbcycle_bench_floor"), str(folder)], check=True)

    return timed(work)


def refresh(shop):
    """Return the seconds of extracting, of seeding, and of indexes and keys."""
    cycle = shop.again()
    catalog = plan.require_catalog(cycle)

    def extracted():
        failed = [o for o in extract.extract(cycle, shop.tables) if isinstance(o, extract.Failure)]
        assert not failed, failed[0].error

    def seeded():
        failed = [o for o in seed.seed(cycle, shop.tables) if isinstance(o, extract.Failure)]
        assert not failed, failed[0].error

    def built():
        server = cycle.server
        staging = cycle.database("staging")
        repaired = seed.complete(cycle, catalog).repaired
        server.clone(cycle.database("seeded"), staging, cycle.stamp("staging", ""))
        publish._build(cycle, catalog, staging, repaired)

    return timed(extracted), timed(seeded), timed(built)


def verification(shop):
    """Verify what the refresh before it made."""
    cycle = shop.again()

    def work():
        found = verify(cycle, cycle.database("staging"), {})
        assert found.passed, found.findings()

    return timed(work)


def masked(shop):
    """Read one table, mask it, and load it into a heap."""
    cycle = shop.again()
    table = plan.current_plan(cycle).tables[shop.tables[0]]
    columns = [item.column for item in table.columns]
    server = cycle.server
    source, target = cycle.database("migrated"), cycle.database("seeded")

    def work():
        with server.open(source, read_only=True) as raw, server.open(target) as heap:
            masking = Masking(cycle.key, raw, table, None)
            pairs = extract.masked(raw.read(table.table, columns), len(columns), masking)
            rows = (blocks.render(frame) for _raw, frame in blocks.ahead(pairs))
            heap.replace_rows(table.table, columns, rows, [], "")

    return timed(work)


def copied(shop):
    """Copy one table into a heap, COPY out into COPY in, through one process and unmasked."""
    cycle = shop.again()
    table = shop.tables[0]
    source = shop.url(cycle.database("migrated"))
    target = shop.url(cycle.database("seeded"))

    def work():
        with closing(psycopg.connect(source)) as one, closing(psycopg.connect(target)) as other:
            other.execute(f"TRUNCATE {table}")
            out = one.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)")
            into = other.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)")
            with out as read, into as write:
                for data in read:
                    write.write(data)
            other.commit()

    return timed(work)


def measure(rows, tables, rounds):
    """Return the seconds of every way in every round."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        shop = shops.make(Path(folder) / "project", rows, tables)
        try:
            for _ in range(rounds):
                taken = {"floor": floor(shop, Path(folder) / "floor")}
                parts = dict(zip(("extract", "seed", "build"), refresh(shop), strict=True))
                taken |= parts | {"refresh": sum(parts.values())}
                taken |= {"verify": verification(shop)}
                taken |= {"mask": masked(shop), "copy": copied(shop)}
                for name, seconds in taken.items():
                    found.setdefault(name, []).append(seconds)
        finally:
            embedded.remove(shop.cycle.project.state)
    return found


def report(rows, tables, found):
    """Print the table of one size; return what is kept of it."""
    medians = {name: statistics.median(each) for name, each in found.items()}
    ratios = {
        "refresh / floor": medians["refresh"] / medians["floor"],
        "verify / extract": medians["verify"] / medians["extract"],
        "mask / copy": medians["mask"] / medians["copy"],
    }
    print(f"\n{rows:,} rows in {tables} tables; medians of {len(found['floor'])}, seconds")
    for name, seconds in medians.items():
        print(f"  {name:18}{seconds:9.2f}{rows / seconds:14,.0f} rows/s")
    for name, ratio in ratios.items():
        print(f"  {name:18}{ratio:9.2f}")
    return {"rows": rows, "tables": tables, "seconds": medians, "ratios": ratios}


def keep(name, results):
    """Append results to the history of a benchmark."""
    path = HISTORY / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else []
    entry = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 1),
        "results": results,
    }
    path.write_text(json.dumps([*known, entry], indent=1) + "\n")


def main():
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--tables", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    results = [
        report(rows, chosen.tables, measure(rows, chosen.tables, chosen.rounds))
        for rows in chosen.rows
    ]
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    keep("speed", results)


if __name__ == "__main__":
    main()
