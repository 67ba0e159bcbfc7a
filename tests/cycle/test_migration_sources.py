"""Whole runs over migrations of other tools, and over a dump that says which of ours it has."""

import contextlib
import sqlite3
import sys

import psycopg
import pytest

from dbcycle_assets import load_project
from dbcycle_assets.databases import dump_database
from dbcycle_assets.databases.port import Stamp
from dbcycle_assets.upkeep import operations
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.operations import Wish
from dbcycle_assets.upkeep.target import resolve

from .kit import Shop

SCRIPT = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, role TEXT);
INSERT INTO users VALUES (1, 'ada@corp.test', 'admin'), (2, 'grace@corp.test', 'user');
"""
TABLES = """\
tables:
  users: {columns: {email: email}, keep: [id, role, active]}
  tags: {keep: [id, label]}
"""
TAGS = "CREATE TABLE tags (id INTEGER PRIMARY KEY, label TEXT NOT NULL);"
ACTIVE = "ALTER TABLE users ADD COLUMN active INTEGER NOT NULL DEFAULT 1;"


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """Give an empty project on each engine."""
    server = request.getfixturevalue("server") if request.param == "postgresql" else None
    if server is not None:
        monkeypatch.setenv("SHOP_SERVER", server.url("postgres"))
    for name in ("DBCYCLE_ENV", "DBCYCLE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    made = Shop(request.param, tmp_path / "shop", server)
    yield made
    with contextlib.suppress(Exception):
        made.close()


def write(shop, files):
    for name, text in files.items():
        path = shop.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def refreshed(shop):
    """Refresh; return the assets that worked."""
    done = shop.refresh()
    assert done.ok, done.error
    return [name.partition("/")[2] for name in done.materialized]


def check_published(shop, number=0):
    """The schema is that of the migrations, and the rows are production's, anonymized."""
    rows = shop.rows("SELECT id, email, active FROM users ORDER BY id")
    assert [(row[0], row[2]) for row in rows] == [(1, 1), (2, 1)]
    assert not any("corp.test" in row[1] for row in rows)
    assert shop.rows("SELECT count(*) FROM tags") == [(number,)]


def check_incremental(shop, files, *tables):
    """Without a change nothing works; with another migration its tables do, and no others."""
    assert refreshed(shop) == []
    write(shop, files)
    again = refreshed(shop)
    assert "migrated_schema" in again
    expected = {
        f"{stage}/{table}" for stage in ("extracts", "seeded") for table in ("tags", *tables)
    }
    assert {name for name in again if name.startswith(("extracts/", "seeded/"))} == expected
    check_published(shop, 1)


