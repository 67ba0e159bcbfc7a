"""Staging, and what tells a production database that nobody has marked: through the real command."""

import os

import psycopg
import pytest

from dbcycle_assets.databases import embedded
from dbcycle_assets.errors import GuardRefused
from dbcycle_assets.upkeep import seeding
from dbcycle_assets.upkeep.guards import Consent

from .kit import Place, silent

A = "CREATE TABLE a (id integer PRIMARY KEY);\n"
DOWN = {"1_a.sql": A, "1_a.down.sql": "DROP TABLE a;"}


@pytest.fixture
def staging(place, monkeypatch):
    """The project in staging, on a database that somebody made, with a seed for each folder."""
    name = f"{place.name}_stage"
    if place.engine == "sqlite":
        path = place.root / f"{name}.db"
        path.touch()
        url = f"sqlite:///{path}"
    else:
        url = made(place.target.server, name)
    monkeypatch.setenv("UPKEEP_STAGE", url)
    config = place.root / "dbcycle.yaml"
    config.write_text(
        config.read_text().replace("targets: {", "targets: {staging: {url_env: UPKEEP_STAGE}, ")
    )
    place.write(DOWN)
    for number, group in enumerate(("base", "development", "test"), 1):
        (place.root / "seeds" / group).mkdir(parents=True)
        (place.root / "seeds" / group / "01_a.yaml").write_text(f"a:\n  rows: [{{id: {number}}}]\n")
    place.environment, place.stage_name = "staging", name
    return place


def made(server, name):
    with server._administer() as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.url(name)


def command(place, *words):
    return place.run("db", *words, "--env", "staging")


def test_staging_is_migrated_freely_and_loses_nothing_unconfirmed(staging):
    """What destroys needs the database's name; --force and --yes do not stand for it."""
    done = command(staging, "migrate")
    assert done.returncode == 0, done.stderr
    for words in (["--force"], ["--yes"], ["--force", "--yes"], ["--force", "--confirm", "other"]):
        assert command(staging, "rollback", *words).returncode == 3, words
    with pytest.raises(GuardRefused, match="was not confirmed"):
        seeding.take_back(staging.target, "base/01_a", Consent(), silent)
    assert staging.tables() == ["a"]
    done = command(staging, "rollback", "--force", "--confirm", staging.stage_name)
    assert done.returncode == 0, done.stderr
    assert staging.tables() == []


def test_staging_gets_base_seeds_alone(staging):
    """By whichever of its names it is called."""
    command(staging, "migrate")
    done = staging.run("db", "seed", "--env", "stage", "--json")
    assert done.returncode == 0, done.stderr
    assert staging.ask("SELECT id FROM a") == [(1,)]


def test_staging_is_never_reset(staging):
    """Not with its name either."""
    command(staging, "setup")
    done = command(staging, "reset", "--force", "--yes", "--confirm", staging.stage_name)
    assert done.returncode == 3
    assert "never reset" in done.stderr
    assert staging.ask("SELECT id FROM a") == [(1,)]


def test_a_staging_database_refuses_every_other_environment(staging):
    """It says itself what it is."""
    command(staging, "migrate")
    url = staging.target.server.url(staging.stage_name)
    for words in (["migrate"], ["reset", "--force"], ["rollback", "--force"], ["seed"]):
        assert staging.run("db", *words, "--db-url", url).returncode == 3, words
    assert staging.tables() == ["a"]


@pytest.mark.case(119)
def test_the_address_of_the_dumps_is_a_sign_of_production(postgres, monkeypatch):
    """The command refuses it in development, whatever is agreed to; claimed once, it is ours."""
    url = made(postgres.target.server, f"{postgres.name}_source")
    config = postgres.root / "dbcycle.yaml"
    config.write_text(
        config.read_text().replace("{dump: prod.dump}", "{dump: x, download: {url_env: SOURCE}}")
    )
    postgres.write(DOWN)
    address = url.replace("postgresql://", "postgres://")
    for words in ([], ["--yes"], ["--force", "--yes"]):
        done = postgres.run("db", "migrate", "--db-url", address, *words, env={"SOURCE": url})
        assert done.returncode == 3, done.stderr
        assert "looks like production (the project's source)" in done.stderr
    postgres.url = url
    assert postgres.tables() == []
    claimed = ["db", "claim", "--db-url", address, "--confirm", f"{postgres.name}_source"]
    assert postgres.run(*claimed, env={"SOURCE": url}).returncode == 0
    done = postgres.run("db", "migrate", "--db-url", address, env={"SOURCE": url})
    assert done.returncode == 0, done.stderr


@pytest.mark.case(34)
def test_a_read_only_database_is_refused_before_anything_is_tried(postgres):
    """By what the live session is told, not by the first statement that fails."""
    name = f"{postgres.name}_read"
    postgres.url = made(postgres.target.server, name)
    postgres.write(DOWN)
    with postgres.connect() as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    for words in (["migrate"], ["seed"], ["setup"], ["reset", "--force"]):
        done = postgres.run("db", *words, "--db-url", postgres.url)
        assert done.returncode == 3, (words, done.stderr)
        assert "standby or read-only" in done.stderr
    assert postgres.tables() == []


@pytest.fixture
def archiving(tmp_path):
    """A server of its own that archives its log, as a production server does."""
    state = tmp_path / "archiving"
    server = embedded.ensure(state)
    settings = {"wal_level": "replica", "archive_mode": "on", "archive_command": "true"}
    with psycopg.connect(server.url(embedded.ADMIN), autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.execute('CREATE DATABASE "shop" OWNER dbcycle')
    try:
        restart(server)
        yield server
    finally:
        embedded.remove(state)


def restart(server):
    done = embedded._pg_ctl(server, "restart", "-w", "-l", str(server.data.parent / "server.log"))
    assert done.returncode == 0, done.stdout


@pytest.mark.case(25, 119)
def test_a_server_that_archives_or_follows_another_is_a_sign_of_production(
    archiving, tmp_path, monkeypatch
):
    """An archive is a sign, and a standby takes nothing at all: real servers, both."""
    for name in ("DBCYCLE_ENV", "DBCYCLE_PROJECT", "UPKEEP_PROD", "UPKEEP_SERVER"):
        monkeypatch.delenv(name, raising=False)
    place = Place("postgresql", tmp_path / "shop").configure().write(DOWN)
    url = archiving.url().rpartition("/")[0] + "/shop"
    done = place.run("db", "migrate", "--db-url", url, "--force", "--yes")
    assert done.returncode == 3, done.stderr
    assert "looks like production (archiving)" in done.stderr

    signal = archiving.data / "standby.signal"
    signal.touch()
    owner = archiving.data.stat()
    os.chown(signal, owner.st_uid, owner.st_gid)
    restart(archiving)
    for words in (["--force", "--yes"], ["--env", "test"]):
        done = place.run("db", "migrate", "--db-url", url, *words)
        assert done.returncode == 3, done.stderr
        assert "standby or read-only" in done.stderr
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        assert not connection.execute("SELECT FROM pg_tables WHERE tablename = 'a'").fetchall()
