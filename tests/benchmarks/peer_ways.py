"""The ways from a raw table to a masked one with its indexes: ours, and each peer's.

Each takes a bench, returns its seconds and the database that holds its result. ``refresh`` and
``mask`` are ours; where a peer's work differs, its docstring says how.
"""

import os
import runpy
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg
import yaml
from faker import Faker

from dbcycle_assets.databases.port import Stamp

from . import shop as shops
from . import speed

TABLE = "people_0"
WORK, TARGET = "dbcycle_bench_work", "dbcycle_bench_target"
SALT = "a salt of the benchmark"
PATIENCE = 600


@dataclass
class Bench:
    """Where a way works: the shop, a folder of its own, the tool's program, and the row count."""

    shop: shops.Shop
    folder: Path
    program: str
    rows: int
    admin: bool = False

    def url(self, database):
        """Return a database's URL for who the tool works as."""
        facts = self.facts(database)
        account = f"{facts['PGUSER']}:{quote(facts['PGPASSWORD'])}"
        return f"postgresql://{account}@{facts['PGHOST']}:{facts['PGPORT']}/{database}"

    def write(self, name, text):
        """Write a file of the tool's; return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    def facts(self, database):
        """Return how to reach a database, by the names of libpq's variables."""
        url = self.shop.server.admin_url if self.admin else self.shop.url(database)
        parts = urlsplit(url.replace("+psycopg", ""))
        return {
            "PGHOST": parts.hostname,
            "PGPORT": str(parts.port),
            "PGUSER": unquote(parts.username),
            "PGPASSWORD": unquote(parts.password),
            "PGDATABASE": database,
        }

    def run(self, words, database, **more):
        """Run a program to its end, with PostgreSQL's own programs on PATH."""
        variables = os.environ | self.facts(database) | more
        programs = str(Path(self.shop.program("psql")).parent)
        variables["PATH"] = f"{programs}{os.pathsep}{variables['PATH']}"
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
        if done.returncode:
            said = (done.stderr + done.stdout)[-1500:]
            raise RuntimeError(f"{Path(words[0]).name} ended with {done.returncode}: {said}")

    def shell(self, line, database, **more):
        """Run a line of shell, which fails where one of its parts does."""
        self.run(["bash", "-o", "pipefail", "-c", line], database, **more)

    def schema(self, section=""):
        """Build the empty table with all its indexes in the target, or one section of that."""
        chosen = f" --section={section}" if section else ""
        self.shell(f"pg_dump -s{chosen} {shops.SOURCE} | psql -qX", TARGET)


@contextmanager
def counting(spent):
    """Add the seconds of a block to what was spent."""
    started = time.perf_counter()
    yield
    spent.append(time.perf_counter() - started)


def refresh(bench):
    """Ours, as a user runs it, without verification."""
    return sum(speed.refresh(bench.shop)), bench.shop.cycle.database("staging")


def mask(bench):
    """Ours without extracts on disk: schema, one table through the mask, indexes."""
    cycle, spent = bench.shop.again(), []
    raw, target = cycle.database("migrated"), cycle.database("seeded")
    cycle.server.create(target, Stamp("bench", "seeded"))
    with counting(spent):
        cycle.server.copy_schema(raw, target, "pre-data", cycle.progress)
    spent.append(speed.masked(bench.shop))
    with counting(spent):
        cycle.server.copy_schema(raw, target, "post-data", cycle.progress)
    return sum(spent), target


def source_design(bench):
    """The design that the product replaces: Faker for each row, rows as Python literals in a
    module, and one INSERT for each row of it.
    """
    fake, module, spent = Faker(), bench.folder / "auto_people.py", []
    bench.schema()
    with (
        counting(spent),
        closing(psycopg.connect(bench.shop.url(shops.SOURCE))) as one,
        closing(psycopg.connect(bench.shop.url(TARGET))) as other,
    ):
        cursor = one.cursor(row_factory=psycopg.rows.dict_row)
        with module.open("w") as file:
            file.write(
                "import datetime\nfrom decimal import Decimal\nfrom zoneinfo import ZoneInfo\n"
            )
            file.write("import zoneinfo\nAUTO_PEOPLE_DATA = [\n")
            for row in cursor.execute(f"SELECT * FROM {TABLE} ORDER BY id"):
                row["name"] = fake.name()
                row["email"] = fake.unique.email()
                row["phone"] = fake.phone_number()
                file.write(f"    {row!r},\n")
            file.write("]\n")
        for row in runpy.run_path(str(module))["AUTO_PEOPLE_DATA"]:
            names, values = ", ".join(row), ", ".join(["%s"] * len(row))
            other.execute(f"INSERT INTO {TABLE} ({names}) VALUES ({values})", list(row.values()))
        other.commit()
    return spent[0], TARGET


