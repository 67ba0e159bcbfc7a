"""The generator of production data."""

import subprocess
import sys
from pathlib import Path

from dbcycle_assets.databases.port import Server

from .conftest import ROOT, USERS


def prints(server: Server, name: str):
    with server.open(name, read_only=True) as database:
        return database.fingerprints(database.catalog().tables.values())


def test_a_seed_always_gives_the_same_rows(server, produce, production):
    """The same seed gives the same rows in every table, another seed gives others."""
    again, other = produce("tutor_again"), produce("tutor_other", seed=8)

    first = prints(server, production)

    assert prints(server, again) == first
    assert all(entry.digest != first[name].digest for name, entry in prints(server, other).items())


def test_production_quotes_people_everywhere(ask, production):
    """E-mail addresses stand in free text, JSON, arrays and bytes, not only in their own column."""
    places = {
        "notes.body": "SELECT count(*) FROM notes WHERE body LIKE '%@%.example%'",
        "tuition_logs.summary": "SELECT count(*) FROM tuition_logs WHERE summary LIKE '%@%'",
        "tuition_logs.attendee_emails": "SELECT count(*) FROM tuition_logs"
        " JOIN users ON email = ANY (attendee_emails)",
        "users.settings": "SELECT count(*) FROM users"
        " WHERE settings #>> '{notifications,email}' = email::text",
        "students.profile": "SELECT count(*) FROM students JOIN users"
        " ON profile #>> '{guardian,email}' = email::text",
        "audit_events.details": "SELECT count(*) FROM audit_events WHERE details ? 'old'",
        "invoices.receipt": "SELECT count(*) FROM invoices"
        " WHERE convert_from(receipt, 'UTF8') LIKE '%@%'",
    }

    empty = [place for place, query in places.items() if not ask(production, query)[0][0]]

    assert empty == []


def test_production_has_the_values_that_break_careless_tools(ask, production):
    """Null beside empty arrays, infinity, a literal backslash-N, the empty text, every partition."""
    queries = (
        "SELECT count(*) FROM users WHERE alternate_emails IS NULL",
        "SELECT count(*) FROM users WHERE alternate_emails = '{}'",
        "SELECT count(*) FROM tuitions WHERE ends_at = 'infinity'",
        "SELECT count(*) FROM notes WHERE body = ''",
        r"SELECT count(*) FROM notes WHERE body = '\N'",
        "SELECT count(*) FROM users WHERE last_name IS NULL OR first_name IS NULL",
        "SELECT count(*) FROM users WHERE full_name ~ '[^[:ascii:]]'",
        (
            "SELECT count(*) FROM teachers t JOIN tuitions u ON u.id = t.primary_tuition_id"
            " AND u.teacher_id = t.user_id"
        ),
        "SELECT count(*) FROM users WHERE referred_by IS NOT NULL",
        "SELECT count(*) FROM audit_events_2023",
        "SELECT count(*) FROM audit_events_2024",
        "SELECT count(*) FROM audit_events_rest",
    )

    missing = [query for query in queries if not ask(production, query)[0][0]]

    assert missing == []


def test_nobody_is_called_like_a_word_that_stays(ask, migrated, project):
    """A kept text column holds no word that is somebody's name, so every hit is a leak."""
    names = {
        word.casefold()
        for row in ask(migrated, "SELECT first_name, last_name FROM users")
        for word in row
        if len(word) > 2
    }
    with_names = {}
    for table, settings in project.config.tables.items():
        for column in settings.keep:
            rows = ask(migrated, f'SELECT DISTINCT lower("{column}"::text) FROM "{table}"')
            words = {word for (text,) in rows if text for word in split(text)}
            if words & names:
                with_names[f"{table}.{column}"] = len(words & names)

    assert with_names == {}


def split(text: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in text).split()


def test_the_file_of_known_passwords_belongs_to_the_committed_dump(generator, project):
    """The example file holds what the generator writes for the committed dump."""
    known = dict(generator.World(300, 7).known_passwords())
    lines = project.path(project.config.passwords).read_text().splitlines()

    written = dict(line.strip().split(": ") for line in lines if line.startswith("  "))

    assert written == known


def test_one_command_writes_a_dump(server, tmp_path):
    """The generator leaves a restorable custom dump, no scratch database and the row counts."""
    out = tmp_path / "prod.dump"
    command = [sys.executable, ROOT / "generate.py", "--users", str(USERS), "--out", out, "--stats"]

    done = subprocess.run(
        [*command, "--url", server.url("postgres")], capture_output=True, text=True, check=True
    )

    assert out.read_bytes().startswith(b"PGDMP")
    assert f"users                       {USERS}" in done.stdout
    assert [path.name for path in Path(tmp_path).iterdir()] == ["prod.dump"]
