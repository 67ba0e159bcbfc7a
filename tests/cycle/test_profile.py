"""Fidelity, fan-out and k-anonymity on both engines; numbers only, and never measured twice."""

import json
import random

import dagster as dg
import polars as pl
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.artifacts import Ledger
from dbcycle_assets.cli import main
from dbcycle_assets.cycle import blocks, profile
from dbcycle_assets.cycle.profile import EXACT, Profiler, recorded
from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.sqlite import SqliteServer
from dbcycle_assets.defs.run import refresh
from dbcycle_assets.model.decision import ColumnPlan
from dbcycle_assets.model.plan import TablePlan

from ..databases.kit import DATA, scratch
from .conftest import ORDERS, USERS

SCHEMA = """
CREATE TABLE parents (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE children (
    id integer PRIMARY KEY, word text, born date, a integer, b integer,
    FOREIGN KEY (a, b) REFERENCES parents (a, b)
);
INSERT INTO parents VALUES (1, 1), (1, 2), (2, 1);
INSERT INTO children VALUES
    (1, 'x', '2001-01-01', 1, 1), (2, 'x', '2001-01-01', 1, 1), (3, 'back\\slash', '2001-01-02', 1, 2),
    (4, NULL, NULL, 1, NULL), (5, '', '2001-01-01', NULL, NULL);
"""


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request, tmp_path):
    """Give a session on a small database of each engine."""
    sqlite = request.param == "sqlite"
    server = SqliteServer(tmp_path / "files") if sqlite else request.getfixturevalue("server")
    with scratch(server, SCHEMA) as found:
        yield found


def measured(database, masked=()):
    """Return the profiler after one table streamed by, its masked columns made constant."""
    table = database.catalog().tables["children"]
    columns = tuple(
        ColumnPlan(column, "constant" if column.name in masked else "keep", table.facts(column))
        for column in table.stored_columns
    )
    profiler = Profiler(TablePlan(table, rows=True, columns=columns))
    for block in database.read(table, table.stored_columns):
        raw = blocks.parse(block, len(columns))
        changed = [
            pl.when(pl.col(f"c{index}").is_null())
            .then(None)
            .otherwise(pl.lit("?"))
            .alias(f"c{index}")
            for index, item in enumerate(columns)
            if item.masked
        ]
        profiler.add(raw, raw.with_columns(changed))
    return profiler


def test_a_column_is_measured_before_and_after(database):
    """Nulls are no values, an empty text is one, and an escaped character counts once."""
    before, after = measured(database, masked=("word",)).pairs()["word"]
    assert (before.rows, before.nulls, before.distinct, after.distinct) == (5, 1, 3, 1)
    assert (before.shortest, before.longest, after.longest) == (0, len("back\\slash"), 1)
    assert (before.top, after.top) == (0.5, 1.0)
    assert before.lengths == (1, 2, 0, 0, 1)


def test_a_key_of_two_columns_is_measured_whole(database):
    """A reference that is null in part refers to nothing; the query finds the same fan-out."""
    facts, _ = measured(database).results()
    (key,) = database.catalog().foreign_keys
    (found,) = recorded(facts)[1].values()
    assert (found.children, found.parents, found.largest) == (3, 2, 2)
    assert found.without(3) == pytest.approx(1 / 3)
    queried = profile.fan_outs(database.catalog(), database)["children"][key.name]
    assert queried == found.to_json()


def test_groups_are_counted_by_size(database):
    """A null agrees with a null where quasi-identifiers are looked at."""
    table = database.catalog().tables["children"]
    assert database.group_sizes(table, ["a"], nulls=True) == {1: 1, 4: 1}
    assert database.group_sizes(table, ["a"], nulls=False) == {4: 1}
    assert database.group_sizes(table, ["born", "a"], nulls=True) == {1: 3, 2: 1}


def test_many_values_are_counted_in_bounded_memory():
    """Above the exact count the estimate stays within 4 %, and what is frequent stays known."""
    draw = random.Random(7)  # noqa: S311 - no secret
    measure = profile._Measure(unique=False, worded=False)
    seen, often = set(), 0
    for _ in range(10):
        values = [
            "often" if draw.random() < 0.1 else str(draw.randrange(400_000)) for _ in range(40_000)
        ]
        seen |= set(values)
        often += values.count("often")
        measure.add(pl.Series(values))
    found = measure.profile()
    assert not found.exact
    assert measure.counts._sample.height <= EXACT
    assert abs(found.distinct - len(seen)) < 0.04 * len(seen)
    assert found.top == pytest.approx(often / 400_000, rel=1e-3)
    assert measure.fan_out().largest == often


def leaves(document):
    """Yield every value inside a JSON document."""
    parts = document.values() if isinstance(document, dict) else document
    for part in parts:
        if isinstance(part, dict | list | tuple):
            yield from leaves(part)
        else:
            yield part


@pytest.fixture
def run(shop, tmp_path):
    """Give a function that refreshes the shop and returns its ledger."""
    home = tmp_path / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    def go():
        done = refresh(load_project(shop), instance_home=home)
        assert done.ok, done.failed
        return Ledger(shop / ".dbcycle")

    go.home = home
    return go


def check_of(record, name):
    """Return one check of a record."""
    return next(check for check in record.checks if check.name == name)


def test_what_is_recorded_is_numbers(run):
    """The profile beside an extract holds counts and shares: no text, so no value."""
    record = run().get("extracts/orders")
    found = list(leaves(record.facts["profile"]))
    assert found
    assert all(isinstance(leaf, int | float) for leaf in found)
    assert check_of(record, "fidelity").passed


