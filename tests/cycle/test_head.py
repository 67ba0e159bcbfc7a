"""Rules are bound to the head: they follow the columns that migrations rename, copy and move."""

import contextlib

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.cycle import migrate
from dbcycle_assets.cycle.plan import current_plan, decide, proposals
from dbcycle_assets.errors import ConfigError, PlanError

from ..cli.conftest import run
from .kit import Shop

SCRIPT = """
CREATE TABLE users (
  id INTEGER PRIMARY KEY, login VARCHAR(80) NOT NULL UNIQUE, first_name TEXT, last_name TEXT, role TEXT
);
CREATE TABLE notes (id INTEGER PRIMARY KEY, login VARCHAR(80), body TEXT);
INSERT INTO users VALUES
  (1, 'ada@corp.test', 'Ada', 'Lovelace', 'admin'), (2, 'grace@corp.test', 'Grace', 'Hopper', 'user');
INSERT INTO notes VALUES (1, 'ada@corp.test', 'nothing'), (2, 'grace@corp.test', 'more');
"""

CONFIG = """\
migrations: [{version: v1, directory: sql}]
tables:
  users:
    columns:
      login: email     # one address for each
      first_name: first_name
      last_name:
        - {anonymize: keep, when: {role: admin}}
        - last_name
    keep: [id, role]
  notes:
    columns: {body: free_text}
    keep: [id]
    references: {login: users.login}
"""

RENAME = "ALTER TABLE users RENAME COLUMN login TO email;\n"


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """Give a project with one migration to write; the production dump is there."""
    made = Shop.on(request, tmp_path, monkeypatch)
    made.produce(SCRIPT, CONFIG)
    yield made
    with contextlib.suppress(Exception):
        made.close()


def steps(shop, files):
    """Write the migrations."""
    (shop.root / "sql").mkdir(exist_ok=True)
    for name, text in files.items():
        (shop.root / "sql" / name).write_text(text)


def migrated(shop):
    """Restore and migrate; return a new session."""
    from dbcycle_assets.cycle import restore

    cycle = shop.cycle
    restore.take_dump(cycle)
    restore.take_key(cycle)
    restore.restore(cycle)
    migrate.migrate(cycle)
    return shop.cycle


def judge(shop, *words):
    """Run ``dbcycle judge``."""
    return run("--project", shop.root, "judge", *words)


@pytest.mark.parametrize(
    "files",
    [
        {"1.sql": RENAME},
        {
            "1.sql": "ALTER TABLE users ADD COLUMN email VARCHAR(80);\n"
            "UPDATE users SET email = login;\n",
            "2.py": "def run(connection, step):\n"
            "    connection.exec_driver_sql('DROP INDEX IF EXISTS users_login')\n"
            "    connection.exec_driver_sql("
            "'CREATE TABLE u2 AS SELECT id, email, first_name, last_name, role FROM users')\n"
            "    connection.exec_driver_sql('DROP TABLE users')\n"
            "    connection.exec_driver_sql('ALTER TABLE u2 RENAME TO users')\n"
            "    connection.exec_driver_sql('CREATE UNIQUE INDEX one ON users (email)')\n",
        },
        {
            "1.py": "def run(connection, step):\n"
            "    connection.exec_driver_sql('ALTER TABLE users RENAME COLUMN login TO email')\n"
        },
    ],
    ids=["rename", "copy and rebuild", "python"],
)
def test_a_renamed_column_keeps_its_rule_and_what_refers_to_it(shop, files):
    """The whole cycle runs with the config as it was; every mention of the column follows."""
    steps(shop, files)
    shop.build()
    real = {"ada@corp.test", "grace@corp.test"}
    users = shop.rows("SELECT id, email FROM users ORDER BY id")
    assert len(users) == 2
    assert not real & {email for _, email in users}
    assert shop.rows("SELECT id, login FROM notes ORDER BY id") == users
    (note,) = current_plan(shop.cycle).notes
    assert note.startswith("users.login is now users.email (v1/")


def test_judge_writes_the_new_name_down_and_keeps_the_comment(shop):
    steps(shop, {"1.sql": RENAME + "ALTER TABLE users RENAME COLUMN role TO standing;\n"})
    cycle = migrated(shop)
    before = decide(cycle).record.data_version
    extracts = {a: n.code_version for a, n in cycle.nodes().items() if a.startswith("extracts/")}
    done = judge(shop, "--accept-all")
    assert done.code == 0, done.err
    text = (shop.root / "dbcycle.yaml").read_text()
    assert "      email: email     # one address for each\n" in text
    assert "{anonymize: keep, when: {standing: admin}}" in text
    assert "keep: [id, standing]" in text
    assert "references: {login: users.email}" in text
    assert "users.login is now users.email (v1/1.sql)" in done.out
    cycle = shop.cycle
    assert not current_plan(cycle).notes
    assert decide(cycle).record.data_version == before
    after = {a: n.code_version for a, n in cycle.nodes().items() if a.startswith("extracts/")}
    assert after == extracts


