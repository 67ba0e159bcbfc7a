"""A cycle spread over two Celery workers by Dagster's own executor, its instance on PostgreSQL."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from dbcycle_assets.databases.port import Stamp

from .conftest import BIN, drop_all, environment, produce, wait_for

TABLES = ("alpha", "beta", "delta", "gamma")
BIG = "omega"
"""The table whose extract is made in three steps, then joined."""
CONFIG = """\
name: shop
source: {dump: prod.dump, download: {url_env: PROD_DATABASE_URL}}
execution: {steps: per_table, chunks: {omega: 3}}
targets: {test: {url_env: SHOP_SERVER, beside_production: true}}
tables:
"""
TABLE = '  {name}: {{columns: {{email: email, code: {{anonymize: python, function: "codes:fake"}}}}, keep: [id]}}\n'
CODES = """
def fake(value, secret):
    return {"a": "b", "b": "c"}[value]
"""
PAGE = Path(__file__).parents[2] / "docs/how-to/run-on-several-machines.md"
FILES = dict(
    re.findall(r"^```\w+[^\n]* (\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
"""The files that the page shows are those that are run here."""


@dataclass
class Farm:
    """A project, two workers and the environment that they and every command share."""

    folder: Path
    environment: dict
    server: object
    workers: dict

    def materialize(self, selection):
        """Start `dagster asset materialize`."""
        words = [str(BIN / "dagster"), "asset", "materialize", "-f", "definitions.py"]
        words += ["--select", selection]
        with (self.folder / "run.log").open("w") as log:
            return subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )

    def run(self, selection):
        """Run a selection to its end; return (exit code, what happened in it)."""
        code = self.materialize(selection).wait(timeout=240)
        return code, self.last()

    def last(self):
        """Return the last run: status, steps by how they ended, and who ran them."""
        with self.instance() as instance:
            (run,) = instance.get_runs(limit=1)
            return Told(run.status, list(instance.all_logs(run.run_id)))

    def dagster(self, *words):
        """Run one of Dagster's own commands."""
        command = [str(BIN / "dagster"), *words]
        subprocess.run(command, env=self.environment, check=True, capture_output=True)

    def instance(self):
        """Give Dagster's instance."""
        return dg.DagsterInstance.from_config(str(self.folder / "home"))

    def execute(self, statement):
        """Run a statement in the migrated database."""
        with psycopg.connect(self.server.url("dbcycle_shop_migrated"), autocommit=True) as found:
            return found.execute(statement)

    def pid(self, worker):
        """Return the process that runs the steps of a worker."""
        (celery,) = children(self.workers[worker].pid)
        (child,) = children(celery)
        return child


@dataclass
class Told:
    """What a run's log says."""

    status: dg.DagsterRunStatus
    entries: list

    def steps(self, kind):
        """Return the steps with an event of this kind, in order."""
        found = [e.dagster_event for e in self.entries if e.dagster_event is not None]
        return [e.step_key for e in found if e.event_type_value == kind]

    def worked(self):
        """Return (worker, step) of every time that a worker took a step."""
        found = []
        for entry in self.entries:
            event = entry.dagster_event
            if event is not None and event.is_engine_event and "celery worker" in event.message:
                name = event.event_specific_data.metadata["Celery worker"].text
                found.append((name.partition("@")[0], event.step_key))
        return found

    def most_at_once(self, prefix):
        """Return how many steps of a stage were under way at the same time."""
        now = most = 0
        for entry in sorted(self.entries, key=lambda entry: entry.timestamp):
            event = entry.dagster_event
            if event is not None and (event.step_key or "").startswith(prefix):
                now += {"STEP_START": 1, "STEP_SUCCESS": -1}.get(event.event_type_value, 0)
                most = max(most, now)
        return most


