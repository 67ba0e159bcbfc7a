"""The migrations v0.2 → v0.3 → v0.4 on a real server."""

from pathlib import Path

import bcrypt
from ruamel.yaml import YAML

from dbcycle_assets.cycle.constants import check_constants, constants_module
from dbcycle_assets.cycle.golden import golden_files, read_golden
from dbcycle_assets.model.plan import make_plan

from . import constants, golden

V02 = {
    "admins", "audit_events", "invoices", "login_sessions", "meeting_links", "notes", "parents",
    "payments", "student_parents", "students", "teachers", "tuition_enrolments",
    "tuition_log_charges", "tuition_logs", "tuitions", "users",
}  # fmt: skip
NEW = {"subjects", "availability_intervals", "homeworks"}


def catalog_of(server, name):
    with server.open(name, read_only=True) as database:
        return database.catalog()


def test_every_version_adds_its_tables(server, production, migrated):
    """v0.3 adds subjects and availability, v0.4 adds homeworks; nothing is lost on the way."""
    assert set(catalog_of(server, production).tables) == V02
    assert set(catalog_of(server, migrated).tables) == V02 | NEW


def test_the_same_dump_migrates_to_the_same_rows(server, migrate, migrated):
    """Migrated twice, every table has the same fingerprint: nothing comes from clock or chance."""
    migrate("tutor_migrated_again")
    found = []
    for name in (migrated, "tutor_migrated_again"):
        with server.open(name, read_only=True) as database:
            found.append(database.fingerprints(database.catalog().tables.values()))

    assert found[0] == found[1]
    assert all(found[0][table].rows for table in NEW)


def test_known_plain_texts_become_modern_hashes(ask, migrated, project):
    """A known plain text logs in again; every other account is told to reset its password."""
    known = YAML(typ="safe").load(project.path(project.config.passwords).read_text())["accounts"]
    rows = ask(migrated, "SELECT lower(email::text), password, must_reset_password FROM users")
    usable = {email: password for email, password, reset in rows if not reset}

    assert usable
    assert all(bcrypt.checkpw(known[email].encode(), usable[email].encode()) for email in usable)
    assert {password for _, password, reset in rows if reset} == {"!"}


def test_unknown_passwords_are_reported_by_number(migrate, project):
    """The report of normalize_passwords.py counts accounts and names none."""
    said = migrate("tutor_reported")
    known = YAML(typ="safe").load(project.path(project.config.passwords).read_text())["accounts"]

    text = next(line for line in said if "re-hashed" in line)

    assert "accounts must reset theirs" in text
    assert not any(part in text for pair in known.items() for part in pair)


def test_data_is_mapped_to_the_new_enum_values(ask, migrated):
    """A void log that another one corrects is CORRECTED; no void log has a correction left."""
    rows = dict(
        ask(
            migrated,
            "SELECT l.status::text, count(c.id) FROM tuition_logs l"
            " LEFT JOIN tuition_logs c ON c.corrected_from_log_id = l.id GROUP BY 1",
        )
    )

    assert rows["CORRECTED"] > 0
    assert rows.get("VOID", 0) == 0
    assert ask(migrated, "SELECT count(DISTINCT code) = count(*) FROM subjects") == [(True,)]


def test_every_column_is_judged(server, migrated, project):
    """The project's config judges every column of the migrated schema."""
    make_plan(project.config, catalog_of(server, migrated)).require()


def test_every_golden_file_fits_its_table(server, migrated, project):
    """Golden records parse, and the ids of constants.py are among them."""
    catalog = catalog_of(server, migrated)
    records = {
        table: read_golden(path, catalog.tables[table], "postgresql")
        for table, path in golden_files(project).items()
    }

    assert {row["id"] for row in records["users"]} == set(constants.USERS)
    assert records["subjects"][0]["id"] == constants.MATHEMATICS
    assert {row["id"] for row in records["tuition_log_charges"]} == set(constants.CHARGES)
    assert records["payments"][0]["id"] == constants.PAYMENT
    assert records["homeworks"][0]["id"] == constants.HOMEWORK
    assert all(
        bcrypt.checkpw(constants.PASSWORD.encode(), row["password"].encode())
        for row in records["users"][:1]
    )


def test_the_generated_constants_are_what_the_golden_records_say(server, migrated, project):
    """golden.py is up to date, and agrees with the constants that were written by hand."""
    text = constants_module(project, catalog_of(server, migrated))

    assert check_constants(Path(golden.__file__), text) == []
    assert [str(user.id) for user in golden.ALL_USERS] == list(constants.USERS)
    assert golden.USER_GOLDEN_ADMIN.settings["theme"] == "dark"
    assert golden.TUITION_LOG_CHARGE_0701.log_id == golden.TUITION_LOG_0601.id