def _pganonymize(bench, rules):
    fields = [{column: rule} for column, rule in rules.items()]
    tables = [{TABLE: {"primary_key": "id", "fields": fields}}]
    schema = bench.write("schema.yml", yaml.safe_dump({"tables": tables}))
    facts, spent = bench.facts(WORK), []
    place = ["--dbname", WORK, "--user", facts["PGUSER"], "--password", facts["PGPASSWORD"]]
    place += ["--host", facts["PGHOST"], "--port", facts["PGPORT"]]
    with counting(spent):
        bench.run([bench.program, "--schema", schema, *place], WORK)
    return spent[0], WORK


def pganonymize_md5(bench):
    """In place; md5 without a key for e-mails, the rest crossed out."""
    email = {"provider": {"name": "md5"}, "append": "@example.com"}
    crossed = {"provider": {"name": "mask", "sign": "X"}}
    return _pganonymize(bench, {"name": crossed, "email": email, "phone": crossed})


def pganonymize_fakes(bench):
    """In place; Faker for each value."""
    kinds = {"name": "name", "email": "unique.email", "phone": "phone_number"}
    rules = {column: {"provider": {"name": f"fake.{kind}"}} for column, kind in kinds.items()}
    return _pganonymize(bench, rules)


def pynonymizer(bench):
    """In place; 150 invented names and phones for all rows, random e-mails."""
    columns = {"name": "name", "email": "unique_email", "phone": "phone_number"}
    rules = {"tables": {TABLE: {"columns": columns}}}
    strategy = bench.write("strategy.yml", yaml.safe_dump(rules))
    facts, spent = bench.facts(WORK), []
    words = ["-t", "postgres", "-s", strategy, "--only-step", "ANONYMIZE_DB", "-n", WORK]
    words += ["-d", facts["PGHOST"], "-P", facts["PGPORT"], "-u", facts["PGUSER"]]
    with counting(spent):
        bench.run([bench.program, *words, "-p", facts["PGPASSWORD"]], WORK)
    return spent[0], WORK


def _pg_anon(bench, fields):
    rules = {"dictionary": [{"schema": "public", "table": TABLE, "fields": fields}]}
    dictionary, folder = bench.write("sens.py", repr(rules)), str(bench.folder / "dump")
    spent = []

    def words(verb, database):
        facts = bench.facts(database)
        place = [f"--db-host={facts['PGHOST']}", f"--db-port={facts['PGPORT']}"]
        place += [f"--db-user={facts['PGUSER']}", f"--db-user-password={facts['PGPASSWORD']}"]
        return [bench.program, verb, *place, f"--db-name={database}"]

    bench.run(words("init", WORK), WORK)
    given = [f"--prepared-sens-dict-file={dictionary}", f"--output-dir={folder}"]
    taken = [f"--input-dir={folder}", f"--pg-restore={bench.shop.program('pg_restore')}"]
    with counting(spent):
        bench.run(
            [*words("dump", WORK), *given, f"--pg-dump={bench.shop.program('pg_dump')}"], WORK
        )
        bench.run([*words("restore", TARGET), *taken], TARGET)
    return spent[0], TARGET


def pg_anon_digest(bench):
    """Dump and restore; salted SHA-256 of name and e-mail, random phones."""
    digest = f"anon_funcs.digest(\"{{}}\", '{SALT}', 'sha256')"
    fields = {"name": digest.format("name"), "phone": "anon_funcs.random_phone('7')"}
    return _pg_anon(bench, fields | {"email": f"{digest.format('email')} || '@example.com'"})


def pg_anon_md5(bench):
    """Dump and restore; md5 without a key for all three."""
    fields = {name: f'md5("{name}")' for name in ("name", "phone")}
    return _pg_anon(bench, fields | {"email": "md5(\"email\") || '@example.com'"})


