"""Only what changed runs again: counted in the materialization events of a persisted instance."""

import dagster as dg
import pytest

from dbcycle_assets import build_definitions, load_project
from dbcycle_assets.config import credentials
from dbcycle_assets.defs.run import refresh

from .conftest import ORDERS, USERS, fill


@pytest.fixture
def run(shop, tmp_path):
    """Give a function that refreshes the shop and returns the assets that really worked."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    def events():
        with dg.DagsterInstance.from_config(str(home)) as instance:
            found = {}
            for key in instance.all_asset_keys():
                result = instance.fetch_materializations(key, limit=1000)
                for record in result.records:
                    metadata = record.asset_materialization.metadata
                    if metadata["dbcycle/cache"].value == "made":
                        found["/".join(key.path[1:])] = found.get("/".join(key.path[1:]), 0) + 1
            return found

    def go(**kwargs):
        before = events()
        result = refresh(load_project(shop), instance_home=home, **kwargs)
        assert result.ok, result.failed
        after = events()
        return {name for name, count in after.items() if count != before.get(name, 0)}

    go.home = home
    return go


TABLES = ["orders", "products", "tags", "users"]


def edit(path, old, new):
    """Replace a text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_first_run_makes_everything(run):
    """A first refresh materializes every asset once."""
    made = run()
    assert {
        f"{stage}/{table}" for stage in ("migrated", "extracts", "seeded") for table in TABLES
    } <= made
    assert {
        "prod_dump",
        "restored_db",
        "migrated_schema",
        "plan",
        "golden/users",
        "test_db",
    } <= made


def test_nothing_changed_nothing_runs(run):
    """(a) A second refresh materializes nothing."""
    run()
    assert run() == set()


def test_one_rule_changed_runs_one_chain(run, shop):
    """(b) A changed rule rebuilds its extract, its seeded table, the plan and the test database."""
    run()
    edit(shop / "dbcycle.yaml", "note: free_text", "note: redact")
    assert run() == {"plan", "extracts/orders", "seeded/orders", "test_db"}


def test_a_new_dump_runs_the_chain_of_the_table_that_changed(run, shop):
    """(c) A new dump in which one table's rows changed rebuilds that table's chain."""
    run()
    fill(shop / "prod.db", orders=[*ORDERS, (4, 2, "B-2", "again")])
    assert run() == {
        "prod_dump",
        "restored_db",
        "migrated_schema",
        "migrated/orders",
        "extracts/orders",
        "seeded/orders",
        "test_db",
    }


def test_a_dump_with_the_same_content_runs_nothing(run, shop):
    """A dump taken again without a change is the same dump."""
    run()
    content = (shop / "prod.db").read_bytes()
    (shop / "prod.db").unlink()
    (shop / "prod.db").write_bytes(content)
    assert run() == set()


def test_an_edited_migration_runs_only_what_its_rows_reach(run, shop):
    """(d) An edited step rebuilds the schema, then only tables whose rows or shape changed."""
    run()
    edit(shop / "migrations/002_tags.sql", "'sale'", "'offer'")
    assert run() == {"migrated_schema", "migrated/tags", "extracts/tags", "seeded/tags", "test_db"}


def test_a_comment_in_a_migration_reaches_no_table(run, shop):
    """An edit without an effect rebuilds the migrated schema and nothing below it."""
    run()
    edit(shop / "migrations/002_tags.sql", "CREATE", "-- labels of products\nCREATE")
    assert run() == {"migrated_schema"}


def test_an_edited_golden_file_runs_its_table(run, shop):
    """(e) An edited golden file rebuilds its own asset, its table and the test database."""
    run()
    edit(shop / "golden/users.yaml", "Golden Tester", "Golden Examiner")
    assert run() == {"golden/users", "seeded/users", "test_db"}


def test_a_rotated_key_runs_exactly_the_keyed_extracts(run, shop):
    """(f) A rotated key rebuilds the extracts whose rules use it, and not the others."""
    run()
    credentials.rotate_key(load_project(shop))
    assert run() == {
        "anonymization_key",
        "extracts/users",
        "extracts/orders",
        "seeded/users",
        "seeded/orders",
        "test_db",
    }


def test_selecting_everything_does_no_more_work(run, shop):
    """Materializing all assets memoizes the fresh ones."""
    run()
    assert run(select=["*"]) == set()
    edit(shop / "dbcycle.yaml", "note: free_text", "note: redact")
    assert run(select=["*"]) == {"plan", "extracts/orders", "seeded/orders", "test_db"}


def test_a_lost_extract_is_made_again(run, shop):
    """An artifact that is gone is rebuilt, and what lies downstream of it stays fresh."""
    run()
    next((shop / "extracts").glob("users*.zst")).unlink()
    assert run() == {"extracts/users"}


def test_a_changed_seed_runs_the_test_database_alone(run, shop):
    """Versioned seeds are applied when the test database is built, and counted."""
    run()
    folder = shop / "seeds/test"
    folder.mkdir(parents=True)
    (folder / "00_more.yaml").write_text("products: [{sku: Z-9, price: 1}]\n")
    assert run() == {"test_db"}
    assert run() == set()
    edit(folder / "00_more.yaml", "price: 1", "price: 2")
    assert run() == {"test_db"}


def test_an_unreadable_catalog_is_made_again(run, shop):
    """What another version of the product left behind does not stop a run."""
    run()
    (shop / ".dbcycle/catalog.json").write_text('{"engine": "sqlite"}')
    assert "migrated_schema" in run()
    assert run() == set()


def test_a_lost_history_costs_no_work(run, tmp_path):
    """Another Dagster instance finds everything fresh: the ledger remembers."""
    run()
    for file in run.home.glob("**/*.db"):
        file.unlink()
    assert run(select=["*"]) == set()


def test_users_of_the_dump_reach_all_of_their_chain(run, shop):
    """A changed user rebuilds users alone: orders refer to it by a key that did not change."""
    run()
    fill(shop / "prod.db", users=[*USERS, (4, "new@user.example.net", "New Person", "customer")])
    assert run() == {
        "prod_dump",
        "restored_db",
        "migrated_schema",
        "migrated/users",
        "extracts/users",
        "seeded/users",
        "test_db",
    }


def test_definitions_load_without_database_or_environment(shop, monkeypatch):
    """Definitions are a function of files."""
    monkeypatch.setattr("os.environ", {})
    dg.Definitions.validate_loadable(build_definitions(load_project(shop)))
    assert not (shop / ".dbcycle").exists()
