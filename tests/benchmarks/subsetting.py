"""How long a subset takes, beside pg_sample, condenser, db-condenser and Jailer, in the same run.

::

    python -m tests.benchmarks.subsetting [--users N] [--pg-sample FILE] [--condenser DIR]
        [--python PROGRAM] [--db-condenser PROGRAM] [--jailer DIR]

The job: every fiftieth user of a shop with all that hangs below (orders, items, addresses, events),
and of everything else only what those rows refer to. Each tool reads it from the same PostgreSQL
and writes it to a file (condenser: to another database, which is what it can). Only rows count,
and every tool must come to the same number of them. None of the tools is part of this
repository: give the path of a checkout; what is not given is left out.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from dbcycle_assets.config.model import Config
from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.model.subset import make_program

SCRIPT = """
CREATE TABLE countries (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE categories (id int PRIMARY KEY, parent int REFERENCES categories, name text);
CREATE TABLE products (id int PRIMARY KEY, category int NOT NULL REFERENCES categories, title text);
CREATE TABLE users (id int PRIMARY KEY, country int NOT NULL REFERENCES countries, name text);
CREATE TABLE addresses (id int PRIMARY KEY, owner int NOT NULL REFERENCES users, street text);
CREATE TABLE orders (id int PRIMARY KEY, buyer int NOT NULL REFERENCES users, note text);
CREATE TABLE items (order_id int REFERENCES orders, line int, product int NOT NULL REFERENCES products,
  price numeric, PRIMARY KEY (order_id, line));
CREATE TABLE events (id bigint PRIMARY KEY, actor int NOT NULL REFERENCES users, data text);
INSERT INTO countries SELECT n, 'country ' || n FROM generate_series(0, 199) n;
INSERT INTO categories SELECT n, nullif((n - 1) / 3, -1), 'category ' || n FROM generate_series(0, 999) n;
UPDATE categories SET parent = NULL WHERE id = 0;
INSERT INTO products SELECT n, n * 7 % 1000, 'product ' || n FROM generate_series(0, {users} / 5) n;
INSERT INTO users SELECT n, n * 13 % 200, 'user ' || n FROM generate_series(1, {users}) n;
INSERT INTO addresses SELECT n, n, 'street ' || n FROM generate_series(1, {users}) n;
INSERT INTO orders SELECT n, n % {users} + 1, repeat('note ', 10) FROM generate_series(1, {users} * 5) n;
INSERT INTO items SELECT n / 3 + 1, n % 3, n * 11 % ({users} / 5), n % 100
  FROM generate_series(0, {users} * 15 - 1) n;
INSERT INTO events SELECT n, n % {users} + 1, repeat('data ', 12) FROM generate_series(1, {users} * 10) n;
CREATE INDEX ON addresses (owner); CREATE INDEX ON orders (buyer); CREATE INDEX ON events (actor);
CREATE INDEX ON items (product); CREATE INDEX ON users (country); CREATE INDEX ON products (category);
CREATE INDEX ON categories (parent);
ANALYZE;
"""
TABLES = ("addresses", "categories", "countries", "events", "items", "orders", "products", "users")
CHILDREN = ("addresses", "orders", "items", "events")
SHARED = ("products", "categories", "countries")
SOURCE, TARGET = "benchmark_source", "benchmark_target"
TIMES = 3


def ours(server, folder):
    """Draw the subset, and copy its rows out to files with two sessions, as a refresh does; return
    both times and the rows. That the catalog is known and the rows are counted is the migration's
    work.
    """
    tables = {"users": {"sample": {"where": "id % 50 = 0", "children": True}}}
    tables |= {name: {"sample": {"where": "false"}} for name in SHARED}
    config = Config.model_validate({"name": "b", "source": {"dump": "x"}, "tables": tables})
    with server.open(SOURCE) as database:
        catalog = database.catalog()
        totals = {name: database.count(catalog.tables[name]) for name in TABLES}

    def copied(name):
        table, rows = catalog.tables[name], 0
        with (
            server.open(SOURCE, read_only=True) as database,
            (folder / f"{name}.copy").open("wb") as file,
        ):
            for block in database.read(table, table.stored_columns, subset=True):
                file.write(block)
                rows += block.count(b"\n")
        return rows

    started = time.perf_counter()
    with server.open(SOURCE) as database:
        program = make_program(config, catalog)
        with database.drawing(program, {}, lambda _told: None, keep=True) as drawing:
            kept = drawing.draw(totals)
    drawn = time.perf_counter() - started
    with ThreadPoolExecutor(2) as pool:
        rows = sum(pool.map(copied, TABLES))
    seconds = time.perf_counter() - started
    assert rows == sum(each.kept for each in kept)
    return drawn, seconds, rows


def environment(server):
    """Return the variables that point PostgreSQL's own clients at a database."""
    parts = urlsplit(server.url(SOURCE))
    query = dict(part.split("=", 1) for part in parts.query.split("&") if part)
    found = {
        "PGHOST": unquote(query.get("host", parts.hostname or "")),
        "PGPORT": str(parts.port or query.get("port", 5432)),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": SOURCE,
    }
    return {**os.environ, **found}


def run(words, **kwargs):
    """Run a program; return its seconds, or raise with what it said."""
    started = time.perf_counter()
    done = subprocess.run(words, capture_output=True, text=True, check=False, **kwargs)
    if done.returncode:
        message = f"{words[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}"
        raise RuntimeError(message)
    return time.perf_counter() - started


def pg_sample(server, folder, script):
    """Each table by a predicate of its own: it knows of no children."""
    limits = {
        "users": "id % 50 = 0",
        "addresses": "owner % 50 = 0",
        "orders": "buyer % 50 = 0",
        "events": "actor % 50 = 0",
        "items": "order_id IN (SELECT id FROM public.orders WHERE buyer % 50 = 0)",
        **dict.fromkeys(SHARED, "1 = 0"),
    }
    options = [f"--limit=public.{name} = {limit}" for name, limit in limits.items()]
    out = folder / "sample.sql"
    words = ["perl", script, "--data-only", "--force", f"--file={out}", *options, SOURCE]
    seconds = run(words, env=environment(server))
    rows, inside = 0, False
    for line in out.read_text().splitlines():
        rows += inside and line != "\\."
        inside = line.startswith("COPY ") or (inside and line != "\\.")
    return seconds, rows


def condenser(server, folder, words, programs):
    """Into another database, with the constraints that it adds at the end left away."""
    facts = environment(server)
    place = {"user_name": facts["PGUSER"], "host": facts["PGHOST"], "port": int(facts["PGPORT"])}
    place["password"] = facts["PGPASSWORD"] or "none"
    config = {
        "initial_targets": [{"table": "public.users", "where": "id % 50 = 0"}],
        "db_type": "postgres",
        "source_db_connection_info": {**place, "db_name": SOURCE},
        "destination_db_connection_info": {**place, "db_name": TARGET},
        "keep_disconnected_tables": False,
        "excluded_tables": [],
        "passthrough_tables": [],
        # It cannot follow a table's reference to itself, so those parents are missing.
        "dependency_breaks": [
            {"fk_table": "public.categories", "target_table": "public.categories"}
        ],
        "fk_augmentation": [],
        "upstream_filters": [],
    }
    work = folder / "condenser"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "config.json").write_text(json.dumps(config))
    server.create(TARGET, Stamp("benchmark", "restored"))
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    seconds = run([*words, "--no-constraints"], cwd=work, env={**os.environ, "PATH": path})
    with psycopg.connect(server.url(TARGET)) as connection:
        found = [
            connection.execute(f"SELECT count(*) FROM public.{name}").fetchone()[0]
            for name in TABLES
        ]
    return seconds, sum(found)


