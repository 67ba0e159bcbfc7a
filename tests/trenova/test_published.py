"""The published test database of trenova: realistic, seeded for tests, and nobody in it."""

import re

import bcrypt
import psycopg
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.defs.run import refresh

PERSONAL = {
    "email": "SELECT email::text FROM users UNION SELECT personal_email FROM workers"
    " UNION SELECT contact_email FROM customers UNION SELECT billing ->> 'email' FROM customers",
    "phone": "SELECT phone::text FROM users UNION SELECT phone FROM workers"
    " UNION SELECT emergency_contact ->> 'phone' FROM workers",
    "number": "SELECT ssn::text FROM workers UNION SELECT number FROM worker_licenses"
    " UNION SELECT vin FROM tractors UNION SELECT bank_account FROM workers",
    "name": "SELECT name FROM users UNION SELECT contact_name FROM customers"
    " UNION SELECT split_part(name, ', ', 2) || ' ' || split_part(name, ', ', 1) FROM workers"
    " WHERE name LIKE '%, %'"
    " UNION SELECT emergency_contact ->> 'name' FROM workers UNION SELECT name FROM customers",
}


@pytest.fixture(scope="module")
def cycle(place):
    """Run the whole cycle, and give its session."""
    project = load_project(place)
    home = place / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    result = refresh(project, instance_home=home)
    assert result.published, result.failed
    return Cycle(project)


@pytest.fixture(scope="module")
def ask(server, cycle):
    """Give a function that runs a query on one of the cycle's databases."""

    def rows(query, role="test"):
        with psycopg.connect(server.url(cycle.database(role))) as connection:
            return connection.execute(query).fetchall()

    return rows


def texts_of(ask):
    """Yield (table, row as text, folded) for every row of every table."""
    for (table,) in ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        for (text,) in ask(f"SELECT each::text FROM {table} AS each"):
            yield table, text.casefold()


