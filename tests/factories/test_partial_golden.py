"""Golden records that give only some columns, through a whole cycle."""

import pytest

from dbcycle_assets.errors import GoldenError
from tests.cycle.kit import Shop

SCHEMA = """
CREATE TABLE users (
  id integer PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, name varchar(60) NOT NULL,
  role varchar(10) NOT NULL DEFAULT 'customer', note varchar(60)
);
CREATE TABLE shops (id integer PRIMARY KEY, name varchar(60) NOT NULL);
CREATE TABLE orders (
  id integer PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id),
  shop_id integer NOT NULL REFERENCES shops (id),
  status varchar(10) NOT NULL CHECK (status IN ('open', 'paid')),
  total numeric(8, 2) NOT NULL CHECK (total > 10)
);
INSERT INTO users (id, email, name) VALUES (1, 'ada@lovelace.example', 'Ada Lovelace');
INSERT INTO shops VALUES (1, 'Corner');
INSERT INTO orders VALUES (1, 1, 1, 'paid', 20);
"""
MIGRATION = """
ALTER TABLE users ADD COLUMN phone varchar(20);
UPDATE users SET phone = '+15550100';
"""
NOT_NULL = {
    "postgresql": "ALTER TABLE users ALTER COLUMN phone SET NOT NULL;",
    "sqlite": """
CREATE TABLE users_new (
  id integer PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, name varchar(60) NOT NULL,
  role varchar(10) NOT NULL DEFAULT 'customer', note varchar(60), phone varchar(20) NOT NULL
);
INSERT INTO users_new SELECT * FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
""",
}
CONFIG = """\
migrations: [{version: v1, directory: migrations, steps: [001_phone.sql]}]
golden: golden
tables:
  users: {columns: {email: email, name: full_name, phone: phone}, keep: [id, role, note]}
  shops: {keep: [id, name]}
  orders: {keep: [id, user_id, shop_id, status, total]}
"""


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """Give a project whose migration adds a column that may not be null."""
    server = None
    if request.param == "postgresql":
        server = request.getfixturevalue("server")
        monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    made = Shop(request.param, tmp_path / "shop", server)
    for folder in ("migrations", "golden"):
        (made.root / folder).mkdir(parents=True)
    (made.root / "migrations/001_phone.sql").write_text(MIGRATION + NOT_NULL[request.param])
    (made.root / "golden/users.yaml").write_text(
        "- {id: 900, email: golden@example.com, name: Golden Tester}\n- {id: 901, note: bare}\n"
    )
    made.produce(SCHEMA, CONFIG)
    yield made
    made.close()


def golden(shop, table, text):
    (shop.root / f"golden/{table}.yaml").write_text(text)


def test_a_new_column_breaks_no_golden_record(shop):
    """What a record lacks is made up, always the same; defaults and nulls stay what they are."""
    cycle = shop.build()

    query = "SELECT id, email, name, role, note, phone FROM users WHERE id >= 900 ORDER BY id"
    whole, bare = shop.rows(query)
    assert whole[:5] == (900, "golden@example.com", "Golden Tester", "customer", None)
    assert bare[3:5] == ("customer", "bare")
    assert all(bare)
    assert len({*whole[1:3], whole[5], *bare[1:3], bare[5]}) == 6
    facts = cycle.ledger.get("seeded/users").facts
    assert facts["golden_completed"] == {"email": 1, "name": 1, "phone": 2}

    golden(
        shop,
        "users",
        "- {id: 7, name: Another}\n- {id: 901, note: bare}\n"
        "- {id: 900, email: golden@example.com, name: Golden Tester}\n",
    )
    shop.build()
    assert shop.rows(query) == [whole, bare]


def test_a_reference_is_completed_by_the_only_golden_record(shop):
    """A missing key is that of the one golden record it can mean; checks hold."""
    golden(shop, "shops", "- {id: 70}\n")
    golden(shop, "orders", "- {id: 500, user_id: 900}\n- {id: 501, user_id: 901, shop_id: 1}\n")
    cycle = shop.build()

    rows = shop.rows("SELECT id, user_id, shop_id, status, total FROM orders WHERE id > 1")
    found = {row[0]: row for row in rows}
    assert found[500][1:3] == (900, 70)
    assert found[501][1:3] == (901, 1)
    assert all(row[3] in {"open", "paid"} and row[4] > 10 for row in rows)
    facts = cycle.ledger.get("seeded/orders").facts
    assert facts["golden_completed"] == {"shop_id": 1, "status": 2, "total": 2}

    nodes = cycle.nodes()
    assert "golden/shops" in nodes["seeded/orders"].deps
    assert "golden/users" not in nodes["seeded/orders"].deps


def test_a_reference_with_several_meanings_is_refused(shop):
    """Nobody guesses which user an order belongs to: file, record and column are named."""
    golden(shop, "orders", "- {id: 500, shop_id: 1}\n")
    with pytest.raises(GoldenError) as caught:
        shop.build()

    assert "golden/orders.yaml: record 1, field user_id" in str(caught.value)
    assert "users has 2 golden records" in str(caught.value)
    assert caught.value.exit_code == 7


def test_a_parent_without_golden_records_is_named(shop):
    """A record that could refer to nothing golden says so."""
    golden(shop, "orders", "- {id: 500, user_id: 900}\n")
    with pytest.raises(GoldenError, match="lacks shop_id, and shops has no golden records"):
        shop.build()


def test_what_cannot_be_made_up_is_refused(shop):
    """A short unique code would meet another one's: the record must give it."""
    (shop.root / "migrations/001_phone.sql").write_text(
        MIGRATION + "CREATE TABLE codes (id integer PRIMARY KEY, code varchar(4) NOT NULL UNIQUE);"
    )
    shop.configure(CONFIG + "  codes: {keep: [id, code]}\n")
    golden(shop, "codes", "- {id: 1}\n")
    with pytest.raises(GoldenError, match=r"codes\.yaml: record 1, field code: lacks code"):
        shop.build()
