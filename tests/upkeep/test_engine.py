"""The engine: order, history, drift, scripts; the same on both engines."""

import pytest

from dbcycle_assets.errors import BadInput, Drift, MigrationError, UsageError
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.operations import Wish

from .kit import NO_TRANSACTION, silent

A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
B = "CREATE TABLE b (id integer PRIMARY KEY);\nINSERT INTO b VALUES (1), (2);\n"
PYTHON = (
    "from sqlalchemy import text\n"
    "def run(connection, step):\n"
    "    connection.execute(text('CREATE TABLE made (id integer)'))\n"
    "    {more}\n"
    "def revert(connection, step):\n"
    "    connection.execute(text('DROP TABLE made'))\n"
)


def test_steps_run_in_the_order_of_their_numbers(place):
    """2 comes before 10; a second run has nothing to do; the history says who, when, how long."""
    place.write({"10_b.sql": B, "2_a.sql": A, "2_a.down.sql": "DROP TABLE a"})

    assert place.migrate() == ["v1/2_a.sql", "v1/10_b.sql"]
    assert place.migrate() == []
    assert place.tables() == ["a", "b"]
    entry = place.status.applied[0]
    assert "@" in entry.applied_by
    assert entry.applied_at.startswith("20")
    assert place.status.pending == ()


def test_an_explicit_list_decides_the_order(place):
    """What `steps` lists runs in that order, and nothing else in the folder does."""
    place.write({"9_a.sql": A, "1_b.sql": B, "5_no.sql": "SELECT nope"})
    place.configure("[{version: v1, directory: migrations, steps: [9_a.sql, 1_b.sql]}]")
    assert place.migrate() == ["v1/9_a.sql", "v1/1_b.sql"]


def test_a_step_that_fails_leaves_nothing(place):
    """Line and column are named; what came before stays; a corrected step goes on from there."""
    place.write({"1_a.sql": A, "2_b.sql": B + "\n  INSERT INTO b\nVALUES (1);\n"})
    with pytest.raises(MigrationError) as caught:
        place.migrate()
    assert caught.value.where.endswith("2_b.sql:4:3")
    assert place.tables() == ["a"]
    assert place.applied == ["v1/1_a.sql"]
    assert place.status.dirty is None

    place.write({"2_b.sql": B})
    assert place.migrate() == ["v1/2_b.sql"]


def test_a_failure_says_what_stays_and_whether_rows_or_script_are_to_blame(place):
    """In a step without a transaction the statements before it stay; the next run goes on there."""
    place.write({"1_b.sql": B}).migrate()
    wrong = "INSERT INTO b VALUES (3);\nINSERT INTO b VALUES (1);\n"
    place.write({"2_b.sql": wrong})
    with pytest.raises(MigrationError) as caught:
        place.migrate()
    assert caught.value.remedy.startswith("the rows that are there do not allow it")
    assert caught.value.remedy.endswith("the step was rolled back whole")

    place.write({"2_b.sql": NO_TRANSACTION + wrong})
    with pytest.raises(MigrationError) as caught:
        place.migrate()
    assert "the statements before it stay in effect" in caught.value.remedy
    assert place.status.dirty == "v1/2_b.sql"

    with place.connect() as connection:
        connection.execute("DELETE FROM b WHERE id = 1")
    assert place.migrate() == ["v1/2_b.sql"]
    assert sorted(place.ask("SELECT id FROM b")) == [(1,), (2,), (3,)]


