"""A project full of secrets and people, and what one story of runs leaves behind."""

import contextlib
import os
import random
import secrets
import signal
import sqlite3
import stat
import string
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import conninfo, sql

from dbcycle_assets.databases import dump_database

from .sampler import Sampler
from .search import Search, needles_of_person, needles_of_secret

ROWS = 24
MARK = 14
TABLES = """
CREATE TABLE people (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, phone TEXT, note TEXT,
  profile {json}, code TEXT
);
CREATE TABLE visits (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id), note TEXT);
"""
CONFIG = """\
name: {name}
engine: {engine}
source: {{dump: prod.dump{download}}}
key_env: SECRECY_KEY
golden: golden
migrations: [{{version: v1, directory: sql}}]
{targets}
tables:
  people:
    columns:
      email: email
      name: full_name
      phone: phone
      note: {note}
      profile: json
      code: {{anonymize: python, function: "masks:code"}}
    keep: [id, status]
  visits: {{columns: {{note: free_text}}, keep: [id, person_id]}}
"""
FILES = {
    "sql/1_status.sql": "ALTER TABLE people ADD COLUMN status TEXT DEFAULT 'fine';\n",
    "sql/1_status.down.sql": "ALTER TABLE people DROP COLUMN status;\n",
    "golden/people.yaml": "- {id: 7, email: golden@example.com, name: Golden Girl, status: fine}\n",
    "masks.py": "def code(value, secret):\n    return 'a-' + str(len(value))\n",
}
BROKEN_MASK = "def code(value, secret):\n    raise ValueError(value, secret)\n"
PYTHON_STEP = (
    "import sys\nfrom sqlalchemy import text\ndef run(connection, step):\n"
    "    row = connection.execute(text('SELECT * FROM people')).fetchall()\n"
    "    print(row)\n    print(row, file=sys.stderr)\n    raise ValueError(row)\n"
)
STEPS = {
    "postgresql": {
        "2_raise.sql": "DO $$ BEGIN RAISE EXCEPTION 'row %', (SELECT p::text FROM people p LIMIT 1)"
        " USING DETAIL = (SELECT email FROM people LIMIT 1); END $$;\n",
        "2_cast.sql": "ALTER TABLE people ALTER COLUMN email TYPE integer USING email::integer;\n",
    },
    "sqlite": {"2_key.sql": "CREATE UNIQUE INDEX once ON visits (note);\n"},
}
TOOLS = {"pg_dump", "pg_restore", "psql", "postgres", "pg_ctl", "initdb"}


def secret(extra=""):
    """Return a random secret; some characters of it must be escaped wherever it is written."""
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(26)) + extra


def mark():
    """Return letters and digits that are nobody else's."""
    return "".join(random.choice("bcdfghjkmnpqrstvwxz23456789") for _ in range(MARK))  # noqa: S311