def jailer(server, folder, checkout):
    """A script of INSERTs; the time of analysing the schema is left out."""
    facts = environment(server)
    url = f"jdbc:postgresql://{facts['PGHOST']}:{facts['PGPORT']}/{SOURCE}"
    driver = next(Path(checkout, "lib").glob("postgresql-42.7*.jar"))
    jars = os.pathsep.join(["config", "jailer.jar", *map(str, Path(checkout, "lib").glob("*.jar"))])
    java = ["java", "-Xmx2g", "-cp", jars, "net.sf.jailer.Jailer"]
    login = ["org.postgresql.Driver", url, facts["PGUSER"], facts["PGPASSWORD"] or "none"]
    login += ["-jdbcjar", str(driver), "-datamodel", str(folder / "datamodel")]
    run([*java, "build-model", *login, "-schema", "public"], cwd=checkout)
    associations = (folder / "datamodel/association.csv").read_text().splitlines()
    lines = ["users; T.id % 50 = 0", ""]
    for line in associations:
        parts = [part.strip() for part in line.split(";")]
        if len(parts) < 6 or line.startswith("#"):
            continue
        # ‹A›; ‹B›; …; name: A refers to B; the way back is called inverse-‹name›.
        if parts[0] not in CHILDREN or parts[1] in SHARED:
            lines.append(f"inverse-{parts[5]}; ; ignore")
    lines += ["", "#! block datamodelfolder", "datamodel", "", "#! block export modus", "SQL", ""]
    model, out = folder / "job.jm", folder / "jailer.sql"
    model.write_text("\n".join(lines))
    words = [*java, "export", str(model), *login, "-e", str(out), "-scope", "SESSION_LOCAL"]
    seconds = run([*words, "-entities", "500", "-threads", "2"], cwd=checkout)
    counted = [line for line in out.read_text().splitlines() if "Exported Rows:" in line]
    rows = int(counted[0].rpartition(":")[2].replace(",", "")) if counted else 0
    return seconds, rows


