"""Recipes that lose data or run code elsewhere, followed here through real cycles."""

import contextlib
import sqlite3
from pathlib import Path

import psycopg
import pytest

from dbcycle_assets.errors import GoldenError, GuardRefused

from .kit import Shop

SCRIPT = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, role TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE);
INSERT INTO users VALUES (1, 'ada@corp.test', 'admin'), (2, 'grace@corp.test', 'user');
INSERT INTO orders VALUES (1, 1), (2, 2), (3, 2);
"""
CONFIG = """\
golden: golden
tables:
  users: {columns: {email: email}, keep: [id, role]}
  orders: {keep: [id, user_id]}
"""


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """Give a project with parents and children, and a folder for golden records."""
    made = Shop.on(request, tmp_path, monkeypatch)
    made.produce(SCRIPT, CONFIG)
    (made.root / "golden").mkdir()
    yield made
    with contextlib.suppress(Exception):
        made.close()


CODE = {
    "a call": "USERS = [{{'id': 9, 'email': open({place!r}, 'w').name, 'role': 'x'}}]\n",
    "an import": "import pathlib\npathlib.Path({place!r}).touch()\nUSERS = []\n",
    "a comprehension": "USERS = [open({place!r}, 'w') for _ in range(1)]\n",
}


@pytest.mark.parametrize("kind", CODE)
@pytest.mark.case(106)
def test_golden_records_are_never_executed(shop, kind):
    """A Python file holds one literal list; anything else is refused, and did not run."""
    mark = shop.root / "ran"
    (shop.root / "golden/users.py").write_text(CODE[kind].format(place=str(mark)))
    with pytest.raises(GoldenError, match="no calls and no imports"):
        shop.build()
    assert not mark.exists()


@pytest.mark.case(118)
def test_loading_a_table_again_empties_no_other(shop):
    """A parent is made anew; its children stay, though their key says ON DELETE CASCADE."""
    shop.build()
    golden = "- {id: 9, email: golden@example.com, role: tester}\n"
    (shop.root / "golden/users.yaml").write_text(golden)
    done = shop.refresh()
    assert done.ok, done.error
    assert "shop/seeded/orders" not in done.materialized
    assert shop.rows("SELECT count(*) FROM users") == [(3,)]
    assert shop.rows("SELECT id, user_id FROM orders ORDER BY id") == [(1, 1), (2, 2), (3, 2)]


def test_a_database_that_is_not_ours_is_never_published_over(shop):
    """Whatever bears the name of the test database keeps its rows: only our own is replaced."""
    name = shop.cycle.database("test")
    url = shop.cycle.server.url(name)
    if shop.engine == "sqlite":
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True)
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.executescript(
                "CREATE TABLE theirs (id INTEGER); INSERT INTO theirs VALUES (7);"
            )
    else:
        with shop.server._administer() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE theirs (id integer); INSERT INTO theirs VALUES (7)")
    try:
        with pytest.raises(GuardRefused):
            shop.build()
        assert shop.rows("SELECT id FROM theirs") == [(7,)]
    finally:
        if shop.engine == "postgresql":
            with shop.server._administer() as connection:
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
