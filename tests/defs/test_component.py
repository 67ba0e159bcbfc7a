"""A project in a `dg` project of somebody else's: the how-to runs, and every name can be another."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.asset_graph_view.asset_graph_view import AssetGraphView
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster.components.component_scaffolding import scaffold_object
from dagster.components.core.component_tree import ComponentTreeException
from dagster.components.testing import create_defs_folder_sandbox

import dbcycle_assets
from dbcycle_assets import DbCycleComponent, DbCycleTranslator, build_definitions, load_project
from dbcycle_assets.cycle.nodes import asset_nodes
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.defs.specs import DESCRIPTIONS
from dbcycle_assets.errors import UsageError

from ..cycle.conftest import USERS, fill, shop  # noqa: F401

PAGE = Path(__file__).parents[2] / "docs/how-to/use-the-dagster-component.md"
BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOVED = """\
translation:
  key_prefix: [lake, test_data]
  group_name: test_data
  owners: ["team:platform"]
  tags: {domain: shop, rows: 3}
stages:
  prod_dump: {deps: [backups/nightly]}
  seeded: {group_name: 'rows_of_{{ node.table }}', description: '{{ spec.description }} Ours.'}
  test_db: {kinds: [sqlite], automation_condition: '{{ dg.AutomationCondition.eager() }}'}
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """Give a project that `create-dagster` made, and a function that runs a command in it.

    The environment is that of the tests, which `uv sync` would make anew; so is the path to `src`.
    """
    folder = tmp_path_factory.mktemp("component")
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DBCYCLE", "DG_"))
    }
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(folder / "acme/src"), str(PAGE.parents[2])]),
        "DAGSTER_HOME": str(home),
        "DAGSTER_DG_UPDATE_CHECK_ENABLED": "0",
        "COLUMNS": "200",
    }

    def run(command, *, where=folder / "acme", fails=False):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=where,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is fails, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if fails else "")

    run("create-dagster project acme --no-uv-sync", where=folder)
    fill(folder / "acme/prod.db")
    return folder, run


def write(place, text):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def materializations(home, *path):
    """Return every materialization of an asset, the latest first."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        found = instance.fetch_materializations(dg.AssetKey(path), limit=9)
        return [record.asset_materialization for record in found.records]


def test_the_page_runs(acme):
    """Its files and commands in their order, in a new project that the tutorial's command made."""
    folder, run = acme
    for language, info, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "console":
            for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = step.splitlines()
                printed = run(command)
                for line in shown:
                    assert line.partition("…")[0] in printed, f"{command}: {line}\n{printed}"
        elif place := info.removeprefix("foreign").strip():
            write(folder / "acme" / place, text)
    made = [each.metadata["dbcycle/cache"].value for each in materializations_of(folder, "shop")]
    assert made == ["hit", "hit", "made"]
    (moved,) = materializations_of(folder, "test_data", "shop")
    assert moved.metadata["dbcycle/cache"].value == "hit"
    (report,) = materializations(folder / "home", "report")
    assert report.metadata["users"].value == len(USERS)


def materializations_of(folder, *prefix):
    return materializations(folder / "home", *prefix, "test_db")


def test_wrong_yaml_is_told_with_its_line(acme):
    """What no schema knows, all at once; then a folder that holds no project."""
    folder, run = acme
    place = folder / "acme/src/acme/defs/wrong/defs.yaml"
    head = "type: dbcycle_assets.DbCycleComponent\nattributes:\n  project: nowhere\n"
    wrong = [
        ("  transalation: {}", "attributes.transalation"),
        ("  stages:", ""),
        ("    extract: {group_name: x}", "attributes.stages.extract "),
        ("    test_db: {gruop_name: x}", "attributes.stages.test_db.gruop_name"),
        ("  translation: {partitions_def: x, tags: {a: b}}", "attributes.translation.partitions"),
    ]
    write(place, head + "".join(f"{line}\n" for line, _ in wrong))
    printed = run("dg check yaml", fails=True)
    for number, (_, told) in enumerate(wrong, 4):
        assert not told or f"{place}:{number} - dbcycle_assets.DbCycleComponent {told}" in printed
    assert printed.count("Additional properties are not allowed") == 2 * (len(wrong) - 1)
    write(place, head)
    printed = run("dg check defs", fails=True)
    assert f"{place}:3 - attributes.project" in printed
    assert f"{place.parent}/nowhere/dbcycle.yaml: there is no such file" in printed
    place.unlink()


