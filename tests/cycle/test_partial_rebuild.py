"""Only the tables that changed are loaded, indexed, keyed and searched again, and nobody can tell."""

import json

import pytest

from dbcycle_assets.cycle import search
from dbcycle_assets.cycle.verify import verify
from dbcycle_assets.errors import DbCycleError

from .kit import Shop

SCHEMA = """
CREATE TABLE people (
  id integer PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, name varchar(80), boss integer REFERENCES people (id)
);
CREATE TABLE orders (
  id integer PRIMARY KEY, person integer NOT NULL REFERENCES people (id), note varchar(200)
);
CREATE INDEX orders_by_person ON orders (person);
CREATE TABLE parts (
  id integer PRIMARY KEY, order_id integer REFERENCES orders (id), contact varchar(80)
);
CREATE INDEX parts_by_contact ON parts (contact);
INSERT INTO people VALUES (1, 'ada@lovelace.test', 'Ada Lovelace', NULL),
  (2, 'grace@hopper.test', 'Grace Hopper', 1), (3, 'alan@turing.test', 'Alan Turing', 1);
INSERT INTO orders VALUES (1, 2, 'leave it with Zacharias Quill'), (2, 3, NULL), (3, 3, 'by friday');
INSERT INTO parts VALUES (1, 1, 'mary@shelley.test'), (2, 3, 'mary@shelley.test'), (3, NULL, NULL);
"""
CONFIG = """
tables:
  people: {columns: {email: email, name: full_name}, keep: [id, boss]}
  orders: {columns: {note: free_text}, keep: [id, person]}
  parts: {columns: {contact: email}, keep: [id, order_id]}
golden: golden
"""


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """Give a built shop on each engine."""
    made = Shop.on(request, tmp_path, monkeypatch)
    made.produce(SCHEMA, CONFIG)
    (made.root / "golden").mkdir()
    made.build()
    yield made
    made.close()


def content(shop, database="test"):
    """Return every row of every table, and every index and key."""
    found = {
        table: sorted(map(str, shop.rows(role=database, query=f"SELECT * FROM {table}")))
        for table in ("people", "orders", "parts")
    }
    if shop.engine == "sqlite":
        found["schema"] = sorted(
            shop.rows(
                role=database, query="SELECT sql FROM sqlite_master WHERE sql LIKE '%orders%'"
            )
        )
    else:
        found["schema"] = sorted(
            shop.rows(role=database, query="SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
            + shop.rows(
                role=database, query=
                "SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid)"
                " FROM pg_constraint WHERE contype IN ('p', 'u', 'f')",
            )
        )  # fmt: skip
    return found


def identities(shop):
    """Return what changes when an index or a key of the seeded database is made again."""
    if shop.engine == "sqlite":
        query = "SELECT name, rootpage FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        query = (
            "SELECT c.relname, c.relfilenode::text FROM pg_class c WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace"
            " UNION ALL SELECT conname, oid::text FROM pg_constraint WHERE contype = 'f'"
        )
    return dict(shop.rows(query, "seeded"))


def change(shop, old, new):
    """Edit the config and build what it makes stale."""
    shop.configure(CONFIG.replace(old, new))
    shop.build()


def from_scratch(shop):
    """Return the content of the test database that a first run makes under the same key."""
    cycle = shop.cycle
    for role in ("seeded", "staging", "test", "previous"):
        cycle.server.drop(cycle.database(role), cycle.project.name)
    for name in ("proven.json",):
        (cycle.project.state / name).unlink()
    shop.build()
    return content(shop)


def test_other_tables_keep_their_indexes_and_keys(shop):
    """A changed rule makes one table's indexes again, and the keys that touch it."""
    before = identities(shop)
    change(shop, "contact: email", "contact: {anonymize: email, domain: map}")
    after = identities(shop)
    assert before.keys() == after.keys()
    if shop.engine == "postgresql":
        touched = {name for name in before if before[name] != after[name]}
        assert touched == {"parts_pkey", "parts_by_contact", "parts_order_id_fkey"}
    assert content(shop) == from_scratch(shop)