def children(pid):
    """Return the processes that a process has started."""
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="module")
def farm(server, redis, tmp_path_factory):
    """Two worker processes that have the project, and one whole run behind them."""
    folder = tmp_path_factory.mktemp("farm")
    script = "".join(
        f"CREATE TABLE {name} (id bigint PRIMARY KEY, email text NOT NULL, code text NOT NULL);"
        f"INSERT INTO {name} SELECT i, 'user' || i || '@corp.example.net', 'a'"
        " FROM generate_series(1, 3000) i;"
        for name in (*TABLES, BIG)
    )
    config = CONFIG + "".join(TABLE.format(name=name) for name in (*TABLES, BIG))
    produce(server, folder, script, config)
    (folder / "prod.dump").unlink()
    server.create("production_of_shop", Stamp("tests", "production"))
    with psycopg.connect(server.url("production_of_shop")) as connection:
        connection.execute(script)
    server.create("dagster_of_shop", Stamp("tests", "production"))
    assert set(FILES) == {"definitions.py", "workers.yaml", "dagster.yaml"}
    (folder / "home").mkdir()
    for name, text in (FILES | {"codes.py": CODES}).items():
        (folder / ("home" if name == "dagster.yaml" else "") / name).write_text(text)
    known = {
        "DAGSTER_HOME": str(folder / "home"),
        # Under SQLAlchemy 2.1 the plain scheme means another driver, whose NOTIFY takes no parameter.
        "DAGSTER_POSTGRES_URL": server.url("dagster_of_shop").replace("://", "+psycopg2://"),
        "CELERY_BROKER": f"{redis}/0",
        "CELERY_BACKEND": f"{redis}/1",
        "SHOP_SERVER": server.url("postgres"),
        "PROD_DATABASE_URL": server.url("production_of_shop"),
        "DBCYCLE_KEY": "a key of the tests, long enough",
    }
    made = Farm(folder, environment(**known), server, {})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setenv(name, value)
        made.dagster("instance", "info")
        made.dagster("instance", "concurrency", "set", "dbcycle_shop_production", "1")
        try:
            for name in ("one", "two"):
                start(made, name)
            yield made
        finally:
            for worker in made.workers.values():
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
            drop_all(server)
            for name in ("production_of_shop", "dagster_of_shop"):
                server.drop(name, "tests")