@contextmanager
def loaded(shop, attributes="", more="", files=None):  # noqa: F811
    """Load the component by a YAML file with others beside it; give its definitions."""
    lines = "".join(f"  {line}\n" for line in attributes.splitlines())
    with create_defs_folder_sandbox() as sandbox:
        place = sandbox.scaffold_component(DbCycleComponent, "shop")
        text = (
            f"type: dbcycle_assets.DbCycleComponent\nattributes:\n  project: {shop}\n{lines}{more}"
        )
        for name, content in {"defs.yaml": text, **(files or {})}.items():
            (place / name).write_text(content)
        with sandbox.load_component_and_build_defs(place) as (component, defs):
            assert isinstance(component, DbCycleComponent)
            yield defs


def execute(defs, instance, **kwargs):
    """Run every asset; return which were made and which were fresh, by key."""
    done = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=instance, **kwargs
    )
    found = {"made": set(), "hit": set()}
    for event in done.get_asset_materialization_events():
        each = event.materialization
        if each.asset_key.path[-1] != "mine":
            found[each.metadata["dbcycle/cache"].value].add(each.asset_key)
    return done, found


@pytest.fixture
def instance(tmp_path):
    """Give an instance of the test's own."""
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(
        str(tmp_path / "home"), overrides={"telemetry": {"enabled": False}}
    ) as given:
        yield given


def key(*path):
    return dg.AssetKey(["lake", "test_data", "shop", *path])


def test_every_attribute_can_be_another(shop):  # noqa: F811
    """Keys, groups, owners, tags, kinds, descriptions, conditions and further dependencies."""
    plain = {
        spec.key: spec for spec in build_definitions(load_project(shop)).resolve_all_asset_specs()
    }
    with loaded(shop, MOVED) as defs:
        specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    nodes = asset_nodes(load_project(shop), None)
    assert {key(*node.asset.split("/")) for node in nodes} | {
        dg.AssetKey(["backups", "nightly"])
    } == set(specs)
    assert len(plain) == len(specs) - 1
    for name, spec in plain.items():
        moved = specs[name.with_prefix(["lake", "test_data"])]
        extra = [["backups", "nightly"]] if name.path[1] == "prod_dump" else []
        wanted = [list(dep.asset_key.with_prefix(["lake", "test_data"]).path) for dep in spec.deps]
        assert [list(dep.asset_key.path) for dep in moved.deps] == wanted + extra
        assert moved.code_version == spec.code_version
        assert list(moved.owners) == ["team:platform"]
        assert (
            moved.tags.items() >= {"domain": "shop", "rows": "3", "dbcycle/project": "shop"}.items()
        )
    assert specs[key("plan")].group_name == "test_data"
    assert specs[key("seeded", "users")].group_name == "rows_of_users"
    assert specs[key("seeded", "users")].description.endswith("loaded. Ours.")
    assert specs[key("plan")].automation_condition is None
    assert specs[key("test_db")].automation_condition.get_label() == "eager"
    assert specs[key("test_db")].kinds == {"sqlite"}