def test_a_partial_build_is_the_build_from_scratch(shop):
    """Rows, indexes and keys are those of a first run, whichever table changed."""
    for old, new in (
        ("name: full_name", "name: {anonymize: full_name, locale: de_DE}"),
        ("note: free_text", "note: redact"),
        ("{email: email, ", "{email: {anonymize: email, domain: map}, "),
    ):
        change(shop, old, new)
        assert content(shop) == from_scratch(shop)


def test_references_follow_whatever_golden_records_displace_now(shop):
    """A golden record that displaces a row, another one, and none: children follow each time."""
    golden = shop.root / "golden"
    fake = shop.rows("SELECT email FROM people WHERE id = 3")[0][0]
    other = shop.rows("SELECT email FROM people WHERE id = 2")[0][0]
    for email, expected in ((fake, [2, 900, 900]), (other, [900, 3, 3]), (None, [2, 3, 3])):
        record = {"id": 900, "email": email, "name": "Golden", "boss": None}
        (golden / "people.json").unlink(missing_ok=True)
        if email is not None:
            (golden / "people.yaml").write_text(json.dumps([record]))
        else:
            (golden / "people.yaml").unlink()
        shop.build()
        assert [p for (p,) in shop.rows("SELECT person FROM orders ORDER BY id")] == expected
        assert content(shop) == from_scratch(shop)


def test_unchanged_tables_are_not_searched_again(shop, monkeypatch):
    """The search of a publication passes over what was clean and is the same; verify never does."""
    searched = []
    whole = search.LeakSearch._search_table

    def noted(self, catalog, name, database, same):
        searched.append(name)
        whole(self, catalog, name, database, same)

    monkeypatch.setattr(search.LeakSearch, "_search_table", noted)
    before = shop.cycle.ledger.get("test_db").facts["coverage"]
    change(shop, "contact: email", "contact: {anonymize: email, domain: map}")
    assert searched == ["parts"]
    after = shop.cycle.ledger.get("test_db").facts["coverage"]
    assert after["by_place"]["extracts"] == before["by_place"]["extracts"]
    searched.clear()
    cycle = shop.cycle
    assert verify(cycle, cycle.database("test")).passed
    assert sorted(searched) == ["orders", "parts", "people"]


def test_new_originals_are_searched_everywhere(shop):
    """A column that becomes personal may have been kept elsewhere: every table is searched again."""
    insert = "INSERT INTO parts VALUES (4, 1, 'seen@note.test')"
    script = SCHEMA + insert + ";\nUPDATE orders SET note = 'write to seen@note.test' WHERE id = 3;"
    kept = CONFIG.replace(
        "columns: {note: free_text}, keep: [id, person]", "keep: [id, person, note]"
    )
    shop.produce(
        script,
        kept.replace(
            "columns: {contact: email}, keep: [id, order_id]", "keep: [id, order_id, contact]"
        ),
    )
    shop.build()
    shop.configure(kept)
    with pytest.raises(
        DbCycleError, match=r"orders\.note: 2 values hold originals of parts\.contact"
    ):
        shop.build()


def test_a_lost_seeded_database_is_made_again(shop):
    """Without the database that it would build on, a run builds everything."""
    cycle = shop.cycle
    before = content(shop)
    cycle.server.drop(cycle.database("seeded"), cycle.project.name)
    cycle.server.drop(cycle.database("test"), cycle.project.name)
    shop.build()
    assert content(shop) == before


def test_an_index_that_something_depends_on_stays(tmp_path, server, monkeypatch):
    """A view that groups by the primary key needs it; the table is then loaded under its key."""
    monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    shop = Shop("postgresql", tmp_path / "shop", server)
    shop.root.mkdir()
    (shop.root / "golden").mkdir()
    view = "CREATE VIEW busy AS SELECT p.id, p.email, count(*) FROM people p JOIN orders o ON o.person = p.id GROUP BY p.id;"
    shop.produce(SCHEMA + view, CONFIG)
    shop.build()
    change(shop, "name: full_name", "name: {anonymize: full_name, locale: de_DE}")
    assert content(shop) == from_scratch(shop)
