"""A small project on either engine, the states it moves between, and what can be read of it."""

import contextlib
import hashlib
import json
import os
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import psycopg
import zstandard

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import dump_database, embedded, open_server
from dbcycle_assets.databases.port import Stamp

VARIABLE = "KILLS_SERVER"

CONFIG = """\
name: shop
engine: {engine}
source: {{dump: prod.dump, download: {{command: [cp, next.dump, '{{output}}']}}}}
golden: golden
targets: {{test: {{url_env: KILLS_SERVER, default: embedded}}}}
migrations: [{{version: v1, directory: sql}}]
execution: {{workers: 2}}
tables:
  users:
    columns: {{email: email, name: full_name, note: {note}}}
    keep: [id, status]
    export: [out/users.csv]
  orders: {{columns: {{note: free_text}}, keep: [id, user_id]}}
  items: {{keep: [order_id, number, price]}}
"""
NOTES = {"plain": "free_text", "blank": "'null'"}

SCHEMA = """
CREATE TABLE users (
  id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, name TEXT, note TEXT
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), note TEXT
);
CREATE INDEX orders_of_users ON orders (user_id);
CREATE TABLE items (
  order_id INTEGER NOT NULL REFERENCES orders (id), number INTEGER, price NUMERIC(8, 2) NOT NULL,
  PRIMARY KEY (order_id, number)
);
"""
USERS = {"old": 400, "new": 470}
MIGRATIONS = {
    "1_status.sql": "ALTER TABLE users ADD COLUMN status TEXT DEFAULT 'fine';\n"
    "UPDATE users SET status = 'odd' WHERE id % 2 = 1;\n",
    "2_step.py": "from sqlalchemy import text\ndef run(connection, step):\n"
    "    connection.execute(text(\"UPDATE users SET status = 'third' WHERE id % 3 = 0\"))\n",
    "3_index.sql": "-- dbcycle: no-transaction\nCREATE INDEX{how} users_by_name ON users (name);\n",
}
GOLDEN = "- {id: 7, email: golden@example.com, name: Golden Girl, status: fine}\n"
SEEDS = {
    "00_one.sql": "-- version: 1.0.0\nINSERT INTO users (id, email, status)"
    " VALUES (100001, 'seeded@example.com', 'fine');\n",
    "01_two.sql": "-- version: 1.0.0\nINSERT INTO orders (id, user_id) VALUES (100001, 100001);\n",
}
ROLES = ("restoring", "migrating", "staging", "replaced")
"""Databases that exist only while a run works."""