def start(farm, name):
    """Start a worker that runs one step at a time."""
    words = [str(BIN / "dagster-celery"), "worker", "start", "-A", "dagster_celery.app"]
    words += ["-y", "workers.yaml", "--name", name, "--", "--concurrency", "1"]
    with (farm.folder / f"{name}.log").open("w") as log:
        farm.workers[name] = subprocess.Popen(
            words, cwd=farm.folder, env=farm.environment, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    log = farm.folder / f"{name}.log"
    wait_for(lambda: " ready." in log.read_text(), farm.workers[name])


@pytest.fixture(scope="module")
def first(farm):
    """The first run of everything."""
    run_download(farm)
    return farm.run("*")


def run_download(farm):
    """Fetch the dump, as the nightly job does."""
    words = [sys.executable, "-m", "dbcycle_assets", "restore", "--download-recent"]
    subprocess.run(words, cwd=farm.folder, env=farm.environment, check=True, capture_output=True)


def test_steps_run_in_two_workers(farm, first):
    """Every table is a step, both workers take some, and the test database is published."""
    code, told = first
    assert code == 0, (farm.folder / "run.log").read_text()[-3000:]
    assert told.status == dg.DagsterRunStatus.SUCCESS
    extracted = {f"shop_extracts_{name}" for name in TABLES}
    done = set(told.steps("STEP_SUCCESS"))
    assert extracted <= done
    assert {f"shop_extracts_{BIG}.shop_extracts_{BIG}_part_{n}" for n in (1, 2, 3)} <= done
    assert {worker for worker, _step in told.worked()} == {"one", "two"}
    with psycopg.connect(farm.server.url("dbcycle_shop_test")) as connection:
        for name in (*TABLES, BIG):
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (3000,)


def test_a_second_run_finds_everything_fresh(farm, first):
    """What the workers made counts for every later run; nothing works again."""
    code, told = farm.run("*")
    assert code == 0
    hits = [
        entry.dagster_event.materialization.metadata["dbcycle/cache"].text
        for entry in told.entries
        if entry.dagster_event is not None and entry.dagster_event.is_step_materialization
    ]
    assert len(hits) > len(TABLES)
    assert set(hits) == {"hit"}


def test_a_pool_limits_how_many_steps_touch_the_server(farm, first):
    """With one slot for the project's scratch databases its steps run one after another."""
    farm.dagster("instance", "concurrency", "set", "dbcycle_shop", "1")
    for file in (farm.folder / "extracts").iterdir():
        file.unlink()
    code, told = farm.run('key:"shop/extracts/*"')
    with farm.instance() as instance:
        instance.event_log_storage.delete_concurrency_limit("dbcycle_shop")
    assert code == 0
    assert len(told.steps("STEP_SUCCESS")) == len(TABLES) + 3 + 1
    assert told.most_at_once("shop_extracts") == 1


def test_a_step_goes_on_where_its_worker_was_killed(farm, first):
    """SIGKILL in the middle of an extract: the other worker makes it, once, and the run ends well.

    The settings in workers.yaml see to it; without them such a run fails, or waits for ever.
    """
    for name in ("alpha.json", "alpha.copy.zst"):
        (farm.folder / "extracts" / name).unlink()
    with psycopg.connect(farm.server.url("dbcycle_shop_migrated")) as connection:
        connection.execute("LOCK TABLE alpha IN ACCESS EXCLUSIVE MODE")
        run = farm.materialize('key:"shop/extracts/alpha"')
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        wait_for(lambda: farm.execute(waiting).fetchone() == (1,), run)
        ((busy, _step),) = farm.last().worked()
        os.kill(farm.pid(busy), signal.SIGKILL)
        connection.rollback()
    assert run.wait(timeout=120) == 0, (farm.folder / "run.log").read_text()[-3000:]
    told = farm.last()
    assert [step for _worker, step in told.worked()] == ["shop_extracts_alpha"] * 2
    assert told.steps("STEP_SUCCESS") == ["shop_extracts_alpha"]
    assert len(told.steps("ASSET_MATERIALIZATION")) == 1
    assert not list((farm.folder / "extracts").glob(".*.part"))


def test_a_lost_server_is_tried_again(farm, first):
    """A step whose connection is cut is retried; bad data is not."""
    for name in ("beta.json", "beta.copy.zst"):
        (farm.folder / "extracts" / name).unlink()
    with psycopg.connect(farm.server.url("dbcycle_shop_migrated")) as connection:
        connection.execute("LOCK TABLE beta IN ACCESS EXCLUSIVE MODE")
        run = farm.materialize('key:"shop/extracts/beta"')
        cut = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        wait_for(lambda: farm.execute(cut).fetchall(), run)
        connection.rollback()
    assert run.wait(timeout=120) == 0, (farm.folder / "run.log").read_text()[-3000:]
    told = farm.last()
    assert told.steps("STEP_UP_FOR_RETRY") == ["shop_extracts_beta"]
    assert told.steps("STEP_SUCCESS") == ["shop_extracts_beta"]


def test_a_failing_step_stops_what_depends_on_it_and_no_more(farm, first):
    """A value that does not fit its rule: that table's seeding and the test database are skipped,
    the other tables go on, and what was published stays.
    """
    farm.execute("INSERT INTO delta VALUES (0, 'x@corp.example.net', 'unknown')")
    for file in (farm.folder / "extracts").iterdir():
        file.unlink()
    others = [name for name in TABLES if name != "delta"]
    code, told = farm.run('key:"shop/extracts/*" or key:"shop/seeded/*" or key:"shop/test_db"')
    assert code == 1
    assert told.steps("STEP_FAILURE") == ["shop_extracts_delta"]
    assert told.steps("STEP_UP_FOR_RETRY") == []
    done = set(told.steps("STEP_SUCCESS"))
    assert {f"shop_{stage}_{name}" for stage in ("extracts", "seeded") for name in others} <= done
    assert not done & {"shop_seeded_delta", "shop_test_db"}
    log = (farm.folder / "run.log").read_text()
    assert "does not fit python" in log
    assert "unknown" not in json.dumps(log.partition("does not fit python")[2][:400])
    with psycopg.connect(farm.server.url("dbcycle_shop_test")) as connection:
        assert connection.execute("SELECT count(*) FROM delta").fetchone() == (3000,)
