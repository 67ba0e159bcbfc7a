"""Dagster's own storage in PostgreSQL, shared by every machine."""

import dagster as dg
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.defs.run import refresh

from ..cycle.conftest import shop  # noqa: F401 - a fixture

INSTANCE = """\
telemetry: {enabled: false}
storage:
  postgres:
    postgres_url: {env: DAGSTER_POSTGRES_URL}
"""


@pytest.fixture
def home(server, tmp_path, monkeypatch):
    """The home of an instance whose runs and events are in the embedded PostgreSQL."""
    server.create("dagster_instance", Stamp("tests", "production"))
    url = server.url("dagster_instance").replace("://", "+psycopg2://")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(INSTANCE)
    yield folder
    server.drop("dagster_instance", "tests")


def test_a_refresh_and_staleness_through_postgresql(shop, home):  # noqa: F811
    """Everything is recorded there, a second refresh runs nothing, one changed rule one chain."""
    first = refresh(load_project(shop), instance_home=home)
    assert first.published, first.failed
    assert not list(home.glob("**/*.db"))
    assert refresh(load_project(shop), instance_home=home).run_id == ""
    config = shop / "dbcycle.yaml"
    config.write_text(config.read_text().replace("note: free_text", "note: full_name"))
    stale = {entry.asset for entry in Cycle(load_project(shop)).stale()}
    assert "extracts/orders" in stale
    assert "extracts/users" not in stale
    third = refresh(load_project(shop), instance_home=home)
    assert "shop/extracts/orders" in third.materialized
    assert "shop/extracts/users" not in third.materialized
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert [run.run_id for run in instance.get_runs()] == [third.run_id, first.run_id]
        key = dg.AssetKey(["shop", "extracts", "orders"])
        found = instance.fetch_materializations(key, limit=5).records
        assert (
            len({record.asset_materialization.tags["dagster/data_version"] for record in found})
            == 2
        )
