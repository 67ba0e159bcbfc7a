"""Each trouble of the handbook as an error that says what, where and what to do; and the faults of
its own recipes, which ours do not have."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from dbcycle_assets import open_engine, temporary_database
from dbcycle_assets.errors import Drift, SeedError
from dbcycle_assets.upkeep import backups, custody, operations, seeding
from dbcycle_assets.upkeep.guards import Consent

USAGE = """
    INSERT INTO token_usage
        (token_id, provider, model, input_tokens, output_tokens, total_tokens, recorded_at)
    VALUES ({token}, 'openai', 'gpt-4', 100, 50, 150, 1)
"""
TOKEN = "INSERT INTO api_tokens (token_hash, user_id, created_at) VALUES ('{}', 'user_admin', 1)"


def silent(_told):
    pass


@pytest.fixture
def seeded(iron):
    """The development database as ``db reset --seed`` leaves it."""
    operations.migrate(iron.target, operations.Wish(), Consent(), silent)
    seeding.seed(iron.target, Consent(), silent)
    return iron


def write_seed(iron, name, text):
    path = iron.root / "seeds/development" / name
    path.write_text(text)
    return path


def forget_from_002(iron):
    """Lose the history of all but the first step."""
    for entry in operations.status(iron.target).applied[1:]:
        operations.baseline(iron.target, Consent(), step=entry.step, forget=True)


# --- the handbook's troubles --------------------------------------------------------------------


def test_database_is_locked(seeded):
    """Another program's open transaction: it is said how to find it, in commands and in the
    application; nobody is killed."""
    engine = open_engine(seeded.project)
    with contextlib.closing(sqlite3.connect(seeded.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 10")
            with pytest.raises(sa.exc.OperationalError) as caught:
                connection.execute(sa.text(TOKEN.format("x" * 64)))
        assert "another program keeps the database locked" in str(caught.value)
        assert f"fuser {seeded.database}" in str(caught.value)
    engine.dispose()


def test_database_is_locked_by_our_own_run(seeded):
    """Then it is said who holds it, since when; the lock goes with its process."""
    with seeded.target.open() as database:
        from dbcycle_assets.upkeep.audit import me

        with database.migrations().locked(me(), wait=1):
            done = seeded.fails("db", "reset", "--force", code=4)
    assert f"process {os.getpid()} of " in done.stderr
    assert seeded.ask("SELECT count(*) FROM users") == [(3,)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("09_x.sql", "INSERT INTO users (id, user_name) VALUES ('x', 'y');\n"),
        ("09_x.yaml", "users:\n  rows: [{id: x, user_name: y}]\n"),
    ],
)
def test_seed_table_has_no_column(seeded, name, text):
    """The seed's file, the table, the column, and the one that was perhaps meant."""
    head = "-- " if name.endswith("sql") else "# "
    path = write_seed(
        seeded, name, f"{head}version: 1.0.0\n{head}description: x\n{head}depends:\n{text}"
    )
    done = seeded.fails("db", "seed", code=7)
    assert path.name in done.stderr or path.stem in done.stderr
    assert re.search(r"has no column (named )?`?user_name", done.stderr)
    assert "did you mean `username`?" in done.stderr
    assert seeded.ask("SELECT count(*) FROM users WHERE id = 'x'") == [(0,)]


@pytest.mark.case(85)
def test_migration_guard_table_already_exists(seeded):
    """Where the guard is there and its work is not, that is told, and neither is guessed; the
    handbook's cure is then safe: the rebuild deletes no usage record."""
    forget_from_002(seeded)
    ddl = seeded.ask("SELECT sql FROM sqlite_master WHERE name = 'api_tokens'")[0][0]
    bare = re.sub(r" CHECK \((?:[^()]|\([^()]*\))*\)", "", ddl)
    seeded.change(
        "PRAGMA foreign_keys = OFF; BEGIN;"
        f"{bare.replace('api_tokens', 'api_tokens_bare', 1)};"
        "INSERT INTO api_tokens_bare SELECT * FROM api_tokens; DROP TABLE api_tokens;"
        "ALTER TABLE api_tokens_bare RENAME TO api_tokens; COMMIT;"
    )
    done = seeded.fails("db", "migrate", code=6)
    assert "the guard _migration_002_completed is there" in done.stderr
    assert "drop _migration_002_completed and run again" in done.stderr
    seeded.change("DROP TABLE _migration_002_completed")
    seeded.run("db", "migrate")
    assert seeded.ask("SELECT count(*) FROM token_usage") == [(7,)]
    assert (
        "length(token_hash)"
        in seeded.ask("SELECT sql FROM sqlite_master WHERE name = 'api_tokens'")[0][0]
    )


