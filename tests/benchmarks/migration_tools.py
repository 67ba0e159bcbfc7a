"""The same kills and the same crowd for other migration tools, beside ours.

python -m tests.benchmarks.migration_tools [--kills 50] [--rounds 5] [--runners 32] [--only NAME …]

- killed: the process group gets SIGKILL at a random moment of CREATE INDEX CONCURRENTLY on 300,000
  rows, and the same command is run again, once and then once more. Recovered means: the first of the
  two ended with 0, the second too, and the index is valid
- runners: so many processes at once on an empty database, four migrations, the last of which builds an
  index concurrently. A round is right if every process ended with 0, and the tables and the index are whole

Programs are taken from PATH (alembic, yoyo, knex, node-pg-migrate, dbmate); one that is not there is
left out, and said so. Each gets its migrations in its own form, as its documentation has them.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.postgres.session import drop_database
from tests.upkeep.kit import NO_TRANSACTION, kill

ROWS = 300_000
TABLE = (
    "CREATE TABLE a AS SELECT n AS id, md5(n::text) AS word"
    f" FROM generate_series(1, {ROWS}) n"
)  # fmt: skip
INDEX = "CREATE INDEX CONCURRENTLY words ON a (word)"
SMALL = [
    "CREATE TABLE a AS SELECT n AS id, md5(n::text) AS word FROM generate_series(1, 500) n",
    "CREATE TABLE b (id integer PRIMARY KEY)",
    "ALTER TABLE b ADD COLUMN more text",
    INDEX,
]


@dataclass
class Tool:
    """One program in a folder of its own: how a migration is written, and the command that applies."""

    name: str
    folder: Path
    url: str = ""

    def write(self, number, text):
        """Write one migration; an index that is built concurrently is outside a transaction."""
        raise NotImplementedError

    def command(self):
        """Return the command line that applies what is pending."""
        raise NotImplementedError

    def prepare(self):
        """Write what the tool needs besides."""

    def start(self):
        return subprocess.Popen(
            self.command(),
            cwd=self.folder,
            env={**os.environ, "DATABASE_URL": self.url, "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def run(self):
        process = self.start()
        out, _ = process.communicate(timeout=120)
        return process.returncode, out


class Ours(Tool):
    program = sys.executable

    def prepare(self):
        (self.folder / "migrations").mkdir()
        (self.folder / "dbcycle.yaml").write_text(
            "name: crowd\nengine: postgresql\nsource: {dump: prod.dump}\n"
            "migrations: [{version: v1, directory: migrations}]\n"
            "targets: {development: {url_env: DATABASE_URL}}\n"
        )

    def write(self, number, text):
        start = NO_TRANSACTION if text == INDEX else ""
        (self.folder / "migrations" / f"{number}_step.sql").write_text(f"{start}{text};\n")

    def command(self):
        return [
            self.program,
            "-m",
            "dbcycle_assets",
            "--project",
            str(self.folder),
            "db",
            "migrate",
        ]


class Alembic(Tool):
    program = "alembic"

    def prepare(self):
        (self.folder / "versions").mkdir()
        (self.folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\n")
        (self.folder / "env.py").write_text(
            "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine\n"
            "url = os.environ['DATABASE_URL'].replace('postgresql:', 'postgresql+psycopg:')\n"
            "with create_engine(url).connect() as connection:\n"
            "    context.configure(connection=connection, transaction_per_migration=True)\n"
            "    with context.begin_transaction():\n"
            "        context.run_migrations()\n"
        )

    def write(self, number, text):
        body = f"    op.execute({text!r})\n"
        if text == INDEX:
            body = f"    with op.get_context().autocommit_block():\n    {body}"
        former = repr(str(number - 1)) if number > 1 else None
        (self.folder / "versions" / f"{number}.py").write_text(
            f"from alembic import op\nrevision = '{number}'\ndown_revision = {former}\n\n"
            f"def upgrade():\n{body}"
        )

    def command(self):
        return ["alembic", "upgrade", "head"]


class Yoyo(Tool):
    program = "yoyo"

    def prepare(self):
        (self.folder / "steps").mkdir()

    def write(self, number, text):
        start = "__transactional__ = False\n" if text == INDEX else ""
        needed = f"__depends__ = {{'{number - 1}'}}\n" if number > 1 else ""
        (self.folder / "steps" / f"{number}.py").write_text(
            f"from yoyo import step\n{start}{needed}steps = [step({text!r})]\n"
        )

    def command(self):
        url = self.url.replace("postgresql:", "postgresql+psycopg:")
        return ["yoyo", "apply", "--batch", "--no-config-file", "--database", url, "steps"]


class Knex(Tool):
    program = "knex"

    def prepare(self):
        modules(self.folder, "knex")
        (self.folder / "migrations").mkdir()
        (self.folder / "knexfile.js").write_text(
            "module.exports = {client: 'pg', connection: process.env.DATABASE_URL}\n"
        )

    def write(self, number, text):
        end = "exports.config = {transaction: false}\n" if text == INDEX else ""
        (self.folder / "migrations" / f"{number}_step.js").write_text(
            f"exports.up = knex => knex.raw(`{text}`)\nexports.down = async () => {{}}\n{end}"
        )

    def command(self):
        return ["knex", "migrate:latest"]


class NodePgMigrate(Tool):
    program = "node-pg-migrate"

    def prepare(self):
        modules(self.folder, "node-pg-migrate")
        (self.folder / "migrations").mkdir()

    def write(self, number, text):
        start = "pgm.noTransaction(); " if text == INDEX else ""
        (self.folder / "migrations" / f"{number}700000000000_step.js").write_text(
            f"exports.up = pgm => {{ {start}pgm.sql(`{text}`) }}\nexports.down = false\n"
        )

    def command(self):
        return ["node-pg-migrate", "up"]


class Dbmate(Tool):
    program = "dbmate"

    def prepare(self):
        (self.folder / "steps").mkdir()

    def write(self, number, text):
        more = " transaction:false" if text == INDEX else ""
        (self.folder / "steps" / f"{number}_step.sql").write_text(
            f"-- migrate:up{more}\n{text};\n\n-- migrate:down\n"
        )

    def command(self):
        return ["dbmate", "--no-dump-schema", "-d", "steps", "up"]


TOOLS = {
    "ours": Ours,
    "alembic": Alembic,
    "yoyo": Yoyo,
    "knex": Knex,
    "node-pg-migrate": NodePgMigrate,
    "dbmate": Dbmate,
}


def modules(folder, program):
    """Let a Node program find the modules beside it."""
    (folder / "node_modules").symlink_to(Path(shutil.which(program)).parent.parent)


def _last(out):
    """Return the line of an output that says what went wrong."""
    lines = [line.strip() for line in out.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line and not line.startswith("at ")]
    plain = [line for line in lines if not line.startswith("at ")]
    return (errors or plain or ["nothing said"])[-1]


class Bench:
    """A server, and a fresh database and folder for every round."""

    def __init__(self, root):
        self.root, self.number = root, 0
        self.base = open_server("postgresql", url=None, state=root / "server").base_url

    def ask(self, url, sql):
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def tool(self, kind, name):
        self.number += 1
        database, folder = f"tools_{self.number}", self.root / f"{self.number}"
        folder.mkdir()
        self.ask(self.base, f"CREATE DATABASE {database}")
        address = self.base.rpartition("/")[0]
        suffix = "?sslmode=disable" if name == "dbmate" else ""
        tool = kind(name, folder, f"{address}/{database}{suffix}")
        tool.prepare()
        return tool

    def close(self, tool):
        database = tool.url.rpartition("/")[2].partition("?")[0]
        with psycopg.connect(self.base, autocommit=True) as connection:
            drop_database(connection, database)
        shutil.rmtree(tool.folder)

    def index(self, tool):
        """Return what the catalogue says of the index: valid, invalid or none."""
        rows = self.ask(
            tool.url, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('words')"
        )
        return "none" if not rows else "valid" if rows[0][0] else "invalid"

    def building(self, tool):
        return self.ask(
            tool.url,
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'active' AND query ILIKE '%CREATE INDEX CONC%' AND pid <> pg_backend_pid()",
        )

    # --- killed ---------------------------------------------------------------------------------

    def kills(self, kind, name, number):
        recovered, inside, both, found, seconds, told = 0, 0, 0, {}, [], {}
        for _ in range(number):
            tool = self.tool(kind, name)
            tool.write(1, TABLE)
            code, out = tool.run()
            assert code == 0, out
            tool.write(2, INDEX)
            process = tool.start()
            while process.poll() is None and not self.building(tool):
                time.sleep(0.005)
            time.sleep(random.uniform(0.01, 0.3))  # noqa: S311
            within = process.poll() is None and bool(self.building(tool))
            inside += within
            kill(process)
            started = time.monotonic()
            code, out = tool.run()
            seconds.append(time.monotonic() - started)
            after = self.index(tool)
            again, _ = tool.run()
            found[after] = found.get(after, 0) + 1
            if code == again == 0 and after == "valid":
                recovered += 1
                both += within
            else:
                last = f"exit {code}, {again}; index {after}: {_last(out)}"
                told[last] = told.get(last, 0) + 1
            self.close(tool)
        print(f"{name:16} killed {number:3}; recovered by running again {recovered}/{number}, of those "
              f"killed inside the build {both}/{inside}; index afterwards {found}; "
              f"median {statistics.median(seconds):.1f} s", flush=True)  # fmt: skip
        for last, times in told.items():
            print(f"     {times} x {last[:200]}", flush=True)

    # --- a crowd --------------------------------------------------------------------------------

    def crowd(self, kind, name, rounds, runners):
        right = whole = failed = 0
        seconds, told = [], {}
        for _ in range(rounds):
            tool = self.tool(kind, name)
            for number, text in enumerate(SMALL, 1):
                tool.write(number, text)
            started = time.monotonic()
            processes = [tool.start() for _ in range(runners)]
            ended = [(process.communicate()[0], process.returncode) for process in processes]
            seconds.append(time.monotonic() - started)
            bad = sum(code != 0 for _, code in ended)
            for out, code in ended:
                if code:
                    told[_last(out)] = told.get(_last(out), 0) + 1
            rows = self.ask(
                tool.url,
                "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'"
                " AND (table_name, column_name) IN (('a', 'word'), ('b', 'more'))",
            )
            made = rows == [(2,)] and self.index(tool) == "valid"
            again, _ = tool.run()
            failed += bad
            whole += made and again == 0
            right += made and again == 0 and not bad
            self.close(tool)
        print(f"{name:16} {runners} at once, {rounds} rounds: right {right}/{rounds}, the schema whole "
              f"{whole}/{rounds}, processes that failed {failed}/{runners * rounds}; "
              f"median {statistics.median(seconds):.1f} s", flush=True)  # fmt: skip
        for last, times in sorted(told.items(), key=lambda each: -each[1])[:4]:
            print(f"     {times} x {last[:200]}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runners", type=int, default=32)
    parser.add_argument("--only", nargs="*", choices=list(TOOLS), default=list(TOOLS))
    chosen = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="tools-"))
    bench = Bench(root)
    try:
        for name in chosen.only:
            kind = TOOLS[name]
            if shutil.which(kind.program) is None:
                print(f"{name:16} is not installed; left out", flush=True)
                continue
            if chosen.kills:
                bench.kills(kind, name, chosen.kills)
            if chosen.rounds:
                bench.crowd(kind, name, chosen.rounds, chosen.runners)
    finally:
        embedded.remove(root / "server")
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