def test_a_rule_that_flattens_a_column_is_told_as_meant(run, shop):
    """Names from a vocabulary of two: the check passes and says what became fewer."""
    config = (shop / "dbcycle.yaml").read_text()
    rule = "{anonymize: faker, provider: country, size: 2}"
    (shop / "dbcycle.yaml").write_text(config.replace("name: full_name", f"name: {rule}"))
    check = check_of(run().get("extracts/users"), "fidelity")
    assert check.passed
    few = [[f"name: 3 → {left} distinct values"] for left in (1, 2)]  # the key decides which
    assert check.facts["meant"] in few


def test_an_unmeant_change_warns_and_publishes(run, monkeypatch):
    """A mask that merges what it should not is called out; the database comes out all the same."""
    monkeypatch.setattr("dbcycle_assets.model.profile.CARDINALITY_TOLERANCE", -1)
    ledger = run()
    assert not check_of(ledger.get("extracts/users"), "fidelity").passed
    assert ledger.get("test_db") is not None


def test_k_anonymity_is_a_warning_with_history(run, shop):
    """Declared quasi-identifiers rebuild the test database alone and are counted in it."""
    ledger = run()
    extract = ledger.get("extracts/users")
    config = (shop / "dbcycle.yaml").read_text()
    assert not any(check.name == "k_anonymity" for check in ledger.get("test_db").checks)
    (shop / "dbcycle.yaml").write_text(
        config.replace("  users:\n", "  users:\n    quasi_identifiers: [[role], [role, name]]\n")
        + "verify: {k: 3}\n"
    )
    run()
    assert ledger.get("extracts/users") == extract
    record = ledger.get("test_db")
    check = check_of(record, "k_anonymity")
    assert not check.passed
    assert check.facts["k"] == 3
    assert check.facts["smallest_class"] == 1
    # One admin and, with the golden tester, three customers; every name is one row's own.
    assert check.facts["rows_below_k"] == 1 + len(USERS) + 1
    assert [entry["checks"].get("k_anonymity") for entry in record.past] == [False, None]
    with dg.DagsterInstance.from_config(str(run.home)) as instance:
        key = dg.AssetCheckKey(dg.AssetKey(["shop", "test_db"]), "k_anonymity")
        (stored,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
        evaluation = stored.event.dagster_event.asset_check_evaluation_data
        assert not evaluation.passed
        assert not evaluation.blocking
        assert evaluation.metadata["rows_below_k"].value == 1 + len(USERS) + 1


def test_the_fan_out_of_the_test_database_is_recorded(run):
    """Before is measured on the way to the extract, after in the published database."""
    ledger = run()
    (after,) = (
        entry
        for name, entry in ledger.get("test_db").facts["fan_out"]["orders"].items()
        if "user" in name
    )
    (before,) = (
        entry
        for name, entry in recorded(ledger.get("extracts/orders").facts["profile"])[1].items()
        if "user" in name
    )
    assert before.children == after["children"] == len(ORDERS)
    assert before.parents == after["parents"] == 2


def test_columns_carry_their_class_and_lineage(run):
    """Dagster shows the privacy class of each column, from the extract to the test database."""
    run()
    with dg.DagsterInstance.from_config(str(run.home)) as instance:

        def metadata(*path):
            event = instance.get_latest_materialization_event(dg.AssetKey(["shop", *path]))
            return event.asset_materialization.metadata

        for stage, source in (("extracts", "migrated"), ("seeded", "extracts")):
            found = metadata(stage, "users")
            tags = {c.name: c.tags for c in found["dagster/column_schema"].schema.columns}
            assert tags["email"] == {"class": "email", "pii": "", "rule": "email"}
            assert tags["id"] == {"class": "key"}
            lineage = found["dagster/column_lineage"].column_lineage.deps_by_column
            assert lineage["email"][0].asset_key.path[1:] == [source, "users"]
        lineage = metadata("test_db")["dagster/column_lineage"].column_lineage.deps_by_column
        assert lineage["users.email"][0].asset_key.path[1:] == ["seeded", "users"]


def test_a_quasi_identifier_that_is_no_column_is_refused(shop, cycle_of, run):
    """A misspelt column stops the plan by name."""
    run()
    config = (shop / "dbcycle.yaml").read_text()
    (shop / "dbcycle.yaml").write_text(
        config.replace("  users:\n", "  users:\n    quasi_identifiers: [[rol]]\n")
    )
    done = refresh(load_project(shop), instance_home=run.home)
    assert not done.ok
    assert "rol" in json.dumps([str(entry) for entry in done.failed])


def test_a_postgresql_database_is_measured_end_to_end(tmp_path, monkeypatch):
    """Pagila: every extract has the check, every key a fan-out, and customers a k."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    dump = tmp_path.joinpath("pagila.dump")
    dump.write_bytes((DATA / "pagila.dump").read_bytes())
    try:
        assert main(["init", "pagila", "--from", str(dump), "--accept-all"]) == 0
        path = tmp_path / "pagila/dbcycle.yaml"
        quasi = "  customer:\n    quasi_identifiers: [[store_id, active]]\n"
        path.write_text(path.read_text().replace("  customer:\n", quasi))
        assert main(["--project", "pagila", "refresh"]) == 0
        ledger = Ledger(tmp_path / "pagila/.dbcycle")
        for name in ("customer", "film", "payment"):
            assert check_of(ledger.get(f"extracts/{name}"), "fidelity").passed, name
        published = ledger.get("test_db")
        check = check_of(published, "k_anonymity")
        assert check.facts["by_set"][0]["rows"] == 599
        after = published.facts["fan_out"]["rental"]
        before = recorded(ledger.get("extracts/rental").facts["profile"])[1]
        assert {name: entry.to_json() for name, entry in before.items()} == {
            name: entry | {"sizes": tuple(entry["sizes"])} for name, entry in after.items()
        }
    finally:
        embedded.remove(tmp_path / "pagila/.dbcycle")
