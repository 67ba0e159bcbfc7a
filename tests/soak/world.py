# ruff: noqa: S311
"""A project that changes at random between refreshes: its dump, config, migrations, golden records
and seeds; and what a run from scratch makes of the same files."""

import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import dump_database, embedded, open_server
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.defs.run import refresh

from ..kills.world import World

KEY = "0123456789abcdef" * 4
RULES = {
    "name": ["full_name", "first_name", "last_name", "'null'"],
    "note": ["free_text", "'null'", "redact"],
}
STATUS = ["fine", "odd", "third", "new"]
TABLES = ("users", "orders", "items")


@dataclass
class State:
    """Everything that a refresh depends on, as small values."""

    users: dict = field(default_factory=dict)
    orders: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    rules: dict = field(default_factory=lambda: {"name": "full_name", "note": "free_text"})
    migrations: list = field(default_factory=list)
    golden: dict = field(default_factory=dict)
    seeds: list = field(default_factory=list)
    number: int = 0

    def next(self):
        """Return a number that was not there before."""
        self.number += 1
        return self.number


class _Reader(World):
    """Reads databases as the harness of the kills does, on any server."""

    server = None

    def __init__(self, engine, server):
        self.engine, self.server = engine, server


class Soak:
    """One project that goes on, and beside it what each of its states makes from scratch."""

    def __init__(self, engine, root, seed):
        self.engine, self.root = engine, root
        self.random, self.state = random.Random(seed), State()
        root.mkdir(parents=True, exist_ok=True)
        for _ in range(60):
            self._add_user()
        for _ in range(160):
            self._add_order()
        self.server = open_server(engine, url=None, state=root / ".dbcycle")
        if engine == "postgresql":
            os.environ["SOAK_SERVER"] = self.server.base_url
        os.environ["DBCYCLE_KEY"] = KEY
        self.write(root)

    # --- changes --------------------------------------------------------------------------------

    def change(self):
        """Change one to three things; return their names."""
        ways = [
            self._add_user, self._change_user, self._add_order, self._change_order, self._remove,
            self._rule, self._migration, self._gold, self._seed, self._nothing,
        ]  # fmt: skip
        chosen = self.random.sample(ways, self.random.randint(1, 3))
        for way in chosen:
            way()
        self.write(self.root)
        return [way.__name__[1:] for way in chosen]

    def _text(self):
        return "".join(self.random.choices("abcdefghij ", k=12)).strip() or "x"

    def _add_user(self):
        number = self.state.next()
        self.state.users[number] = [f"p{number}@corp.test", f"Per Son {number}", self._text()]

    def _change_user(self):
        chosen = self.random.choice(list(self.state.users))
        self.state.users[chosen][2] = self._text()

    def _add_order(self):
        number = self.state.next()
        self.state.orders[number] = [self.random.choice(list(self.state.users)), self._text()]
        self.state.items[number, 1] = self.random.randint(1, 9999)

    def _change_order(self):
        chosen = self.random.choice(list(self.state.orders))
        self.state.orders[chosen][1] = self._text()

    def _remove(self):
        if len(self.state.users) < 20:
            return
        gone = self.random.choice(list(self.state.users))
        del self.state.users[gone]
        orders = [n for n, (user, _) in self.state.orders.items() if user == gone]
        for number in orders:
            del self.state.orders[number]
        self.state.items = {k: v for k, v in self.state.items.items() if k[0] not in orders}

    def _rule(self):
        column = self.random.choice(list(RULES))
        self.state.rules[column] = self.random.choice(RULES[column])

    def _migration(self):
        number = self.state.next()
        if self.state.migrations and self.random.random() < 0.5:
            self.state.migrations.pop()
        else:
            status = self.random.choice(STATUS)
            self.state.migrations.append(
                (f"{number:05}.sql", f"UPDATE users SET status = '{status}' WHERE id % 3 = 1;\n")
            )

    def _gold(self):
        if self.state.golden and self.random.random() < 0.4:
            self.state.golden.popitem()
        else:
            number = self.random.choice([self.state.next(), *list(self.state.users)[:5]])
            self.state.golden[number] = f"Golden {self._text()}"

    def _seed(self):
        if self.state.seeds and self.random.random() < 0.4:
            self.state.seeds.pop()
        else:
            self.state.seeds.append(900_000 + self.state.next())

    def _nothing(self):
        """Change nothing: the refresh has nothing to do."""

    # --- files ----------------------------------------------------------------------------------

    def write(self, root):
        """Write the files of the present state into a folder."""
        state = self.state
        root.mkdir(parents=True, exist_ok=True)
        for folder in ("sql", "golden", "seeds/base"):
            shutil.rmtree(root / folder, ignore_errors=True)
            (root / folder).mkdir(parents=True)
        head = f"name: {root.name}\nengine: {self.engine}\nsource: {{dump: prod.dump}}\n"
        head += "golden: golden\nmigrations: [{version: v1, directory: sql}]\n"
        if self.engine == "postgresql":
            head += "targets: {test: {url_env: SOAK_SERVER}}\n"
        (root / "dbcycle.yaml").write_text(
            head + "tables:\n"
            "  users:\n"
            f"    columns: {{email: email, name: {state.rules['name']},"
            f" note: {state.rules['note']}}}\n"
            "    keep: [id, status]\n"
            "  orders: {columns: {note: free_text}, keep: [id, user_id]}\n"
            "  items: {keep: [order_id, number, price]}\n"
        )
        first = ("00000.sql", "ALTER TABLE users ADD COLUMN status TEXT DEFAULT 'fine';\n")
        for name, text in [first, *state.migrations]:
            (root / "sql" / name).write_text(text)
        lines = [
            f"- {{id: {n}, email: golden{n}@example.com, name: {text}, status: fine}}\n"
            for n, text in sorted(state.golden.items())
        ]
        if lines:
            (root / "golden/users.yaml").write_text("".join(lines))
        for place, number in enumerate(state.seeds):
            (root / f"seeds/base/{place:02}_s{number}.sql").write_text(
                f"-- version: 1.0.0\nINSERT INTO users (id, email, status)"
                f" VALUES ({number}, 'seed{number}@example.com', 'fine');\n"
            )
        self._dump(root / "prod.dump")

    def _script(self):
        yield (
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE,"
            " name TEXT, note TEXT);"
            "CREATE TABLE orders (id INTEGER PRIMARY KEY,"
            " user_id INTEGER NOT NULL REFERENCES users (id), note TEXT);"
            "CREATE INDEX orders_of_users ON orders (user_id);"
            "CREATE TABLE items (order_id INTEGER NOT NULL REFERENCES orders (id), number INTEGER,"
            " price NUMERIC(8, 2) NOT NULL, PRIMARY KEY (order_id, number));"
        )
        for number, (email, name, note) in sorted(self.state.users.items()):
            yield f"INSERT INTO users VALUES ({number}, '{email}', '{name}', '{note}');"
        for number, (user, note) in sorted(self.state.orders.items()):
            yield f"INSERT INTO orders VALUES ({number}, {user}, '{note}');"
        for (order, number), price in sorted(self.state.items.items()):
            yield f"INSERT INTO items VALUES ({order}, {number}, {price / 100});"

    def _dump(self, path):
        part = path.with_name("making")
        part.unlink(missing_ok=True)
        script = "".join(self._script())
        if self.engine == "sqlite":
            with closing(sqlite3.connect(part)) as connection:
                connection.executescript(script)
        else:
            self.server.create("production_of_soak", Stamp("tests", "production"))
            with psycopg.connect(self.server.url("production_of_soak")) as connection:
                connection.execute(script)
            dump_database(self.server.url("production_of_soak"), part, lambda _told: None)
            self.server.drop("production_of_soak", "tests")
        part.replace(path)

    # --- what comes of it -----------------------------------------------------------------------

    def refresh(self, root=None):
        """Run what is stale; return the digest of what is then published.

        Raises:
            DbCycleError: it failed.
        """
        root = root or self.root
        home = root / "home"
        home.mkdir(exist_ok=True)
        done = refresh(load_project(root), instance_home=home)
        if done.error is not None:
            raise done.error
        return self.published(root)

    def published(self, root):
        """Return a digest of all that a tester can read in the published database."""
        cycle = Cycle(load_project(root))
        found = _Reader(self.engine, cycle.server).published(cycle.database("test"))
        assert found is not None, "nothing is published"
        return found

    def from_scratch(self):
        """Return the digest of what the present files make in a folder of their own."""
        root = self.root.with_name("scratch")
        self.write(root)
        (root / "prod.dump").write_bytes((self.root / "prod.dump").read_bytes())
        try:
            return self.refresh(root)
        finally:
            cycle = Cycle(load_project(root))
            for role in ("restored", "migrated", "seeded", "test", "previous"):
                cycle.server.drop(cycle.database(role), root.name)
            shutil.rmtree(root)

    def measured(self):
        """Return what must not grow: bytes on disk, sessions, databases, open files, memory."""
        found = {"files of the project, MB": _megabytes(self.root, but="home")}
        found["Dagster's history, MB"] = _megabytes(self.root / "home")
        if self.engine == "postgresql":
            with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
                for _ in range(50):  # a session that was closed may take a moment
                    facts = connection.execute(
                        "SELECT (SELECT count(*) FROM pg_stat_activity"
                        " WHERE backend_type = 'client backend'), count(*),"
                        " sum(pg_database_size(oid)) / 1e6 FROM pg_database"
                    ).fetchone()
                    if facts[0] == 1:
                        break
                    time.sleep(0.1)
            found["sessions on the server"] = facts[0] - 1
            found["databases"], found["databases, MB"] = facts[1], round(float(facts[2]), 1)
        found["open files"] = len(list(Path("/proc/self/fd").iterdir()))
        found["threads"] = len(list(Path("/proc/self/task").iterdir()))
        status = Path("/proc/self/status").read_text()
        found["memory, MB"] = round(int(status.split("VmRSS:")[1].split()[0]) / 1000, 1)
        return found

    def close(self):
        """Leave nothing behind."""
        if self.engine == "postgresql":
            embedded.remove(self.root / ".dbcycle")


def _megabytes(folder, but=None):
    sizes = [
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and but not in path.relative_to(folder).parts
    ]
    return round(sum(sizes) / 1e6, 2)