class Story:
    """Runs of one project, everything they said, and the search through what they left."""

    def __init__(self, engine, root, server=None):
        self.engine, self.root, self.server = engine, root, server
        self.name = f"sec{secrets.token_hex(3)}"
        self.marks, self.said, self.codes = [], {}, {}
        self.search, self.sampler = Search(), Sampler()
        self.secrets = {"SECRECY_KEY": secret("%'"), "PGPASSWORD": secret()}
        self.temporary = root / "tmp"
        self.home = root / "home"
        for folder in (root, self.temporary, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        self._people = [self._person(number) for number in range(1, ROWS + 1)]
        self.roles = []
        targets, download = "", ""
        if server is not None:
            targets = "targets: {test: {url_env: SECRECY_SERVER, beside_production: true}}"
            download = ", download: {url_env: SECRECY_SOURCE}"
            self.secrets["SECRECY_SERVER"] = self._role("CREATEDB BYPASSRLS", "postgres")
            self.secrets["SECRECY_SOURCE"] = self._role("", f"{self.name}_live")
        self._targets, self._download = targets, download
        self.configure()
        for name, text in FILES.items():
            self.write(name, text)
        self._produce()
        for name, value in self.secrets.items():
            word = self.passwords.get(name, value)
            self.search.add(name, needles_of_secret(word))
        for number, each in enumerate(self.marks):
            self.search.add(f"person {number}", needles_of_person(each))

    @property
    def passwords(self):
        """The password inside each variable that is a URL."""
        return {
            name: conninfo.conninfo_to_dict(value)["password"]
            for name, value in self.secrets.items()
            if value.startswith("postgresql://")
        }

    def configure(self, note="free_text"):
        text = CONFIG.format(
            name=self.name, engine=self.engine, targets=self._targets, download=self._download,
            note=note,
        )  # fmt: skip
        self.write("dbcycle.yaml", text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    # --- production -----------------------------------------------------------------------------

    def _person(self, number):
        parts = [mark() for _ in range(5)]
        self.marks += parts
        email, name, note, inside, code = parts
        return (number, f"{email}@corp.test", f"Per {name}", "+49 199 1234567", f"met {note} there",
                f'{{"name": "{inside}"}}', code)  # fmt: skip

    def _role(self, rights, database):
        """Make a role with a password that is hard to write; return its URL."""
        role, word = f"{self.name}_{len(self.roles)}", secret("@:/ '\"\\é")
        self.roles.append(role)
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN " + rights + " PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(word)
                )
            )
        facts = conninfo.conninfo_to_dict(self.server.base_url)
        return (
            f"postgresql://{role}:{quote(word, safe='')}@{facts['host']}:{facts['port']}/{database}"
        )

    def _produce(self):
        """Make production with a person in every cell; two visits say the same."""
        visits = [(n, n, self._people[n // 2 * 2 - 1][4]) for n in range(2, ROWS + 1)]
        if self.engine == "sqlite":
            with contextlib.closing(sqlite3.connect(self.root / "prod.dump")) as connection:
                connection.executescript(TABLES.format(json="JSON"))
                connection.executemany("INSERT INTO people VALUES (?,?,?,?,?,?,?)", self._people)
                connection.executemany("INSERT INTO visits VALUES (?,?,?)", visits)
                connection.commit()
            return
        name = f"{self.name}_live"
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        facts = conninfo.conninfo_to_dict(self.server.admin_url)
        url = conninfo.make_conninfo(**{**facts, "dbname": name})
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(TABLES.format(json="jsonb"))
            cursor.executemany("INSERT INTO people VALUES (%s,%s,%s,%s,%s,%s,%s)", self._people)
            cursor.executemany("INSERT INTO visits VALUES (%s,%s,%s)", visits)
            cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC")
        connection.close()
        address = self.server.admin_url.rpartition("/")[0] + f"/{name}"
        dump_database(address, self.root / "prod.dump", lambda _told: None)

    # --- runs -----------------------------------------------------------------------------------

    def variables(self, **changes):
        """Return the variables of a run: nothing of the user's, secrets, and folders of our own."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        own = {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "DAGSTER_HOME": str(self.root / ".dbcycle/dagster"),
        }
        return {**kept, **own, **self.secrets, **changes}

    def start(self, *words, **changes):
        command = [sys.executable, "-m", "dbcycle_assets", "--project", str(self.root)]
        return subprocess.Popen(
            [*command, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.variables(**changes),
            cwd=self.root,
            start_new_session=True,
        )

    def run(self, label, *words, code=0, **changes):
        """Run one command to its end; what it says is kept for the search."""
        out, err = (process := self.start(*words, **changes)).communicate()
        self.said[label] = out + err
        self.codes[label] = process.returncode
        assert process.returncode == code, (label, process.returncode, err.decode())
        return out

    def run_and_kill(self, label, word, *words):
        """Run a command until it says a word, then kill it and all that it started."""
        process, seen = self.start(*words), b""
        for line in process.stderr:
            seen += line
            if word in line:
                break
        else:
            message = f"never said {word!r}:\n{seen.decode()}"
            raise AssertionError(message)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        self.said[label] = out + seen + err

    # --- what is left ---------------------------------------------------------------------------

    def raw(self, path):
        """Tell whether a file is one that holds raw rows by its purpose."""
        names = {f"dbcycle_{self.name}_restored", f"dbcycle_{self.name}_migrated"}
        return path.name.startswith("prod.dump") or path.name.split(".")[0] in names

    def files(self):
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path

    def look(self):
        """Search everything that the runs said, started and left."""
        for label, text in self.said.items():
            self.search.look("messages", f"output of {label}", text)
        for path in self.files():
            if not self.raw(path):
                kind = path.relative_to(self.root).parts[0]
                self.search.look(kind, str(path.relative_to(self.root)), path.read_bytes())
        for name, words in list(self.sampler.arguments):
            self.search.look("arguments", f"arguments of {name}", words)
        for name, variables in list(self.sampler.environments):
            if name in TOOLS:
                self.search.look("environments", f"environment of {name}", variables)
        if self.server is not None:
            self._look_at_server()
        return self.search.hits

    def strange_variables(self):
        """Return secrets in the environment of a program of Python's that the user did not put
        there: each may be in its own variable alone.
        """
        given = {f"{name}={value}".encode() for name, value in self.secrets.items()}
        values = [value.encode() for value in {*self.secrets.values(), *self.passwords.values()}]
        return {
            (name, entry.split(b"=")[0])
            for name, variables in self.sampler.environments
            for entry in variables.split(b"\0")
            if entry not in given and any(value in entry for value in values)
        }

    def _look_at_server(self):
        """Search the published databases as text, and the server's log."""
        facts = conninfo.conninfo_to_dict(self.server.admin_url)
        clients = self.server._clients[-1]
        for role in ("test", "previous", "seeded"):
            name = f"dbcycle_{self.name}_{role}"
            if not self.server.exists(name):
                continue
            env = {"PGPASSWORD": facts["password"]}
            words = conninfo.make_conninfo(
                **{k: v for k, v in facts.items() if k != "password"} | {"dbname": name}
            )
            done = subprocess.run(
                [clients.program("pg_dump"), "-d", words], env=env, capture_output=True, check=True
            )
            self.search.look("databases", f"database {role}", done.stdout)
        with psycopg.connect(self.server.admin_url) as connection:
            (data,) = connection.execute("SHOW data_directory").fetchone()
        for log in Path(data).parent.glob("*.log"):
            self.search.look("server", "the server's log", log.read_bytes())

    def loose(self):
        """Return what others could read although it lies in the state, and its open folders."""
        state = self.root / ".dbcycle"
        shut = stat.S_IMODE(state.stat().st_mode)
        return [] if shut == 0o700 else [(state, oct(shut))]

    def databases(self):
        with psycopg.connect(self.server.admin_url) as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE %s", [f"%{self.name}%"]
            ).fetchall()
        return sorted(name for (name,) in rows)

    def close(self):
        if self.server is None:
            return
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            for name in self.databases():
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            for role in self.roles:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
