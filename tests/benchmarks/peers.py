"""Our masking beside other tools: the same table, the same server, in turns within one run.

::

    python -m tests.benchmarks.peers [--rows 100000] [--rounds 3] [--only NAME ...]
        [--pganonymize PROGRAM] [--pynonymizer PROGRAM] [--pg-anon PROGRAM] [--masker PROGRAM]
        [--dbslice PROGRAM] [--snapshot PROGRAM] [--pg-anonymizer PROGRAM]

One table of eight columns, three of them personal (name, unique e-mail, phone), a primary key and
two indexes. Every way starts from the raw table and ends with a masked table and its indexes:
tools that mask in place get a fresh copy of the database, tools that copy get an empty one; making
either is not counted. None of the tools is part of this repository: give the path of an installed
program, or have it on PATH; what is not there is left out.

``refresh`` is ours: extract to disk, load, indexes and keys. ``mask`` is ours without extracts:
schema, read, mask and load, indexes. A tool's ``start`` is what its ``--help`` takes; ratios are
without it, as ours runs in this process. Results go to tests/benchmarks/history/peers.json.
"""

import argparse
import shutil
import statistics
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg

from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.port import Stamp

from . import shop as shops
from . import speed
from .peer_ways import TABLE, TARGET, WAYS, WORK, Bench

OURS = ("refresh", "mask")


def fresh(shop):
    """Make the databases that a way may change: a copy of the raw one, and an empty one."""
    shop.server.clone(shops.SOURCE, WORK, Stamp("bench", "work"))
    shop.server.create(TARGET, Stamp("bench", "target"))


def emails(url):
    """Return a database's e-mails."""
    with closing(psycopg.connect(url)) as connection:
        return [row[0] for row in connection.execute(f"SELECT email FROM {TABLE}")]


def examined(url, originals):
    """Say what a way left: rows, distinct e-mails, e-mails of the original, indexes."""
    found = emails(url)
    query = f"SELECT count(*) FROM pg_index WHERE indrelid = '{TABLE}'::regclass AND indisvalid"
    with closing(psycopg.connect(url)) as connection:
        indexes = connection.execute(query).fetchone()[0]
    distinct = set(found)
    survived = sum(email in originals for email in found)
    left = {"rows": len(found), "distinct": len(distinct), "survived": survived}
    return left | {"indexes": indexes}


def attempt(way, bench, originals):
    """Take one way from raw to masked; return what is known of it."""
    fresh(bench.shop)
    start = 0.0
    if way.program:
        start = way.starts * speed.timed(bench.run, [bench.program, "--help"], WORK)
    seconds, database = way.work(bench)
    return {"seconds": seconds, "start": start} | examined(bench.url(database), originals)


def measure(chosen, ways, programs):
    """Return what every way took and left, by round; one that fails or is slow is not repeated."""
    rows = chosen.rows
    found, failed = {}, {}
    slow = set()
    with tempfile.TemporaryDirectory() as folder:
        shop = shops.make(Path(folder) / "project", rows, 1)
        try:
            originals = set(emails(shop.url(shops.SOURCE)))
            for number in range(chosen.rounds):
                for way in ways:
                    if way.name in failed or way.name in slow:
                        continue
                    place = Path(folder) / f"{way.work.__name__}-{number}"
                    place.mkdir()
                    bench = Bench(shop, place, programs.get(way.program, ""), rows, way.admin)
                    try:
                        taken = attempt(way, bench, originals)
                    except subprocess.TimeoutExpired as error:
                        failed[way.name] = f"not done after {error.timeout:.0f} seconds"
                    except (RuntimeError, psycopg.Error) as error:
                        failed[way.name] = str(error)
                    if way.name in failed:
                        print(f"{way.name}: {failed[way.name]}", flush=True)
                        continue
                    found.setdefault(way.name, []).append(taken)
                    if way.name not in OURS and taken["seconds"] > chosen.slow:
                        slow.add(way.name)
                    print(f"{number + 1} {way.name:20} {taken}", flush=True)
        finally:
            embedded.remove(shop.cycle.project.state)
    return found, failed


def summary(rows, found, failed):
    """Print the table; return what is kept of it."""
    starts = {name: min(each["start"] for each in taken) for name, taken in found.items()}

    def worked(name):
        return [each["seconds"] - starts[name] for each in found[name]]

    print(
        f"\n{rows:,} rows, 3 of 8 columns masked; medians of the rounds, ratios without the start"
    )
    print(f"{'':20}{'rounds':>7}{'seconds':>9}{'start':>7}{'÷ refresh':>11}{'÷ mask':>8}  left")
    kept = {}
    for name, taken in found.items():
        seconds = statistics.median(each["seconds"] for each in taken)
        ratios = {
            base: statistics.median(
                one / other for one, other in zip(worked(name), worked(base), strict=False)
            )
            for base in OURS
        }
        left = {key: value for key, value in taken[-1].items() if key not in {"seconds", "start"}}
        said = ", ".join(f"{value:,} {key}" for key, value in left.items())
        shown = f"{len(taken):7}{seconds:9.2f}{starts[name]:7.2f}"
        print(f"{name:20}{shown}{ratios['refresh']:11.1f}{ratios['mask']:8.1f}  {said}")
        kept[name] = {"rounds": len(taken), "seconds": seconds, "start": starts[name]}
        kept[name] |= {"ratios": ratios} | left
    for name in failed:
        print(f"{name:20} failed: {failed[name][:60]}")
    return {
        "rows": rows,
        "ways": kept,
        "failed": {name: said[:60] for name, said in failed.items()},
    }


def main():
    """Measure what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--slow", type=float, default=60, help="seconds after which one round is all"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these ways only, and ours")
    names = sorted({way.program for way in WAYS if way.program})
    for name in names:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="PROGRAM")
    chosen = parser.parse_args()
    given = {name: shutil.which(vars(chosen)[name] or name) for name in names}
    programs = {name: str(Path(path).absolute()) for name, path in given.items() if path}
    ways = []
    for way in WAYS:
        if chosen.only and way.name not in {*OURS, *chosen.only}:
            continue
        if way.program and way.program not in programs:
            print(f"{way.name}: `{way.program}` is not there; left out")
        else:
            ways.append(way)
    found, failed = measure(chosen, ways, programs)
    speed.keep("peers", [summary(chosen.rows, found, failed)])


if __name__ == "__main__":
    main()
