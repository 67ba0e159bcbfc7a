"""The published test database of efficient_tutor: what a backend's tests rely on, and no original."""

import re
import shutil
from pathlib import Path

import bcrypt
import psycopg
import pytest

from dbcycle_assets import load_project, read_extract
from dbcycle_assets.cycle.session import Cycle
from dbcycle_assets.databases import embedded
from dbcycle_assets.defs.run import refresh

from . import constants, golden

ROOT = Path(__file__).parents[2]

PERSONAL = {
    "email": "SELECT email::text FROM users UNION SELECT unnest(alternate_emails) FROM users",
    "phone": "SELECT phone::text FROM users UNION SELECT emergency_phone::text FROM parents",
    "first name": "SELECT first_name FROM users",
    "last name": "SELECT last_name FROM users",
    "full name": "SELECT full_name FROM users UNION SELECT emergency_contact FROM parents",
}


@pytest.fixture(scope="module")
def cycle(tmp_path_factory):
    """Run the whole cycle on a copy of the project, and give its session."""
    place = tmp_path_factory.mktemp("tutor")
    ignore = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__")
    for part in ("data/efficient_tutor", "sql/efficient_tutor"):
        shutil.copytree(ROOT / part, place / part, ignore=ignore)
    project = load_project(place / "data/efficient_tutor")
    home = place / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    told = []
    result = refresh(project, instance_home=home, progress=told.append)
    assert result.ok, result.failed
    assert result.published
    session = Cycle(project)
    session.told = told
    try:
        yield session
    finally:
        embedded.remove(project.state)


@pytest.fixture(scope="module")
def database(cycle):
    with psycopg.connect(cycle.server.url(cycle.database("test"))) as connection:
        yield connection


@pytest.fixture(scope="module")
def originals(cycle):
    """Give every e-mail, phone number and name of the dump, folded."""
    with psycopg.connect(cycle.server.url(cycle.database("restored"))) as connection:
        return {
            kind: {row[0].casefold() for row in connection.execute(query) if row[0]}
            for kind, query in PERSONAL.items()
        }


def rows_as_text(connection):
    """Yield every row of every table as (table, text)."""
    tables = connection.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    for (table,) in tables:
        for (text,) in connection.execute(f"SELECT each::text FROM {table} AS each"):
            yield table, text.casefold()


def test_golden_and_generated_rows_are_there(database):
    """A backend's tests find their fixed users among hundreds of realistic ones."""
    found = database.execute(
        "SELECT count(*) FROM users WHERE id::text = ANY(%s)", [list(constants.USERS)]
    ).fetchone()[0]
    everybody = database.execute("SELECT count(*) FROM users").fetchone()[0]
    assert found == len(constants.USERS)
    assert everybody > 300


def test_a_fixed_lesson_has_its_teacher_its_charges_and_its_homework(database):
    """Golden records form whole stories across tables."""
    charged = database.execute(
        "SELECT count(*) FROM tuition_log_charges WHERE log_id = %s", [constants.LOG]
    ).fetchone()[0]
    teacher = database.execute(
        "SELECT teacher_id::text FROM tuition_logs WHERE id = %s", [constants.LOG]
    ).fetchone()[0]
    homework = database.execute(
        "SELECT count(*) FROM homeworks WHERE id = %s", [constants.HOMEWORK]
    ).fetchone()[0]
    assert (teacher, homework) == (constants.TEACHER, 1)
    assert charged > 0


def test_golden_wins_by_primary_key(database):
    """The admin has production's first id and the golden record's address."""
    (email,) = database.execute(
        "SELECT email::text FROM users WHERE id = %s", [golden.USER_GOLDEN_ADMIN.id]
    ).fetchone()
    assert email == golden.USER_GOLDEN_ADMIN.email


def test_golden_wins_by_unique_key_and_references_follow(database):
    """Production's subject of the same code gave way; its tuitions refer to the golden one."""
    (subjects,) = database.execute(
        "SELECT array_agg(id::text) FROM subjects WHERE code = 'mathematics'"
    ).fetchone()
    (tuitions,) = database.execute(
        "SELECT count(*) FROM tuitions WHERE subject_id = %s", [constants.MATHEMATICS]
    ).fetchone()
    assert subjects == [constants.MATHEMATICS]
    assert tuitions > 1


def test_everybody_has_the_one_test_password(database):
    """Any generated account can be logged in to, and no production hash is left."""
    hashes = [row[0] for row in database.execute("SELECT DISTINCT password FROM users")]
    assert any(bcrypt.checkpw(constants.PASSWORD.encode(), each.encode()) for each in hashes)
    assert not [each for each in hashes if each.startswith(("md5", "sha1"))]


