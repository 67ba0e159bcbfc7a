"""The asset graph as text: a changed edge, group or check is a visible difference."""

import dagster as dg

from dbcycle_assets import load_project
from dbcycle_assets.definitions import build_definitions
from dbcycle_assets.defs.run import refresh

from ..cycle.conftest import cycle_of, shop  # noqa: F401 - fixtures

GRAPH = """\
shop/anonymization_key  (key)
shop/extracts/orders  (extracts)  < shop/anonymization_key, shop/migrated/orders  ! fidelity, no_raw_values, no_row_lost
shop/extracts/products  (extracts)  < shop/migrated/products  ! fidelity, no_raw_values, no_row_lost
shop/extracts/tags  (extracts)  < shop/migrated/tags  ! fidelity, no_raw_values, no_row_lost
shop/extracts/users  (extracts)  < shop/anonymization_key, shop/migrated/users  ! fidelity, no_raw_values, no_row_lost
shop/golden/users  (golden)
shop/migrated/orders  (migrated)  < shop/restored_db
shop/migrated/products  (migrated)  < shop/restored_db
shop/migrated/tags  (migrated)  < shop/restored_db
shop/migrated/users  (migrated)  < shop/restored_db
shop/migrated_schema  (migrated)  < shop/restored_db
shop/plan  (plan)  < shop/migrated_schema  ! everything_judged
shop/prod_dump  (dump)
shop/restored_db  (restored)  < shop/prod_dump  ! rows_restored
shop/seeded/orders  (seeded)  < shop/extracts/orders  ! no_row_lost
shop/seeded/products  (seeded)  < shop/extracts/products  ! no_row_lost
shop/seeded/tags  (seeded)  < shop/extracts/tags  ! no_row_lost
shop/seeded/users  (seeded)  < shop/extracts/users, shop/golden/users  ! no_row_lost
shop/test_db  (published)  < shop/migrated_schema, shop/plan, shop/seeded/orders, shop/seeded/products, shop/seeded/tags, shop/seeded/users  ! no_orphans, no_row_lost, no_schema_drift, no_survivors
"""


def drawn(definitions):
    """Return the asset graph as text."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        checks = ", ".join(sorted(check.name for check in node.check_keys))
        line = f"{key.to_user_string()}  ({node.group_name})"
        line += f"  < {parents}" if parents else ""
        lines.append(line + (f"  ! {checks}" if checks else ""))
    return "\n".join(lines) + "\n"


def test_the_asset_graph_is_this_one(shop):  # noqa: F811
    """Stages, edges, groups and checks, before anything was ever run."""
    assert drawn(build_definitions(load_project(shop))) == GRAPH


def test_each_table_can_be_a_step_of_its_own(shop, tmp_path):  # noqa: F811
    """With `steps: per_table` Dagster's own executors see one step for each extract."""
    text = (shop / "dbcycle.yaml").read_text()
    (shop / "dbcycle.yaml").write_text(text + "execution: {steps: per_table}\n")
    project = load_project(shop)
    definitions = build_definitions(project)
    assert drawn(definitions) == GRAPH
    steps = {
        definition.op.name
        for definition in definitions.assets
        if isinstance(definition, dg.AssetsDefinition)
    }
    tables = ("orders", "products", "tags", "users")
    assert {f"shop_extracts_{table}" for table in tables} <= steps
    (tmp_path / "home").mkdir()
    done = refresh(project, instance_home=tmp_path / "home")
    assert done.published, done.failed


def test_the_bundled_project_is_valid():
    """What `-m dbcycle_assets.definitions` loads has a job, a schedule and a sensor."""
    from dbcycle_assets.definitions import defs

    repository = defs.get_repository_def()
    assert len(repository.job_names) > 1
    assert repository.schedule_defs
    assert repository.sensor_defs
    dg.Definitions.validate_loadable(defs)
