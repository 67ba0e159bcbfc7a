"""A rehearsal warns of what would lock or rewrite a table in production."""

import json

from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.operations import Wish

from .kit import silent

BASE = "CREATE TABLE users (id integer PRIMARY KEY, email text);\nCREATE INDEX ON users (email);\n"


def test_a_rehearsal_names_file_line_and_way_out(postgres):
    postgres.write({"1.sql": BASE})
    postgres.migrate()
    postgres.write(
        {
            "2.sql": "ALTER TABLE users ADD COLUMN age integer;\n"
            "ALTER TABLE users ALTER COLUMN email TYPE varchar(80);\n",
            "3.sql": "CREATE INDEX by_age ON users (age);\n",
            "4.sql": "-- dbcycle: no-transaction\nCREATE INDEX CONCURRENTLY x ON users (age);\n",
            "5.py": "def run(connection, step):\n    pass\n",
        }
    )
    done = operations.rehearse(postgres.target, Wish(), silent)
    assert [(each.step, each.line, each.rule) for each in done.warnings] == [
        ("v1/2.sql", 2, "changing-column-type"),
        ("v1/3.sql", 1, "require-concurrent-index-creation"),
    ]
    assert all(each.what for each in done.warnings)
    out = postgres.run("--json", "db", "migrate", "--dry-run")
    assert [each["rule"] for each in json.loads(out.stdout)["warnings"]] == [
        "changing-column-type",
        "require-concurrent-index-creation",
    ]
    assert "v1/2.sql:2: " in postgres.run("db", "migrate", "--dry-run").stdout


def test_a_new_table_is_nobodys_and_an_exception_is_written_beside_the_statement(postgres):
    postgres.write(
        {
            "1.sql": BASE,
            "2.sql": "-- squawk-ignore renaming-column\n"
            "ALTER TABLE users RENAME COLUMN email TO mail;\n",
        }
    )
    assert operations.rehearse(postgres.target, Wish(), silent).warnings == ()


def test_sqlite_has_no_linter_and_says_nothing_of_one(place_on):
    place = place_on("sqlite")
    place.write({"1.sql": BASE.replace("ON users", "by_email ON users")})
    done = place.run("db", "migrate", "--dry-run")
    assert done.returncode == 0
    assert "linted" not in done.stderr
    assert operations.rehearse(place.target, Wish(), silent).warnings is None
