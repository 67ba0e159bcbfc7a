"""What was run, as a table and as a page of the docs."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from .rounds import Failed

PAGE = Path(__file__).parents[2] / "docs/reference/servers.md"
HEAD = """\
<!-- Written by `python -m tests.matrix --write`: edit that, not this. -->
# Servers that it was run on

Every line is the whole cycle, run on that server: restore, migrate, extract, merge, seed, verify, publish,
and a second refresh that finds nothing to do; then the published rows are counted, golden rows and seeds
looked for, and originals searched. The data has citext, pgcrypto and pg_trgm, an enum, a domain, an identity
and a generated column, a partitioned table, JSON, arrays, `infinity`, views, a materialized view and a trigger.
*Its own, downloaded* means: dumped from that server by `restore --download-recent`, with the pg_dump that
the product chose; then `db migrate` (with `CREATE INDEX CONCURRENTLY`), `seed`, `backup`, `rollback`,
`backup restore` and `reset` on that server.

A server outside PostgreSQL 13 to 18 is refused (exit code 3) unless DBCYCLE_UNTESTED_SERVER=1.
"""

OLDER = (
    "- SQLite before 3.40.1: the packages that bring 3.39.4 and 3.40.0 (pysqlite3-binary 0.4.7 and 0.5.0) "
    "begin a transaction before every PRAGMA, so that Dagster cannot open its own storage with them."
)


@dataclass
class Found:
    """The rounds so far."""

    lines: dict[tuple[str, str], str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    seconds: float = 0.0
    kept: Path | None = None

    @classmethod
    def at(cls, folder):
        """Return what former rounds found; those of this run take their places."""
        kept = folder / "rounds.json"
        known = json.loads(kept.read_text()) if kept.is_file() else []
        return cls({(where, what): line for where, what, line in known}, kept=kept)

    @property
    def failures(self):
        return [line for line in self.lines.values() if line != "passed"]

    def put(self, where, run, work):
        """Run one round in a folder of its own, and keep what came of it."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=work, prefix="round-") as folder:
            try:
                run(Path(folder) / "shop")
                self.lines[where] = "passed"
            except Failed as failed:
                self.lines[where] = str(failed)
        self.kept.write_text(json.dumps([[*key, line] for key, line in self.lines.items()]))
        took = time.monotonic() - began
        self.seconds += took
        print(  # noqa: T201 - it is a command
            f"{where[0]:55} {where[1]:45} {took:5.1f} s  {self.lines[where]}", flush=True
        )


def sqlite_version(env):
    """Return the version of the SQLite that a process with these variables gets."""
    code = "import sqlite3; print(sqlite3.sqlite_version)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **env}
    )
    return done.stdout.strip()


def table(found):
    """Return how the rounds ended, a line for each server."""
    servers = dict.fromkeys(server for server, _ in found.lines)
    lines = []
    for server in servers:
        mine = {what: line for (where, what), line in found.lines.items() if where == server}
        well = sum(line == "passed" for line in mine.values())
        lines.append(f"{server:55} {well} of {len(mine)} passed")
    lines.append(f"{len(found.lines)} rounds, {len(found.failures)} failed, {found.seconds:.0f} s")
    return "\n".join([*lines, *(f"not to be had: {each}" for each in found.missing)])


def page(found):
    """Return the page of the docs."""
    servers = dict.fromkeys(server for server, _ in found.lines)
    dumps = dict.fromkeys(what for _, what in found.lines)
    lines = [HEAD, "| server | dump | result |", "|---|---|---|"]
    for server in servers:
        passed = [what for what in dumps if found.lines.get((server, what)) == "passed"]
        if passed:
            lines.append(f"| {server} | {'; '.join(passed)} | passed |")
        lines += [
            f"| {server} | {what} | **{' '.join(line.split())}** |"
            for (where, what), line in found.lines.items()
            if where == server and line != "passed"
        ]
    lines += ["", f"{len(found.lines)} rounds, {len(found.failures)} failed.", "", "## Not run", ""]
    lines += [f"- {each}" for each in found.missing]
    lines += [
        "- PostgreSQL 13: out of support, and not run here; its sessions are accepted, and nothing is promised.",
        "- Servers of a cloud's own making (Aurora, AlloyDB, Cloud SQL, Azure), and forks.",
        "- Other machines than x86-64 Linux.",
        OLDER,
    ]
    return "\n".join(lines) + "\n"
