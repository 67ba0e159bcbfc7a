"""`dbcycle db` on trenova: development from nothing and back, and production's administrator."""

import json

import psycopg
import pytest

BASE = ["base/00_us_states", "base/01_admin_account", "base/02_permissions", "base/10_roles"]
DEVELOPMENT = [
    *BASE,
    "development/00_test_organizations",
    "development/01_test_users",
    "development/10_test_fleet",
]
VARIABLE = "TRENOVA_ADMIN_PASSWORD"
PASSWORD = "quite a long passphrase"


def warned(done):
    return [each["text"] for each in done.json["warnings"]]


def test_development_is_set_up_inspected_and_made_anew(db):
    """Migrated and seeded from nothing; a second run changes nothing; a reset begins again."""
    done = db("setup", "--json")
    assert done.code == 0, done.err
    assert len(done.json["applied"]) == 12
    assert [seed["seed"] for seed in done.json["seeds"]] == DEVELOPMENT
    assert warned(done) == ["admin@trenova.example still has the default password: change it"]

    dry = db("seed", "--dry-run", "--json").json["seeds"]
    assert {seed["action"] for seed in dry} == {"skip"}
    forced = db("seed", "--force", "--json").json["seeds"]
    assert not any(seed["created"] or seed["updated"] for seed in forced)
    assert db("seed-check").code == 0
    assert db("seed-sync", "--check").code == 0  # the committed registry

    status = db("status", "--json").json
    assert (status["head"], status["pending"], status["drift"]) == ("v1.2/003_offers.sql", [], [])
    assert status["warnings"][0]["seed"] == "base/01_admin_account"

    again = db("reset", "--seed", "--force", "--json")
    assert again.code == 0, again.err
    assert again.json["backup"]
    assert [seed["seed"] for seed in again.json["seeds"]] == DEVELOPMENT


def test_every_step_has_a_way_down(db):
    """With the seeds' rows in it: twelve steps down, and up again to the same schema."""
    assert db("setup").code == 0
    for count in (5, 5, 2):
        done = db("rollback", "--target", count, "--force")
        assert done.code == 0, done.err
    assert db("status", "--json").json["applied"] == []
    assert len(db("migrate", "--json").json["applied"]) == 12
    assert db("reset", "--force").code == 0  # the history of the seeds knows nothing of it


def test_permissions_are_renamed_by_an_upgrade(db, place):
    """Roles that held the old names hold the new ones."""
    path = place / "seeds/base/02_permissions.py"
    present = path.read_text()
    roles = place / "seeds/base/10_roles.py"
    roles_present = roles.read_text()
    try:
        path.write_text(present.replace('"1.1.0"', '"1.0.0"', 1).replace('"shipments"', '"loads"'))
        roles.write_text(roles_present.replace("shipments.", "loads."))
        assert db("reset", "--seed", "--force").code == 0
    finally:
        path.write_text(present)
        roles.write_text(roles_present)
    done = db("seed", "--force", "--json")
    assert done.code == 0, done.err
    kinds = {seed["seed"]: (seed["action"], seed["created"]) for seed in done.json["seeds"]}
    assert kinds["base/02_permissions"] == ("upgrade", 0)
    assert kinds["base/10_roles"] == ("apply", 0)


@pytest.fixture
def production(server, monkeypatch):
    """Give an empty production database that the project's target names."""
    name = "trenova_production"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        monkeypatch.setenv("TRENOVA_DATABASE_URL", server.url(name))
        yield server.url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def prod(db, production):
    """Give a function that runs `dbcycle db` on production, with the consent it needs."""

    def command(*words):
        more = () if words[0] == "status" else ("--confirm", "trenova_production")
        return db(*words, "--prod", *more, "--json", env="production")

    return command


def admin_of(url):
    query = "SELECT password_hash, status::text FROM users WHERE email = 'admin@trenova.example'"
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()


def test_production_gets_base_seeds_and_a_locked_administrator(prod, production):
    """Without a password of its own, the account has none, and everybody is told."""
    done = prod("setup")
    assert done.code == 0, done.err
    assert [seed["seed"] for seed in done.json["seeds"]] == BASE
    assert admin_of(production) == ("!", "locked")
    (text,) = warned(done)
    assert "is locked" in text
    assert VARIABLE in text
    assert warned(prod("status")) == [text]
    with psycopg.connect(production) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM us_states),"
            " (SELECT count(*) FROM organizations)"
        ).fetchone()
    assert counts == (1, 51, 1)


def test_production_never_takes_a_password_that_others_know(prod, production, monkeypatch):
    """The default and a short one are refused before anything is made, and quoted nowhere."""
    for bad in ("trenova-admin", "short-one"):
        monkeypatch.setenv(VARIABLE, bad)
        done = prod("setup")
        assert done.code == 7
        assert VARIABLE in done.err
        assert bad not in done.out + done.err
    assert admin_of(production) is None


def test_a_password_from_the_environment_unlocks_once(prod, production, monkeypatch):
    """It opens a locked account, is to be changed, and never replaces one in use."""
    assert prod("setup").code == 0
    monkeypatch.setenv(VARIABLE, PASSWORD)
    done = prod("seed", "--force")
    assert done.code == 0, done.err
    first = admin_of(production)
    assert first[1] == "active"
    assert warned(done) == ["admin@trenova.example still has the initial password: change it"]
    with psycopg.connect(production) as connection:
        connection.execute("UPDATE users SET must_change_password = false")
        told = connection.execute(
            "SELECT json_agg(h)::text || (SELECT json_agg(a)::text FROM _dbcycle.audit a)"
            " FROM _dbcycle.seed_history h"
        ).fetchone()[0]
    assert PASSWORD not in told + done.out + done.err + json.dumps(done.json)
    monkeypatch.setenv(VARIABLE, "another long passphrase")
    assert warned(prod("seed", "--force")) == []
    assert admin_of(production) == first
