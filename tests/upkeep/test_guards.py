"""Guards, backups and the audit log: what may be done to which database, and what is told of it."""

import json

import pytest

from dbcycle_assets.config import credentials
from dbcycle_assets.databases.postgres.copies import UNFINISHED, sessions
from dbcycle_assets.errors import BadInput, GuardRefused
from dbcycle_assets.upkeep import audit, backups, custody, seeding
from dbcycle_assets.upkeep.guards import Consent
from dbcycle_assets.upkeep.target import resolve

from .kit import kill, silent, wait_until

A = "CREATE TABLE a (id integer PRIMARY KEY);\n"
DOWN = {"1_a.sql": A, "1_a.down.sql": "DROP TABLE a;"}


@pytest.fixture
def production(place, monkeypatch):
    """The same project in production, on a database that somebody made."""
    name = f"{place.name}_live"
    if place.engine == "sqlite":
        path = place.root / f"{name}.db"
        path.touch()
        url = f"sqlite:///{path}"
    else:
        server = place.target.server
        with server._administer() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = server.url(name)
    monkeypatch.setenv("UPKEEP_PROD", url)
    place.write(DOWN)
    place.environment = "production"
    place.prod_name, place.prod_url = name, url
    return place


@pytest.mark.case(119)
def test_production_needs_its_flag_and_its_name(production):
    """Neither --force nor --yes stands for them; a refusal changes nothing."""
    name = production.prod_name
    for consent in ({}, {"confirm": name}, {"prod": True}, {"prod": True, "confirm": "other"}):
        with pytest.raises(GuardRefused):
            production.migrate(**consent)
    for words in (["--prod", "--yes"], ["--prod", "--force"], ["--force", "--yes"]):
        env = {"DBCYCLE_ENV": "production"}
        assert production.run("db", "migrate", *words, env=env).returncode == 3
    assert production.tables() == []
    done = production.run("db", "migrate", "--prod", "--confirm", name)
    assert done.returncode == 0, done.stderr
    assert production.tables() == ["a"]


@pytest.mark.case(119)
def test_a_production_database_refuses_every_other_environment(production):
    """It says what it is wherever its URL turns up; --force and --yes make no difference."""
    production.migrate(prod=True, confirm=production.prod_name)
    production.environment, production.url = "development", production.prod_url
    with pytest.raises(GuardRefused, match="says that it is production"):
        production.migrate()
    with pytest.raises(GuardRefused, match="says that it is production"):
        production.roll_back(confirmed=production.prod_name)
    words = ["db", "rollback", "--force", "--yes", "--db-url", production.prod_url]
    assert production.run(*words).returncode == 3
    with pytest.raises(GuardRefused):
        custody.claim(production.target, Consent(confirmed=production.prod_name))
    assert production.tables() == ["a"]
    contradiction = production.run("db", "migrate", "--prod", "--env", "development")
    assert contradiction.returncode == 2


@pytest.mark.case(121)
def test_only_what_is_marked_may_be_lost(production):
    """A database of unknown make is migrated, but not rolled back before its owner claims it."""
    production.environment, production.url = "development", production.prod_url
    with production.connect() as connection:
        connection.execute("CREATE TABLE theirs (id integer)")
    assert production.migrate() == ["v1/1_a.sql"]
    with pytest.raises(GuardRefused, match="db claim --confirm"):
        production.roll_back()
    with pytest.raises(GuardRefused):
        custody.claim(production.target, Consent(confirmed="other"))
    custody.claim(production.target, Consent(confirmed=production.prod_name))
    assert production.roll_back() == ["v1/1_a.sql"]


def test_another_projects_database_is_left_alone(production):
    """The project that wrote its name into the database keeps it."""
    production.migrate(prod=True, confirm=production.prod_name)
    config = production.root / "dbcycle.yaml"
    config.write_text(config.read_text().replace(production.name, f"{production.name}x"))
    with pytest.raises(GuardRefused, match="belongs to project"):
        production.migrate(prod=True, confirm=production.prod_name)


def test_a_copy_is_not_the_original(production):
    """What a database says of itself counts for itself alone."""
    production.migrate(prod=True, confirm=production.prod_name)
    backup = custody.back_up(production.target)
    server = production.target.server
    with server.open(backup.name) as database:
        assert database.migrations().claim()["environment"] == "production"
        identity = database.migrations().signs().identity
        assert identity != database.migrations().claim()["identity"]


def test_the_source_of_the_dumps_is_production(postgres, monkeypatch):
    """Its address alone is a sign, whoever logs in."""
    postgres.write(DOWN).target.ensure()
    url = postgres.target.server.url(postgres.target.name)
    assert credentials.same_place(url, url.replace("postgresql://", "postgres://"))
    assert not credentials.same_place(url, url + "x")


def test_the_environment_says_which_database(place):
    """Development and test have one of ours; staging and production must be named."""
    project = place.target.project
    assert resolve(project, "development").name.endswith("_db_development")
    assert resolve(project, "test").name.endswith("_db_test")
    with pytest.raises(BadInput, match="nothing says where"):
        resolve(project, "staging")
    with pytest.raises(BadInput, match="the variable UPKEEP_PROD is not set"):
        resolve(project, "production")
    done = place.run("db", "status", "--env", "prodution")
    assert done.returncode == 2


