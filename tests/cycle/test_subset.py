"""A subset through the whole cycle: only its rows leave, closed, and only what it reaches is made
again.
"""

import dataclasses
import json
import re
import warnings

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cli import main
from dbcycle_assets.cycle import subset
from dbcycle_assets.cycle.extract import extract
from dbcycle_assets.cycle.verify import verify
from dbcycle_assets.errors import BadInput, ConfigError, Findings, PlanError

from .kit import Shop

with warnings.catch_warnings():  # typer imports names that newer versions of click deprecate
    warnings.simplefilter("ignore")
    import dbcycle_assets.cli.app  # noqa: F401

SCRIPT = """
CREATE TABLE regions (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);
CREATE TABLE users (
  id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  region TEXT NOT NULL REFERENCES regions (code), boss INTEGER REFERENCES users (id)
);
CREATE TABLE products (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, buyer INTEGER NOT NULL REFERENCES users (id), note TEXT
);
CREATE TABLE items (
  id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders (id),
  product INTEGER NOT NULL REFERENCES products (id)
);
CREATE TABLE remarks (about TEXT NOT NULL, subject INTEGER NOT NULL, words TEXT NOT NULL);
CREATE TABLE logs (id INTEGER PRIMARY KEY, line TEXT NOT NULL);
"""
SCRIPT += "INSERT INTO regions VALUES (1, 'north'), (2, 'south'), (3, 'west');"
for _n in range(1, 41):
    _boss = "NULL" if _n <= 2 else str((_n - 1) // 2)
    SCRIPT += (
        f"INSERT INTO users VALUES ({_n}, 'person{_n}@corp.test', 'Zebedee{_n} Quux{_n}',"
        f" '{('north', 'south', 'west')[_n % 3]}', {_boss});"
        f"INSERT INTO products VALUES ({_n}, 'thing {_n}');"
        f"INSERT INTO logs VALUES ({_n}, 'line {_n}');"
    )
for _n in range(1, 121):
    SCRIPT += f"INSERT INTO orders VALUES ({_n}, {_n % 40 + 1}, 'for Zebedee{_n % 40 + 1}');"
    SCRIPT += f"INSERT INTO items VALUES ({_n}, {_n}, {_n % 17 + 1});"
for _n in range(1, 31):
    _about = "order" if _n % 2 else "user"
    SCRIPT += f"INSERT INTO remarks VALUES ('{_about}', {_n}, 'remark {_n}');"

CONFIG = """\
tables:
  regions: {keep: [id, code]}
  users:
    columns: {email: email, name: full_name}
    keep: [id, region, boss]
    USERS
  products:
    keep: [id, title]
    PRODUCTS
  orders: {columns: {note: free_text}, keep: [id, buyer]}
  items: {keep: [id, order_id, product]}
  remarks:
    keep: [about, subject, words]
    references:
      subject:
        - {to: orders.id, when: {about: order}}
        - {to: users.id, when: {about: user}}
  logs:
    keep: [id, line]
    LOGS
"""
ROOT = 'sample: {where: "id IN (5, 9)", children: true}'


def config(users=ROOT, products="", logs=""):
    """Return the config with the samples of three tables."""
    text = CONFIG
    for name, value in (("USERS", users), ("PRODUCTS", products), ("LOGS", logs)):
        text = text.replace(f"    {name}\n", f"    {value}\n" if value else "")
    return text


QUICK = pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
"""What no engine can decide otherwise."""


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request, tmp_path, monkeypatch):
    """Give a shop on either engine."""
    made = Shop.on(request, tmp_path, monkeypatch)
    yield made
    made.close()


def ids(shop, table, column="id"):
    """Return the keys that were published."""
    return {row[0] for row in shop.rows(f"SELECT {column} FROM {table}")}


def made(done):
    """Return what a refresh truly made."""
    return {name.removeprefix("shop/") for name in done.materialized}


def test_a_refresh_publishes_a_closed_subset(shop):
    """Two people, their reports to any depth, and all that hangs below: no orphan, no row lost."""
    shop.produce(SCRIPT, config())
    done = shop.refresh()
    assert done.published, done.failed
    below = {5, 9}
    for n in range(1, 41):
        below |= {n} if n > 2 and (n - 1) // 2 in below else set()
    bosses = {5, 9} | {2, 4} | {1}
    assert ids(shop, "users") == below | bosses
    orders = {n for n in range(1, 121) if n % 40 + 1 in below}
    assert ids(shop, "orders") == orders
    assert ids(shop, "items") == orders
    remarks = {n for n in range(1, 31) if (n in orders if n % 2 else n in below)}
    assert ids(shop, "remarks", "subject") == remarks
    assert ids(shop, "logs") == ids(shop, "products") == set(range(1, 41))
    found = verify(shop.cycle, shop.cycle.database("test"))
    assert found.passed, found.findings()
    assert "Zebedee" not in str(shop.rows("SELECT name FROM users"))
    assert shop.refresh().materialized == []