@pytest.mark.case(85)
def test_dropping_a_guard_rearms_nothing(seeded):
    """The history knows that the step ran; with that lost too, the table itself shows it, and only
    the guard is put back."""
    seeded.change("DROP TABLE _migration_002_completed")
    seeded.run("db", "migrate")
    assert seeded.ask("SELECT count(*) FROM token_usage") == [(7,)]
    rebuilt = seeded.ask("SELECT rootpage FROM sqlite_master WHERE name = 'api_tokens'")
    step = "002_length_constraints.py"
    seeded.run("db", "baseline", "--step", step, "--forget")
    done = seeded.fails("db", "migrate", "--step", step, code=5)
    assert "out of order" in done.stderr
    forget_from_002(seeded)
    seeded.run("db", "migrate")
    assert seeded.ask("SELECT rootpage FROM sqlite_master WHERE name = 'api_tokens'") == rebuilt
    assert seeded.ask("SELECT count(*) FROM _migration_002_completed") == [(1,)]
    assert seeded.ask("SELECT count(*) FROM token_usage") == [(7,)]


@pytest.mark.case(84)
def test_the_rebuild_cascades_over_nothing(iron):
    """The loss that the guards were made against: usage recorded before 002 outlives it."""
    iron.run("db", "migrate", "--target", "001_initial_schema.sql")
    iron.change(f"{TOKEN.format('x' * 64)};{USAGE.format(token=1)};{USAGE.format(token=1)};")
    iron.run("db", "migrate")
    assert iron.ask("SELECT count(*) FROM token_usage") == [(2,)]
    assert iron.ask("PRAGMA foreign_key_check") == []


def test_a_step_that_is_killed_half_way_leaves_no_guard(iron):
    """The guard, the work and the row of the history are one transaction."""
    iron.run("db", "migrate", "--target", "001_initial_schema.sql")
    iron.change(TOKEN.format("short"))  # breaks the constraint that 002 brings
    iron.fails("db", "migrate", code=7)
    found = iron.ask(
        "SELECT name FROM sqlite_master WHERE name LIKE '%rebuilt%' OR name GLOB '_mig*'"
    )
    assert found == []
    iron.change("DELETE FROM api_tokens")
    iron.run("db", "migrate")
    assert iron.ask("SELECT count(*) FROM _migration_002_completed") == [(1,)]


HANG = """
import sys, time
from dbcycle_assets import temporary_database
with temporary_database(sys.argv[1]) as made:
    print(made.path, flush=True)
    time.sleep(600)
"""


def test_test_database_not_cleaned_up(iron):
    """After a kill the next test sweeps it; nothing but our own is looked at."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANG, str(iron.root)], stdout=subprocess.PIPE, text=True
    )
    path = Path(process.stdout.readline().strip())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert path.is_file()
    stranger = path.with_name("stranger_tmp_1.db")
    stranger.touch()
    assert "1 temporary database dropped" in iron.run("sweep")
    assert not path.exists()
    assert stranger.exists()


def test_foreign_key_constraint_violation(seeded):
    """A seed that refers to nothing: the child table, its column and the parent's table, and
    neither the value nor anything of the seed."""
    write_seed(
        seeded,
        "09_usage.sql",
        f"-- version: 1.0.0\n-- description: x\n-- depends:\n{USAGE.format(token=4711)};\n",
    )
    with pytest.raises(SeedError) as caught:
        seeding.seed(seeded.target, Consent(), silent)
    assert "token_usage (token_id) refer to no row of api_tokens" in str(caught.value)
    assert "4711" not in str(caught.value)
    assert seeded.ask("SELECT count(*) FROM token_usage") == [(7,)]


def test_foreign_key_constraint_violation_in_the_application(seeded):
    """The same words in the error of the application's own statement."""
    engine = open_engine(seeded.project)
    with pytest.raises(sa.exc.IntegrityError) as caught, engine.begin() as connection:
        connection.execute(sa.text(USAGE.format(token=":token")), {"token": 4711})
    engine.dispose()
    told = "a row of token_usage (token_id) would refer to no row of api_tokens"
    assert told in str(caught.value)
    assert "4711" not in str(caught.value)


