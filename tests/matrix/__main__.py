"""``python -m tests.matrix``: run the cycle on every server that packages bring, print the table and
write docs/reference/servers.md with ``--write``.

``--server 14`` and ``--dump 17`` choose; ``--only postgresql|sqlite`` too. What is downloaded stays
in ``--folder`` for the next time, and so does what came of each round.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from . import installations, page, rounds


def main():
    words = _words()
    words.folder.mkdir(parents=True, exist_ok=True)
    words.folder.chmod(0o755)  # the servers run as another user where we are root
    found = page.Found.at(words.folder)
    with tempfile.TemporaryDirectory(prefix="dbcycle-matrix-") as work:
        Path(work).chmod(0o755)
        if words.only != "sqlite":
            on_postgresql(words, Path(work), found)
        if words.only != "postgresql":
            on_sqlite(words, Path(work), found)
    print(page.table(found))  # noqa: T201 - it is a command
    if words.write:
        page.PAGE.write_text(page.page(found), encoding="utf-8")
    return 1 if found.failures else 0


def _words():
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or tempfile.gettempdir()) / "dbcycle-matrix"
    parser.add_argument("--folder", type=Path, default=cache)
    parser.add_argument("--server", type=int, action="append")
    parser.add_argument("--dump", type=int, action="append")
    parser.add_argument("--only", choices=("postgresql", "sqlite"))
    parser.add_argument("--installed", action="store_true", help="only servers installed here")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def on_postgresql(words, work, found):
    """Every server with every dump."""
    brought = {}
    for major in installations.MAJORS:
        one = installations.installation(words.folder, major)
        if isinstance(one, str):
            found.missing.append(one)
        else:
            brought[major] = one
    others = installations.of_this_machine()
    dumps = _dumps(words, work, brought, found)
    chosen = [
        one
        for one in [*(() if words.installed else brought.values()), *others]
        if words.server is None or one.major in words.server
    ]
    for one in chosen:
        with installations.running(one, work) as url:
            for (of, by, form), file in dumps.items():
                where = (f"{one.version} ({one.origin})", f"{of} by pg_dump {by}, {form}")
                found.put(
                    where,
                    lambda root, url=url, file=file: rounds.round_on_postgresql(root, url, file),
                    work,
                )
                _forget(url)
            source = rounds.produce(url, "source_of_shop")
            where = (f"{one.version} ({one.origin})", "its own, downloaded; and `dbcycle db`")
            found.put(
                where,
                lambda root, url=url, source=source: rounds.download_and_upkeep(root, url, source),
                work,
            )


def _dumps(words, work, brought, found):
    """Make the dumps: each server's by its own pg_dump, also the oldest's by the newest pg_dump,
    and plain ones of both.
    """
    made = {}
    ends = {min(brought), max(brought)}
    for of in brought.values():
        if words.dump is not None and of.major not in words.dump:
            continue
        wanted = [(of, "custom")]
        if of.major in ends:
            wanted.append((of, "plain"))
        if of.major == min(ends):
            wanted.append((brought[max(ends)], "custom"))
        with installations.running(of, work) as url:
            source = rounds.produce(url, "shop")
            for by, form in wanted:
                path = work / f"{of.major}-{by.major}.{form}"
                rounds.dump(by.programs, source, path, form)
                made[of.major, by.major, form] = path
    return made


def _forget(url):
    """Drop what a round left on the server."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'dbcycle_%'"
        ).fetchall()
        for (name,) in names:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def on_sqlite(words, work, found):
    """Every SQLite, Python's own first."""
    places = {"": None}
    for version in installations.SQLITES:
        place = installations.sqlite(words.folder, version)
        if isinstance(place, str):
            found.missing.append(place)
        else:
            places[version] = place
    for version, place in places.items():
        path = os.pathsep.join(filter(None, [str(place or ""), os.environ.get("PYTHONPATH", "")]))
        env = {"PYTHONPATH": path} if path else {}
        origin = f"pysqlite3-binary {version}" if version else "Python's own"
        name = f"SQLite {page.sqlite_version(env)} ({origin})"
        found.put(
            (name, "a database file; and `dbcycle db`"),
            lambda root, env=env: rounds.round_on_sqlite(root, env),
            work,
        )


if __name__ == "__main__":
    sys.exit(main())
