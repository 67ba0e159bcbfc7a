"""iron_token_manager on SQLite: the documented tables, indexes, users, tokens and usage records."""

import contextlib
import hashlib
import shutil
import sqlite3
from pathlib import Path

import bcrypt
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.defs.run import refresh
from dbcycle_assets.upkeep.seeds import SeedRunner

ROOT = Path(__file__).parents[2]
TOKENS = {
    "iron_dev_admin_token_001": ("admin", "project_alpha"),
    "iron_dev_pm_token_002": ("project_manager", "project_beta"),
    "iron_dev_viewer_token_003": ("viewer", "project_beta"),
}


@pytest.fixture(scope="module")
def cycle(tmp_path_factory):
    """Run the whole cycle on a copy of the project, and give its session."""
    place = tmp_path_factory.mktemp("iron")
    ignore = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__")
    for part in ("data/iron_token_manager", "sql/iron_token_manager"):
        shutil.copytree(ROOT / part, place / part, ignore=ignore)
    project = load_project(place / "data/iron_token_manager")
    (place / "home").mkdir()
    done = refresh(project, instance_home=place / "home")
    assert done.published, done.failed
    return Cycle(project)


@pytest.fixture
def ask(cycle):
    """Give a function that runs a query on the published file."""
    url = cycle.server.url(cycle.database("test"))
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        yield lambda query, *values: connection.execute(query, values).fetchall()


def test_it_has_eleven_tables_and_thirty_two_indexes(ask):
    """What the handbook counts, by the handbook's own queries."""
    tables = "SELECT count(*) FROM sqlite_master WHERE type='table' AND substr(name,1,1) != '_'"
    assert ask(f"{tables} AND name NOT LIKE 'sqlite_%'") == [(11,)]
    indexes = "SELECT count(*) FROM sqlite_master WHERE type='index' AND name LIKE 'idx_%'"
    assert ask(indexes) == [(32,)]


def test_every_destructive_step_left_its_guard(ask):
    """A guard says that a step ran, whoever ran it; 007 is reserved."""
    found = ask("SELECT name FROM sqlite_master WHERE name GLOB '_migration_*' ORDER BY 1")
    assert [name for (name,) in found] == [
        f"_migration_00{number}_completed" for number in (2, 3, 4, 5, 6, 8)
    ]


def test_the_development_users_can_log_in(ask):
    """Three users, with their roles and the one password."""
    found = ask(
        "SELECT username, role, is_active, password_hash FROM users"
        " WHERE id IN ('user_admin', 'user_pm', 'user_viewer') ORDER BY id"
    )
    assert [row[:3] for row in found] == [
        ("admin", "admin", 1),
        ("project_manager", "user", 1),
        ("viewer", "viewer", 1),
    ]
    assert all(bcrypt.checkpw(b"testtest", row[3].encode()) for row in found)


@pytest.mark.parametrize("token", TOKENS)
def test_the_development_tokens_work(ask, token):
    """The application finds a token by the hash of its text."""
    query = """
        SELECT username, project_id FROM api_tokens JOIN users ON users.id = user_id
        WHERE token_hash = ? AND api_tokens.is_active
    """
    assert ask(query, hashlib.sha256(token.encode()).hexdigest()) == [TOKENS[token]]


def test_usage_and_limits_are_those_of_the_handbook(ask):
    """Seven usage records of the administrator, three limits."""
    usage = """
        SELECT count(*) FROM token_usage JOIN api_tokens ON api_tokens.id = token_id
        WHERE user_id = 'user_admin'
    """
    assert ask(usage) == [(7,)]
    limits = "SELECT count(*) FROM usage_limits WHERE user_id LIKE 'user\\_%' ESCAPE '\\'"
    assert ask(limits) == [(3,)]


def test_seeding_again_changes_nothing(cycle, ask):
    """Three more times, forced: no duplicate."""
    counts = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM token_usage)"
    before = ask(counts)
    runner = SeedRunner(
        cycle.project, cycle.server, cycle.database("test"), "test", progress=lambda _told: None
    )
    for _ in range(3):
        outcome = runner.run(force=True)
        assert outcome.failed is None
        assert not any(done.created for done in outcome.done)
    assert ask(counts) == before


def test_keys_hold_and_are_enforced(ask):
    """No row dangles, also through the references that the schema does not declare."""
    assert ask("PRAGMA foreign_key_check") == []
    undeclared = "SELECT count(*) FROM api_tokens WHERE user_id NOT IN (SELECT id FROM users)"
    assert ask(undeclared) == [(0,)]
    assert ask("SELECT count(*) FROM projects WHERE owner NOT IN (SELECT id FROM users)") == [(0,)]


def test_nobody_of_production_is_left(cycle, ask):
    """No user, address, hash or name of the production file occurs in any value."""
    with contextlib.closing(sqlite3.connect(cycle.project.dump)) as production:
        originals = {
            value.casefold()
            for query in (
                "SELECT id FROM users",
                "SELECT username FROM users",
                "SELECT email FROM users",
                "SELECT token_hash FROM api_tokens",
                "SELECT name FROM projects",
            )
            for (value,) in production.execute(query)
        }
    tables = ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_*'")
    texts = [
        str(value).casefold()
        for (table,) in tables
        for row in ask(f'SELECT * FROM "{table}"')
        for value in row
    ]
    assert len(texts) > 1000
    assert not [text for text in texts if any(original in text for original in originals)]
