"""Migrations that cannot work, or must not: refused or undone whole, with their place."""

import os

import pytest

from ..upkeep.kit import NO_TRANSACTION
from .kit import apart, database_digest, run, told

case = pytest.mark.case
A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
B = A.replace(" a ", " b ")


def db(place, *words, env=None):
    """Run a ``db`` command: in this process, or with variables in one of its own."""
    if env:
        return apart("--project", place.root, "db", *words, env=env)
    return run("--project", place.root, "db", *words)


def state(place):
    """Return a digest of the database, or that there is none."""
    target = place.target
    if not target.server.exists(target.name):
        return "none"
    return database_digest(target.server, target.name)


@case(68)
def test_a_mistake_in_the_third_statement(place):
    """File, line and column; the first two are rolled back; exit code 7."""
    place.write({"1_a.sql": A}).migrate()
    before = place.tables(), place.applied
    place.write({"2_b.sql": B + "INSERT INTO b VALUES (1, 'Ada ');\n  SELEC 1;\n"})
    told(db(place, "migrate"), 7, "2_b.sql:3:3", "rolled back whole")
    assert (place.tables(), place.applied) == before


@case(70)
def test_statements_with_and_without_a_transaction(postgres):
    """Told one from the other: refused in one transaction, and shown singly in a rehearsal."""
    mixed = B + "CREATE INDEX CONCURRENTLY i ON a (word);\n"
    postgres.write({"1_a.sql": A, "2_m.sql": mixed})
    told(db(postgres, "migrate"), 7, "2_m.sql:2:1", "dbcycle: no-transaction")
    assert not postgres.target.server.exists(postgres.target.name) or postgres.applied == []
    postgres.write({"2_m.sql": NO_TRANSACTION + mixed})
    told(db(postgres, "migrate", "--dry-run"), 0, "2_m.sql", "a statement at a time")
    assert len(postgres.migrate()) == 2


@case(76)
@pytest.mark.parametrize("content", [A.encode("utf-16"), b"SELECT '\x00';"])
def test_a_script_that_is_no_text(place, content):
    """UTF-16 and NUL bytes are named with the file, and nothing ran."""
    place.write({"1_a.sql": A, "2_x.sql": content})
    told(db(place, "migrate"), 7, "2_x.sql")
    place.write({"2_x.sql": None})
    assert place.status.applied == ()


@case(76)
def test_a_large_script_streams(postgres):
    """Thirty megabytes of COPY data are applied as any other step."""
    rows = "".join(f"{n}\t{'x' * 280}\n" for n in range(100_000))
    postgres.write({"1_a.sql": f"{A}COPY a FROM stdin;\n{rows}\\.\n"})
    assert db(postgres, "migrate").code == 0
    assert postgres.ask("SELECT count(*) FROM a") == [(100_000,)]


@case(78)
@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;\nROLLBACK;\n",
        "DO $$ BEGIN COMMIT; END $$;\n",
        "DISCARD ALL;\n",
    ],
)
def test_a_step_does_not_end_its_own_transaction(postgres, text):
    """Nor throw its session away; what came before it in the step is undone."""
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_b.sql": B + text})
    told(db(postgres, "migrate"), 7, "2_b.sql:")
    assert postgres.tables() == ["a"]
    assert postgres.applied == ["v1/1_a.sql"]


@case(78)
def test_a_commit_in_the_middle_commits_nothing(place):
    """The whole file stays one transaction: what follows a COMMIT can still undo it."""
    place.write({"1_a.sql": A}).migrate()
    place.write({"2_b.sql": f"BEGIN;\n{B}COMMIT;\nSELECT nope;\n"})
    told(db(place, "migrate"), 7, "2_b.sql:4")
    assert place.tables() == ["a"]


@case(78)
def test_what_a_step_sets_ends_with_it(postgres):
    """A search path, a role and a time zone of one step are not those of the next."""
    name = f"dbcycle_{postgres.name[:8]}"
    postgres.write({
        "1_a.sql": f"CREATE SCHEMA {name};\nSET search_path = {name};\nSET TimeZone = 'Asia/Tokyo';\n"
        "SET statement_timeout = '1h';\n",
        "2_b.sql": B + "INSERT INTO b VALUES (1, current_setting('TimeZone'));\n",
        "3_c.py": "def run(connection, step):\n    connection.exec_driver_sql('CREATE TABLE c (id integer)')\n",
    })  # fmt: skip
    assert len(postgres.migrate()) == 3
    assert postgres.tables() == ["b", "c"]
    assert postgres.ask("SELECT word FROM public.b") == [("UTC",)]


PRINTS = """\
def run(connection, step):
    print("postgresql://app:hunter2@db.internal/shop")
    connection.exec_driver_sql("CREATE TABLE a (id integer)")
"""


@case(79)
def test_what_a_step_prints_is_redacted_and_no_result(place):
    """A password in it shows nowhere, and stdout stays the document."""
    place.write({"1_p.py": PRINTS})
    done = told(db(place, "migrate", "--json"), 0, "db.internal", secrets=["hunter2"])
    assert done.out.startswith("{")
    assert "db.internal" in done.err