@pytest.mark.parametrize("kind", ["email", "phone", "full name"])
def test_no_original_occurs_in_any_column(database, originals, kind):
    """No address, number or full name of the dump is found anywhere, prose and JSON included."""
    assert len(originals[kind]) > 50
    found = {
        (table, kind)
        for table, text in rows_as_text(database)
        for original in originals[kind]
        if original in text
    }
    assert not found


@pytest.mark.parametrize("kind", ["first name", "last name"])
def test_no_original_name_occurs_as_a_word(database, originals, kind):
    """No single name of the dump is found anywhere as a word."""
    names = {name for name in originals[kind] if len(name) > 2}
    assert len(names) > 50
    tables = {
        table
        for table, text in rows_as_text(database)
        if names.intersection(re.findall(r"[^\W_]+", text))
    }
    assert not tables


def test_every_foreign_key_validates(database):
    """Every constraint is there, and the server accepts it anew over all rows."""
    keys = database.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"
    ).fetchall()
    assert len(keys) >= 30
    with database.transaction(force_rollback=True):
        for table, name, definition in keys:
            assert "NOT VALID" not in definition
            database.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            database.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def test_what_makes_the_schema_special_survives(database):
    """Generated columns, partitions, triggers, views, identities and sequences work."""
    with database.transaction(force_rollback=True):
        database.execute(
            "INSERT INTO users (email, password, role, first_name, last_name)"
            " VALUES ('x@example.com', '!', 'admin', 'A', 'B')"
        )
        (full_name,) = database.execute(
            "SELECT full_name FROM users WHERE email = 'x@example.com'"
        ).fetchone()
        assert full_name == "A B"
    triggers = database.execute(
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
    ).fetchone()[0]
    partitions = database.execute(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_events'::regclass"
    ).fetchone()[0]
    (filled,) = database.execute("SELECT count(*) FROM teacher_hours").fetchone()
    (viewed,) = database.execute("SELECT count(*) FROM parent_balances").fetchone()
    assert triggers >= 2
    assert partitions >= 2
    assert filled > 0
    assert viewed > 0


@pytest.mark.case(112)
def test_the_next_insert_finds_its_sequence_past_the_data(database):
    """A sequence that stands on a used number would break the first test that inserts."""
    behind = []
    for table, column in (("audit_events", "id"), ("invoices", "number")):
        (largest,) = database.execute(f"SELECT max({column}) FROM {table}").fetchone()
        (name,) = database.execute(
            "SELECT pg_get_serial_sequence(%s, %s)", [table, column]
        ).fetchone()
        (following,) = database.execute("SELECT nextval(%s::regclass)", [name]).fetchone()
        if following <= largest:
            behind.append((table, column))
    database.rollback()
    assert not behind


def test_no_original_reaches_a_file_a_log_or_metadata(cycle, originals):
    """Extracts, ledger, Dagster's storage and progress messages hold no original."""
    wanted = [each.encode() for kind in ("email", "phone") for each in originals[kind]]
    scanned, found = 0, []
    place = cycle.project.root.parents[1]
    for path in place.rglob("*"):
        parts = path.relative_to(place).parts
        if not path.is_file() or "dumps" in parts or path.name.startswith("passwords."):
            continue
        content = path.read_bytes().lower()
        scanned += 1
        found += [path for each in wanted if each in content]
    told = "\n".join(cycle.told).casefold().encode()
    assert scanned > 50
    assert told
    assert not found
    assert not [each for each in wanted if each in told]


def test_an_extract_reads_as_a_frame(cycle):
    """People get pandas frames of anonymized rows."""
    frame = read_extract(cycle.project, "users")
    assert len(frame) == 300
    assert frame["email"].str.contains("@example").all()
    assert frame["email"].is_unique


def test_verification_states_what_it_compared(cycle):
    """The published database carries the coverage of its proof."""
    coverage = cycle.ledger.get("test_db").facts["coverage"]
    assert coverage["leaves_compared"] > 5_000
    assert coverage["tables"] >= 17
    assert coverage["leaves_skipped"] == sum(coverage["skipped_reasons"].values())


def test_the_readme_shows_what_is_printed(cycle):
    """The tables and counts in the README are those of the published database."""
    rows = cycle.ledger.get("test_db").facts["rows_by_table"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^(\w+) +([\d,]+)(?: +\d+)?$", text, re.MULTILINE)
    assert len(shown) >= 8
    assert {(name, int(count.replace(",", ""))) for name, count in shown} <= set(rows.items())
    assert f"{sum(rows.values()):,} rows in {len(rows)} tables" in text