def test_a_renamed_table_stops_the_plan_until_judge_has_moved_its_rules(shop):
    steps(shop, {"1.sql": "ALTER TABLE notes RENAME TO remarks;\n"})
    cycle = migrated(shop)
    with pytest.raises(PlanError, match="notes: the table is now called remarks"):
        decide(cycle)
    assert judge(shop, "--accept-all").code == 0
    assert list(load_project(shop.root).config.tables) == ["users", "remarks"]
    cycle = shop.build()
    assert shop.rows("SELECT count(*) FROM remarks") == [(2,)]


def test_a_new_column_stops_the_plan_and_a_copy_is_proposed_the_rule_it_copies(shop):
    steps(
        shop,
        {
            "1.sql": "ALTER TABLE notes ADD COLUMN author TEXT;\n"
            "UPDATE notes SET author = (SELECT first_name FROM users u WHERE u.id = notes.id);\n"
            "ALTER TABLE notes ADD COLUMN salutation TEXT;\n"
            "UPDATE notes SET salutation = (SELECT substr(u.last_name, 1, 4) || '. ' || u.role"
            " FROM users u WHERE u.id = notes.id);\n"
            "ALTER TABLE users ADD COLUMN plain TEXT;\n"
        },
    )
    cycle = migrated(shop)
    with pytest.raises(PlanError, match=r"notes\.author: unjudged; proposed: first_name"):
        decide(cycle)
    found = {(p.table, p.column): p for p in proposals(cycle)}
    author, salutation = found["notes", "author"], found["notes", "salutation"]
    assert (author.rule, author.reason) == ("first_name", "a copy of users.first_name (v1/1.sql)")
    assert (salutation.rule, salutation.klass, salutation.personal) == (
        "free_text", "last name", True,
    )  # fmt: skip
    assert not found["users", "plain"].personal


def test_what_is_kept_of_a_masked_column_is_pointed_out(shop):
    steps(
        shop,
        {
            "1.sql": "ALTER TABLE users ADD COLUMN initial TEXT;\n"
            "UPDATE users SET initial = substr(first_name, 1, 1);\n"
        },
    )
    text = (shop.root / "dbcycle.yaml").read_text()
    (shop.root / "dbcycle.yaml").write_text(text.replace("[id, role]", "[id, role, initial]"))
    (note,) = current_plan(migrated(shop)).notes
    assert note == (
        "users.initial is kept, and v1/1.sql makes it of users.first_name, which is masked"
    )


def test_a_name_that_is_gone_for_good_is_still_an_error(shop):
    """Neither a dropped column nor one that became two has one heir."""
    steps(
        shop,
        {
            "1.sql": "ALTER TABLE users ADD COLUMN called TEXT;\n"
            "ALTER TABLE users ADD COLUMN named TEXT;\n"
            "UPDATE users SET called = first_name, named = first_name;\n"
            "ALTER TABLE users DROP COLUMN first_name;\n"
        },
    )
    with pytest.raises(
        ConfigError, match=r"tables\.users\.first_name: the table has no such column"
    ):
        current_plan(migrated(shop))


def test_a_step_that_would_hold_up_production_is_a_warning_of_the_migrated_schema(shop):
    """Its seconds are beside it: the dump's rows are as many as production's."""
    steps(shop, {"1.sql": RENAME, "2.py": "def run(connection, step):\n    pass\n"})
    record = migrated(shop).ledger.get("migrated_schema")
    assert list(record.facts["step_seconds"]) == ["v1/1.sql", "v1/2.py"]
    if shop.engine == "sqlite":
        assert record.checks == ()
        return
    (check,) = record.checks
    assert (check.name, check.passed, check.blocking) == ("no_long_locks", False, False)
    assert check.facts["warnings"][0].startswith("v1/1.sql:1: Renaming a column may break")


def test_a_golden_record_may_use_either_name(shop):
    """A file that names the former column goes on working until somebody changes it."""
    (shop.root / "golden").mkdir()
    (shop.root / "golden/users.yaml").write_text("- {id: 9, login: golden@corp.test}\n")
    with (shop.root / "dbcycle.yaml").open("a") as file:
        file.write("golden: golden\n")
    steps(shop, {"1.sql": RENAME})
    shop.build()
    assert shop.rows("SELECT email FROM users WHERE id = 9") == [("golden@corp.test",)]


def test_judge_says_what_it_did_not_write(shop):
    steps(shop, {"1.sql": RENAME})
    migrated(shop)
    before = (shop.root / "dbcycle.yaml").read_text()
    done = judge(shop)
    assert "not written down yet: users.login is now users.email" in done.out
    assert "every column is judged" not in done.out
    assert (shop.root / "dbcycle.yaml").read_text() == before
