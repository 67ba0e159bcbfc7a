"""Every stage that moves rows counts them, and a row that is lost on the way stops it."""

import contextlib
import sqlite3

import pytest

from dbcycle_assets.cycle.extract import _checks
from dbcycle_assets.cycle.plan import current_plan, require_catalog
from dbcycle_assets.cycle.seed import load
from dbcycle_assets.cycle.verify import verify
from dbcycle_assets.errors import DbCycleError, VerificationFailed

from .kit import Shop

SCRIPT = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
INSERT INTO users VALUES (1, 'ada@lovelace.example.net'), (2, 'grace@hopper.example.net');
"""
CONFIG = "tables:\n  users: {columns: {email: email}, keep: [id]}\n"


@pytest.fixture
def built(tmp_path):
    """Give a published shop on SQLite, and the session that built it."""
    shop = Shop("sqlite", tmp_path / "shop", None)
    shop.produce(SCRIPT, CONFIG)
    yield shop, shop.build()
    shop.close()


def change(shop, role, statement):
    """Run a statement on one of the databases, behind the product's back."""
    path = shop.cycle.server.file(shop.cycle.database(role))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_an_extract_of_fewer_or_more_rows_than_the_table_is_not_kept(built, rows):
    """What was written is counted against the table itself."""
    _, cycle = built
    plan = current_plan(cycle).tables["users"]
    with cycle.server.open(cycle.database("migrated"), read_only=True) as database:
        assert all(check.passed for check in _checks(cycle, database, plan, None, 2))
        with pytest.raises(
            VerificationFailed, match=f"users: {rows} rows extracted of 2"
        ) as caught:
            _checks(cycle, database, plan, None, rows)
    assert [check.name for check in caught.value.checks if not check.passed] == ["no_row_lost"]


@pytest.mark.case(113)
def test_a_row_that_the_database_swallows_while_it_is_loaded_stops_the_seeding(built):
    """A trigger may drop a row without an error; the count tells."""
    shop, cycle = built
    swallow = (
        "CREATE TRIGGER swallow BEFORE INSERT ON users WHEN new.id = 2"
        " BEGIN SELECT RAISE(IGNORE); END"
    )
    change(shop, "seeded", swallow)
    with (
        cycle.server.open(cycle.database("seeded")) as database,
        pytest.raises(DbCycleError, match="seeding lost rows: users: 1 rows loaded, 2 expected"),
    ):
        load(cycle, database, require_catalog(cycle), "users")


def test_a_row_that_is_gone_from_the_test_database_fails_its_check(built):
    """The published tables are counted against what was seeded."""
    shop, cycle = built
    name = cycle.database("test")
    assert verify(cycle, name).passed
    change(shop, "test", "DELETE FROM users WHERE id = 1")
    found = verify(cycle, name)
    assert found.lost_rows == ["users: 1 rows, 2 expected"]
    assert [check.name for check in found.checks() if not check.passed] == ["no_row_lost"]
    with pytest.raises(VerificationFailed, match="users: 1 rows, 2 expected"):
        found.require()