def test_a_rollback_is_preceded_by_a_backup_that_can_be_restored(place):
    """Rows included; and what was there before the restore is a backup too."""
    place.write(DOWN).migrate()
    with place.connect() as connection:
        connection.execute("INSERT INTO a VALUES (1), (2)")
    place.roll_back()
    assert place.tables() == []
    found = backups.list_backups(place.target)
    assert [(each.reason, each.head) for each in found] == [("rollback", "v1/1_a.sql")]

    with pytest.raises(BadInput, match="there is no backup"):
        custody.restore(place.target, "nothing", Consent())
    restored, before = custody.restore(place.target, None, Consent())
    assert restored == found[0].name
    assert place.ask("SELECT id FROM a ORDER BY id") == [(1,), (2,)]
    assert place.applied == ["v1/1_a.sql"]
    custody.restore(place.target, before, Consent())
    assert place.tables() == []
    place.migrate()
    assert place.roll_back() == ["v1/1_a.sql"]


def test_production_is_backed_up_and_rolled_back_while_others_use_it(production):
    """Nobody's session ends, and the backup is the whole database at one moment."""
    production.migrate(prod=True, confirm=production.prod_name)
    with production.connect() as other:
        other.execute("INSERT INTO a VALUES (1), (2)")
        production.roll_back(production=True, confirmed=production.prod_name)
        (backup,) = backups.list_backups(production.target)
        assert other.execute("SELECT 1").fetchall() == [(1,)]
    server = production.target.server
    with server.open(backup.name) as database, database.sqlalchemy() as connection:
        rows = connection.exec_driver_sql("SELECT id FROM a ORDER BY id").fetchall()
        assert [tuple(row) for row in rows] == [(1,), (2,)]
        assert [entry.step for entry in database.migrations().entries()] == ["v1/1_a.sql"]
    consent = Consent(production=True, confirmed=production.prod_name)
    custody.restore(production.target, backup.name, consent)
    assert production.ask("SELECT id FROM a ORDER BY id") == [(1,), (2,)]


@pytest.mark.case(19)
def test_a_backup_that_was_cut_off_is_none(postgres, monkeypatch):
    """Killed while it is filled, it is not listed; the next one takes it away."""
    postgres.write(DOWN).migrate()
    monkeypatch.setenv("UPKEEP_PROD", postgres.target.server.url(postgres.target.name))
    with postgres.connect() as other:
        other.execute("CREATE TABLE big AS SELECT g, repeat(md5(g::text), 40) t"
                      " FROM generate_series(1, 150000) g")  # fmt: skip
        postgres.environment = "staging"
        (postgres.root / "dbcycle.yaml").write_text(
            (postgres.root / "dbcycle.yaml").read_text()
            .replace("production: {", "staging: {url_env: UPKEEP_PROD}, production: {")
        )  # fmt: skip
        server = postgres.target.server
        process = postgres.start("db", "backup", "--env", "staging")
        wait_until(lambda: server.duplicates(UNFINISHED))
        kill(process)
        ((left, _stamp),) = server.duplicates(UNFINISHED)
        assert backups.list_backups(postgres.target) == []
        wait_until(lambda: not _sessions(server, left))
        backup = custody.back_up(postgres.target)
        assert server.duplicates(UNFINISHED) == []
        assert [each.name for each in backups.list_backups(postgres.target)] == [backup.name]


def _sessions(server, name):
    with server._administer() as connection:
        return sessions(connection, name)


def test_a_refusal_is_written_down_too(production):
    """Whatever was asked for, and though nothing was done."""
    production.migrate(prod=True, confirm=production.prod_name)
    with pytest.raises(GuardRefused):
        production.roll_back()
    with pytest.raises(GuardRefused):
        custody.restore(production.target, None, Consent())
    with pytest.raises(GuardRefused):
        seeding.reset(production.target, Consent(production=True), silent, seeds=False)
    lines = audit.read_log(production.target.project.state)
    assert [line["action"] for line in lines] == ["migrate", "rollback", "restore", "reset"]
    assert all(line["result"].startswith("GuardRefused: ") for line in lines[1:])
    assert production.applied == ["v1/1_a.sql"]


@pytest.mark.case(44)
def test_only_so_many_backups_stay(place):
    """The oldest goes once the new one is whole; two in one second are two."""
    place.write(DOWN).migrate()
    names = [custody.back_up(place.target, keep=2).name for _ in range(3)]
    assert {each.name for each in backups.list_backups(place.target)} == set(names[1:])


def test_everything_is_written_down_without_a_password(production):
    """Who, when, where, what and with which result: in a file, and in the database itself."""
    production.migrate(prod=True, confirm=production.prod_name)
    with pytest.raises(GuardRefused):
        production.migrate()
    production.write({"2_b.sql": "SELECT nope"})
    done = production.run("db", "migrate", "--prod", "--confirm", production.prod_name)
    assert done.returncode == 7
    lines = audit.read_log(production.target.project.state)
    assert [line["action"] for line in lines] == ["migrate"] * 3
    assert lines[0]["result"] == "done"
    assert lines[0]["facts"]["steps"] == ["v1/1_a.sql"]
    assert lines[0]["who"] == audit.actor()
    assert lines[1]["result"].startswith("GuardRefused")
    assert lines[2]["result"].startswith("MigrationError")
    with production.target.open() as database:
        inside = database.migrations().audited()
    assert inside[0]["result"] == "done"
    assert "password" not in json.dumps(lines + inside)
    assert production.run("db", "log", "--json").returncode == 0


def test_a_password_never_shows(postgres):
    """Not in the log, not in an error, not in the output."""
    url = "postgresql://reader:s3cr%40t@127.0.0.1:1/shop"
    done = postgres.run("db", "migrate", "--db-url", url, "--debug")
    assert done.returncode == 9
    assert "s3cr" not in done.stdout + done.stderr
    assert silent("") is None