def main():
    """Print the table; fail if the tools disagree about the rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--pg-sample")
    parser.add_argument("--condenser")
    parser.add_argument("--python", default=sys.executable, help="one that can run condenser")
    parser.add_argument("--db-condenser", help="its program `subset`")
    parser.add_argument("--jailer")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="subsetting-"))
    try:
        server = open_server("postgresql", url=None, state=folder)
        programs = embedded.ensure(folder).programs
        server.create(SOURCE, Stamp("benchmark", "restored"))
        with psycopg.connect(server.url(SOURCE), autocommit=True) as connection:
            connection.execute(SCRIPT.format(users=options.users))
            whole = sum(
                connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES
            )
        runs = sorted(ours(server, folder) for _ in range(TIMES))
        with psycopg.connect(server.url(SOURCE), autocommit=True) as connection:
            connection.execute("DROP SCHEMA _dbcycle CASCADE")
        drawn, seconds, rows = runs[TIMES // 2]
        print(f"{rows:,} of {whole:,} rows; {server.describe()}")
        print(f"{'tool':12} {'seconds':>8} {'ratio':>6} {'rows':>9}")
        print(f"{'dbcycle':12} {seconds:8.2f} {1:6.1f} {rows:9,}   ({drawn:.2f} to draw)")
        others = {
            "pg_sample": options.pg_sample
            and (lambda: pg_sample(server, folder, options.pg_sample)),
            "condenser": options.condenser
            and (
                lambda: condenser(
                    server,
                    folder,
                    [options.python, str(Path(options.condenser, "direct_subset.py"))],
                    programs,
                )
            ),
            "db-condenser": options.db_condenser
            and (lambda: condenser(server, folder, [options.db_condenser, "-y"], programs)),
            "jailer": options.jailer and (lambda: jailer(server, folder, options.jailer)),
        }
        for name, measure in others.items():
            if not measure:
                print(f"{name:12} {'not given':>8}")
                continue
            try:
                theirs, found = measure()
            except (RuntimeError, OSError) as error:
                print(f"{name:12} failed: {error}")
                continue
            same = "" if found == rows else "   other rows!"
            print(f"{name:12} {theirs:8.2f} {theirs / seconds:6.1f} {found:9,}{same}", flush=True)
    finally:
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