def test_the_cycle_is_the_same_under_other_names(shop, instance):  # noqa: F811
    """Memo, checks, lineage, jobs, the sensor and Dagster's own staleness follow the keys."""
    with loaded(shop, MOVED) as defs:
        done, found = execute(defs, instance)
        assert done.success
        assert key("test_db") in found["made"]
        assert not found["hit"]
        checks = {(each.asset_key, each.check_name) for each in done.get_asset_check_evaluations()}
        assert checks == {(check.asset_key, check.name) for check in check_keys(defs)}
        assert (key("test_db"), "no_survivors") in checks
        for asset, source in (("extracts", "migrated"), ("seeded", "extracts")):
            assert lineage(instance, key(asset, "users"))["email"] == key(source, "users")
        assert lineage(instance, key("test_db"))["users.email"] == key("seeded", "users")
        assert execute(defs, instance)[1]["made"] == set()
        assert unsynced(defs, instance) == set()
        graph = defs.resolve_asset_graph().materializable_asset_keys
        for job in ("shop_refresh", "shop_nightly"):
            assert set(defs.resolve_job_def(job).asset_layer.executable_asset_keys) == graph

    config = shop / "dbcycle.yaml"
    config.write_text(config.read_text().replace("note: free_text", "note: redact"))
    stale = {key(*entry.asset.split("/")) for entry in Cycle(load_project(shop)).stale()}
    assert key("extracts", "orders") in stale
    with loaded(shop, MOVED) as defs:
        assert unsynced(defs, instance) == {key("plan"), key("extracts", "orders")}
        context = dg.build_sensor_context(
            instance=instance, definitions=defs, sensor_name="shop_stale"
        )
        (request,) = defs.resolve_sensor_def("shop_stale")(context).run_requests
        assert set(request.asset_selection) == stale
        assert execute(defs, instance, asset_selection=list(stale))[1]["made"] == stale
        assert execute(build_definitions(load_project(shop)), instance)[1]["made"] == set()


def check_keys(defs):
    return defs.resolve_asset_graph().asset_check_keys


def lineage(instance, asset):
    """Return the first source of every column."""
    event = instance.get_latest_materialization_event(asset).asset_materialization
    deps = event.metadata["dagster/column_lineage"].column_lineage.deps_by_column
    return {name: sources[0].asset_key for name, sources in deps.items()}


def unsynced(defs, instance):
    """Return what the Dagster UI calls unsynced."""
    view = AssetGraphView.for_test(defs, instance)
    resolver = CachingStaleStatusResolver(instance, view.asset_graph, view)
    keys = view.asset_graph.materializable_asset_keys
    return {each for each in keys if resolver.get_status(each) is not StaleStatus.FRESH}


def test_each_table_can_be_steps_of_its_own(shop, instance):  # noqa: F811
    """Also in chunks, the assets have the keys and attributes that they were given."""
    with (shop / "dbcycle.yaml").open("a") as config:
        config.write("execution: {steps: per_table, chunks: {orders: 2}}\n")
    own = "extracts: {automation_condition: '{{ dg.AutomationCondition.eager() }}', deps: [late]}"
    with loaded(shop, f"{MOVED}  {own}\n") as defs:
        spec = next(s for s in defs.resolve_all_asset_specs() if s.key == key("extracts", "orders"))
        assert spec.automation_condition is not None
        assert spec.group_name == "test_data"
        assert dg.AssetKey("late") in {dep.asset_key for dep in spec.deps}
        done, found = execute(defs, instance)
        assert done.success
        assert key("extracts", "orders") in found["made"]
        assert execute(defs, instance)[1]["made"] == set()


def test_conditions_run_the_whole_cycle(shop, instance):  # noqa: F811
    """With `eager` everywhere a new dump asks for all that lies downstream of it, and only once."""
    eager = "translation: {automation_condition: '{{ dg.AutomationCondition.eager() }}'}\n"
    with loaded(shop, eager) as defs:
        graph = defs.resolve_asset_graph()
        tick = dg.evaluate_automation_conditions(defs, instance)
        execute(defs, instance, asset_selection=list(graph.root_materializable_asset_keys))
        tick = dg.evaluate_automation_conditions(defs, instance, cursor=tick.cursor)
        asked = {each for each in graph.materializable_asset_keys if tick.get_num_requested(each)}
        assert asked == graph.materializable_asset_keys - graph.root_materializable_asset_keys
        done, found = execute(defs, instance, asset_selection=list(asked))
        assert done.success
        assert found["made"] == asked
        tick = dg.evaluate_automation_conditions(defs, instance, cursor=tick.cursor)
        assert tick.total_requested == 0