def test_index_count_mismatch(seeded):
    """The index is named, not counted."""
    assert "schema: as migrated" in seeded.run("db", "status", "--schema")
    seeded.change("DROP INDEX idx_users_email; CREATE INDEX mine ON users (role);")
    done = seeded.fails("db", "status", "--schema", code=5)
    assert "schema: - index users CREATE INDEX idx_users_email ON users (email)" in done.stdout
    assert "schema: + index users CREATE INDEX mine ON users (role)" in done.stdout


def test_production_database_missing_tables(iron):
    """What is missing, where, and the command; nothing is made meanwhile."""
    text = (iron.root / "config.production.toml.example").read_text()
    (iron.root / "config.production.toml").write_text(
        text.replace("migrate = true", "migrate = false")
    )
    (iron.root / "data").mkdir()
    (iron.root / "data/tokens.db").touch()
    with pytest.raises(
        Drift, match="it has no tables: 7 migrations are not applied to `tokens`"
    ) as found:
        open_engine(iron.project, "production")
    assert "dbcycle db migrate --prod" in str(found.value)
    assert not (iron.root / "data/tokens.db").stat().st_size


# --- faults of the handbook's own recipes -------------------------------------------------------


def test_backup_names_never_collide(seeded):
    """Twelve within a second or two are twelve; the handbook's names are a second apart. (The
    newest ten stay, unless more are asked for.)"""
    made = [custody.back_up(seeded.target, keep=20).name for _ in range(12)]
    assert len(set(made)) == 12
    kept = backups.list_backups(seeded.target)
    assert {each.name for each in kept} == set(made)
    assert all(re.fullmatch(r"dev_tokens_backup_\d{8}_\d{6}_\w+", name) for name in made)
    folder = seeded.root / "backups"
    assert sorted(path.stem for path in folder.iterdir()) == sorted(made)


def test_a_backup_holds_what_is_in_the_write_ahead_log(seeded):
    """`cp` of the file alone would lose it."""
    with contextlib.closing(sqlite3.connect(seeded.database)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute(TOKEN.format("x" * 64))
        writer.commit()
        copied = shutil.copy(seeded.database, seeded.root / "copied.db")
        name = seeded.run("db", "backup").strip()
    count = "SELECT count(*) FROM api_tokens"
    assert seeded.ask(count, path=copied) == [(3,)], "cp loses it"
    assert seeded.ask(count, path=seeded.root / "backups" / f"{name}.db") == [(4,)]


def test_a_restore_is_not_undone_by_a_log_that_was_left(seeded):
    """A `-wal` of a killed program beside the file: `cp` of a backup would bring its rows back."""
    seeded.run("db", "backup")
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute('PRAGMA journal_mode = WAL'); c.execute('PRAGMA wal_autocheckpoint = 0'); "
        "c.execute('DELETE FROM usage_limits'); c.commit(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(seeded.database)], check=False)
    assert seeded.database.with_name("dev_tokens.db-wal").stat().st_size
    count = "SELECT count(*) FROM usage_limits"
    assert seeded.ask(
        count, path=shutil.copytree(seeded.root, seeded.root.parent / "look") / "dev_tokens.db"
    ) == [(0,)]
    listed = seeded.run("db", "backup", "list")
    assert "dev_tokens_backup_" in listed
    seeded.run("db", "backup", "restore", "--force")
    assert seeded.ask(count) == [(3,)]
    assert seeded.ask("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR IGNORE INTO users (id) VALUES ('x')",
        "insert /* a seed */ or\nignore into users (id) values ('x')",
        "UPDATE OR IGNORE users SET username = 'admin'",
    ],
)
def test_insert_or_ignore_is_refused_in_a_seed(seeded, statement):
    """It would drop the row without a word, and the seed would be said to be applied."""
    head = "-- version: 1.0.0\n-- description: x\n-- depends:\n"
    path = write_seed(seeded, "09_x.sql", f"{head}SELECT 1;\n{statement};\n")
    done = seeded.fails("db", "seed", code=7)
    assert f"{path.name}:5:1" in done.stderr
    assert "ON CONFLICT (the key's columns) DO NOTHING" in done.stderr
    key = "INSERT INTO users (id, username, password_hash, created_at) VALUES ('x', '{}', 'h', 1)"
    path.write_text(f"{head}{key.format('y')} ON CONFLICT (id) DO NOTHING;\n")
    for _ in range(2):
        seeded.run("db", "seed", "--force")
    assert seeded.ask("SELECT count(*) FROM users WHERE id = 'x'") == [(1,)]
    path.write_text(
        f"{head}{key.replace(chr(39) + 'x', chr(39) + 'z').format('admin')} ON CONFLICT (id) DO NOTHING;\n"
    )
    done = seeded.fails("db", "seed", "--force", code=7)
    assert "UNIQUE constraint failed: users.username" in done.stderr


