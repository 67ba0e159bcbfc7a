"""Any schema and any rows come back as they went in; anonymized, nobody is left in them.

The default profile draws the same few worlds every time. The long mode draws new ones:
``DBCYCLE_WORLDS=400 pytest tests/cycle/test_round_trip.py`` (each takes one to three seconds).
"""

import contextlib
import os
import sqlite3

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from dbcycle_assets.databases import dump_database
from dbcycle_assets.databases.port import Stamp

from .kit import Shop
from .worlds import letters_of, postgres_worlds, quoted, sqlite_worlds

LONG = int(os.environ.get("DBCYCLE_WORLDS", "0"))


def worlds(examples):
    """Return the settings: the same few worlds in CI, as many new ones as asked for otherwise."""
    return settings(
        max_examples=LONG or examples,
        derandomize=not LONG,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class Trip:
    """One world on one engine, before and after."""

    def __init__(self, shop, world):
        self.shop = shop
        self.world = world

    def produce(self):
        """Make the production database and its dump."""
        before, inserts, after = self._statements()
        # What it takes to run the world by hand when it fails.
        for text in [*before, *(f"{text} {row}" for text, row in inserts), *after]:
            note(text)
        self.shop.root.mkdir(exist_ok=True)
        dump = self.shop.root / "prod.dump"
        dump.unlink(missing_ok=True)
        if self.shop.engine == "postgresql":
            self.shop.server.create("production_of_shop", Stamp("tests", "production"))
        with self.connect("production") as connection:
            for statement in before:
                connection.execute(statement)
            for statement, row in inserts:
                connection.execute(statement, row)
            for statement in after:
                connection.execute(statement)
            connection.commit()
        if self.shop.engine == "postgresql":
            dump_database(self.shop.server.url("production_of_shop"), dump, lambda _told: None)

    def _statements(self):
        """Return what makes the tables, what fills them, and what then refers and restricts."""
        before, after = [*self.world.before], []
        for table in self.world.tables:
            parts = [f"{quoted(c.name)} {c.ddl}" for c in table.columns] + table.constraints
            before.append(f"CREATE TABLE {table.quoted} ({', '.join(parts)}){table.suffix}")
            for text in table.after:
                (before if text.startswith("CREATE TABLE") else after).append(text)
        inserts = [(self._insert(table), row) for table in self.world.tables for row in table.rows]
        return before, inserts, after

    def _insert(self, table):
        stored = [column for column in table.columns if not column.generated]
        names = ", ".join(quoted(column.name) for column in stored)
        if self.shop.engine == "sqlite":
            return f"INSERT INTO {table.quoted} ({names}) VALUES ({', '.join('?' * len(stored))})"
        marks = ", ".join(["%s"] * len(stored))
        target = f"{table.quoted} ({names})".replace("%", "%%")
        return f"INSERT INTO {target} OVERRIDING SYSTEM VALUE VALUES ({marks})"

    def run(self, *, masked):
        """Run every stage with everything kept or everything masked; return the cycle."""
        config = self.world.config(masked=masked)
        note(config)
        self.shop.configure(config + "\n")
        return self.shop.build()

    # --- reading, without the product ---------------------------------------------------------

    @contextlib.contextmanager
    def connect(self, role):
        """Connect to production or to one of the cycle's databases."""
        production, server = role == "production", self.shop.server
        if self.shop.engine == "sqlite":
            path = (
                self.shop.root / "prod.dump" if production else self._url(role)[len("sqlite:///") :]
            )
            with contextlib.closing(sqlite3.connect(path)) as connection:
                connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
                yield connection
            return
        url = server.url("production_of_shop") if production else self._url(role)
        with psycopg.connect(url) as connection:
            yield connection

    def _url(self, role):
        cycle = self.shop.cycle
        return cycle.server.url(cycle.database(role))

    def texts(self, role):
        """Return the rows of every table as text, in an order of their own."""
        found = {}
        with self.connect(role) as connection:
            for table in self.world.tables:
                if self.shop.engine == "sqlite":
                    types = ", ".join(f"typeof({quoted(c.name)})" for c in table.columns)
                    rows = connection.execute(f"SELECT *, {types} FROM {table.quoted}")
                    found[table.id] = sorted(map(repr, rows))
                else:
                    query = f'SELECT * FROM {table.quoted} AS t ORDER BY t::text COLLATE "C"'
                    with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
                        found[table.id] = [bytes(row) for row in copy]
        return found

    def schema(self, role):
        """Return what the engine itself says about the schema."""
        with self.connect(role) as connection:
            if self.shop.engine == "sqlite":
                query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE '%dbcycle%' AND name NOT LIKE 'sqlite_%'"
                return sorted(connection.execute(query).fetchall())
            return [
                sorted(connection.execute(query).fetchall())
                for query in (
                    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE connamespace::regnamespace::text NOT IN ('_dbcycle', 'pg_catalog', 'information_schema')",
                    "SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE schemaname NOT IN ('_dbcycle', 'pg_catalog')",
                    "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity::text, attgenerated::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE attnum > 0 AND relkind IN ('r', 'p') AND relnamespace::regnamespace::text NOT IN ('_dbcycle', 'pg_catalog', 'information_schema')",
                )
            ]

    def joins(self, role):
        """Return, for each reference, which row number refers to which."""
        found = []
        with self.connect(role) as connection:
            for table in self.world.tables:
                for names, parent, wanted in table.references:
                    on = " AND ".join(
                        f"c.{quoted(a)} = p.{quoted(b)}" for a, b in zip(names, wanted, strict=True)
                    )
                    query = (
                        f"SELECT c.rn, p.rn FROM {table.quoted} c JOIN {parent.quoted} p ON {on}"
                    )
                    found.append(sorted(connection.execute(query).fetchall()))
        return found

    def nulls(self, role):
        """Return where the nulls are: (table, row number, column)."""
        found = set()
        with self.connect(role) as connection:
            for table in self.world.tables:
                tests = ", ".join(f"{quoted(c.name)} IS NULL" for c in table.columns)
                for row in connection.execute(f"SELECT rn, {tests} FROM {table.quoted}"):
                    for column, null in zip(table.columns, row[1:], strict=True):
                        if null and column.rule != "null":
                            found.add((table.id, row[0], column.name))
        return found

    def kept(self, role):
        """Return the values of the kept columns, by row number."""
        found = {}
        with self.connect(role) as connection:
            for table in self.world.tables:
                followed = {name for names, _, _ in table.references for name in names}
                names = [c for c in table.columns if c.rule is None and c.name not in followed]
                cast = "" if self.shop.engine == "sqlite" else "::text"
                parts = ", ".join(f"{quoted(c.name)}{cast}" for c in names)
                query = f"SELECT rn, {parts} FROM {table.quoted} ORDER BY 1"
                found[table.id] = connection.execute(query).fetchall()
        return found

    def survivors(self, cycle):
        """Return the tokens that are anywhere in the published rows or in the extracts."""
        found = set()
        published = self.texts("test")
        for table in self.world.tables:
            heap = repr(published[table.id])
            for block in cycle.extracts.read(table.id):
                heap += block.decode("utf-8", "replace")
            plain, squeezed = heap.casefold(), letters_of(heap)
            found |= {
                (table.id, token)
                for token in self.world.tokens
                if token in plain or token in squeezed or token.encode().hex() in squeezed
            }
        return found


def round_trip(shop, world):
    """Hold both laws against one world."""
    trip = Trip(shop, world)
    trip.produce()
    try:
        cycle = trip.run(masked=False)
        assert trip.texts("test") == trip.texts("production")
        assert trip.schema("test") == trip.schema("production")
        # The search below would find anybody: kept, all of them are there.
        assert {token for _, token in trip.survivors(cycle)} == world.tokens
        digests = [catalog_of(cycle, role).schema_digest for role in ("migrated", "test")]
        assert digests[0] == digests[1]
        cycle = trip.run(masked=True)
        assert trip.survivors(cycle) == set()
        assert trip.joins("test") == trip.joins("production")
        assert trip.nulls("test") == trip.nulls("production")
        assert trip.kept("test") == trip.kept("production")
        assert trip.schema("test") == trip.schema("production")
    finally:
        if shop.engine == "postgresql":
            shop.server.drop("production_of_shop", "tests")


def catalog_of(cycle, role):
    """Return what the product says about one of its databases."""
    with cycle.server.open(cycle.database(role), read_only=True) as database:
        return database.catalog()


@pytest.fixture(scope="module")
def sqlite_shop(tmp_path_factory):
    """Give a project on SQLite."""
    made = Shop("sqlite", tmp_path_factory.mktemp("trip") / "shop", None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def postgres_shop(server, tmp_path_factory):
    """Give a project on PostgreSQL."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_SERVER", server.url("postgres"))
        made = Shop("postgresql", tmp_path_factory.mktemp("trip") / "shop", server)
        yield made
        made.close()


@worlds(40)
@given(sqlite_worlds())
def test_any_database_of_sqlite_comes_back(sqlite_shop, world):
    """Kept, every value is what it was; anonymized, nobody is left and every key still joins."""
    round_trip(sqlite_shop, world)


@worlds(20)
@given(postgres_worlds())
def test_any_database_of_postgresql_comes_back(postgres_shop, world):
    """Kept, every row is what it was to the byte; anonymized, nobody is left and keys join."""
    round_trip(postgres_shop, world)
