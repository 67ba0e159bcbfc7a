"""The sample application's models are in step with the migrated schema, and drift is named."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.mapping.generate import generate
from dbcycle_assets.testing import assert_models_match

from .conftest import ROOT

APP = Path(__file__).parents[1] / "sample_app" / "database"


@pytest.fixture
def check(server, migrated):
    """Give a function that changes a copy of the schema and returns the findings."""
    name = f"tutor_models_{secrets.token_hex(4)}"

    def run(*statements):
        server.clone(migrated, name, Stamp("efficient_tutor", "migrated"))
        with server.open(name) as database:
            for statement in statements:
                database.run_sql(statement, Path("change.sql"))
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "dbcycle_assets",
                "--project",
                str(ROOT),
                "--json",
                "models",
                "--check",
                "--db-url",
                server.url(name),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        document = json.loads(done.stdout)
        assert done.returncode == (8 if document["findings"] else 0), done.stderr
        return [each["sentence"] for each in document["findings"]]

    yield run
    server.drop(name, "efficient_tutor")


def test_the_models_are_in_step(server, project, migrated):
    """Every table and column is compared, and nothing is found."""
    found = assert_models_match(project, server.url(migrated))
    assert (found.tables, found.columns, found.enums) == (19, 146, 12)


CHANGES = {
    "an added column": (
        "ALTER TABLE users ADD COLUMN nickname text",
        "users.nickname (User): the model lacks this column (text)",
    ),
    "a removed column": (
        "ALTER TABLE payments DROP COLUMN note",
        "payments.note (Payment.note): the schema has no such column",
    ),
    "a changed type": (
        "ALTER TABLE homeworks ALTER COLUMN grade TYPE numeric(6, 2)",
        "homeworks.grade (Homework.grade): the schema has NUMERIC(6, 2), the model NUMERIC(4, 1)",
    ),
    "nullable": (
        "ALTER TABLE payments ALTER COLUMN currency DROP NOT NULL",
        "payments.currency (Payment.currency): the schema allows NULL, the model does not",
    ),
    "a new label": (
        "ALTER TYPE payment_method ADD VALUE 'voucher' AFTER 'cash'",
        "payments.method (Payment.method): the enum `payment_method` lacks `voucher`",
    ),
    "a dropped foreign key": (
        "ALTER TABLE notes DROP CONSTRAINT notes_homework_id_fkey",
        (
            "notes.homework_id (Note.homework_id): the schema lacks the foreign key"
            " `notes_homework_id_fkey` (homework_id) → homeworks.id"
        ),
    ),
    "a foreign key that cascades": (
        (
            "ALTER TABLE homeworks DROP CONSTRAINT homeworks_student_id_fkey;"
            "ALTER TABLE homeworks ADD CONSTRAINT homeworks_student_id_fkey"
            " FOREIGN KEY (student_id) REFERENCES students (user_id) ON DELETE CASCADE"
        ),
        "homeworks.student_id (Homework.student_id): the foreign key has ON DELETE CASCADE",
    ),
    "a renamed table": (
        "ALTER TABLE meeting_links RENAME TO rooms",
        "rooms: no model maps this table; it seems to have been `meeting_links`",
    ),
    "another domain": (
        (
            "CREATE DOMAIN price AS numeric(12, 2);"
            "ALTER TABLE teachers ALTER COLUMN hourly_rate TYPE price"
        ),
        "teachers.hourly_rate (Teacher.hourly_rate): the schema has price",
    ),
    "another default": (
        "ALTER TABLE parents ALTER COLUMN currency SET DEFAULT 'EUR'",
        "parents.currency (Parent.currency): the default is 'EUR'::bpchar in the schema",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_schema_is_found_and_named(check, change):
    """One sentence says what, where, and what to do; nothing else is found."""
    statement, told = CHANGES[change]
    found = check(statement)
    assert any(sentence.startswith(told) for sentence in found), found
    assert all(" → " in sentence for sentence in found)
    assert len({sentence.split(":")[0].split(".")[0] for sentence in found}) <= 2


def test_labels_in_another_order_are_found(check):
    """The order is how the database sorts and compares them."""
    found = check(
        "ALTER TYPE weekday RENAME TO weekday_old;"
        "CREATE TYPE weekday AS ENUM ('sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat');"
        "ALTER TABLE availability_intervals ALTER COLUMN day TYPE weekday USING day::text::weekday;"
        "DROP TYPE weekday_old"
    )
    place = "availability_intervals.day (AvailabilityInterval.day): the enum `weekday` has another"
    assert any(sentence.startswith(place) for sentence in found), found
    assert any(sentence.startswith("weekday (Weekday): the class has") for sentence in found), found


def test_the_enums_of_the_application_are_as_they_are_generated(server, migrated):
    """Only the models were refined by hand: the module of enums but for its docstring is ours."""
    with server.open(migrated) as database:
        written = generate(database, enums=".db_enums").enums
    kept = (APP / "db_enums.py").read_text(encoding="utf-8")
    assert kept.split("\n", 1)[1] == written.split("\n", 1)[1]