def test_insert_or_ignore_is_refused_in_a_python_seed_too(seeded):
    """Whatever it asks its connection to run."""
    text = """
VERSION = "1.0.0"
DEPENDS = []


def run(seed):
    seed.connection.exec_driver_sql("INSERT OR IGNORE INTO users (id) VALUES ('x')")
"""
    path = write_seed(seeded, "09_x.py", text)
    with pytest.raises(SeedError, match="OR IGNORE drops") as caught:
        seeding.seed(seeded.target, Consent(), silent)
    assert str(caught.value).startswith(str(path))
    assert "seed.insert_missing" in str(caught.value)


def test_db_path_names_another_development_database(iron, tmp_path):
    """As the handbook has it; the usual one is not touched."""
    custom = tmp_path / "custom.db"
    iron.run("db", "reset", "--seed", "--force", DB_PATH=str(custom))
    assert iron.ask("SELECT count(*) FROM users", path=custom) == [(3,)]
    assert not iron.database.exists()
    assert iron.run("db", "url", DB_PATH=str(custom)).strip() == f"sqlite:///{custom}"


def test_reset_and_seed_is_one_command_with_a_backup_first(seeded):
    """The backup holds what was there, and is one command away."""
    seeded.change(TOKEN.format("x" * 64))
    done = seeded.run("db", "reset", "--seed", "--force")
    assert re.search(r"backup: dev_tokens_backup_\d{8}_\d{6}_\w+", done)
    assert seeded.ask("SELECT count(*) FROM api_tokens") == [(3,)]
    seeded.run("db", "backup", "restore", "--force")
    assert seeded.ask("SELECT count(*) FROM api_tokens") == [(4,)]


def test_a_file_that_somebody_else_made_is_never_reset(iron, tmp_path):
    """DB_PATH may name anything; only what we made, or were given, is lost."""
    theirs = tmp_path / "theirs.db"
    iron.change("CREATE TABLE precious (x)", path=theirs)
    done = iron.fails("db", "reset", "--force", code=3, DB_PATH=str(theirs))
    assert "carries no mark that it may be lost" in done.stderr
    assert iron.ask("SELECT name FROM sqlite_master", path=theirs) == [("precious",)]


def test_nobody_is_killed_and_nothing_is_swept_by_pattern():
    """No `pkill`, no `killall`, no `find … -exec rm`, anywhere in the product."""
    package = Path(__file__).parents[2] / "dbcycle_assets"
    texts = [path.read_text() for path in package.rglob("*.py")]
    assert len(texts) > 50
    assert not [text for text in texts if re.search(r"\b(pkill|killall)\b|-exec|rm -rf", text)]


def test_a_temporary_database_can_be_kept_and_opened(iron):
    """Instead of the handbook's five minutes of sleep."""
    code = (
        "import sys; from dbcycle_assets import temporary_database\n"
        "with temporary_database(sys.argv[1], seeds='development') as made: pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(iron.root)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DBCYCLE_KEEP": "1"},
    )
    path = re.search(r"kept: (\S+)", done.stderr)[1]
    assert iron.ask("SELECT count(*) FROM users", path=path) == [(3,)]
    with temporary_database(iron.project):
        assert Path(path).is_file()
    iron.run("sweep", "--kept")
    assert not Path(path).exists()