def test_a_script_that_raises_is_told_as_its_own_doing(postgres):
    """What it raises may hold values, and is withheld; the place is not."""
    postgres.write({"1_a.sql": "DO $$ BEGIN\nRAISE 'too old: secret'; END $$;"})
    with pytest.raises(MigrationError, match="the script itself refuses") as caught:
        postgres.migrate()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("raise ZeroDivisionError('ada@x')", "ZeroDivisionError"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
@pytest.mark.case(79)
def test_a_python_step_is_whole_or_nothing(place, more, why):
    """A step that raises leaves neither its table nor its row, and says no value."""
    place.write({"1_p.py": PYTHON.format(more=more)})
    with pytest.raises(MigrationError, match=why) as caught:
        place.migrate()
    assert caught.value.where.endswith("1_p.py:4")
    assert "ada" not in str(caught.value)
    assert (place.tables(), place.applied) == ([], [])
    place.write({"1_p.py": PYTHON.format(more="return 'made 1'")})
    assert place.migrate() == ["v1/1_p.py"]
    assert place.roll_back() == ["v1/1_p.py"]
    assert (place.tables(), place.applied) == ([], [])


DRIFTS = {
    "edited": ({"2_b.sql": B + "-- more\n"}, "2_b.sql was edited after it was applied"),
    "gone": ({"1_a.sql": None}, "1_a.sql was applied and its file is gone"),
    "renamed": ({"2_b.sql": None, "2_c.sql": B}, "2_b.sql was applied and is now called v1/2_c"),
    "newer": ({"2_b.sql": None}, "the database is newer than these files: v1/2_b.sql"),
}


@pytest.mark.parametrize("case", DRIFTS)
@pytest.mark.case(72, 73, 75)
def test_drift_is_named_with_its_repair(place, case):
    """What was applied and what is on disk must be the same; exit code 5."""
    files, message = DRIFTS[case]
    place.write({"1_a.sql": A, "2_b.sql": B}).migrate()
    place.write(files)
    with pytest.raises(Drift, match=message) as caught:
        place.migrate()
    assert caught.value.exit_code == 5
    assert message in place.status.drift[0]


@pytest.mark.case(74)
def test_a_late_number_is_out_of_order(place):
    """A step before an applied one stops the run until it has a later number."""
    place.write({"2_b.sql": B}).migrate()
    place.write({"1_a.sql": A})
    with pytest.raises(Drift, match=r"v1/1_a\.sql is out of order.*later number"):
        place.migrate()
    place.write({"1_a.sql": None, "3_a.sql": A})
    assert place.migrate() == ["v1/3_a.sql"]


@pytest.mark.case(72)
def test_line_endings_and_a_byte_order_mark_are_no_edit(place):
    """Only they may differ from what was applied."""
    place.write({"1_b.sql": B}).migrate()
    place.write({"1_b.sql": b"\xef\xbb\xbf" + B.replace("\n", "\r\n").encode()})
    assert place.migrate() == []


def test_an_edit_is_accepted_by_name(place):
    """`db baseline --step` takes the checksum of an edited step anew."""
    place.write({"1_a.sql": A, "2_b.sql": B}).migrate()
    place.write({"1_a.sql": A + "-- words\n"})
    assert operations.baseline(place.target, Consent(), step="1_a.sql") == ["v1/1_a.sql"]
    assert place.migrate() == []


@pytest.mark.case(73)
def test_a_number_twice_is_refused(place):
    """Both files are named."""
    place.write({"1_a.sql": A, "01_b.sql": B})
    with pytest.raises(MigrationError, match=r"occurs twice.*1_a\.sql|occurs twice.*01_b\.sql"):
        place.migrate()


def test_a_baseline_records_what_a_database_has_already(place):
    """An existing database is taken over without running what it has."""
    place.write({"1_a.sql": A, "2_b.sql": B})
    place.target.ensure()
    with place.connect() as connection:
        connection.execute("CREATE TABLE a (id integer PRIMARY KEY, word text)")
    assert operations.baseline(place.target, Consent(), up_to_step="1_a.sql") == ["v1/1_a.sql"]
    assert place.migrate() == ["v1/2_b.sql"]
    assert [entry.state for entry in place.status.applied] == ["baseline", "applied"]
    with pytest.raises(UsageError, match="no migration step is called"):
        operations.baseline(place.target, Consent(), step="3_c.sql")


def test_a_target_ends_the_run(place):
    """Everything up to the version or step, and no further."""
    place.write({"1_a.sql": A, "2_b.sql": B})
    assert place.migrate(target="1_a.sql") == ["v1/1_a.sql"]
    with pytest.raises(UsageError, match="did you mean"):
        place.migrate(target="2_bb.sql")
    assert place.migrate(target="v1") == ["v1/2_b.sql"]


def test_python_steps_can_be_left_for_later(place):
    """`--sql-only` leaves them out, and `--step` or the next run applies them, late as they are."""
    place.write({"1_a.sql": A, "2_p.py": PYTHON.format(more="pass"), "3_b.sql": B})
    with pytest.raises(UsageError, match=r"v1/1_a\.sql comes before it"):
        place.migrate(step="3_b.sql")
    assert place.migrate(sql_only=True) == ["v1/1_a.sql", "v1/3_b.sql"]
    assert place.status.pending == ("v1/2_p.py",)
    assert place.migrate(step="2_p.py") == ["v1/2_p.py"]
    with pytest.raises(UsageError, match="applied already"):
        place.migrate(step="2_p.py")


@pytest.mark.parametrize("count", [0, -1, 3, 6])
@pytest.mark.case(80, 81)
def test_an_impossible_rollback_is_never_cut_down(place, count):
    """More than are applied, or than five, changes nothing."""
    place.write({"1_a.sql": A, "1_a.down.sql": "DROP TABLE a", "2_b.sql": B}).migrate()
    with pytest.raises(UsageError, match="cannot be rolled back"):
        place.roll_back(count)
    with pytest.raises(UsageError, match="no way down"):
        place.roll_back()
    assert place.tables() == ["a", "b"]


def test_a_rollback_undoes_as_many_as_it_says(place):
    """The newest first, each with its row; up again gives the same schema."""
    place.write(
        {
            "1_a/up.sql": A,
            "1_a/down.sql": "DROP TABLE a",
            "2_b.up.sql": B,
            "2_b.down.sql": "DROP TABLE b",
            "3_i.sql": "CREATE INDEX i ON b (id)",
            "3_i.down.sql": "DROP INDEX i",
        }
    ).migrate()
    with place.target.open() as database:
        before = database.catalog().schema_digest
    rehearsed = operations.rehearse_rollback(place.target, 2, silent)
    assert [step for step, _ in rehearsed.steps] == ["v1/3_i.sql", "v1/2_b.up.sql"]
    assert "- table b" in [str(change) for change in rehearsed.changes]
    assert place.tables() == ["a", "b"]

    assert place.roll_back(2) == ["v1/3_i.sql", "v1/2_b.up.sql"]
    assert place.tables() == ["a"]
    assert place.migrate() == ["v1/2_b.up.sql", "v1/3_i.sql"]
    with place.target.open() as database:
        assert database.catalog().schema_digest == before


def test_a_rehearsal_really_runs_and_keeps_nothing(place):
    """It tells tables, columns and indexes that would change; the database is as before."""
    place.write({"1_a.sql": A, "2_b.sql": B}).migrate(target="1_a.sql")
    place.write({"3_c.sql": "ALTER TABLE a ADD COLUMN more text NOT NULL DEFAULT 'x';"
                 "CREATE INDEX words ON a (word); DROP TABLE b;"})  # fmt: skip
    done = operations.rehearse(place.target, Wish(), silent)
    lines = "\n".join(str(change) for change in done.changes)
    assert "+ column a.more" in lines
    assert "words" in lines
    assert "table b" not in lines
    assert place.applied == ["v1/1_a.sql"]
    assert place.tables() == ["a"]
    place.write({"3_c.sql": "SELECT nope"})
    with pytest.raises(MigrationError, match="nope"):
        operations.rehearse(place.target, Wish(), silent)
    names = [name for name, _ in place.target.server.duplicates("rehearsal")]
    assert not [name for name in names if place.name in name]


def test_a_rehearsal_needs_no_database(place):
    """Before the first migration it runs on an empty one, and makes none."""
    place.write({"1_a.sql": A})
    done = operations.rehearse(place.target, Wish(), silent)
    assert "+ table a" in [str(change) for change in done.changes]
    assert not place.target.server.exists(place.target.name)
    assert place.status.pending == ("v1/1_a.sql",)


BAD = {
    "not UTF-8": b"SELECT 1;\nSELECT '\xff';",
    "NUL": b"SELECT 1;\nSELECT '\x00';",
    "not SQL": "SELECT 1;\n\\connect other\n",
    "cannot roll itself back": "SELECT 1;\nROLLBACK;",
    "cannot run in a transaction": "SELECT 1;\nVACUUM;",
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.case(76, 78)
def test_a_bad_script_is_refused_with_its_place(place, what):
    """Before anything runs, where it can be seen."""
    place.write({"1_a.sql": A, "2_bad.sql": BAD[what]})
    with pytest.raises(MigrationError, match=what) as caught:
        place.migrate()
    assert "2_bad.sql:2" in caught.value.where
    place.write({"2_bad.sql": None})
    assert place.status.dirty is None


@pytest.mark.parametrize("text", ["", "-- nothing\n", "/* a; b */\n;;\n"])
@pytest.mark.case(76)
def test_a_script_without_statements_is_recorded(place, text):
    """An empty step is applied as any other."""
    place.write({"1_empty.sql": text})
    assert place.migrate() == ["v1/1_empty.sql"]


def test_a_step_of_single_statements_goes_on_where_it_failed(place):
    """What took effect is not done again, and cannot be edited any more."""
    place.write({"1_a.sql": f"{NO_TRANSACTION}{A}INSERT INTO a VALUES (1, 'x');\nSELECT nope;\n"})
    with pytest.raises(MigrationError, match="nope") as caught:
        place.migrate()
    assert ":4:" in caught.value.where
    assert place.status.dirty == "v1/1_a.sql"
    place.write({"1_a.sql": f"{NO_TRANSACTION}{A}INSERT INTO a VALUES (2, 'x');\nVACUUM;\n"})
    code = place.run("db", "migrate")
    assert code.returncode == 6
    assert "statement 2 of the half-done step was edited after it ran" in code.stderr
    place.write({"1_a.sql": f"{NO_TRANSACTION}{A}INSERT INTO a VALUES (1, 'x');\nVACUUM;\n"})
    assert place.migrate() == ["v1/1_a.sql"]
    assert place.ask("SELECT id FROM a") == [(1,)]
    assert place.status.dirty is None


def test_own_transactions_of_single_statements_are_one_part(place):
    """From BEGIN to COMMIT all or nothing takes effect."""
    begin = f"{NO_TRANSACTION}{A}BEGIN;\nINSERT INTO a VALUES (1, 'x');\n"
    place.write({"1_a.sql": f"{begin}INSERT INTO a VALUES (1, 'x');\nCOMMIT;\nVACUUM;\n"})
    with pytest.raises(MigrationError):
        place.migrate()
    assert place.ask("SELECT id FROM a") == []
    place.write({"1_a.sql": f"{begin}INSERT INTO a VALUES (2, 'x');\nCOMMIT;\nVACUUM;\n"})
    assert place.migrate() == ["v1/1_a.sql"]
    assert place.ask("SELECT id FROM a ORDER BY 1") == [(1,), (2,)]
    place.write({"2_b.sql": f"{NO_TRANSACTION}BEGIN;\nSELECT 1;\n"})
    with pytest.raises(MigrationError, match="begun and not committed"):
        place.migrate()


def test_a_missing_file_or_folder_is_named(place):
    """The config and the disk must agree."""
    place.configure("[{version: v1, directory: nowhere}]")
    with pytest.raises(BadInput, match="no such directory"):
        place.migrate()
    place.configure("[{version: v1, directory: migrations, steps: [1_no.sql]}]")
    with pytest.raises(BadInput, match="no such file"):
        place.migrate()


def test_migrations_that_begin_with_a_schema_make_it_in_an_empty_database(place):
    """Once, and before the first step; a rehearsal does the same."""
    (place.root / "begin.sql").write_text("CREATE TABLE old (id integer PRIMARY KEY);\n")
    with (place.root / "dbcycle.yaml").open("a") as file:
        file.write("baseline: begin.sql\n")
    place.write({"1.sql": "ALTER TABLE old ADD COLUMN note text;\n"})
    assert operations.rehearse(place.target, Wish(), silent).head == "v1/1.sql"
    assert place.migrate() == ["v1/1.sql"]
    place.write({"2.sql": "ALTER TABLE old ADD COLUMN more text;\n"})
    assert place.migrate() == ["v1/2.sql"]
    assert place.tables() == ["old"]