def test_a_changed_sample_makes_again_only_what_it_reaches(shop):
    """The plan says the same as the run, and a set that stays the same makes nothing again."""
    shop.produce(SCRIPT, config(products="sample: {where: id = 30}", logs="sample: {rows: 5}"))
    assert shop.refresh().published
    shop.configure(config(products="sample: {where: id = 31}", logs="sample: {rows: 5}"))
    planned = {entry.asset for entry in shop.cycle.stale()}
    assert planned == {"subset/products", "extracts/products", "seeded/products", "test_db"}
    assert made(shop.refresh()) == planned
    assert 31 in ids(shop, "products")
    shop.configure(config(products="sample: {where: id IN (31)}", logs="sample: {rows: 5}"))
    assert made(shop.refresh()) == set()
    shop.configure(config(products="sample: {where: id = 31}", logs="sample: {rows: 6}"))
    assert made(shop.refresh()) == {"subset/logs", "extracts/logs", "seeded/logs", "test_db"}
    assert len(ids(shop, "logs")) == 6


@QUICK
def test_a_root_reaches_what_hangs_below_and_above(shop):
    """Other users: everything but the log, and the regions, which lose no row."""
    shop.produce(SCRIPT, config())
    assert shop.refresh().published
    shop.configure(config('sample: {where: "id IN (7)", children: true}'))
    assert {entry.asset for entry in shop.cycle.stale() if entry.direct} == {
        f"subset/{table}" for table in ("users", "orders", "items", "remarks")
    }
    touched = {name.split("/")[1] for name in made(shop.refresh()) if "/" in name}
    assert touched == {"users", "orders", "items", "remarks"}
    assert 7 in ids(shop, "users")
    assert 5 not in ids(shop, "users")


@QUICK
def test_new_rows_elsewhere_make_nothing_again(shop):
    """The rows of a table count for its own extract, and for those whose choice they decide."""
    shop.produce(SCRIPT, config())
    assert shop.refresh().published
    shop.produce(SCRIPT + "INSERT INTO logs VALUES (900, 'new');", config())
    again = made(shop.refresh())
    assert {name for name in again if name.startswith(("extracts/", "seeded/"))} == {
        "extracts/logs",
        "seeded/logs",
    }
    shop.produce(SCRIPT + "INSERT INTO orders VALUES (900, 9, 'new');", config())
    again = made(shop.refresh())
    assert {name for name in again if name.startswith("extracts/")} == {
        "extracts/orders",
        "extracts/logs",
    }
    assert 900 in ids(shop, "orders")


@QUICK
def test_another_key_draws_other_rows(shop, monkeypatch):
    """A fraction is the key's; a predicate is not."""
    shop.produce(SCRIPT, config("sample: {fraction: 0.3}", logs="sample: {where: id < 4}"))
    monkeypatch.setenv("DBCYCLE_KEY", "k" * 40)
    assert shop.refresh().published
    first = ids(shop, "users")
    monkeypatch.setenv("DBCYCLE_KEY", "m" * 40)
    direct = {entry.asset for entry in shop.cycle.stale() if entry.direct}
    assert "anonymization_key" in direct
    again = made(shop.refresh())
    assert "extracts/logs" not in again
    assert ids(shop, "logs") == {1, 2, 3}
    assert len(first) == len(ids(shop, "users")) == 40  # every order brings its buyer


def test_lost_sets_are_drawn_again(shop):
    """A migrated database that was made again has no sets; the extracts stay."""
    shop.produce(SCRIPT, config())
    assert shop.refresh().published
    cycle = shop.cycle
    stamp = cycle.server.stamp(cycle.database("migrated"))
    others = {name: fact for name, fact in stamp.facts.items() if name != "subset"}
    cycle.server.set_stamp(cycle.database("migrated"), dataclasses.replace(stamp, facts=others))
    stale = {entry.asset: entry for entry in shop.cycle.stale()}
    assert "its kept rows are gone or were replaced" in stale["subset/users"].reasons
    again = shop.refresh()
    assert made(again) == set(), again.materialized
    assert shop.cycle.stale() == []


@QUICK
def test_without_a_sample_every_row_is_back(shop):
    """What was left out comes again, and no set is an asset any more."""
    shop.produce(SCRIPT, config())
    assert shop.refresh().published
    shop.configure(config(users=""))
    assert not any(asset.startswith("subset/") for asset in shop.cycle.nodes())
    assert shop.refresh().published
    assert len(ids(shop, "users")) == 40
    assert len(ids(shop, "items")) == 120


