"""Apply somebody's whole migration history, and compare the schema with what the client makes of it.

python -m tests.benchmarks.histories LAYOUT DIRECTORY [--sqlite] [--first FILE] [--halfway STEP] [--superuser] [--listed] [--dbmate PROGRAM]

LAYOUT is that of ``migrations`` in the config, DIRECTORY a checkout's folder of migrations; nothing
there is changed. ``--first`` runs an SQL file before everything, for what a history takes for
granted (a schema, an extension); ``--superuser`` is for one that must be run by the server's owner,
and ``--listed`` lists the files by name under ``steps``, for one that repeats its numbers. On an embedded PostgreSQL, or with ``--sqlite``, in three databases:

- whole: ``dbcycle db migrate`` from empty, then a second time
- halfway: up to a middle step (``--halfway``), every table filled with rows, then on to the head.
  A step that the rows do not allow is told; the tables that it names are emptied, and it runs again
- client: the same files one by one through psql (or sqlite3), which knows nothing of us
- dbmate, where its program is given: ``dbmate up`` on the same directory

The schemas are compared as ``pg_dump -s`` (or SQLite's own table) says them, and by our catalog's digest.
"""

import argparse
import contextlib
import difflib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from dbcycle_assets import load_project
from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.errors import DbCycleError
from dbcycle_assets.upkeep.sources import migration_steps
from tests.benchmarks.filling import count, fill, name_of
from tests.upkeep.kit import Place

_OURS = re.compile(r"_dbcycle|schema_migrations")


def _told(done):
    """Return what a command said at its end, without its progress."""
    return " ".join(re.split(r"(?m)^dbcycle: ", done.stderr)[-1].split())


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layout")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--first", type=Path)
    parser.add_argument("--halfway")
    parser.add_argument("--superuser", action="store_true")
    parser.add_argument("--listed", action="store_true")
    parser.add_argument("--dbmate")
    return parser.parse_args()