def test_own_assets_depend_on_the_test_database_and_on_one_table(shop, instance):  # noqa: F811
    """They run after it; and when a check of it fails they do not."""

    @dg.asset(deps=[key("test_db"), key("seeded", "users")])
    def mine():
        return dg.MaterializeResult()

    with loaded(shop, MOVED) as component:
        defs = dg.Definitions.merge(component, dg.Definitions(assets=[mine]))
        done, _ = execute(defs, instance)
        order = [event.asset_key for event in done.get_asset_materialization_events()]
        assert order[-2:] == [key("test_db"), dg.AssetKey("mine")]
        email = USERS[0][1]
        write(shop / "seeds/test/00_leak.yaml", f"products: [{{sku: '{email}', price: 1}}]\n")
    with loaded(shop, MOVED) as component:
        defs = dg.Definitions.merge(component, dg.Definitions(assets=[mine]))
        done, _ = execute(defs, instance, raise_on_error=False)
        assert not done.success
        failed = [each for each in done.get_asset_check_evaluations() if not each.passed]
        assert {(each.asset_key, each.check_name) for each in failed} == {
            (key("test_db"), "no_survivors")
        }
        assert "mine" not in {event.step_key for event in done.get_step_success_events()}


def test_the_executor_is_that_of_the_jobs_alone(shop):  # noqa: F811
    """Other assets keep theirs, and two components may stand side by side."""
    with loaded(shop) as defs:
        assert defs.executor is None
        assert defs.resolve_job_def("shop_refresh").executor_def is dg.in_process_executor
    with loaded(shop, "executor: multiprocess") as defs:
        config = (shop / "dbcycle.yaml").read_text()
        (shop / "dbcycle.yaml").write_text(config.replace("name: shop", "name: other"))
        with loaded(shop) as others:
            whole = dg.Definitions.merge(
                defs, others, dg.Definitions(executor=dg.in_process_executor)
            )
            assert whole.resolve_job_def("shop_refresh").executor_def is dg.multiprocess_executor
            assert whole.resolve_job_def("other_refresh").executor_def is dg.in_process_executor
    with pytest.raises(ComponentTreeException) as told, loaded(shop, "executor: multiproces"):
        pass
    own = "import dagster as dg\n@dg.template_var\ndef mine():\n    return dg.multi_or_in_process_executor\n"
    more = "template_vars_module: .own\n"
    with loaded(shop, "executor: '{{ mine }}'", more, {"own.py": own}) as defs:
        job = defs.resolve_job_def("other_refresh")
        assert job.executor_def is dg.multi_or_in_process_executor
    assert "defs.yaml:4 - attributes.executor" in str(told.value.__cause__)
    assert "did you mean `multiprocess`" in str(told.value.__cause__)


def test_the_production_database_can_be_an_asset_of_others(shop):  # noqa: F811
    """It takes the key that it has elsewhere, and no condition: nobody here can make it."""
    config = (shop / "dbcycle.yaml").read_text()
    asked = "{dump: prod.db, download: {url_env: PROD_URL}}"
    (shop / "dbcycle.yaml").write_text(config.replace("{dump: prod.db}", asked))
    attributes = (
        "translation: {automation_condition: '{{ dg.AutomationCondition.eager() }}'}\n"
        "stages: {prod_database: {key: warehouse/live}}\n"
    )
    with loaded(shop, attributes) as defs:
        graph = defs.resolve_asset_graph()
        live = dg.AssetKey(["warehouse", "live"])
        assert graph.get(dg.AssetKey(["shop", "prod_dump"])).parent_keys == {live}
        assert not graph.get(live).is_materializable
        assert graph.get(live).automation_condition is None
        assert live not in defs.resolve_job_def("shop_refresh").asset_layer.executable_asset_keys


def test_post_processing_works(shop):  # noqa: F811
    """What every component lets its file do to its assets, this one does too."""
    more = (
        "post_processing:\n  assets:\n"
        "    - {target: 'key:\"shop/seeded/users\"', attributes: {tags: {tier: one}}}\n"
    )
    with loaded(shop, more=more) as defs:
        tagged = {s.key.path[-1] for s in defs.resolve_all_asset_specs() if "tier" in s.tags}
    assert tagged == {"users"}


class Money(DbCycleTranslator):
    """One table's assets in a group of their own."""

    def get_asset_spec(self, project, node):
        spec = super().get_asset_spec(project, node)
        return spec.replace_attributes(group_name="money") if node.table == "orders" else spec


