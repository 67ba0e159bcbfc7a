"""A rehearsal with planted people sees nobody, and sees somebody once the pipeline is broken."""

import sqlite3

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.defs.rehearsal import rehearse

from .kit import Shop

POSTGRES = """
CREATE EXTENSION citext;
CREATE DOMAIN handle AS varchar(40);
CREATE TYPE pair AS (a text, b text);
CREATE TABLE people (
  id integer PRIMARY KEY, email citext UNIQUE, name text, phone varchar(30), nick handle,
  tags text[], profile jsonb, blob bytea, page xml, two pair, note text, state text, found tsvector
);
COMMENT ON TABLE people IS 'ask nobody';
CREATE MATERIALIZED VIEW shown AS SELECT email::text AS mail, note FROM people;
INSERT INTO people VALUES (1, 'a@corp.test', 'Ada Lovelace', '+44 20 7946 0001', 'one-nick', '{x,y}',
  '{"k": "Ada"}', '\\x4164', '<p>Ada</p>', '(Ada,Love)', 'met Ada', 'new', 'ada:1'),
  (2, 'b@corp.test', 'Bea Hopper', '+44 20 7946 0002', 'two-nick', '{z}', '{}', '\\x42', '<p/>', NULL,
  NULL, 'old', NULL);
"""
SQLITE = """
CREATE TABLE people (
  id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, phone TEXT, profile JSON, blob BLOB,
  note TEXT, state TEXT
);
INSERT INTO people VALUES
  (1, 'a@corp.test', 'Ada Lovelace', '+44 20 7946 0001', '{"k": "Ada"}', x'4164', 'met Ada', 'new'),
  (2, 'b@corp.test', 'Bea Hopper', '+44 20 7946 0002', '{}', x'42', NULL, 'old');
"""
COLUMNS = {
    "email": "email",
    "name": "full_name",
    "phone": "phone",
    "nick": "username",
    "tags": "free_text",
    "profile": "json",
    "blob": "bytes",
    "page": "xml",
    "two": '"null"',
    "note": "free_text",
    "found": "tsvector",
}
SQLITE_ONLY = ("email", "name", "phone", "profile", "blob", "note")


def config(names, **changes):
    """Return a config with a rule for each column; ``changes`` replace some of them."""
    rules = {name: changes.get(name, COLUMNS[name]) for name in names}
    lines = "".join(f"      {name}: {rule}\n" for name, rule in rules.items())
    return f"tables:\n  people:\n    columns:\n{lines}    keep: [id, state]\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request, tmp_path, monkeypatch):
    """Give a shop that has not run yet, with every kind of text."""
    server = request.getfixturevalue("server") if request.param == "postgresql" else None
    made = Shop(request.param, tmp_path / "shop", server)
    if server is None:
        made.produce(SQLITE, config(SQLITE_ONLY))
    else:
        monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
        made.produce(POSTGRES, config(COLUMNS))
    return made


def run(shop):
    return rehearse(load_project(shop.root), lambda _told: None)


def test_nobody_who_was_planted_is_seen(shop):
    """E-mail, name, phone, JSON, arrays, binary, markup, prose: nothing reaches the output."""
    found = run(shop)
    assert found.run.published, found.run.failed
    assert found.sightings == []
    assert found.passed
    expected = {"people.email", "people.name", "people.phone", "people.profile", "people.blob"}
    assert expected <= set(found.planted.places)
    if shop.engine == "postgresql":
        more = {"nick", "tags", "page", "note", "found"}
        assert {f"people.{name}" for name in more} <= set(found.planted.places)
    assert all(found.planted.passed_over.values())
    assert found.looked_at["files"] > 10
    assert found.looked_at["values"] >= 10
    assert found.looked_at["messages"] > 5


def test_a_rehearsal_leaves_the_project_alone(shop):
    """No state, no extract and no database is left, and the project's own never existed."""
    before = sorted(path.name for path in shop.root.iterdir())
    run(shop)
    assert sorted(path.name for path in shop.root.iterdir()) == before
    if shop.server is not None:
        assert shop.server.exists("dbcycle_shop_canary_test") is False
        assert shop.server.exists("dbcycle_shop_canary_restored") is False


def test_a_name_that_only_prose_knows_is_seen_through_scrubbing(tmp_path):
    """Scrubbing replaces who the database knows; the rehearsal shows that this is not everybody."""
    made = Shop("sqlite", tmp_path / "shop", None)
    made.produce(SQLITE, config(SQLITE_ONLY, note="scrub"))
    found = run(made)
    assert not found.passed
    assert {sighting.planted_in for sighting in found.sightings} == {"people.note"}


@pytest.mark.parametrize("column", ["email", "phone", "name"])
def test_a_rule_turned_to_keep_is_seen(shop, column):
    """The rehearsal measures the pipeline, not the config: a kept address is a sighting."""
    names = SQLITE_ONLY if shop.engine == "sqlite" else tuple(COLUMNS)
    shop.configure(config(names, **{column: "keep"}))
    found = run(shop)
    assert not found.passed
    places = {(sighting.planted_in, sighting.where) for sighting in found.sightings}
    assert (f"people.{column}", f"test database: people.{column}") in places
    assert (f"people.{column}", f"extract: people.{column}") in places


def test_a_mask_that_does_nothing_is_seen_by_the_run_itself(shop, monkeypatch):
    """Extraction stops at a value that comes through unchanged; the canary then fails too."""
    from dbcycle_assets.cycle import masking

    monkeypatch.setattr(masking, "build_mask", lambda *_args: lambda value: value)
    found = run(shop)
    assert not found.passed
    assert not found.run.published
    assert "came through unchanged" in str(found.run.failed)
    assert not any("database" in sighting.where for sighting in found.sightings)


def test_with_nobody_to_plant_nothing_is_proven(tmp_path):
    """A rehearsal that looked for nobody fails."""
    made = Shop("sqlite", tmp_path / "shop", None)
    made.produce(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1);",
        "tables: {t: {keep: [id, n]}}\n",
    )
    found = run(made)
    assert not found.planted.places
    assert not found.passed


def test_the_original_is_never_written_to(tmp_path):
    """The dump is what it was."""
    made = Shop("sqlite", tmp_path / "shop", None)
    made.produce(SQLITE, config(SQLITE_ONLY))
    dump = made.root / "prod.dump"
    before = dump.read_bytes()
    run(made)
    assert dump.read_bytes() == before
    with sqlite3.connect(dump) as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (2,)
    connection.close()
