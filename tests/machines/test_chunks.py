"""A big table's extract in several steps is the extract that one step makes."""

import dagster as dg
import pytest

from dbcycle_assets import build_definitions, load_project
from dbcycle_assets.artifacts import Extracts
from dbcycle_assets.cycle import chunks, originals
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.errors import BadInput, ConfigError

from ..cycle.kit import Shop

SCRIPT = """
CREATE TABLE people (id integer PRIMARY KEY, email text NOT NULL UNIQUE, note text);
CREATE TABLE visits (
  person integer NOT NULL REFERENCES people (id), day integer NOT NULL, place text,
  PRIMARY KEY (person, day)
);
CREATE TABLE empty (id integer PRIMARY KEY);
"""
CONFIG = """\
tables:
  people: {columns: {email: email, note: free_text}, keep: [id]}
  visits: {columns: {place: city}, keep: [person, day]}
  empty: {keep: [id]}
"""
APART = "execution: {steps: per_table, chunks: {people: 3, visits: 4, empty: 2}}\n"
PEOPLE = 1001


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request, server, tmp_path, monkeypatch):
    """Two tables, one of them with a key of two columns, and an empty one."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    rows = ", ".join(
        f"({n}, 'person{n}@corp.example.net', {repr(f'call {n} at noon') if n % 7 else 'NULL'})"
        for n in range(1, PEOPLE + 1)
    )
    visits = ", ".join(f"({n}, {d}, 'Paris {n % 50}')" for n in range(1, 400) for d in (1, 2, 3))
    made = Shop(request.param, tmp_path / "shop", server)
    made.produce(
        f"{SCRIPT} INSERT INTO people VALUES {rows}; INSERT INTO visits VALUES {visits};", CONFIG
    )
    yield made
    made.close()


def run(shop, *, tags=None):
    """Run everything through the definitions; return the run."""
    definitions = build_definitions(load_project(shop.root))
    (shop.root / "home").mkdir(exist_ok=True)
    overrides = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(shop.root / "home"), overrides=overrides) as instance:
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, raise_on_error=False, tags=tags or {}
        )


COSTS = {"parts", "rows_per_second", "peak_memory_mb", "column_seconds"}
"""What a run took, which differs from run to run."""


def facts(shop):
    """Return what the ledger says of each extract, and the digests of its originals."""
    cycle = shop.cycle
    found = {}
    for table in ("people", "visits", "empty"):
        record = cycle.ledger.get(f"extracts/{table}")
        known = {name: value for name, value in record.facts.items() if name not in COSTS}
        kept = originals.read(cycle.project.records, table, cycle.key)
        digests = {
            name: (sorted(each.digests), sorted(each.excused), each.unsearchable)
            for name, each in kept.items()
        }
        checks = [(check.name, check.passed, check.facts) for check in record.checks]
        found[table] = record.data_version, known, checks, digests
    return found


def steps(done, kind="STEP_SUCCESS"):
    """Return the steps that ended so."""
    return [event.step_key for event in done.all_events if event.event_type_value == kind]


def test_the_parts_are_the_whole(shop):
    """Content, rows, profile, checks and digests are those of one step; the parts are gone."""
    assert run(shop).success
    whole = facts(shop)
    shop.configure(CONFIG + APART)
    done = run(shop, tags={"dbcycle/force": "true"})
    assert done.success
    parts = [step for step in steps(done) if "_part_" in step]
    assert len(parts) == 3 + 4 + 2
    assert facts(shop) == whole
    assert not list(shop.cycle.project.records.glob("parts/*"))
    again = run(shop)
    key = dg.AssetKey(["shop", "extracts", "people"])
    (made,) = again.asset_materializations_for_node(
        "shop_extracts_people.shop_extracts_people_join"
    )
    assert made.asset_key == key
    assert made.metadata["dbcycle/cache"].text == "hit"


def test_what_was_made_of_a_part_is_kept(shop):
    """A run that fails half-way makes the other parts only, the next time."""
    assert run(shop).success
    shop.configure(CONFIG + APART)
    Extracts(load_project(shop.root).extracts).rows_path("people").unlink()
    cycle = Cycle(load_project(shop.root))
    assert chunks.make_part(cycle, "people", (0, 3))
    assert not chunks.make_part(cycle, "people", (0, 3))
    with pytest.raises(BadInput, match="part 2 of 3 is missing"):
        chunks.join(cycle, "people", 3)
    assert cycle.extracts.manifest("people") is None
    assert run(shop).success


def test_a_part_of_other_inputs_is_not_joined(shop):
    """After a rule changed the parts that were there are made again."""
    assert run(shop).success
    shop.configure(CONFIG.replace("note: free_text", "note: full_name") + APART)
    cycle = Cycle(load_project(shop.root))
    assert chunks.make_part(cycle, "people", (0, 3))
    shop.configure(CONFIG.replace("note: free_text", "note: city") + APART)
    assert chunks.make_part(Cycle(load_project(shop.root)), "people", (0, 3))


def test_chunks_need_steps_of_their_own(shop):
    """What cannot be is refused when the config is read."""
    shop.configure(CONFIG + "execution: {chunks: {people: 3}}\n")
    with pytest.raises(ConfigError, match="per_table"):
        load_project(shop.root)
    shop.configure(CONFIG + "execution: {steps: per_table, chunks: {peopl: 3}}\n")
    with pytest.raises(ConfigError, match="did you mean `people`"):
        load_project(shop.root)
    shop.configure(CONFIG)
