"""The synthetic database of the benchmarks: tables of eight columns, three of them personal."""

import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dbcycle_assets import load_project
from dbcycle_assets.cycle import migrate, plan, restore
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases.port import Stamp

SOURCE = "dbcycle_bench_source"
RULES = "columns: {email: email, name: full_name, phone: phone}"
KEEP = "keep: [id, status, country, amount, created]"
SYLLABLES = "array['ba','bel','cor','dan','el','fin','gra','hol','ira','jon','kal','lem','mor']"


def syllable(expression):
    """Return SQL that picks a syllable by a number."""
    return f"({SYLLABLES})[1 + abs({expression}) % 13]"


def name_of(number):
    """Return SQL for a name: one of some ten thousand, the same for the same number."""
    first = f"{syllable(number)} || {syllable(f'{number} / 13')}"
    last = f"{syllable(f'{number} / 169')} || {syllable(f'{number} * 7 + 3')} || 'sen'"
    return f"initcap({first}) || ' ' || initcap({last})"


def table_sql(table, rows, parent):
    """Return the statements that make and fill one table."""
    reference = f"(i * 31) % {rows} + 1" if parent else "i"
    made = (
        f"CREATE TABLE {table} (id bigint NOT NULL, name text NOT NULL, email text NOT NULL,"
        " phone text, status text NOT NULL, country integer NOT NULL,"
        " amount numeric(10,2) NOT NULL, created timestamptz NOT NULL)"
    )
    filled = (
        f"INSERT INTO {table} SELECT i, {name_of('hashint8(i)::bigint')},"
        f" 'u' || i || '.' || {syllable('i')} || '@mail' || i % 97 || '.test',"
        " '+49 30 ' || lpad(((i * 7919) % 10000000)::text, 7, '0'),"
        f" (array['active','closed','waiting'])[1 + i % 3], {reference},"
        " round((i * 37 % 1000000) / 100.0, 2), '2020-01-01'::timestamptz + i * interval '1 minute'"
        f" FROM generate_series(1, {rows}::bigint) AS i"
    )
    return [
        made,
        filled,
        f"ALTER TABLE {table} ADD PRIMARY KEY (id)",
        f"CREATE UNIQUE INDEX ON {table} (email)",
        f"CREATE INDEX ON {table} (country)",
        *([f"ALTER TABLE {table} ADD FOREIGN KEY (country) REFERENCES {parent}"] if parent else []),
    ]


@dataclass
class Shop:
    """A project whose dump is made, and the server that holds its databases."""

    cycle: Cycle
    tables: list[str]

    @property
    def server(self):
        """The server of the project."""
        return self.cycle.server

    def url(self, name):
        """Return a URL that libpq's programs and psycopg read."""
        return self.server.url(name).replace("+psycopg", "")

    def program(self, name):
        """Return the path of one of PostgreSQL's programs."""
        return str(self.server._fitting.program(name))

    def again(self):
        """Return a session of the same project that works whatever is there already."""
        made = Cycle(self.cycle.project, force=True)
        made.server = self.server
        return made


def config(tables):
    """Return the project's config."""
    lines = ["name: bench", "source: {dump: prod.dump}", "tables:"]
    for table in tables:
        lines += [f"  {table}:", f"    {RULES}", f"    {KEEP}"]
    return "\n".join([*lines, ""])


def make(folder, rows, tables=2, *, ready=True):
    """Make a project of so many tables with so many rows in all; with ``ready`` its plan too."""
    folder = Path(folder)
    names = [f"people_{number}" for number in range(tables)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dbcycle.yaml").write_text(config(names))
    shop = Shop(Cycle(load_project(folder)), names)
    shop.server.create(SOURCE, Stamp("bench", "source"))
    with closing(psycopg.connect(shop.url(SOURCE), autocommit=True)) as connection:
        for number, name in enumerate(names):
            parent = names[0] if number else None
            for statement in table_sql(name, max(1, rows // tables), parent):
                connection.execute(statement)
        connection.execute("ANALYZE")
    dump = [shop.program("pg_dump"), "-Fc", "-Z0", "-f", str(folder / "prod.dump")]
    subprocess.run([*dump, shop.url(SOURCE)], check=True)
    if ready:
        restore.take_dump(shop.cycle)
        restore.take_key(shop.cycle)
        restore.restore(shop.cycle)
        migrate.migrate(shop.cycle)
        plan.decide(shop.cycle)
    return shop
