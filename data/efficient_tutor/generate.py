"""Make a production dump of efficient_tutor at v0.2, realistic and of any size.

    python data/efficient_tutor/generate.py --users 300 --seed 7 \\
        --out data/efficient_tutor/dumps/prod_backup.dump

A scratch database is created on a server (``--url``; by default a throwaway embedded one), the
baseline schema is loaded, every table is filled by COPY, and pg_dump writes a compressed custom
dump. The same ``--users`` and ``--seed`` always give the same rows. Nobody in it exists: names are
drawn from Faker's lists, all e-mail addresses end in ``.example``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from company import World
from psycopg import sql
from rows import tables

HERE = Path(__file__).resolve().parent

BASELINE = HERE.parents[1] / "sql" / "efficient_tutor" / "v0.2" / "baseline.sql"


def main() -> None:
    """Parse the command line and make the dump."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=300, help="how many users (at least 20)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another company")
    parser.add_argument("--out", type=Path, default=HERE / "dumps" / "prod_backup.dump")
    parser.add_argument("--url", help="a server on which a scratch database may be created")
    parser.add_argument(
        "--format", choices=["custom", "directory", "tar", "plain"], default="custom"
    )
    parser.add_argument("--passwords", type=Path, help="also write the known plain texts here")
    parser.add_argument("--stats", action="store_true", help="print the rows of each table")
    chosen = parser.parse_args()
    if chosen.users < 20:
        parser.error("--users must be at least 20")
    world = World(chosen.users, chosen.seed)
    with ExitStack() as stack:
        url, programs = stack.enter_context(server(chosen.url))
        database = stack.enter_context(scratch(url))
        with psycopg.connect(database) as connection:
            counts = fill(connection, world)
        dump(database, programs, chosen.format, chosen.out)
    if chosen.passwords:
        write_passwords(world, chosen.passwords)
    if chosen.stats:
        width = max(map(len, counts))
        for name, count in [*sorted(counts.items()), ("total", sum(counts.values()))]:
            print(f"{name:{width}} {count:>10,}")
    print(f"{chosen.out}: {size(chosen.out):,} bytes", file=sys.stderr)


def fill(connection: psycopg.Connection, world: World) -> dict[str, int]:
    """Load the baseline schema and every table, parents first; return the rows of each."""
    counts = {}
    with connection.cursor() as cursor:
        cursor.execute(BASELINE.read_text(encoding="utf-8"))
        for name, columns, rows in tables(world):
            copy_text = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            count = 0
            with cursor.copy(copy_text) as copy:
                for row in rows:
                    copy.write_row(row)
                    count += 1
            counts[name] = count
        # The cycle: a tuition needs its teacher first, the teacher's favourite needs the tuition.
        cursor.execute("CREATE TEMP TABLE favourite (teacher uuid, tuition uuid) ON COMMIT DROP")
        with cursor.copy("COPY favourite FROM STDIN") as copy:
            for row in world.favourite_tuitions():
                copy.write_row(row)
        cursor.execute(
            "UPDATE teachers SET primary_tuition_id = tuition FROM favourite WHERE user_id = teacher"
        )
        for table, column in (("invoices", "number"), ("audit_events", "id")):
            cursor.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({t}, {c}), max({i})) FROM {n}"
                ).format(
                    t=sql.Literal(table),
                    c=sql.Literal(column),
                    i=sql.Identifier(column),
                    n=sql.Identifier(table),
                )
            )
        cursor.execute("REFRESH MATERIALIZED VIEW teacher_hours")
    connection.commit()
    return counts


@contextmanager
def server(url: str | None):
    """Give a server's URL and the folder of client programs (None: those on the PATH)."""
    from dbcycle_assets.databases import embedded

    if url is not None:
        yield url, embedded.programs()
        return
    with tempfile.TemporaryDirectory(prefix="efficient-tutor-") as folder:
        state = Path(folder)
        running = embedded.ensure(state)
        try:
            yield running.url(), running.programs
        finally:
            embedded.remove(state)


@contextmanager
def scratch(url: str):
    """Create an empty database, give its URL, and drop it."""
    name = f"efficient_tutor_generate_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(
                sql.Identifier(name)
            )
        )
        try:
            yield psycopg.conninfo.make_conninfo(url, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def dump(database: str, programs: Path | None, form: str, out: Path) -> None:
    """Write the dump beside its place and move it there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    facts = psycopg.conninfo.conninfo_to_dict(database)
    password = facts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    program = str(programs / "pg_dump") if programs else "pg_dump"
    command = [program, f"--format={form}", f"--file={part}", "--no-owner", "--no-privileges"]
    command += ["--compress=9"] if form in {"custom", "directory"} else []
    remove(part)
    subprocess.run(
        [*command, psycopg.conninfo.make_conninfo("", **facts)], env=environment, check=True
    )
    remove(out)
    part.rename(out)


def remove(path: Path) -> None:
    """Delete a file or a folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def size(path: Path) -> int:
    """Return the bytes of a file or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def write_passwords(world: World, path: Path) -> None:
    """Write the known plain texts, readable by their owner alone."""
    lines = [
        "# Plain texts of a few accounts, for normalize_passwords.py. A real file of this kind is",
        "# protected: mode 0600, never committed. This one belongs to generated accounts.",
        "accounts:",
        *(f"  {email}: {text}" for email, text in world.known_passwords()),
    ]
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