@case(79)
def test_a_step_that_ends_the_process_ends_the_step(place):
    """sys.exit(0) is a failure; its own connection is its own."""
    place.write({"1_p.py": "import sys\n\n\ndef run(connection, step):\n    sys.exit(0)\n"})
    told(db(place, "migrate"), 7, "1_p.py:5", "SystemExit")
    assert place.applied == []


@case(6)
def test_a_python_step_knows_itself_again(place):
    """Killed behind an effect outside the database, it is run again with the same key."""
    text = """\
import os, pathlib, signal


def run(connection, step):
    with pathlib.Path(os.environ["OUTSIDE"]).open("a") as file:
        file.write(step.key + "\\n")
    if os.environ.get("CUT"):
        os.kill(os.getpid(), signal.SIGKILL)
    connection.exec_driver_sql("CREATE TABLE a (id integer)")
"""
    outside = place.root / "outside"
    place.write({"1_p.py": text})
    done = db(place, "migrate", env={"OUTSIDE": str(outside), "CUT": "1"})
    assert done.code == -9
    done = db(place, "migrate", env={"OUTSIDE": str(outside)})
    assert done.code == 0, done.err
    first, second = outside.read_text().split()
    assert first == second
    assert place.tables() == ["a"]


@case(82)
def test_a_rehearsal_writes_nothing(place):
    """Neither into the database nor a history; and there is still no database if there was none."""
    place.write({"1_a.sql": A, "1_a.down.sql": "DROP TABLE a;"})
    assert db(place, "migrate", "--dry-run").code == 0
    assert state(place) == "none"
    place.migrate()
    place.write({"2_b.sql": B})
    before = state(place)
    assert db(place, "migrate", "--dry-run").code == 0
    assert db(place, "rollback", "--dry-run").code == 0
    assert db(place, "seed", "--dry-run").code == 0
    assert state(place) == before


@case(83)
def test_a_history_with_more_columns_is_ours(postgres):
    """A later version of the product may have added some."""
    postgres.write({"1_a.sql": A}).migrate()
    with postgres.connect() as connection:
        connection.execute("ALTER TABLE _dbcycle.migrations ADD COLUMN more text")
    postgres.write({"2_b.sql": B})
    assert postgres.migrate() == ["v1/2_b.sql"]


@case(83)
def test_a_history_of_somebody_else_is_refused(postgres):
    """A table of that name with other columns: the difference is told, and it stays as it is."""
    postgres.target.ensure()
    with postgres.connect() as connection:
        connection.execute("CREATE SCHEMA _dbcycle")
        connection.execute("CREATE TABLE _dbcycle.migrations (id integer, filename text)")
    before = state(postgres)
    postgres.write({"1_a.sql": A})
    told(db(postgres, "migrate"), 7, "_dbcycle.migrations", "step")
    assert state(postgres) == before


@case(83)
def test_a_history_that_others_own_is_refused(postgres, server):
    """The server's own reason is told."""
    from dbcycle_assets.databases.postgres.session import connect

    postgres.target.ensure()
    with connect(server.admin_url, postgres.target.name) as connection:
        connection.execute("CREATE SCHEMA _dbcycle")
        connection.execute("CREATE TABLE _dbcycle.migrations (step text)")
    postgres.write({"1_a.sql": A})
    told(db(postgres, "migrate"), 7, "_dbcycle", "permission denied")


@case(86)
def test_a_gap_in_the_numbers_is_no_fault(place):
    """007 may be reserved: nothing is missing, before and after."""
    place.write({"006_a.sql": A, "008_b.sql": B})
    assert len(place.migrate()) == 2
    done = told(db(place, "status"), 0)
    assert "007" not in done.out


@case(87)
def test_the_checksum_is_of_the_bytes_that_ran(place):
    """A step whose file changes while it runs is recorded as it ran; the edit is seen after."""
    text = """\
import pathlib


def run(connection, step):
    connection.exec_driver_sql("CREATE TABLE a (id integer)")
    pathlib.Path(__file__).write_text("# another text\\n")
"""
    place.write({"1_p.py": text})
    assert len(place.migrate()) == 1
    told(db(place, "migrate"), 5, "1_p.py was edited after it was applied")
    (place.root / "migrations/1_p.py").write_text(text)
    assert place.migrate() == []


@case(81)
def test_a_rollback_that_loses_rows_can_be_undone(place):
    """A whole backup comes first, and its name is told with the command."""
    place.write({"1_a.sql": A, "1_a.down.sql": "DROP TABLE a;"}).migrate()
    with place.connect() as connection:
        connection.execute("INSERT INTO a VALUES (1, 'x')")
    done = told(db(place, "rollback", "--force"), 0, "db backup restore")
    assert place.tables() == []
    name = done.out.rpartition("backup restore ")[2].split()[0]
    assert db(place, "backup", "restore", name, "--force").code == 0
    assert place.ask("SELECT word FROM a") == [("x",)]
    assert "UPKEEP_PROD" not in os.environ