class Trial:
    """One history in the databases of one server."""

    def __init__(self, chosen, root):
        self.chosen, self.root = chosen, root
        self.engine = "sqlite" if chosen.sqlite else "postgresql"
        self.programs = embedded.programs()
        self.failures = []

    def place(self, name):
        """Make a project of its own on the history."""
        folder = self.root / name
        place = Place(self.engine, folder)
        directory = self.chosen.directory.resolve()
        lists = f"{{layout: {self.chosen.layout}, directory: {directory}}}"
        if self.chosen.listed:
            files = sorted(path.name for path in directory.glob("*.up.sql"))
            lists = f"{{version: all, directory: {directory}, steps: {json.dumps(files)}}}"
        if self.chosen.first:
            place.configure()
            place.write({"0_first.sql": self.chosen.first.read_bytes()})
            lists = f"{{version: first, directory: migrations}}, {lists}"
        return place.configure(f"[{lists}]")

    # --- the three ways -------------------------------------------------------------------------

    def whole(self):
        place = self.place("whole")
        started = time.monotonic()
        done = place.run("db", "migrate")
        seconds = time.monotonic() - started
        if done.returncode:
            self.failures.append(f"whole: exit {done.returncode}: {_told(done)}")
            return place, seconds
        again = place.run("db", "migrate")
        if again.returncode or "already at head" not in again.stdout:
            self.failures.append(f"again: exit {again.returncode}: {again.stderr.strip()}")
        return place, seconds

    def halfway(self, steps):
        place = self.place("halfway")
        middle = self.chosen.halfway or steps[len(steps) // 2].name
        done = place.run("db", "migrate", "--target", middle)
        if done.returncode:
            self.failures.append(f"halfway: exit {done.returncode}: {_told(done)}")
            return place, (0, 0, 0), 0
        with place.target.open() as database:
            catalog = database.catalog()
        with place.connect() as connection:
            filled = fill(connection, catalog)
        return place, filled, self._on(place)

    def _on(self, place):
        """Go on to the head, or to what nothing helps; return how often rows made way."""
        made_way = 0
        while (done := place.run("db", "migrate")).returncode:
            told = f"with rows: exit {done.returncode}: {_told(done)}"
            if told in self.failures:
                break  # it was not the rows
            self.failures.append(told)
            if not self._make_way(place, done.stderr):
                break
            made_way += 1
        return made_way

    def _make_way(self, place, told):
        """Empty the tables that the failed file names; tell whether there were rows."""
        found = re.search(r"(/\S+\.\S*sql)\b", told)
        if found is None:
            return False
        text = Path(found[1]).read_text(encoding="utf-8").lower()
        with place.target.open() as database:
            tables = database.catalog().tables.values()
        named = [
            table for table in tables if re.search(rf"\b{re.escape(table.name.lower())}\b", text)
        ]
        removed = 0
        with place.connect() as connection:
            for table in named:
                removed += count(connection, table)
                if self.engine == "sqlite":
                    connection.execute("PRAGMA foreign_keys = ON")
                    with contextlib.suppress(Exception):
                        connection.execute(f"DELETE FROM {name_of(table)}")
                else:
                    connection.execute(f"TRUNCATE {name_of(table)} CASCADE")
        return removed

    def client(self, steps):
        """Feed every file to psql or sqlite3; return the connection's address."""
        address = self._empty("client")
        for number, step in enumerate(steps):
            path = self.root / "client" / f"{number}.sql"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(step.script.text)
            if self.engine == "sqlite":
                done = subprocess.run(
                    ["sqlite3", "-bail", address, f".read {path}"],
                    capture_output=True,
                    text=True,
                    check=False,
                )
            else:
                done = self._psql(address, path, whole=not step.script.alone)
                if done.returncode and "transaction block" in done.stderr:
                    done = self._psql(address, path, whole=False)
            if done.returncode:
                told = done.stderr.strip().splitlines()[:2]
                self.failures.append(f"client: {step.name}: {' '.join(told)}")
                return None
        return address

    def _psql(self, address, path, *, whole):
        words = [
            "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            *(["-1"] if whole else []),
            "-f",
            path,
            address,
        ]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    def _empty(self, name):
        if self.engine == "sqlite":
            path = self.root / f"{name}.db"
            path.unlink(missing_ok=True)
            return str(path)
        place = self.place(name)
        place.target.ensure()
        return place.target.server.url(place.target.name)

    def dbmate(self):
        address = self._empty("dbmate")
        url = (
            f"sqlite:{address}"
            if self.engine == "sqlite"
            else f"{address}{'&' if '?' in address else '?'}sslmode=disable"
        )
        if self.chosen.first:
            self._psql(address, self.chosen.first, whole=True)
        done = subprocess.run(
            [self.chosen.dbmate, "--url", url, "--no-dump-schema", "-d", self.chosen.directory, "up"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            self.failures.append(f"dbmate: {done.stderr.strip()[-300:]}")
            return None
        return address

    # --- comparison -----------------------------------------------------------------------------

    def address(self, place):
        target = place.target
        if not target.server.exists(target.name):
            return None
        return target.server.url(target.name).removeprefix("sqlite:///")

    def schema(self, address):
        """Return the schema as the engine's own program writes it, without our bookkeeping."""
        if address is None:
            return None
        if self.engine == "sqlite":
            with contextlib.closing(sqlite3.connect(address)) as connection:
                texts = [
                    text for (text,) in connection.execute("SELECT sql FROM sqlite_master") if text
                ]
            kept = sorted(text for text in texts if not _OURS.search(text))
            return [line for text in kept for line in text.splitlines()]
        done = subprocess.run(
            [self.programs / "pg_dump", "-s", "-O", "-x", "-N", "_dbcycle*", "-T", "*schema_migrations", address],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [
            line
            for line in done.stdout.splitlines()
            if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))
        ]

    def compare(self, name, schemas):
        first, other = schemas["whole"], schemas[name]
        if first is None or other is None:
            return "—"
        differences = list(difflib.unified_diff(first, other, "whole", name, lineterm="", n=0))
        for line in differences[:12]:
            print("   ", line)
        return "same" if not differences else f"{len(differences)} lines differ"


def main():
    chosen = options()
    root = Path(tempfile.mkdtemp(prefix="history-"))
    trial = Trial(chosen, root)
    if not chosen.sqlite:
        server = open_server("postgresql", url=None, state=root / "server").base_url
        if chosen.superuser:
            server = embedded.ensure(root / "server").url(embedded.ADMIN)
        os.environ["UPKEEP_SERVER"] = server
    else:
        os.environ.pop("UPKEEP_SERVER", None)
    try:
        run(trial)
    finally:
        if not chosen.sqlite:
            embedded.remove(root / "server")
        shutil.rmtree(root, ignore_errors=True)


def run(trial):
    probe = trial.place("probe")
    try:
        steps = migration_steps(load_project(probe.root))
    except DbCycleError as error:
        print(f"refused before anything ran: {error}")
        return
    started = time.monotonic()
    whole, seconds = trial.whole()
    halfway, filled, gave_way = trial.halfway(steps)
    schemas = {
        "whole": trial.schema(trial.address(whole)),
        "halfway": trial.schema(trial.address(halfway)),
    }
    schemas["client"] = trial.schema(trial.client(steps))
    if trial.chosen.dbmate:
        schemas["dbmate"] = trial.schema(trial.dbmate())
    with whole.target.open() as database:
        parts = sum(len(database.migrations().parts(step.script)) for step in steps)
        catalog = database.catalog()
    with halfway.target.open() as database:
        digest = database.catalog().schema_digest
    print(
        f"{trial.engine}, {trial.chosen.layout}: {len(steps)} files, {parts} statements, {len(catalog.tables)} tables"
    )
    print(f"whole: {len(whole.applied)} steps applied in {seconds:.1f} s")
    print(f"halfway: {filled[0]} of {filled[1]} tables filled, {filled[2]} rows; "
          f"{len(halfway.applied)} steps at the end, rows made way {gave_way} times")  # fmt: skip
    for name in schemas:
        if name != "whole":
            print(f"schema whole = {name}: {trial.compare(name, schemas)}")
    print(
        f"catalog digest whole = halfway: {'same' if digest == catalog.schema_digest else 'differs'}"
    )
    for failure in trial.failures:
        print("failed:", failure)
    print(f"{time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
