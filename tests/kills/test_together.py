"""Several at once on one target: one works, the others are told who does, and each database is
wholly one version.
"""

import contextlib
import shutil
import sqlite3
import threading

import dagster as dg
import psycopg
import pytest

from dbcycle_assets import build_definitions, load_project
from dbcycle_assets.cycle.publish import bring_back
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.upkeep import temporary

from ..cycle.kit import Shop
from ..faults.kit import database_digest, ended, run, started, told, wait_until

VARIABLES = ("DAGSTER_HOME", "DBCYCLE_PROJECT", "DBCYCLE_ENV", "DATABASE_URL", "DATABASE_URL_TEST")
TABLES = """\
migrations: [{version: v1, directory: sql}]
tables:
  users: {columns: {email: email}, keep: [id, version]}
  orders: {keep: [id, user_id, version]}
"""
SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, version TEXT);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), version TEXT
);
"""
WAITS = """
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(connection, step):
    if "_db_" in connection.exec_driver_sql("SELECT current_database()").scalar():
        return
    (ROOT / "waiting").touch()
    while not (ROOT / "go").exists():
        time.sleep(0.05)
"""
"""A step of a refresh that waits until it is told to go on."""


def script(version, users=50):
    rows = [
        f"INSERT INTO users VALUES ({n}, 'person{n}@corp.test', '{version}');"
        f"INSERT INTO orders VALUES ({n}, {n}, '{version}');"
        for n in range(1, users + 1)
    ]
    return SCHEMA + "".join(rows)


def produced(shop, version, step=""):
    """Write the dump of a version, the config, and the steps of the migrations."""
    (shop.root / "sql").mkdir(parents=True, exist_ok=True)
    (shop.root / "sql/0_base.sql").write_text(
        SCHEMA.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
    )
    (shop.root / "sql/1_index.sql").write_text("CREATE INDEX by_version ON users (version);\n")
    if step:
        (shop.root / "sql/2_waits.py").write_text(step)
    shop.produce(script(version), TABLES)


@pytest.fixture
def shop(server, tmp_path, monkeypatch):
    """A published shop on a server that its URL names."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOP_SERVER", server.base_url)
    made = Shop("postgresql", tmp_path / "shop", server)
    produced(made, "a")
    told(run("--project", made.root, "refresh"), 0)
    yield made
    made.close()


def published(shop):
    return database_digest(shop.cycle.server, "dbcycle_shop_test")


def scheduled(root, instance):
    """Run what the sensor asks for, as Dagster's daemon does."""
    defs = build_definitions(load_project(root))
    context = dg.build_sensor_context(instance=instance, definitions=defs, sensor_name="shop_stale")
    (request,) = defs.resolve_sensor_def("shop_stale")(context).run_requests
    return defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance,
        asset_selection=list(request.asset_selection),
        tags=request.tags,
        raise_on_error=False,
    )


def errors(run):
    """Return what the steps of a run say of their failures."""
    events = [event for event in run.all_events if event.is_step_failure]
    return "".join(
        str(error.message)
        for event in events
        for error in (event.step_failure_data.error, event.step_failure_data.error.cause)
        if error is not None
    )


def test_while_a_person_refreshes_others_are_refused_or_wait(shop, tmp_path):
    """A schedule, and another machine with its own state on the same server, are told who works
    since when; a reset of another database goes on beside it. Then all end in the same bytes.
    """
    before = published(shop)
    produced(shop, "b", WAITS)
    there = tmp_path / "there"
    for name in ("dbcycle.yaml", "prod.dump"):
        there.mkdir(exist_ok=True)
        shutil.copy(shop.root / name, there / name)
    shutil.copytree(shop.root / "sql", there / "sql")
    (there / "go").touch()
    home = tmp_path / "home"
    home.mkdir()
    with (
        started("--project", shop.root, "refresh") as person,
        dg.DagsterInstance.local_temp(
            str(home), overrides={"telemetry": {"enabled": False}}
        ) as instance,
    ):
        wait_until((shop.root / "waiting").exists, 120)
        told(run("--project", there, "refresh"), 4, "refresh on", "since")
        refused = scheduled(shop.root, instance)
        assert not refused.success
        assert str(person.pid) in errors(refused)
        assert published(shop) == before
        reset = run("--project", shop.root, "db", "reset", "--env", "development", "--force")
        assert reset.code in {0, 4}, reset.err
        (shop.root / "go").touch()
        told(ended(person), 0)
    assert shop.rows("SELECT DISTINCT version FROM users") == [("b",)]
    content = rows_of(shop.cycle.server.url("dbcycle_shop_test"))
    told(run("--project", there, "refresh"), 0)
    assert rows_of(shop.cycle.server.url("dbcycle_shop_test")) == content
    told(run("--project", shop.root, "refresh"), 0)
    assert rows_of(shop.cycle.server.url("dbcycle_shop_test")) == content


def test_while_a_schedule_works_a_person_is_told_its_run(shop, tmp_path):
    """And the run ends well; nothing is left for the person to refresh."""
    produced(shop, "b", WAITS)
    home = tmp_path / "home"
    home.mkdir()
    found = []

    def daemon():
        with dg.DagsterInstance.local_temp(
            str(home), overrides={"telemetry": {"enabled": False}}
        ) as instance:
            done = scheduled(shop.root, instance)
            found.extend([done.run_id, done.success, errors(done)])

    working = threading.Thread(target=daemon)
    working.start()
    try:
        wait_until((shop.root / "waiting").exists, 120)
        with started("--project", shop.root, "refresh") as person:
            refused = told(ended(person), 4, "migrated", "since")
    finally:
        (shop.root / "go").touch()
        working.join()
    run_id, success, problems = found
    assert success, problems
    assert run_id[:8] in refused.err
    assert shop.rows("SELECT DISTINCT version FROM users") == [("b",)]
    assert not shop.cycle.stale()


def rows_of(url):
    """Return all rows of the shop's tables."""
    queries = [f"SELECT * FROM {table} ORDER BY id" for table in ("users", "orders")]
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            return [connection.execute(query).fetchall() for query in queries]
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in queries]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_copy_that_is_taken_while_others_publish_is_one_version(
    request, engine, tmp_path, monkeypatch
):
    """Never rows of both, and no copy is refused because of it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    server = request.getfixturevalue("server") if engine == "postgresql" else None
    if server is not None:
        monkeypatch.setenv("SHOP_SERVER", server.base_url)
    shop = Shop(engine, tmp_path / "shop", server)
    for version in ("a", "b"):
        produced(shop, version)
        shop.build()
    project, over = load_project(shop.root), threading.Event()
    switched, seen = [], []

    def publishing():
        cycle = Cycle(project)
        while not over.wait(2.0):
            bring_back(cycle)
            switched.append(1)

    other = threading.Thread(target=publishing)
    other.start()
    try:
        while len(set(seen)) < 2 or len(switched) < 2:
            assert other.is_alive()
            seen.append(version_of_a_copy(project))
    finally:
        over.set()
        other.join()
        shop.close()
    assert set(seen) == {"a", "b"}


def version_of_a_copy(project):
    """Take a copy of what is published now, and return the only version that its rows are of."""
    template = temporary.published_template(project)
    copy = template.copy()
    users, orders = rows_of(copy.url)
    assert len(users) == len(orders) == 50
    copy.close()
    for name in (copy.name, template.name):  # the next copy is of what is then published
        template.server.drop(name, project.name)
    (version,) = {row[2] for row in [*users, *orders]}
    return version