@QUICK
def test_a_refused_predicate_stops_before_any_extract(shop):
    """The config's place is named; no value of the predicate or of a row is."""
    shop.produce(SCRIPT, config("sample: {where: \"name = 'Zebedee7' AND nonsense\"}"))
    done = shop.refresh()
    assert not done.published
    assert isinstance(done.error, BadInput)
    assert "tables.users.sample.where" in str(done.error)
    assert "Zebedee" not in str(done.error)
    assert not any(name.startswith("extracts") for name in made(done))


@QUICK
def test_a_subset_of_nothing_is_no_success(shop):
    """Every sample picks nothing: refused, with the tables."""
    shop.produce(SCRIPT, config("sample: {where: id < 0}"))
    done = shop.refresh()
    assert not done.published
    assert isinstance(done.error, Findings)
    assert "users" in str(done.error)


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        ("sample: {fraction: 2}", "tables.users.sample.fraction"),
        ("sample: {frction: 0.5}", "did you mean `fraction`"),
        ("sample: {children: true}", "at least one of fraction, rows, where"),
        ("sample: {rows: 0}", "tables.users.sample.rows"),
    ],
)
def test_a_sample_that_cannot_be_is_told_with_its_line(tmp_path, sample, told):
    """Mistakes in the config stop everything, each with its line."""
    made = Shop("sqlite", tmp_path / "shop", None)
    made.produce("CREATE TABLE users (id INTEGER PRIMARY KEY);", config(sample))
    with pytest.raises(ConfigError) as refused:
        load_project(made.root)
    assert told in str(refused.value)
    assert re.search(r"dbcycle\.yaml:\d+:", str(refused.value))


def test_what_the_plan_cannot_carry_is_a_finding(tmp_path):
    """Children that are none, tenants in no table, a number of rows in a cycle."""
    made = Shop("sqlite", tmp_path / "shop", None)
    text = config('sample: {where: "id = 5", children: [orders, logs]}')
    made.produce(SCRIPT, text + "subset: {tenants: {column: tenant_id, values: [1]}}\n")
    with pytest.raises(PlanError) as refused:
        made.build()
    findings = "\n".join(refused.value.findings)
    assert "tables.users.sample.children: logs refers neither to users" in findings
    assert "subset.tenants.column: no table with rows has a column `tenant_id`" in findings


@pytest.fixture
def run(shop, capsys):
    """Give a function that runs the command line on the shop and returns what it printed."""

    def command(*words):
        capsys.readouterr()
        code = main(["--project", str(shop.root), *words])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return command


def test_the_sizes_are_those_of_the_run(shop, run):
    """Before the run: how many rows of each table, and why; nothing is changed by asking."""
    shop.produce(SCRIPT, config())
    run("restore")
    run("migrate")
    told = json.loads(run("subset", "--json"))
    assert shop.cycle.ledger.get("subset/users") is None
    assert shop.refresh().published
    kept = {entry["table"]: entry["kept"] for entry in told["tables"]}
    assert kept == {table: len(shop.rows(f"SELECT * FROM {table}")) for table in kept}
    users = next(entry for entry in told["tables"] if entry["table"] == "users")
    assert (users["mode"], users["chosen"]) == ("root", 2)
    assert users["brought"] == {"child of users by users.boss": 10, "parent by users.boss": 3}
    assert "every row" in run("subset")


@QUICK
def test_the_sizes_tell_what_does_not_help(shop, run):
    """A sample without children, below which every row is kept, hardly keeps anything out."""
    shop.produce(SCRIPT, config("sample: {where: id = 5}", logs="sample: {where: id < 0}"))
    run("restore")
    run("migrate")
    notes = "\n".join(json.loads(run("subset", "--json"))["notes"])
    assert "come only because orders keeps every row" in notes
    assert "logs: its sample picks none of its 40 rows" in notes


def test_a_row_is_explained(shop, run):
    """From the row to the one that was chosen; keys that are personal stay unsaid."""
    shop.produce(SCRIPT, config())
    shop.build()
    told = json.loads(run("subset", "--explain", "items", "4", "--json"))
    assert told["kept"]
    assert [link["table"] for link in told["chain"]] == ["items", "orders", "users"]
    assert told["chain"][-1]["because"] == "the sample chose it"
    assert told["chain"][-1]["key"] == {"id": "5"}
    assert "left out" in run("subset", "--explain", "users", "3")
    bosses = run("subset", "--explain", "users", "1").splitlines()
    assert bosses[0] == "users (id 1): the next refers to it by boss"
    assert bosses[-1] == "users (id 9): the sample chose it"


@QUICK
def test_rows_elsewhere_are_not_taken_for_the_subset(shop, tmp_path):
    """A database in which nothing was drawn is refused, not read whole."""
    shop.produce(SCRIPT, config())
    shop.build()
    cycle = shop.cycle
    cycle.force = True
    cycle.database = lambda role: f"dbcycle_shop_{'restored' if role == 'migrated' else role}"
    (failure,) = extract(cycle, ["users"])
    assert "none was drawn" in str(failure.error)
    assert subset.sizes(shop.cycle)
