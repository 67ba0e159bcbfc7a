"""Kill `dbcycle db migrate` inside CREATE INDEX CONCURRENTLY, run it again, and count.

python -m tests.benchmarks.migration_kills [KILLS]

Each round drops the index, starts a run, kills it at a random moment of the build, and runs the
same command once more. A round is recovered if that ends well and the index is valid.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.guards import Consent
from tests.upkeep.kit import NO_TRANSACTION, Place, kill

ROWS = 300_000
INDEX = f"{NO_TRANSACTION}CREATE INDEX CONCURRENTLY words ON a (word);\n"


def state(place):
    """Return what the catalogue says of the index: valid, invalid or none."""
    rows = place.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('words')")
    return "none" if not rows else "valid" if rows[0][0] else "invalid"


def main(kills):
    import os

    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    server = open_server("postgresql", url=None, state=folder / "server")
    os.environ["UPKEEP_SERVER"] = server.base_url
    place = Place("postgresql", folder / "shop").configure()
    found, seconds, recovered, inside = {"valid": 0, "invalid": 0, "none": 0}, [], 0, 0
    try:
        place.write({"1_a.sql": "CREATE TABLE a AS SELECT n AS id, md5(n::text) AS word"
                     f" FROM generate_series(1, {ROWS}) n;"})  # fmt: skip
        place.migrate()
        place.write({"2_i.sql": INDEX})
        for number in range(kills):
            process = place.start("db", "migrate")
            while process.poll() is None and not workers(place):
                time.sleep(0.005)
            time.sleep(random.uniform(0.02, 0.5))  # noqa: S311
            inside += process.poll() is None and place.status.dirty is not None
            kill(process)
            found[state(place)] += 1
            started = time.monotonic()
            done = place.run("db", "migrate")
            seconds.append(time.monotonic() - started)
            well = done.returncode == 0 and state(place) == "valid" and not place.status.dirty
            recovered += well
            if not well:
                print(number, done.returncode, state(place), done.stderr)
            operations.baseline(place.target, Consent(), step="2_i.sql", forget=True)
            with place.connect() as connection:
                connection.execute("DROP INDEX IF EXISTS words")
        print(f"{kills} kills, {inside} inside the build; afterwards the index was {found}")
        print(f"recovered by simply running again: {recovered}/{kills}")
        print(
            f"seconds to recover: median {sorted(seconds)[kills // 2]:.1f}, most {max(seconds):.1f}"
        )
    finally:
        place.close()
        embedded.remove(folder / "server")


def workers(place):
    return place.ask(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'dbcycle step'"
        f" AND datname = '{place.target.name}'"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
