"""Ways around the guard of production: none leads there, by any door, and nothing is changed.

One server has every address that a server can have here: IPv4 and IPv6, another loopback address, a
socket, and another port that leads to it as a tunnel or a pooler does.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster.components.testing import create_defs_folder_sandbox
from psycopg import conninfo

from dbcycle_assets import build_definitions, load_project, open_engine, temporary_database
from dbcycle_assets.artifacts import write_source
from dbcycle_assets.cycle import publish, restore
from dbcycle_assets.cycle.lock import holding
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import embedded, identity_of, open_server
from dbcycle_assets.errors import GuardRefused
from dbcycle_assets.upkeep import custody, operations, seeding
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.operations import Wish
from dbcycle_assets.upkeep.target import resolve

from ..faults.kit import database_digest, run
from .kit import silent
from .test_signs import restart

NAME = "shop"
CONFIG = """\
name: guarded
source: {dump: prod.dump, download: {url_env: GUARD_SOURCE}}
migrations: [{version: v1, directory: migrations}]
targets: {test: {url_env: GUARD_TEST}, production: {url_env: GUARD_PROD}}
"""
DESTRUCTIVE = [
    ["reset", "--force"],
    ["rollback", "--force"],
    ["migrate"],
    ["seed"],
    ["setup"],
    ["seed-rollback", "base/00_one", "--force"],
    ["backup", "restore", "--force"],
    ["baseline", "--step", "1_a.sql"],
]

# What stands in braces is the server's: host, port, another port that leads there, a socket's
# folder, user, password and database. Behind the address are variables.
ADDRESSES = {
    "as it is": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}", {}),
    "postgres://": ("postgres://{u}:{w}@127.0.0.1:{p}/{d}", {}),
    "a driver": ("postgresql+psycopg://{u}:{w}@127.0.0.1:{p}/{d}", {}),
    "another driver": ("postgresql+asyncpg://{u}:{w}@127.0.0.1:{p}/{d}", {}),
    "a name": ("postgresql://{u}:{w}@localhost:{p}/{d}", {}),
    "a name in capitals": ("postgresql://{u}:{w}@LOCALHOST:{p}/{d}", {}),
    "another loopback address": ("postgresql://{u}:{w}@127.0.0.2:{p}/{d}", {}),
    "a short address": ("postgresql://{u}:{w}@127.1:{p}/{d}", {}),
    "an address as a number": ("postgresql://{u}:{w}@2130706433:{p}/{d}", {}),
    "IPv6": ("postgresql://{u}:{w}@[::1]:{p}/{d}", {}),
    "IPv6 in full": ("postgresql://{u}:{w}@[0:0:0:0:0:0:0:1]:{p}/{d}", {}),
    "IPv4 within IPv6": ("postgresql://{u}:{w}@[::ffff:127.0.0.1]:{p}/{d}", {}),
    "a name that is another's": ("postgresql://{u}:{w}@test.invalid:{p}/{d}?hostaddr=127.0.0.1", {}),
    "a socket": ("postgresql://{u}:{w}@:{p}/{d}?host={s}", {}),
    "a socket as the host": ("postgresql://{u}:{w}@{S}:{p}/{d}", {}),
    "another port": ("postgresql://{u}:{w}@127.0.0.1:{o}/{d}", {}),
    "another port by IPv6's name": ("postgresql://{u}:{w}@localhost:{o}/{d}", {}),
    "several hosts": ("postgresql://{u}:{w}@127.0.0.1:1,127.0.0.1:{p}/{d}", {}),
    "several hosts, one of a test": ("postgresql://{u}:{w}@test.invalid:1,localhost:{p}/{d}", {}),
    "any session": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}?target_session_attrs=any", {}),
    "encoded": ("postgresql://{u}:{w}@%31%32%37.0.0.1:{p}/%73hop", {}),
    "all in the query": ("postgresql:///?host=127.0.0.1&port={p}&user={u}&password={w}&dbname={d}", {}),
    "another database in the path": ("postgresql://{u}:{w}@127.0.0.1:{p}/guarded_test?dbname={d}", {}),
    "another login": ("postgresql://owner:owner@127.0.0.1:{p}/{d}", {}),
    "options": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}?options=-csearch_path%3Dpublic", {}),
    "a name of the session": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}?application_name=dbcycle", {}),
    "no encryption": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}?sslmode=disable", {}),
    "a service": ("postgresql:///{d}?service=live", {"PGSERVICEFILE": "{f}"}),
    "a service with the database": ("postgresql:///shop?service=whole", {"PGSERVICEFILE": "{f}"}),
    "a service of the environment": ("postgresql:///{d}", {"PGSERVICEFILE": "{f}", "PGSERVICE": "live"}),
    "PGHOST and PGPORT": ("postgresql://{u}:{w}@/{d}", {"PGHOST": "127.0.0.1", "PGPORT": "{p}"}),
    "PGHOSTADDR": ("postgresql://{u}:{w}@test.invalid:{p}/{d}", {"PGHOSTADDR": "127.0.0.1"}),
    "PGUSER and PGPASSWORD": ("postgresql://127.0.0.1:{p}/{d}", {"PGUSER": "{u}", "PGPASSWORD": "{w}"}),
    "PGPORT": ("postgresql://{u}:{w}@127.0.0.1/{d}", {"PGPORT": "{p}"}),
    "PGOPTIONS": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}", {"PGOPTIONS": "-c default_transaction_read_only=off"}),
    "PGDATABASE beside it": ("postgresql://{u}:{w}@127.0.0.1:{p}/{d}", {"PGDATABASE": "guarded_test"}),
}  # fmt: skip


class Live:
    """A production database on a server of its own, and its many addresses."""

    def __init__(self, folder):
        self.state = folder / "state"
        self.found = embedded.ensure(self.state)
        # A short path: a socket's has room for a hundred letters.
        self.socket = Path(tempfile.mkdtemp(prefix="g-"))
        self.socket.chmod(0o777)
        with psycopg.connect(self.found.url(embedded.ADMIN), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET listen_addresses = '127.0.0.1,127.0.0.2,::1'")
            connection.execute(f"ALTER SYSTEM SET unix_socket_directories = '{self.socket}'")
            connection.execute("CREATE ROLE owner LOGIN CREATEDB SUPERUSER PASSWORD 'owner'")
            connection.execute(f"CREATE DATABASE {NAME} OWNER dbcycle")
        for line in ("local all all scram-sha-256", "host all all ::1/128 scram-sha-256",
                     "host all all 127.0.0.0/8 scram-sha-256"):  # fmt: skip
            with (self.found.data / "pg_hba.conf").open("a") as file:
                file.write(line + "\n")
        restart(self.found)
        self.server = open_server("postgresql", url=None, state=self.state)
        with psycopg.connect(self.server.url(NAME)) as connection:
            connection.execute(
                "CREATE TABLE people (id integer); INSERT INTO people VALUES (1), (2)"
            )
        self.other = Forwarder(self.found.port)
        facts = conninfo.conninfo_to_dict(self.found.url())
        self.service = folder / "service.conf"
        login = f"host=127.0.0.1\nport={self.found.port}\nuser={facts['user']}\npassword={facts['password']}\n"
        self.service.write_text(f"[live]\n{login}[whole]\n{login}dbname={NAME}\n")
        self.words = {
            "u": facts["user"], "w": facts["password"], "p": self.found.port, "d": NAME,
            "o": self.other.port, "s": self.socket, "S": str(self.socket).replace("/", "%2F"),
            "f": self.service,
        }  # fmt: skip

    def address(self, way):
        """Return the URL of a way, and the variables that belong to it."""
        url, variables = ADDRESSES[way]
        return url.format(**self.words), {n: v.format(**self.words) for n, v in variables.items()}

    def digest(self):
        """Return all that must not change: production, and which databases there are."""
        with psycopg.connect(self.found.url(embedded.ADMIN)) as connection:
            names = connection.execute("SELECT oid, datname FROM pg_database ORDER BY 1").fetchall()
        return database_digest(self.server, NAME), names

    def close(self):
        self.other.close()
        embedded.remove(self.state)
        shutil.rmtree(self.socket, ignore_errors=True)


class Forwarder:
    """Another port that leads to a server."""

    def __init__(self, port):
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listening.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listening.accept()
                theirs = socket.create_connection(("127.0.0.1", self._to))
                for pair in ((ours, theirs), (theirs, ours)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The server, and one way to tell that it is production after another."""
    made = Live(tmp_path_factory.mktemp("live"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def project(live, tmp_path, monkeypatch):
    """A project whose dumps come from that database; no variable of the user's."""
    for name in list(os.environ):
        if name.startswith(("PG", "DBCYCLE", "GUARD", "DATABASE_URL")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DBCYCLE_KEY", "a key of the tests, long enough")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    (tmp_path / "dagster").mkdir()
    root = tmp_path / "guarded"
    for name, text in {
        "dbcycle.yaml": CONFIG,
        "migrations/1_a.sql": "DROP TABLE people;\n",
        "migrations/1_a.down.sql": "DROP TABLE IF EXISTS people;\n",
        "seeds/base/00_one.sql": "-- version: 1.0.0\n-- depends:\nDELETE FROM people;\n",
        "definitions.py": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setenv("GUARD_SOURCE", live.server.url(NAME))
    return load_project(root)


def by_identity(live, project, monkeypatch):
    """Known by what the last download wrote down; its address is another's now."""
    write_source(project.state, identity_of(live.server.url(NAME)))
    monkeypatch.setenv("GUARD_SOURCE", "postgresql://reader@db.internal.invalid/shop")


def by_address(_live, _project, _monkeypatch):
    """Known by the variable of the download alone: nothing was ever downloaded."""


@pytest.mark.case(119, 120)
@pytest.mark.parametrize("known", [by_identity, by_address])
@pytest.mark.parametrize("way", ADDRESSES)
def test_no_address_leads_a_destructive_command_to_production(
    live, project, monkeypatch, way, known
):
    """Neither as the database of a command nor as the server of the cycle: exit code 3."""
    known(live, project, monkeypatch)
    url, variables = live.address(way)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(url.replace("+psycopg", "").replace("+asyncpg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (2,), (
            "it leads there"
        )
    before = live.digest()
    at = list(ADDRESSES).index(way)
    for words in (DESTRUCTIVE[at % 4], DESTRUCTIVE[4 + at % 4]):
        done = run("--yes", "--project", project.root, "db", *words, "--db-url", url)
        assert done.code == 3, (words, done.err)
        assert "looks like production" in done.err or "says that it is" in done.err, done.err
    monkeypatch.setenv("GUARD_TEST", url)
    stage = ("refresh", "restore", "publish", "seed-test-db")[at % 4]
    done = run("--yes", "--project", project.root, stage)
    assert done.code == 3, (stage, done.err)
    assert "targets.test" in done.err
    for name in variables:
        monkeypatch.delenv(name)
    assert live.digest() == before


def test_every_address_leads_to_one_database(live):
    """There are thirty ways and more."""
    assert len(ADDRESSES) >= 30
    assert live.digest() == live.digest()


API = {
    "migrate": lambda target, _project: operations.migrate(target, Wish(), Consent(), silent),
    "roll back": lambda target, _project: operations.roll_back(target, 1, Consent(), silent),
    "seed": lambda target, _project: seeding.seed(target, Consent(), silent),
    "reset": lambda target, _project: seeding.reset(target, Consent(), silent, seeds=True),
    "set up": lambda target, _project: seeding.setup(target, Consent(), silent),
    "take back": lambda target, _project: seeding.take_back(target, "base/00_one", Consent(), silent),
    "restore a backup": lambda target, _project: custody.restore(target, None, Consent()),
    "claim by another name": lambda target, _project: custody.claim(target, Consent(confirmed="x")),
    "restore": lambda _target, project: restore.restore(Cycle(project)),
    "what is there": lambda _target, project: Cycle(project).server,
    "a step that holds the project": lambda _target, project: holding(project, "x").__enter__(),
    "bring back": lambda _target, project: publish.bring_back(Cycle(project)),
    "a temporary database": lambda _target, project: temporary_database(project=project.root).__enter__(),
    "drop by the server": lambda target, project: target.server.drop(NAME, project.name),
    "create by the server": lambda target, _project: target.server.create(NAME, target.stamp),
    "switch by the server": lambda target, project: target.server.switch("x", NAME, "y", project.name),
    "an engine that migrates": lambda _target, project: open_engine(project=project.root, environment="development"),
}  # fmt: skip


@pytest.mark.case(119)
@pytest.mark.parametrize("call", API)
def test_no_function_changes_production(live, project, monkeypatch, call):
    """The Python API asks the same guards as the commands."""
    by_identity(live, project, monkeypatch)
    url = live.server.url(NAME)
    monkeypatch.setenv("GUARD_TEST", url)
    monkeypatch.setenv("DATABASE_URL", url)
    (project.root / "config.development.toml").write_text("[database]\nauto_migrate = true\n")
    before = live.digest()
    with pytest.raises(GuardRefused):
        API[call](resolve(project, "development", url=url), project)
    assert live.digest() == before


@pytest.mark.case(119)
def test_dagsters_assets_are_refused_too(live, project, monkeypatch):
    """Whatever is selected, in Dagster's own process: the run fails, and nothing is changed."""
    by_identity(live, project, monkeypatch)
    (project.root / "prod.dump").write_bytes(
        (Path(__file__).parents[1] / "data/chinook.dump").read_bytes()
    )
    monkeypatch.setenv("GUARD_TEST", live.server.url(NAME))
    before = live.digest()
    defs = build_definitions(project)
    graph = defs.resolve_asset_graph()
    with dg.DagsterInstance.ephemeral() as instance:
        for keys in [[key] for key in sorted(graph.materializable_asset_keys)]:
            chosen = dg.AssetSelection.assets(*keys).required_multi_asset_neighbors().resolve(graph)
            done = defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance, asset_selection=sorted(chosen), raise_on_error=False
            )
            made = done.get_asset_materialization_events()
            names = {event.asset_key.path[-1] for event in made}
            assert names <= {"prod_dump", "anonymization_key", "people"}, names
            if keys[0].path[-1] in {"restored_db", "migrated_schema", "plan", "test_db"}:
                assert not done.success
                assert "targets.test" in _why(done), keys
    assert live.digest() == before


@pytest.mark.case(119)
def test_the_component_is_refused_too(live, project, monkeypatch):
    """A project in somebody's `dg` project opens no other way."""
    from dbcycle_assets import DbCycleComponent

    by_identity(live, project, monkeypatch)
    monkeypatch.setenv("GUARD_TEST", live.server.url(NAME))
    before = live.digest()
    with create_defs_folder_sandbox() as sandbox:
        place = sandbox.scaffold_component(DbCycleComponent, "guarded")
        (place / "defs.yaml").write_text(
            f"type: dbcycle_assets.DbCycleComponent\nattributes:\n  project: {project.root}\n"
        )
        with sandbox.load_component_and_build_defs(place) as (_component, defs):
            done = _restored(defs, project)
    assert not done.success
    assert "targets.test" in _why(done)
    assert live.digest() == before


def _restored(defs, project):
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=dg.DagsterInstance.ephemeral(),
        asset_selection=[dg.AssetKey([project.name, "restored_db"])],
        raise_on_error=False,
    )


def _why(done):
    texts = []
    for event in done.all_events:
        data = event.step_failure_data if event.is_step_failure else None
        error = data.error if data is not None else None
        while error is not None:
            texts.append(error.message)
            error = error.cause
        if data is not None and data.user_failure_data is not None:
            texts.append(data.user_failure_data.description or "")
    return "\n".join(texts)
