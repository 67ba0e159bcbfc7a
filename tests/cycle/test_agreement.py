"""Stale means the same in the plan, in Dagster's own view, and in every way to run."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus

from dbcycle_assets import build_definitions, load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.defs.run import refresh
from dbcycle_assets.defs.specs import Specs

from .conftest import ORDERS, fill


@pytest.fixture
def home(tmp_path):
    """Give a persistent instance's folder."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return home


def unsynced(shop, home):
    """Return what the Dagster UI calls unsynced."""
    defs = build_definitions(load_project(shop))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        view = AssetGraphView.for_test(defs, instance)
        resolver = CachingStaleStatusResolver(instance, view.asset_graph, view)
        return {
            "/".join(key.path[1:])
            for key in view.asset_graph.materializable_asset_keys
            if resolver.get_status(key) is not StaleStatus.FRESH
        }


def planned(shop):
    """Return what the plan calls stale in itself, and all that it would run."""
    found = Cycle(load_project(shop)).stale()
    return {entry.asset for entry in found if entry.direct}, {entry.asset for entry in found}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def change_rule(shop):
    edit(shop / "dbcycle.yaml", "note: free_text", "note: redact")


def change_golden(shop):
    edit(shop / "golden/users.yaml", "Golden Tester", "Golden Examiner")


def change_migration(shop):
    edit(shop / "migrations/002_tags.sql", "'sale'", "'offer'")


CHANGES = [change_rule, change_golden, change_migration]


def test_both_agree_before_the_first_run(shop, home):
    """Everything is stale to both."""
    assert unsynced(shop, home) == planned(shop)[1]


@pytest.mark.parametrize("change", CHANGES)
def test_both_agree_after_a_change(shop, home, change):
    """What is stale in itself is what the UI shows; after a refresh nothing is, to both."""
    assert refresh(load_project(shop), instance_home=home).ok
    assert unsynced(shop, home) == set()
    assert planned(shop) == (set(), set())
    change(shop)
    assert unsynced(shop, home) == planned(shop)[0] != set()
    assert refresh(load_project(shop), instance_home=home).ok
    assert unsynced(shop, home) == set()
    assert planned(shop) == (set(), set())


def test_the_printed_selection_runs_what_the_plan_names(shop, home):
    """``dagster asset materialize --select "$(dbcycle plan --select)"`` leaves nothing stale."""
    assert refresh(load_project(shop), instance_home=home).ok
    change_rule(shop)
    fill(shop / "prod.db", orders=[*ORDERS, (4, 2, "B-2", "again")])
    environment = {**os.environ, "DAGSTER_HOME": str(home)}
    command = [sys.executable, "-m", "dbcycle_assets", "--project", str(shop), "plan", "--select"]
    selection = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", selection]
    command += ["-f", str(shop / "definitions.py")]
    (shop / "definitions.py").write_text(
        "from pathlib import Path\n"
        "from dbcycle_assets import build_definitions, load_project\n"
        "defs = build_definitions(load_project(Path(__file__).parent))\n"
    )
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=shop)
    assert planned(shop) == (set(), set())
    assert unsynced(shop, home) == set()


def test_a_run_of_stale_assets_only_rebuilds_hop_by_hop(shop, home):
    """Dagster's own ``stale_assets_only``, repeated, ends where a refresh ends."""
    assert refresh(load_project(shop), instance_home=home).ok
    change_rule(shop)
    ran = set()
    for _ in range(6):
        stale = unsynced(shop, home)
        if not stale:
            break
        ran |= stale
        specs = Specs(load_project(shop), Cycle(load_project(shop)).nodes().values())
        keys = [specs.key(asset) for asset in sorted(stale)]
        with dg.DagsterInstance.from_config(str(home)) as instance:
            job = build_definitions(load_project(shop)).resolve_implicit_global_asset_job_def()
            assert job.execute_in_process(instance=instance, asset_selection=keys).success
    assert ran == {"plan", "extracts/orders", "seeded/orders", "test_db"}
    assert planned(shop) == (set(), set())


def test_the_sensor_requests_what_the_plan_names_once(shop, home):
    """The sensor asks for the stale assets, and not again while nothing else changes."""
    assert refresh(load_project(shop), instance_home=home).ok
    change_golden(shop)
    defs = build_definitions(load_project(shop))
    sensor = defs.resolve_sensor_def("shop_stale")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        result = sensor(dg.build_sensor_context(instance=instance, definitions=defs))
        (request,) = result.run_requests
        asked = {"/".join(key.path[1:]) for key in request.asset_selection}
        again = sensor(
            dg.build_sensor_context(instance=instance, definitions=defs, cursor=result.cursor)
        )
    assert asked == planned(shop)[1] == {"golden/users", "seeded/users", "test_db"}
    assert isinstance(again, dg.SkipReason)


def test_the_sensor_waits_while_definitions_are_older_than_the_files(shop, home):
    """A code server that has not been reloaded would run in circles."""
    assert refresh(load_project(shop), instance_home=home).ok
    defs = build_definitions(load_project(shop))
    change_golden(shop)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        context = dg.build_sensor_context(instance=instance, definitions=defs)
        skipped = defs.resolve_sensor_def("shop_stale")(context)
    assert "reload" in skipped.skip_message


def test_the_nightly_job_takes_a_fresh_dump(shop, home):
    """The nightly schedule's run downloads before it refreshes."""
    fill(shop / "fresh.db", orders=[*ORDERS, (4, 2, "B-2", "again")])
    edit(shop / "dbcycle.yaml", "{dump: prod.db}", "{dump: prod.db, download: {uri: fresh.db}}")
    edit(shop / "dbcycle.yaml", "uri: fresh.db", f"uri: 'file://{shop}/fresh.db'")
    defs = build_definitions(load_project(shop))
    assert defs.resolve_schedule_def("shop_nightly").cron_schedule == "0 2 * * *"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        job = defs.resolve_job_def("shop_nightly")
        assert job.execute_in_process(instance=instance).success
    assert (shop / "prod.db").read_bytes() == (shop / "fresh.db").read_bytes()
    assert (shop / "prod.db.previous").exists()
    assert Cycle(load_project(shop)).ledger.get("seeded/orders").facts["rows"] == 4