class World:
    """One project; a state is the name of its dump and of its rule for notes."""

    STATES = [(dump, note) for dump in USERS for note in NOTES]

    def __init__(self, engine, root):
        self.engine, self.root = engine, root
        self.by_url = False
        root.mkdir(parents=True, exist_ok=True)
        for folder, files in {
            "golden": {"users.yaml": GOLDEN},
            "sql": MIGRATIONS,
            "seeds/base": SEEDS,
        }.items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                concurrently = " CONCURRENTLY" if engine == "postgresql" else ""
                (root / folder / name).write_text(text.replace("{how}", concurrently))
        (root / "sql/0_base.sql").write_text(
            SCHEMA.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS").replace(
                "CREATE INDEX", "CREATE INDEX IF NOT EXISTS"
            )
        )
        for name, users in USERS.items():
            self._produce(root / f"{name}.dump", users)
        self.enter(self.STATES[0])

    def _produce(self, dump, users):
        series = (
            "SELECT n FROM generate_series(1, {}) AS s (n)"
            if self.engine == "postgresql"
            else "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {}) SELECT n FROM s"
        )
        fill = [
            (
                f"INSERT INTO users SELECT n, 'person' || n || '@corp.test', 'Per Son ' || n,"
                f" 'call {users} Per Son ' || n FROM ({series.format(users)}) AS t"
            ),
            (
                f"INSERT INTO orders SELECT n, 1 + n % {users}, 'order {users} of ' || n"
                f" FROM ({series.format(3 * users)}) AS t"
            ),
            (
                f"INSERT INTO items SELECT 1 + n % {3 * users}, n, n / 100.0"
                f" FROM ({series.format(8 * users)}) AS t"
            ),
        ]
        if self.engine == "sqlite":
            with contextlib.closing(sqlite3.connect(dump)) as connection:
                connection.executescript(SCHEMA + ";".join(fill) + ";")
            return
        server = self.server
        server.create("production_of_shop", Stamp("tests", "production"))
        with psycopg.connect(server.url("production_of_shop")) as connection:
            connection.execute(SCHEMA + ";".join(fill))
        dump_database(server.url("production_of_shop"), dump, lambda _told: None)
        server.drop("production_of_shop", "tests")

    @property
    def state(self):
        return self.root / ".dbcycle"

    @property
    def server(self):
        """The server; an embedded one is started if it is down."""
        return open_server(self.engine, url=None, state=self.state)

    @property
    def environment(self):
        """What a run of the product has in its environment: its server, if by its URL."""
        kept = {n: v for n, v in os.environ.items() if n not in {"DAGSTER_HOME", VARIABLE}}
        if self.engine == "postgresql" and self.by_url:
            kept[VARIABLE] = embedded.ensure(self.state).url()
        return kept

    def enter(self, state):
        """Put the files of a state in place, as a person would."""
        dump, note = state
        for source, place in ((f"{dump}.dump", "prod.dump"), (f"{dump}.dump", "next.dump")):
            part = self.root / "entering"
            part.write_bytes((self.root / source).read_bytes())
            part.replace(self.root / place)
        text = CONFIG.format(engine=self.engine, note=NOTES[note])
        (self.root / "dbcycle.yaml").write_text(text)

    # --- what is there --------------------------------------------------------------------------

    def published(self, name="dbcycle_shop_test"):
        """Return a digest of all that a tester can read in a database, or None."""
        server = self.server
        if not server.exists(name):
            return None
        read = self._read_sqlite if self.engine == "sqlite" else self._read_postgres
        digest = hashlib.sha256()
        for line in read(server.url(name)):
            digest.update(repr(line).encode())
        return digest.hexdigest()[:16]

    def _read_sqlite(self, url):
        path = url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            objects = connection.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%dbcycle%'"
                " AND tbl_name NOT LIKE '%dbcycle%' AND name NOT LIKE '%seed_history%'"
                " AND tbl_name NOT LIKE '%seed_history%' ORDER BY type, name"
            ).fetchall()
            yield from objects
            for kind, name, _ in objects:
                if kind == "table":
                    yield from sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr)

    def _read_postgres(self, url):
        with psycopg.connect(url, autocommit=True) as connection:

            def ask(sql):
                return connection.execute(sql).fetchall()

            mine = "schemaname = 'public' AND tablename NOT LIKE '%dbcycle%' AND tablename <> 'seed_history'"
            tables = [
                name for (name,) in ask(f"SELECT tablename FROM pg_tables WHERE {mine} ORDER BY 1")
            ]
            yield tables
            yield ask(f"SELECT indexdef FROM pg_indexes WHERE {mine} ORDER BY 1")
            yield ask(
                "SELECT conrelid::regclass::text, pg_get_constraintdef(oid), convalidated"
                " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
                " AND conrelid::regclass::text = ANY (ARRAY['users', 'orders', 'items']) ORDER BY 1, 2"
            )
            assert not ask("SELECT 1 FROM pg_index WHERE NOT indisvalid")
            assert not ask(
                "SELECT 1 FROM orders o LEFT JOIN users u ON u.id = user_id WHERE u.id IS NULL"
            )
            for name in tables:
                yield from ask(f'SELECT t::text FROM "{name}" t ORDER BY 1')

    def usable(self):
        """Write to the published database, and take it back."""
        url = self.server.url("dbcycle_shop_test")
        insert = "INSERT INTO users (id, email) VALUES (-1, 'x@y.test')"
        if self.engine == "sqlite":
            with contextlib.closing(
                sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
            ) as c:
                c.execute(insert)
                c.rollback()
        else:
            with psycopg.connect(url) as connection:
                connection.execute(insert)
                connection.rollback()

    def extracts(self):
        """Return each extract's manifest and the digest of its rows; each file must be whole."""
        found = {}
        for manifest in sorted((self.root / "extracts").glob("[!.]*.json")):
            rows = manifest.with_suffix(".copy.zst")
            found[manifest.name] = json.loads(manifest.read_bytes())
            if rows.exists():
                found[rows.name] = _digest_of_rows(rows)
        for path in (self.root / "out").glob("[!.]*"):
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def whole_files(self):
        """Every file that has its final name can be read to its end."""
        for path in [*self.root.rglob("*.json"), *(self.root / "extracts").glob("[!.]*.zst")]:
            if "dagster" in path.parts or path.name.startswith("."):
                continue
            if path.suffix == ".json":
                json.loads(path.read_bytes())
            else:
                _digest_of_rows(path)

    def true_records(self):
        """A record speaks only of what is there: an extract's digest, the published database."""
        cycle = self.cycle()
        for name in ("users", "orders", "items"):
            record, manifest = cycle.ledger.get(f"extracts/{name}"), cycle.extracts.manifest(name)
            if record and manifest and record.facts["digest"] == manifest.digest:
                for _block in cycle.extracts.read(name):
                    pass

    def cycle(self):
        return Cycle(load_project(self.root))

    def databases(self):
        """Return the names of all databases of the project."""
        server = self.server
        if self.engine == "sqlite":
            return sorted(p.name for p in server.folder.glob("*") if p.is_file())
        with psycopg.connect(server.url("postgres")) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE NOT datistemplate"
            ).fetchall()
        return sorted(name for (name,) in rows if "_backup_" not in name)

    def files(self):
        """Return the names of all files but Dagster's and those of the server."""
        # Backups, and what a download leaves to go on with, are there to stay.
        kept = (".previous", ".prod.dump.part", "server.log")
        skipped = ("dagster", "postgres", "sqlite")
        found = {
            str(p.relative_to(self.root))
            for p in self.root.rglob("*")
            if p.is_file() and not p.name.endswith(kept)
        }
        return sorted(
            f
            for f in found
            if not any(f".dbcycle/{s}" in f for s in skipped) and "__pycache__" not in f
        )

    def events(self):
        """Return the statuses of the runs that Dagster still takes for alive, and the data version
        that it has of the published database."""
        import dagster as dg

        from dbcycle_assets.defs.automation import RUNNING

        home = self.state / "dagster"
        with dg.DagsterInstance.from_config(str(home)) as instance:
            alive = [run.status.value for run in instance.get_runs(dg.RunsFilter(statuses=RUNNING))]
            event = instance.get_latest_materialization_event(dg.AssetKey(["shop", "test_db"]))
            tags = event.asset_materialization.tags if event is not None else {}
            return alive, (tags or {}).get("dagster/data_version")

    def unknown(self):
        """Return what Dagster keeps of the last step that failed in an unknown way."""
        import dagster as dg

        with dg.DagsterInstance.from_config(str(self.state / "dagster")) as instance:
            for run in instance.get_runs(limit=3):
                for entry in instance.all_logs(
                    run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE
                ):
                    error = entry.dagster_event.step_failure_data.error
                    while error.cause is not None:
                        error = error.cause
                    return f"{error.cls_name}: {error.message[:300]} {''.join(error.stack[-3:])}"
        return ""

    def close(self):
        if self.engine == "postgresql":
            embedded.remove(self.state)


def _digest_of_rows(path):
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
        return hashlib.sha256(reader.read()).hexdigest()


def mounted(folder, megabytes):
    """Put a file system of a size over a folder, with what is in it; tell whether that went."""
    with tempfile.TemporaryDirectory() as aside:
        keep, facts = Path(aside) / "kept", folder.stat()
        subprocess.run(["cp", "-a", folder, keep], check=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            return False
        subprocess.run(["cp", "-a", f"{keep}/.", folder], check=True)
        os.chown(folder, facts.st_uid, facts.st_gid)
        folder.chmod(facts.st_mode & 0o7777)
        return True
