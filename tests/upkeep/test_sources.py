"""Directories of other tools, the tools themselves, new steps, and statements found beforehand."""

from datetime import UTC, datetime

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.errors import ConfigError, MigrationError, UsageError
from dbcycle_assets.upkeep.creation import create_step
from dbcycle_assets.upkeep.layouts import natural
from dbcycle_assets.upkeep.sources import migration_steps, migrations_digest

from .kit import NO_TRANSACTION, Place

A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
NOW = datetime(2026, 11, 21, 13, 5, 9, tzinfo=UTC)

LAYOUTS = {
    "prisma": (
        {"20240101_a/migration.sql": A, "20240102_i/migration.sql": "CREATE INDEX i ON a (word)",
         "migration_lock.toml": "provider = 'postgresql'"},
        ["20240101_a", "20240102_i"],
    ),
    "diesel": (
        {"2024-01-01-000000_a/up.sql": A, "2024-01-01-000000_a/down.sql": "DROP TABLE a",
         "2024-01-02-000000_i/up.sql": "CREATE INDEX i ON a (word)",
         "2024-01-02-000000_i/down.sql": "DROP INDEX i"},
        ["2024-01-01-000000_a", "2024-01-02-000000_i"],
    ),
    "dbmate": (
        {"20240101_a.sql": f"-- migrate:up\n{A}\n-- migrate:down\nDROP TABLE a;\n",
         "20240102_i.sql": "-- migrate:up transaction:false\nCREATE INDEX i ON a (word);\n"
         "-- migrate:down\nDROP INDEX i;\n"},
        ["20240101_a.sql", "20240102_i.sql"],
    ),
    "golang-migrate": (
        {"2_a.up.sql": A, "2_a.down.sql": "DROP TABLE a",
         "10_i.up..sql": "CREATE INDEX i ON a (word)", "10_i.down.sql": "DROP INDEX i"},
        ["2_a", "10_i"],
    ),
    "flyway": (
        {"V1_2__a.sql": A, "V1.10__i.sql": "CREATE INDEX i ON a (word)",
         "U1.10__i.sql": "DROP INDEX i", "R__view.sql": "DROP VIEW IF EXISTS v;"
         "CREATE VIEW v AS SELECT id FROM a", "notes.txt": "no"},
        ["V1_2__a.sql", "V1.10__i.sql", "R__view.sql"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_directory_is_read_as_its_tool_lays_it_out(place, layout):
    """In the tool's own order, up and, where it has ways down, down again."""
    files, names = LAYOUTS[layout]
    place.write(files).configure(f"{{layout: {layout}, directory: migrations}}")
    assert place.migrate() == names
    assert place.migrate() == []
    assert place.status.drift == ()
    if layout not in {"prisma", "flyway"}:
        assert place.roll_back(2) == names[::-1]
        assert place.tables() == []


def test_a_repeatable_step_runs_again_when_it_changed(place):
    """Flyway's R__ files: after all others, whenever their text is another."""
    files, _ = LAYOUTS["flyway"]
    place.write(files).configure("{layout: flyway, directory: migrations}")
    place.migrate()
    place.write({"R__view.sql": "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT word FROM a"})
    assert place.status.pending == ("R__view.sql",)
    assert place.migrate() == ["R__view.sql"]


def test_foreign_directories_need_no_marker(postgres):
    """CREATE INDEX CONCURRENTLY runs outside a transaction where the other tool's file has it."""
    postgres.write({"V1__a.sql": A, "V2__i.sql": "CREATE INDEX CONCURRENTLY i ON a (word);"})
    postgres.configure("{layout: flyway, directory: migrations}")
    assert postgres.migrate() == ["V1__a.sql", "V2__i.sql"]


@pytest.mark.parametrize(
    ("layout", "files", "what"),
    [
        ("dbmate", {"1_a.sql": A}, "migrate:up"),
        ("prisma", {"1_a/readme.md": "x"}, r"holds no migration\.sql"),
        ("golang-migrate", {"1_a.up.sql": A, "01_b.up.sql": A}, "occurs twice"),
        ("flyway", {"V1.1__a.sql": A, "V1_1__b.sql": A}, "occurs twice"),
        ("plain", {"1_a.down.sql": "DROP TABLE a"}, "without a way up"),
        ("diesel", {"1_a.up.sql": A}, "laid out as diesel has them"),
        (
            "dbmate",
            {"1_a.sql": f"-- migrate:up\n{A}    -- migrate:down\nDROP TABLE a;"},
            r"1_a\.sql:3: dbmate does not see this line",
        ),
    ],
)
def test_a_malformed_directory_is_refused(tmp_path, layout, files, what):
    """The file is named."""
    place = Place("sqlite", tmp_path / "shop").configure().write(files)
    place.configure(f"{{layout: {layout}, directory: migrations}}")
    with pytest.raises(MigrationError, match=what):
        migration_steps(load_project(place.root))


@pytest.mark.parametrize(
    ("migrations", "what"),
    [
        ("{tool: alembic}", "needs `config`"),
        ("{tool: command}", "needs `run`"),
        ("{tool: command, run: [x], directory: d}", "a tool has no directory"),
        ("[{version: v1}]", "give a `directory`"),
        ("[{directory: d}]", "`version` is missing"),
        ("{layout: flyway, directory: d, steps: [a.sql]}", "leave `steps` away"),
        ("{layout: rails, directory: d}", "layout"),
    ],
)
def test_a_config_that_says_too_little_or_too_much_is_refused(tmp_path, migrations, what):
    """With its line."""
    place = Place("sqlite", tmp_path / "shop").configure(migrations)
    with pytest.raises(ConfigError, match=what):
        load_project(place.root)


def test_names_sort_as_people_count():
    """Numbers by value wherever they stand."""
    names = ["10_a", "9_a", "2_b", "2_a10", "2_a9"]
    assert sorted(names, key=natural) == ["2_a9", "2_a10", "2_b", "9_a", "10_a"]


OUTSIDE = [
    "CREATE UNIQUE INDEX CONCURRENTLY i ON a (word)",
    "DROP INDEX CONCURRENTLY IF EXISTS i",
    "REINDEX TABLE CONCURRENTLY a",
    "REINDEX (VERBOSE) SCHEMA public",
    "vacuum (analyze) a",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "CREATE DATABASE other",
    "ALTER TABLE a DETACH PARTITION p CONCURRENTLY",
]


@pytest.mark.parametrize("statement", OUTSIDE)
@pytest.mark.case(69)
def test_what_cannot_be_in_a_transaction_is_found_before_it_runs(postgres, statement):
    """With file, line and column, and the marker to write; nothing of the step ran."""
    postgres.write({"1_a.sql": A + f"/* x */ {statement};"})
    with pytest.raises(MigrationError, match="cannot run in a transaction") as caught:
        postgres.migrate()
    assert caught.value.where.endswith("1_a.sql:2:9")
    assert "dbcycle: no-transaction" in caught.value.remedy
    assert postgres.applied == []


@pytest.mark.case(71)
def test_a_new_enum_value_is_not_used_where_it_was_added(postgres):
    """Found beforehand, unless the type is new as well; then PostgreSQL allows it."""
    whole = "CREATE TYPE mood AS ENUM ('ok');\nCREATE TABLE m (mood mood);\n"
    more = "ALTER TYPE mood ADD VALUE 'glad';\nINSERT INTO m VALUES ('glad');\n"
    postgres.write({"1_m.sql": whole, "2_m.sql": more})
    with pytest.raises(MigrationError, match="ADD VALUE") as caught:
        postgres.migrate()
    assert caught.value.where.endswith("2_m.sql:2:1")
    postgres.write({"2_m.sql": NO_TRANSACTION + more})
    assert postgres.migrate() == ["v1/1_m.sql", "v1/2_m.sql"]
    new = "CREATE TYPE tone AS ENUM ('c');\nALTER TYPE tone ADD VALUE 'd';\nSELECT 'd'::tone;\n"
    postgres.write({"3_m.sql": new})
    assert postgres.migrate() == ["v1/3_m.sql"]


@pytest.mark.case(77)
def test_scripts_run_as_psql_would(postgres):
    """COPY data, nested dollar quotes, semicolons in comments, roles and settings that are set."""
    postgres.write({
        "1_a.sql": A + "COPY a FROM stdin;\n1\tone; two\n2\t\\N\n\\.\n"
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $x$ SELECT $y$;$y$ /* ; */ $x$;\n"
        "SET search_path = pg_catalog;\nSET ROLE NONE;\n",
        "2_b.sql": f"{NO_TRANSACTION}COPY a FROM stdin;\n3\tx\n\\.\nSET work_mem = '8MB';\nVACUUM a;",
        "3_c.sql": "INSERT INTO a VALUES (4, f());",
    })  # fmt: skip
    assert len(postgres.migrate()) == 3
    assert postgres.ask("SELECT word FROM a ORDER BY id") == [
        ("one; two",), (None,), ("x",), (";",),
    ]  # fmt: skip


def test_a_new_step_gets_the_next_number(tmp_path):
    """As wide as the largest; a version that lists its steps gets it as its last."""
    place = Place("sqlite", tmp_path / "shop").configure().write({"007_a.sql": A})
    project = place.target.project
    paths = create_step(project, "add_b", transaction=False, now=NOW)
    assert [path.name for path in paths] == ["008_add_b.sql", "008_add_b.down.sql"]
    assert paths[0].read_text().startswith("-- dbcycle: no-transaction\n")
    with pytest.raises(UsageError):
        create_step(project, "../x", transaction=True, now=NOW)
    place.configure("\n  # ours\n  - {version: v1, directory: migrations, steps: [007_a.sql]}")
    create_step(load_project(place.root), "add_c", transaction=True, now=NOW)
    assert [step.name for step in migration_steps(load_project(place.root))][1:] == [
        "v1/009_add_c.sql"
    ]
    assert "# ours" in (place.root / "dbcycle.yaml").read_text()


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("dbmate", "20261121130509_add_b.sql"),
        ("prisma", "migration.sql"),
        ("diesel", "up.sql"),
        ("golang-migrate", "001_add_b.up.sql"),
        ("flyway", "V1__add_b.sql"),
    ],
)
def test_a_new_step_follows_the_layout(tmp_path, layout, name):
    """Other tools read what `db create` writes."""
    place = Place("sqlite", tmp_path / "shop")
    place.configure(f"{{layout: {layout}, directory: migrations}}")
    project = load_project(place.root)
    assert create_step(project, "add_b", transaction=True, now=NOW)[0].name == name
    assert len(migration_steps(project)) == 1


COMMAND = """\
import os, sqlite3, sys
url = os.environ["SHOP_URL"]
assert not any("://" in word for word in sys.argv)
if url.startswith("sqlite"):
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
else:
    import psycopg
    connection = psycopg.connect(url)
connection.execute("CREATE TABLE IF NOT EXISTS made (id integer)")
connection.commit()
connection.close()
print("postgresql://user:secret@host/db: made")
"""


def test_a_command_of_yours_migrates(place):
    """The URL is in a variable, never among the words; its files are part of the version."""
    (place.root / "manage.py").write_text(COMMAND)
    place.configure(
        "{tool: command, run: [python3, manage.py], url_env: SHOP_URL, files: ['*.py']}"
    )
    import sys

    config = place.root / "dbcycle.yaml"
    config.write_text(config.read_text().replace("python3", sys.executable))
    assert place.migrate() == ["command"]
    assert place.tables() == ["made"]
    before = migrations_digest(place.target.project)
    (place.root / "manage.py").write_text("import sys; print('it broke'); sys.exit(3)")
    assert migrations_digest(place.target.project) != before
    with pytest.raises(MigrationError, match="exit code 3") as caught:
        place.migrate()
    assert "it broke" in str(caught.value)
    (place.root / "manage.py").unlink()


ENV = """\
from alembic import context
from sqlalchemy import engine_from_config, pool
config = context.config
engine = engine_from_config(config.get_section("alembic"), prefix="sqlalchemy.", poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """\
revision = {revision!r}
down_revision = {down!r}
from alembic import op
import sqlalchemy as sa
def upgrade():
    op.create_table({table!r}, sa.Column("id", sa.Integer, primary_key=True))
"""


def test_alembic_migrates_through_its_own_environment(place):
    """An env.py as `alembic init` writes it; a new revision is applied by the next run."""
    pytest.importorskip("alembic")
    versions = place.root / "alembic" / "versions"
    versions.mkdir(parents=True)
    (place.root / "alembic.ini").write_text(
        "[alembic]\nscript_location = %(here)s/alembic\nsqlalchemy.url = none://\n"
    )
    (place.root / "alembic" / "env.py").write_text(ENV)
    (versions / "1_a.py").write_text(REVISION.format(revision="r1", down=None, table="a"))
    place.configure("{tool: alembic, config: alembic.ini}")
    assert place.migrate() == ["alembic"]
    assert place.tables() == ["a", "alembic_version"]
    assert place.migrate() == []
    (versions / "2_b.py").write_text(REVISION.format(revision="r2", down="r1", table="b"))
    assert place.migrate() == ["alembic"]
    assert "b" in place.tables()
    (versions / "3_c.py").write_text(REVISION.format(revision="r3", down="r2", table="b"))
    with pytest.raises(MigrationError, match=r"Alembic raised \w+ in 3_c\.py:6"):
        place.migrate()
