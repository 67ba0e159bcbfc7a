"""Make a production dump of trenova at v1.0, realistic and of any size.

    python data/trenova/generate.py --shipments 700 --seed 7 \\
        --out data/trenova/dumps/prod_backup.dump

A scratch database is created on a server (``--url``; by default a throwaway embedded one), the
steps of v1.0 are applied with their history, every table is filled by COPY, and pg_dump writes a
compressed custom dump. The same ``--shipments`` and ``--seed`` always give the same rows. Nobody in
it exists: names are drawn from Faker's lists, all e-mail addresses end in ``.example``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from carrier import World
from psycopg import sql

from dbcycle_assets import load_project
from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.upkeep.engine import engine_for
from dbcycle_assets.upkeep.sources import migration_steps

HERE = Path(__file__).resolve().parent
VERSION = "v1.0"
"""The version that production is at."""


def main() -> None:
    """Parse the command line and make the dump."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shipments", type=int, default=700, help="how many (at least 50)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another company")
    parser.add_argument("--out", type=Path, default=HERE / "dumps" / "prod_backup.dump")
    parser.add_argument("--url", help="a server on which a scratch database may be created")
    parser.add_argument("--stats", action="store_true", help="print the rows of each table")
    chosen = parser.parse_args()
    if chosen.shipments < 50:
        parser.error("--shipments must be at least 50")
    with ExitStack() as stack:
        server = stack.enter_context(opened(chosen.url))
        name = stack.enter_context(scratch(server))
        counts = fill(server, name, World(chosen.shipments, chosen.seed))
        dump(server.url(name), chosen.out)
    if chosen.stats:
        width = max(map(len, counts))
        for table, count in [*sorted(counts.items()), ("total", sum(counts.values()))]:
            print(f"{table:{width}} {count:>10,}")
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes", file=sys.stderr)


def fill(server, name: str, world: World) -> dict[str, int]:
    """Migrate an empty database to v1.0 and fill every table, parents first; return the rows."""
    project = load_project(HERE)
    with server.open(name) as database:
        engine = engine_for(project, database, report=lambda _told: None, url=server.url(name))
        engine = type(engine)(
            engine.migrations, "deploy@trenova.example", engine.context, verify_lock=False
        )
        engine.migrations.prepare()
        steps = [step for step in migration_steps(project) if step.version == VERSION]
        engine.apply(steps, lambda _step, _seconds: None)
    counts = {}
    with psycopg.connect(server.url(name)) as connection, connection.cursor() as cursor:
        cursor.execute("SET search_path = public")
        # The same dump each time: when and how fast the steps ran is no part of the company.
        cursor.execute(
            "UPDATE _dbcycle.migrations SET applied_at = '2024-01-15 06:00+00', seconds = 0"
        )
        for table, columns, rows in world.tables():
            copy_text = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with cursor.copy(copy_text) as copy:
                for row in rows:
                    copy.write_row(row)
            counts[table] = len(rows)
        for table, column in (
            ("shipments", "pro_number"), ("invoices", "number"), ("audit_log", "id"),
            ("stop_events", "id"),
        ):  # fmt: skip
            cursor.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}").format(
                    sql.Literal(table),
                    sql.Literal(column),
                    sql.Identifier(column),
                    sql.Identifier(table),
                )
            )
    return counts


@contextmanager
def opened(url: str | None):
    """Give a server: that of a URL, or a throwaway one."""
    with tempfile.TemporaryDirectory(prefix="trenova-") as folder:
        state = Path(folder)
        try:
            yield open_server("postgresql", url=url, state=state)
        finally:
            if url is None:
                embedded.remove(state)


@contextmanager
def scratch(server):
    """Create an empty database, give its name, and drop it."""
    name = f"trenova_generate_{os.getpid()}"
    server.create(name, Stamp("trenova_generate", "scratch"))
    try:
        yield name
    finally:
        server.drop(name, "trenova_generate")


def dump(database: str, out: Path) -> None:
    """Write the dump beside its place and move it there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    facts = psycopg.conninfo.conninfo_to_dict(database)
    password = facts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    programs = embedded.programs()
    program = str(programs / "pg_dump") if programs else "pg_dump"
    command = [program, "--format=custom", f"--file={part}", "--no-owner", "--no-privileges"]
    part.unlink(missing_ok=True)
    subprocess.run(
        [*command, "--compress=9", psycopg.conninfo.make_conninfo("", **facts)],
        env=environment,
        check=True,
    )
    part.replace(out)


if __name__ == "__main__":
    main()