def masker(bench):
    """Copies; Faker seeded by an HMAC for each value, one row at a time."""
    kept = ("id", "status", "country", "amount", "created")
    keep = {column: {"transformer": "keep"} for column in kept}
    columns = keep | {
        "name": {"transformer": "fake", "params": {"provider": "name"}},
        "email": {"transformer": "email", "params": {"domain": "example.test"}},
        "phone": {"transformer": "fake", "params": {"provider": "phone_number"}},
    }
    tables = {TABLE: {"action": "copy", "columns": columns}}
    rules = bench.write("masker.yaml", yaml.safe_dump({"version": 1, "tables": tables}))
    source, target = (
        bench.shop.url(name).replace("postgresql:", "postgresql+psycopg:")
        for name in (shops.SOURCE, TARGET)
    )
    bench.schema()
    words = [bench.program, "run", "--source", source, "--target", target, "--rules", rules]
    words.append("--allow-non-empty")
    spent = []
    with counting(spent):
        bench.run(words, TARGET, MASKER_SECRET_KEY=SALT * 3)
    return spent[0], TARGET


def dbslice(bench):
    """Extracts all rows as INSERTs with seeded Faker for each value, loaded with psql."""
    fields = {"name": "name", "email": "email", "phone": "phone_number"}
    fields = {f"{TABLE}.{column}": kind for column, kind in fields.items()}
    anonymization = {"enabled": True, "seed": SALT, "fields": fields}
    config = bench.write("dbslice.yaml", yaml.safe_dump({"anonymization": anonymization}))
    url, spent = bench.shop.url(shops.SOURCE), []
    words = [bench.program, "extract", url, "--config", config, "--seed", f"{TABLE}:id > 0"]
    words += ["--anonymize", "--no-progress", "--max-seed-rows", str(bench.rows + 1)]
    bench.schema("pre-data")
    with counting(spent):
        bench.run([*words, "-f", str(bench.folder / "out.sql")], TARGET)
        bench.shell("psql -qX -v ON_ERROR_STOP=1 -f out.sql", TARGET)
        bench.schema("post-data")  # its e-mails repeat: then the unique index is missing
    return spent[0], TARGET


def pg_anonymizer(bench):
    """Rewrites the text of pg_dump with Faker for each value, piped into psql."""
    kinds = {"name": "name.findName", "email": "internet.email", "phone": "phone.phoneNumber"}
    columns = ",".join(f"{column}:faker.{kind}" for column, kind in kinds.items())
    url, spent = bench.shop.url(shops.SOURCE), []
    dumped = f"'{bench.program}' '--columns={columns}' -o - '{url}'"
    with counting(spent):
        bench.shell(f"{dumped} | psql -qX", TARGET)
    return spent[0], TARGET


def snapshot(bench):
    """Captures to CSV with Copycat for each value, then restores."""
    values = {"name": "fullName", "email": "email", "phone": "phoneNumber"}
    each = ", ".join(f"{column}: copycat.{kind}(row.{column})" for column, kind in values.items())
    bench.write(
        "snaplet.config.ts",
        "import { copycat } from '@snaplet/copycat'\n"
        "import { defineConfig } from 'snaplet'\n"
        "export default defineConfig({ transform: { public: {"
        f" {TABLE}({{ row }}) {{ return {{ {each} }} }} }} }} }})\n",
    )
    bench.write(".snaplet/config.json", "{}")
    source, target = bench.url(shops.SOURCE), bench.url(TARGET)
    taken = str(bench.folder / "taken")
    more = {"SNAPLET_SOURCE_DATABASE_URL": source, "SNAPLET_TARGET_DATABASE_URL": target}
    more |= {"SNAPLET_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "CI": "1"}
    spent = []
    with counting(spent):
        capture = ["snapshot", "capture", taken, "--transform-mode", "unsafe"]
        bench.run([bench.program, *capture], shops.SOURCE, **more)
        bench.run([bench.program, "snapshot", "restore", taken, "-y", "--no-reset"], TARGET, **more)
    return spent[0], TARGET


@dataclass(frozen=True)
class Way:
    """One way to the masked table, and the program that it needs."""

    name: str
    work: Callable
    program: str = ""
    starts: int = 1
    admin: bool = False


WAYS = (
    Way("refresh", refresh),
    Way("mask", mask),
    Way("pg_anon, md5", pg_anon_md5, "pg_anon", starts=2, admin=True),
    Way("pg_anon, SHA-256", pg_anon_digest, "pg_anon", starts=2, admin=True),
    Way("pg-anonymizer", pg_anonymizer, "pg-anonymizer"),
    Way("pynonymizer", pynonymizer, "pynonymizer"),
    Way("pganonymize, md5", pganonymize_md5, "pganonymize"),
    Way("pganonymize, fakes", pganonymize_fakes, "pganonymize"),
    Way("masker-db", masker, "masker"),
    Way("dbslice", dbslice, "dbslice"),
    Way("snapshot", snapshot, "snapshot", starts=2, admin=True),
    Way("source design", source_design),
)