def test_plain_python_has_the_same_translator(shop):  # noqa: F811
    """`build_definitions` takes one; a component is made of a folder, too."""
    project = load_project(shop)
    made = build_definitions(project, translator=Money())
    groups = {
        spec.key.path[1]: spec.group_name
        for spec in made.resolve_all_asset_specs()
        if spec.key.path[-1] == "orders"
    }
    assert groups == dict.fromkeys(("migrated", "extracts", "seeded"), "money")
    both = [dg.build_defs_for_component(DbCycleComponent(given)) for given in (project, shop)]
    keys = [{spec.key for spec in defs.resolve_all_asset_specs()} for defs in both]
    assert keys[0] == keys[1] == {spec.key for spec in made.resolve_all_asset_specs()}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _: {"key": "all"}, "`prod_dump` and `anonymization_key` get the same key all"),
        (lambda _: {"code_version": "1"}, "`code_version` of `prod_dump` cannot be translated"),
        (lambda _: {"skippable": True}, "`skippable` of `prod_dump` cannot be translated"),
        (
            lambda _: {"partitions_def": dg.StaticPartitionsDefinition(["a"])},
            "`partitions_def` of `prod_dump` cannot be translated",
        ),
    ],
)
def test_what_the_cycle_cannot_be_is_refused(shop, change, told):  # noqa: F811
    """Two assets of one name, and attributes that freshness depends on."""

    class Wrong(DbCycleTranslator):
        def get_asset_spec(self, project, node):
            return super().get_asset_spec(project, node).replace_attributes(**change(node))

    with pytest.raises(UsageError, match=re.escape(told)):
        build_definitions(load_project(shop), translator=Wrong())


def test_a_stage_that_is_none_is_refused(shop):  # noqa: F811
    """In Python as in YAML, with the nearest one."""
    with pytest.raises(UsageError, match=r"no stage `extract`; did you mean `extracts`\?"):
        DbCycleComponent(shop, stages={"extract": lambda spec, _: spec})


def test_every_stage_of_the_graph_has_a_name_in_the_schema():
    """So that none can be left untranslated."""
    schema = DbCycleComponent.model().model_json_schema()["properties"]["stages"]["properties"]
    assert set(schema) == set(DESCRIPTIONS)
    assert {"key_prefix", "group_name", "owners", "tags"} <= set(schema["test_db"]["properties"])


@pytest.mark.parametrize("kind", ["yaml", "python"])
def test_it_can_be_scaffolded_before_the_project_is_there(tmp_path, kind):
    """It then names the folder at the top that is called like it."""
    place = tmp_path / "src/acme/defs/shop"
    scaffold_object(place, "dbcycle_assets.DbCycleComponent", None, kind, tmp_path)
    (written,) = place.iterdir()
    wanted = "project: '{{ context.project_root }}/shop'" if kind == "yaml" else "DbCycleComponent"
    assert wanted in written.read_text()


def test_a_path_that_holds_no_project_is_not_scaffolded(tmp_path, shop):  # noqa: F811
    """A path from elsewhere is written relative to the file."""
    place = tmp_path / "acme/src/acme/defs/shop"
    name = "dbcycle_assets.DbCycleComponent"
    with pytest.raises(UsageError, match="no project"):
        scaffold_object(place, name, '{"project_path": "/nowhere"}', "yaml", tmp_path / "acme")
    given = f'{{"project_path": "{shop}"}}'
    scaffold_object(place, name, given, "yaml", tmp_path / "acme")
    assert "project: ../../../../../shop" in (place / "defs.yaml").read_text()


def test_importing_the_package_imports_no_dagster():
    """The component is among its names, and `dg` finds it there, but nobody pays for it."""
    assert "DbCycleComponent" in dbcycle_assets.__all__
    script = (
        "import sys, dbcycle_assets\n"
        "assert 'DbCycleComponent' in dir(dbcycle_assets)\n"
        "assert 'dagster' not in sys.modules\n"
        "dbcycle_assets.DbCycleComponent\n"
        "assert 'dagster_dg_core' not in sys.modules and 'dagster_dg_cli' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
