"""`dbcycle diff`: what a publication changed, counted against what is known to have changed."""

import json

import pytest

from dbcycle_assets.cycle import compare as comparing
from dbcycle_assets.cycle.compare import compare
from dbcycle_assets.errors import BadInput
from tests.faults.kit import run

from .kit import Shop

SCHEMA = """
CREATE TABLE people (id integer PRIMARY KEY, email varchar(80), city varchar(40), age integer);
CREATE TABLE visits (person integer NOT NULL, page varchar(40));
CREATE TABLE "Old Words" (id integer PRIMARY KEY, word varchar(40));
CREATE TABLE pairs (a integer, b integer, note varchar(40), PRIMARY KEY (a, b));
INSERT INTO people VALUES (1, 'ada@lovelace.test', 'Rome', 30), (2, 'grace@hopper.test', NULL, 40),
  (3, 'alan@turing.test', '', 50), (4, NULL, 'Oslo', NULL);
INSERT INTO visits VALUES (1, 'home'), (1, 'home'), (2, 'cart'), (2, NULL);
INSERT INTO "Old Words" VALUES (1, 'apple');
INSERT INTO pairs VALUES (1, 1, 'x'), (1, 2, 'y'), (2, 1, 'z');
"""
CONFIG = """
tables:
  people: {columns: {email: email}, keep: [id, city, age]}
  visits: {keep: [person, page]}
  Old Words: {keep: [id, word]}
  pairs: {keep: [a, b, note]}
"""
LATER = (
    SCHEMA.replace('CREATE TABLE "Old Words"', "CREATE TABLE fresh_words")
    .replace('INSERT INTO "Old Words"', "INSERT INTO fresh_words")
    .replace("age integer)", "age bigint, shoe integer)")
    .replace("(1, 'ada@lovelace.test', 'Rome', 30)", "(1, 'ada@lovelace.test', 'Bonn', 31, 9)")
    .replace("(2, 'grace@hopper.test', NULL, 40)", "(2, 'grace@hopper.test', '', 40, 8)")
    .replace("(3, 'alan@turing.test', '', 50)", "(3, 'alan@turing.test', '', 50, 7)")
    .replace("(4, NULL, 'Oslo', NULL)", "(5, NULL, 'Oslo', NULL, 6), (6, NULL, NULL, 1, 1)")
    .replace("(1, 'home'), (1, 'home')", "(1, 'home')")
    .replace("(2, NULL)", "(2, NULL), (2, NULL), (9, 'new')")
    .replace("(2, 1, 'z')", "(2, 2, 'z')")
)


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """Give a shop that was published once, on each engine."""
    made = Shop.on(request, tmp_path, monkeypatch)
    made.produce(SCHEMA, CONFIG)
    made.build()
    yield made
    made.close()


def later(shop):
    """Publish the later dump."""
    config = CONFIG.replace("Old Words", "fresh_words").replace("city, age]", "city, age, shoe]")
    shop.produce(LATER, config)
    return shop.build()


def databases(cycle):
    """Return the names of the former and the present test database."""
    return cycle.database("previous"), cycle.database("test")


@pytest.mark.parametrize("cells", [comparing.CELLS, 5])
def test_every_change_is_counted(shop, monkeypatch, cells):
    """Added, removed and changed rows, the columns that changed, and tables that come and go; the
    same however small the parts are in which it is done."""
    monkeypatch.setattr(comparing, "CELLS", cells)
    cycle = later(shop)
    found = compare(cycle, *databases(cycle))
    tables = {table.table: table for table in found.tables}
    assert (found.only_former, found.only_present) == (("Old Words",), ("fresh_words",))
    people = tables["people"]
    assert (people.former, people.present) == (4, 5)
    assert (people.added, people.removed, people.changed) == (2, 1, 2)
    assert people.columns == {"city": 2, "age": 1}
    assert [each.lower() for each in people.shape] == ["shoe is new", "age: integer → bigint"]
    visits = tables["visits"]
    assert (visits.added, visits.removed, visits.changed) == (2, 1, 0)
    pairs = tables["pairs"]
    assert (pairs.added, pairs.removed, pairs.changed) == (1, 1, 0)
    assert found.differs


def test_nothing_differs_after_the_same_dump(shop):
    """A second publication of the same rows differs in nothing, and every row was compared."""
    cycle = shop.cycle
    cycle.server.clone(
        cycle.database("test"), cycle.database("previous"), cycle.stamp("previous", "")
    )
    found = compare(cycle, *databases(cycle))
    assert not found.differs
    assert sum(table.present for table in found.tables) == 12


def test_another_key_changes_masked_columns_alone(shop):
    """What testers see of a new key: every masked value, and nothing else."""
    config = CONFIG.replace("email: email", "email: {anonymize: email, domain: map}")
    shop.configure(config)
    cycle = shop.build()
    (people,) = compare(cycle, *databases(cycle), ["people"]).tables
    assert (people.changed, people.columns) == (3, {"email": 3})


def test_an_unknown_table_is_named(shop):
    """A mistyped name is no silent "no difference"."""
    cycle = later(shop)
    with pytest.raises(BadInput, match="peple"):
        compare(cycle, *databases(cycle), ["people", "peple"])


def test_the_command(shop):
    """It asks for two publications, prints counts and names without a value, and can be a check."""
    first = run("--project", shop.root, "diff")
    assert (first.code, "no previous database yet" in first.err) == (7, True)
    later(shop)
    done = run("--project", shop.root, "diff", "--check")
    assert done.code == 8
    assert "fresh_words is new" in done.out
    assert "city in 2" in done.out
    assert "Bonn" not in done.out + done.err
    document = json.loads(run("--project", shop.root, "diff", "--json").out)
    assert document["compared"] == {"tables": 3, "rows_before": 11, "rows_now": 13}
    assert document["differs"]
