"""The handbook's eight validation tests, by their names there."""

import hashlib
import re

import pytest
import sqlalchemy as sa

from dbcycle_assets import open_engine, temporary_database
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.schema import schema_drift
from dbcycle_assets.upkeep.target import resolve

GUARDS = [f"_migration_00{number}_completed" for number in (2, 3, 4, 5, 6, 8)]
TABLES = """
    SELECT count(*) FROM sqlite_master
    WHERE type = 'table' AND substr(name, 1, 1) != '_' AND name NOT LIKE 'sqlite_%'
"""
INDEXES = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'idx_%'"
SCHEMA = """
    SELECT type, name, tbl_name, sql FROM sqlite_master
    WHERE name NOT LIKE '\\_dbcycle%' ESCAPE '\\' AND tbl_name NOT LIKE '\\_dbcycle%' ESCAPE '\\'
    ORDER BY 1, 2
"""
TOKEN = "INSERT INTO api_tokens (token_hash, user_id, created_at) VALUES (:hash, 'user_x', 1)"


def insert_token(connection):
    connection.execute(sa.text(TOKEN), {"hash": "x" * 64})


def counts(ask):
    return {
        table: ask(f"SELECT count(*) FROM {table}")[0][0]
        for table in ("users", "api_tokens", "token_usage", "usage_limits", "projects")
    }


def test_migration_idempotency(iron):
    """Three runs, one result: the same schema, the same history, the same guards' rows."""
    seen = []
    for _ in range(3):
        iron.run("db", "migrate")
        history = [(e.step, e.applied_at) for e in operations.status(iron.target).applied]
        guard = iron.ask("SELECT applied_at FROM _migration_002_completed")
        seen.append((iron.ask(SCHEMA), history, guard))
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0][1]) == 7
    assert (iron.ask(TABLES), iron.ask(INDEXES)) == ([(11,)], [(32,)])


def test_isolated_test_databases(iron):
    """What one test writes no other sees."""
    with temporary_database(iron.project) as one, temporary_database(iron.project) as other:
        with one.engine.begin() as connection:
            insert_token(connection)
        number = sa.text("SELECT count(*) FROM api_tokens")
        with one.engine.connect() as here, other.engine.connect() as there:
            assert (here.execute(number).scalar(), there.execute(number).scalar()) == (1, 0)
        assert one.path != other.path


def test_schema_consistency(iron):
    """Production, as the template of its config sets it up, is what every test gets: to the letter
    of every table, index and guard. One index more or less is told."""
    text = (iron.root / "config.production.toml.example").read_text()
    (iron.root / "config.production.toml").write_text(text)
    (iron.root / "data").mkdir()
    open_engine(iron.project, "production").dispose()
    production = iron.root / "data/tokens.db"
    with temporary_database(iron.project) as made:
        assert iron.ask(SCHEMA, path=production) == iron.ask(SCHEMA, path=made.path)
    assert iron.ask(INDEXES, path=production) == [(32,)]
    target = resolve(iron.project, "production")
    assert schema_drift(target, lambda _told: None) == []
    iron.change("DROP INDEX idx_users_email", production)
    found = schema_drift(target, lambda _told: None)
    assert ["idx_users_email" in str(each) for each in found] == [True]


def test_seed_data_idempotency(iron):
    """Three runs, no duplicate; forced too, when every seed really runs again."""
    iron.run("db", "reset", "--seed", "--force")
    before = counts(iron.ask)
    for words in ((), ("--force",), ("--force",)):
        iron.run("db", "seed", *words)
        assert counts(iron.ask) == before
    assert before["token_usage"] == 7


def test_automatic_cleanup(iron):
    """The file, and all that SQLite keeps beside it, is there inside the block and gone after."""
    with pytest.raises(ZeroDivisionError), temporary_database(iron.project) as made:
        with made.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA user_version = 1")
            insert_token(connection)
        assert made.path.is_file()
        raise ZeroDivisionError
    assert [path for path in made.path.parent.iterdir() if made.name in path.name] == []


def test_migration_guards(iron):
    """Every step that could destroy has its guard; with the history lost, the guard alone keeps
    the rebuild of 002 from running again."""
    iron.run("db", "reset", "--seed", "--force")
    found = "SELECT name FROM sqlite_master WHERE name GLOB '_migration_*' ORDER BY 1"
    assert [name for (name,) in iron.ask(found)] == GUARDS
    rebuilt = iron.ask("SELECT rootpage FROM sqlite_master WHERE name = 'api_tokens'")
    for entry in operations.status(iron.target).applied[1:]:
        operations.baseline(iron.target, Consent(), step=entry.step, forget=True)
    iron.run("db", "migrate")
    assert len(operations.status(iron.target).applied) == 7
    assert iron.ask("SELECT rootpage FROM sqlite_master WHERE name = 'api_tokens'") == rebuilt
    assert counts(iron.ask)["token_usage"] == 7


def test_foreign_keys_enabled(iron):
    """In the application's sessions and in the tests': a missing parent is refused, and a token's
    usage goes with it."""
    iron.run("db", "reset", "--seed", "--force")
    engine = open_engine(iron.project)
    with engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1
    usage = """
        INSERT INTO token_usage
            (token_id, provider, model, input_tokens, output_tokens, total_tokens, recorded_at)
        VALUES (999, 'openai', 'gpt-4', 100, 50, 150, 1)
    """
    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"), engine.begin() as connection:
        connection.execute(sa.text(usage))
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM api_tokens"))
        assert connection.execute(sa.text("SELECT count(*) FROM token_usage")).scalar() == 0
    engine.dispose()
    with temporary_database(iron.project) as made, made.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA foreign_keys")).scalar() == 1


def test_seed_data_correctness(iron):
    """Three users, three tokens, seven usage records, three limits, two projects, each assigned."""
    iron.run("db", "reset", "--seed", "--force")
    assert counts(iron.ask) == {
        "users": 3,
        "api_tokens": 3,
        "token_usage": 7,
        "usage_limits": 3,
        "projects": 2,
    }
    assert iron.ask("SELECT username, role, is_active FROM users ORDER BY username") == [
        ("admin", "admin", 1),
        ("project_manager", "user", 1),
        ("viewer", "viewer", 1),
    ]
    tokens = {
        hashlib.sha256(text.encode()).hexdigest(): owner
        for text, owner in (
            ("iron_dev_admin_token_001", ("user_admin", "project_alpha", 7)),
            ("iron_dev_pm_token_002", ("user_pm", "project_beta", 0)),
            ("iron_dev_viewer_token_003", ("user_viewer", "project_beta", 0)),
        )
    }
    query = """
        SELECT token_hash, user_id, project_id,
               (SELECT count(*) FROM token_usage WHERE token_id = api_tokens.id)
        FROM api_tokens WHERE is_active
    """
    assert {row[0]: row[1:] for row in iron.ask(query)} == tokens
    limits = iron.ask("SELECT user_id, project_id FROM usage_limits ORDER BY 1")
    assert limits == [
        ("user_admin", "project_alpha"),
        ("user_pm", "project_beta"),
        ("user_viewer", "project_beta"),
    ]
    assert iron.ask("SELECT id, owner FROM projects ORDER BY 1") == [
        ("project_alpha", "user_admin"),
        ("project_beta", "user_pm"),
    ]
    assert re.fullmatch(r"\$2b\$10\$.{53}", iron.ask("SELECT password_hash FROM users")[0][0])