LAYOUTS = {
    "dbmate": (
        {"db/20260101_a.sql": f"-- migrate:up\n{ACTIVE}\n-- migrate:down\n",
         "db/20260102_t.sql": f"-- migrate:up\n{TAGS}\n-- migrate:down\n"},
        {"db/20260103_r.sql": "-- migrate:up\nINSERT INTO tags VALUES (1, 'new');\n-- migrate:down\n"},
    ),
    "flyway": (
        {"db/V1__a.sql": ACTIVE, "db/V2__t.sql": TAGS},
        {"db/V3__r.sql": "INSERT INTO tags VALUES (1, 'new');"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_refresh_applies_the_directory_of_another_tool(shop, layout):
    """From the dump to the published database, and then only what another file reaches."""
    before, after = LAYOUTS[layout]
    shop.produce(SCRIPT, f"migrations: {{layout: {layout}, directory: db}}\n{TABLES}")
    write(shop, before)
    refreshed(shop)
    check_published(shop)
    check_incremental(shop, after)


ENV = """\
from alembic import context
from sqlalchemy import engine_from_config, pool
engine = engine_from_config(
    context.config.get_section("alembic"), prefix="sqlalchemy.", poolclass=pool.NullPool
)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """\
revision = {revision!r}
down_revision = {down!r}
from alembic import op
def upgrade():
    op.execute({text!r})
"""


def revision(name, down, text):
    return {f"alembic/versions/{name}.py": REVISION.format(revision=name, down=down, text=text)}


def test_a_refresh_lets_alembic_migrate(shop):
    """Through the project's own env.py; a new revision is seen as a change."""
    pytest.importorskip("alembic")
    tables = TABLES + "  alembic_version: {keep: [version_num]}\n"
    shop.produce(SCRIPT, "migrations: {tool: alembic, config: alembic.ini}\n" + tables)
    ini = "[alembic]\nscript_location = %(here)s/alembic\nsqlalchemy.url = none://\n"
    write(shop, {"alembic.ini": ini, "alembic/env.py": ENV})
    write(shop, revision("r1", None, ACTIVE) | revision("r2", "r1", TAGS))
    refreshed(shop)
    check_published(shop)
    more = revision("r3", "r2", "INSERT INTO tags VALUES (1, 'new')")
    check_incremental(shop, more, "alembic_version")
    assert shop.rows("SELECT version_num FROM alembic_version") == [("r3",)]


COMMAND = """\
import os, pathlib, sqlite3, sys
assert not any("://" in word for word in sys.argv)
url = os.environ["SHOP_URL"]
if url.startswith("sqlite"):
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
else:
    import psycopg
    connection = psycopg.connect(url)
for path in sorted(pathlib.Path("steps").iterdir()):
    connection.execute(path.read_text())
connection.commit()
connection.close()
"""


def test_a_refresh_lets_a_command_of_yours_migrate(shop):
    """It gets the URL of the copy in a variable; its files decide when it runs again."""
    shop.produce(
        SCRIPT,
        f"migrations: {{tool: command, run: [{sys.executable}, manage.py], url_env: SHOP_URL,"
        f" files: [manage.py, 'steps/*.sql']}}\n{TABLES}",
    )
    write(shop, {"manage.py": COMMAND, "steps/1.sql": ACTIVE, "steps/2.sql": TAGS})
    refreshed(shop)
    check_published(shop)
    check_incremental(shop, {"steps/3.sql": "INSERT INTO tags VALUES (1, 'new')"})


def test_a_dump_that_carries_our_history_goes_on_from_there(shop):
    """What `dbcycle db` applied in production is not applied again, nor is its record copied on."""
    steps = {"sql/1_active.sql": ACTIVE, "sql/2_tags.sql": TAGS}
    shop.root.mkdir()
    shop.configure(f"migrations: [{{version: v1, directory: sql}}]\n{TABLES}")
    write(shop, steps)
    produced = dump_with_history(shop, upto="1_active.sql")
    assert produced == ["v1/1_active.sql"]
    refreshed(shop)
    check_published(shop)
    record = shop.cycle.ledger.get("migrated_schema")
    assert list(record.facts["steps"]) == ["v1/2_tags.sql"]
    check_incremental(shop, {"sql/3_rows.sql": "INSERT INTO tags VALUES (1, 'new');"})


def dump_with_history(shop, upto):
    """Migrate a production database with `dbcycle db` and dump it; return the steps."""
    project = load_project(shop.root)
    dump = shop.root / "prod.dump"
    if shop.engine == "sqlite":
        url = f"sqlite:///{shop.root / 'live.db'}"
        with contextlib.closing(sqlite3.connect(shop.root / "live.db")) as connection:
            connection.executescript(SCRIPT)
    else:
        shop.server.create("live_of_shop", Stamp("shop", "db"))
        url = shop.server.url("live_of_shop")
        with psycopg.connect(url) as connection:
            connection.execute(SCRIPT)
    target = resolve(project, "production", url=url)
    consent = Consent(production=True, confirmed=target.name)
    if shop.engine == "sqlite":
        with target.open() as database:
            consent = Consent(production=True, confirmed=database.migrations().signs().name)
    done = operations.migrate(target, Wish(target=upto), consent, lambda _told: None)
    if shop.engine == "sqlite":
        with contextlib.closing(sqlite3.connect(shop.root / "live.db")) as connection:
            connection.execute("VACUUM INTO ?", [str(dump)])
    else:
        dump_database(url, dump, lambda _told: None)
        shop.server.drop("live_of_shop", "shop")
    return [step for step, _ in done.steps]