def test_production_rows_golden_rows_and_seeds_are_there(ask):
    """Hundreds of realistic shipments, one golden customer, every state, a test fleet."""
    tables = ("shipments", "workers", "customers", "us_states", "organizations")
    counts = {table: ask(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
    assert counts == {
        "shipments": 700 + 5,
        "workers": 175 + 2,
        "customers": 87 + 1 + 1,
        "us_states": 51,
        "organizations": 3 + 2,
    }
    golden = "SELECT c.name, k.name FROM customers c JOIN customer_contacts k ON customer_id = c.id"
    assert ask(f"{golden} WHERE code = 'GOLDEN'") == [("Golden Grain Mills", "Golden Buyer")]


def test_the_committed_dump_is_what_the_generator_makes(ask, world):
    """Somebody who changed the generator made the dump anew."""
    tables = {name: rows for name, _, rows in world(700, 7).tables()}
    for table in ("users", "workers", "customers", "shipments"):
        held = {str(key) for (key,) in ask(f"SELECT id FROM {table}", role="restored")}
        assert held == {row[0] for row in tables[table]}
    addresses = {row[3] for row in tables["users"]}
    assert addresses == {each for (each,) in ask("SELECT email FROM users", role="restored")}


def test_production_had_v1_0_and_the_rest_was_applied(ask):
    """The history came with the dump; the cycle went on from there."""
    rows = ask(
        "SELECT step, applied_by FROM _dbcycle.migrations ORDER BY position", role="migrated"
    )
    assert [step for step, by in rows if by == "deploy@trenova.example"] == [
        step for step, _ in rows if step.startswith("v1.0/")
    ]
    assert [step for step, _ in rows][-1] == "v1.2/003_offers.sql"
    assert len(rows) == 12


def test_the_seeds_of_the_test_environment_are_applied(ask):
    """Base, development and test, each in the history; end-to-end tests find their shipments."""
    history = ask("SELECT name, status::text FROM _dbcycle.seed_history ORDER BY name")
    assert [name for name, _ in history] == [
        "base/00_us_states",
        "base/01_admin_account",
        "base/02_permissions",
        "base/10_roles",
        "development/00_test_organizations",
        "development/01_test_users",
        "development/10_test_fleet",
        "test/00_e2e_shipments",
    ]
    assert {status for _, status in history} == {"Active"}
    states = ask("SELECT status::text FROM shipments WHERE bill_of_lading LIKE 'E2E-%' ORDER BY 1")
    assert [state for (state,) in states] == sorted(
        ["tendered", "new", "in_transit", "delivered", "invoiced"]
    )


def test_a_role_reaches_what_a_seed_permits(ask):
    """Seeded permissions meet those of production: a dispatcher may make shipments."""
    (codes,) = ask(
        "SELECT array_agg(DISTINCT p.code) FROM users u JOIN user_roles ON user_id = u.id"
        " JOIN role_permissions USING (role_id) JOIN permissions p ON p.id = permission_id"
        " WHERE u.email = 'dispatcher@testfreight.example'"
    )[0]
    assert {"shipments.create", "shipments.update", "workers.read"} <= set(codes)
    assert "users.manage" not in codes


def test_everybody_has_the_test_password_but_the_locked(ask):
    """An account that nobody could log in to still is one."""
    rows = ask("SELECT status::text, password_hash, email::text FROM users")
    assert {hashed for status, hashed, _ in rows if status == "locked"} == {"!"}
    seeded = ("admin@trenova.example", "@testfreight.example")
    (hashed,) = {
        hashed for _, hashed, email in rows if hashed != "!" and not email.endswith(seeded)
    }
    assert bcrypt.checkpw(b"testtest", hashed.encode())


def test_nobody_of_production_is_left(ask):
    """No address, telephone, number, name or company of the dump occurs in any value."""
    originals = {
        kind: {row[0].casefold() for row in ask(query, role="restored") if row[0]}
        for kind, query in PERSONAL.items()
    }
    assert all(len(found) > 100 for found in originals.values())
    rows = list(texts_of(ask))
    assert len(rows) > 7_000
    found = {
        (table, kind)
        for table, text in rows
        for kind, values in originals.items()
        for value in values
        if value in text
    }
    assert not found


def test_no_single_name_of_production_is_left(ask):
    """Neither a first nor a last name, as a word, in prose, JSON or signatures."""
    names = {
        word.casefold()
        for (name,) in ask("SELECT name FROM users UNION SELECT name FROM workers", role="restored")
        for word in re.findall(r"\w{3,}", name)
    }
    assert len(names) > 200
    tables = {table for table, text in texts_of(ask) if names & set(re.findall(r"[^\W_]+", text))}
    assert not tables


def test_social_security_numbers_are_nobodys(ask):
    """Every number outside the seeds is one that is never issued."""
    numbers = [ssn for (ssn,) in ask("SELECT ssn FROM workers")]
    assert all(re.fullmatch(r"(000|666|9\d\d)-\d\d-\d{4}", ssn) for ssn in numbers)
    assert len(set(numbers)) > 150


def test_every_foreign_key_validates(ask, server, cycle):
    """The server accepts each anew over all rows."""
    keys = ask(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype = 'f'"
    )
    assert len(keys) > 35
    with psycopg.connect(server.url(cycle.database("test"))) as connection:
        for table, name, definition in keys:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        connection.rollback()


def test_what_the_schema_promises_holds(ask):
    """Indexes are valid, generated columns are filled, a stay moves as a whole."""
    assert ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert ask("SELECT bool_and(balance = total - paid) FROM invoices") == [(True,)]
    names = "SELECT bool_and(full_name = concat_ws(' ', first_name, last_name)) FROM workers"
    assert ask(names) == [(True,)]
    days = "SELECT sum(expires_on - issued_on) FROM worker_licenses WHERE number NOT LIKE 'TEST%'"
    assert ask(days) == ask(days, role="migrated")
    assert ask("SELECT count(*) FROM customer_balances WHERE owed > 0")[0][0] > 20


def test_nobody_is_called_like_a_word_that_stays(cycle, ask):
    """A kept text holds no word that is somebody's name, so every hit is a leak."""
    names = {
        word.casefold()
        for (name,) in ask("SELECT name FROM users UNION SELECT name FROM workers", role="restored")
        for word in name.replace(",", " ").split()
    }
    found = {
        f"{table}.{column}"
        for table, settings in cycle.project.config.tables.items()
        for column in settings.keep
        for (text,) in ask(f'SELECT DISTINCT lower("{column}"::text) FROM "{table}"', role="test")
        if text and names & set("".join(c if c.isalpha() else " " for c in text).split())
    }
    assert not found
