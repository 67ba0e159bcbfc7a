"""Servers and lines that fail: before or after, never between, and the next run ends well."""

import os
import signal
import threading
import time

import psycopg
import pytest

from dbcycle_assets.databases import embedded
from dbcycle_assets.databases.postgres.session import connect
from dbcycle_assets.errors import ServerUnavailable

from ..upkeep.kit import NO_TRANSACTION, Place
from .kit import database_digest, ended, run, started, told, wait_until
from .wire import Line, Pooler

case = pytest.mark.case
A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
B = A.replace(" a ", " b ")

EVERY = int(os.environ.get("FAULTS_EVERY", "5"))


def db(place, *words):
    return run("--project", place.root, "db", *words)


def address(server, name, port=None, **facts):
    """Return the URL of a database, through another port if one is given."""
    known = psycopg.conninfo.conninfo_to_dict(server.url(name))
    query = "&".join(f"{key}={value}" for key, value in facts.items())
    login = f"{known['user']}:{known['password']}"
    return f"postgresql://{login}@127.0.0.1:{port or known['port']}/{name}?{query}"


def line_to(server, kind=Line, **kwargs):
    known = psycopg.conninfo.conninfo_to_dict(server.base_url)
    return kind(known["host"], known["port"], **kwargs)


@case(23)
def test_a_line_that_is_cut_anywhere(postgres):
    """After the Nth message, for every N that FAULTS_EVERY divides: the step and its row are both
    there, or neither.
    """
    server = postgres.target.server
    postgres.write({"1_a.sql": A}).migrate()
    name = postgres.target.name
    postgres.write({"2_b.sql": B + "INSERT INTO b VALUES (1, 'x');\n"})
    cut = 0
    for left in range(1, 900, EVERY):
        with line_to(server, left=left) as line:
            postgres.url = address(server, name, line.port)
            try:
                done = postgres.migrate(wait=5.0)
            except ServerUnavailable:
                cut += 1
            else:
                assert done in (["v1/2_b.sql"], [])
                break
            finally:
                postgres.url = None
        with connect(server.base_url, name) as connection:
            rows = connection.execute("SELECT step FROM _dbcycle.migrations").fetchall()
            made = connection.execute("SELECT to_regclass('b') IS NOT NULL AS made").fetchone()
            assert ("v1/2_b.sql" in [row["step"] for row in rows]) == made["made"]
    assert cut > 10
    postgres.migrate()
    assert postgres.applied == ["v1/1_a.sql", "v1/2_b.sql"]
    assert postgres.ask("SELECT id FROM b") == [(1,)]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A project on an embedded server of its own."""
    for name in ("DBCYCLE_ENV", "DBCYCLE_PROJECT", "UPKEEP_PROD", "UPKEEP_SERVER"):
        monkeypatch.delenv(name, raising=False)
    place = Place("postgresql", tmp_path / "shop").configure()
    place.write({"1_a.sql": A}).migrate()
    try:
        yield place
    finally:
        embedded.remove(place.root / ".dbcycle")


@case(14, 24)
def test_a_server_that_is_killed_in_the_middle_of_a_seed(own):
    """The postmaster dies: exit code 9, the state before, and the same command ends well."""
    folder = own.root / "seeds/base"
    folder.mkdir(parents=True)
    text = "-- version: 1.0.0\n-- depends:\nINSERT INTO a VALUES (1, 'x');\nSELECT pg_sleep({});\n"
    (folder / "00_a.sql").write_text(text.format(30))
    with started("--project", own.root, "db", "seed") as going:
        wait_until(
            lambda: own.ask("SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%'"
                            " AND pid <> pg_backend_pid()")
        )  # fmt: skip
        kill_server(own)
        told(ended(going), 9)
    (folder / "00_a.sql").write_text(text.format(0))
    assert own.ask("SELECT * FROM a") == []
    done = db(own, "seed")
    assert done.code == 0, done.err
    assert own.ask("SELECT id FROM a") == [(1,)]


def kill_server(place):
    """Kill the postmaster as the system would."""
    data = embedded.ensure(place.root / ".dbcycle").data
    os.kill(int((data / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
    time.sleep(0.5)


@case(26)
def test_a_server_that_is_full_is_asked_again(postgres, server):
    """A few times; then exit code 9 with how often. Room in time is enough."""
    postgres.write({"1_a.sql": A}).migrate()
    name = postgres.target.name
    held = psycopg.connect(postgres.target.server.url(name))
    with connect(server.admin_url) as admin:
        admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 1')
        try:
            told(db(postgres, "migrate"), 9, "too many connections", "tried 5 times")
            threading.Timer(1.0, held.close).start()
            with connect(postgres.target.server.base_url, name):
                pass
        finally:
            held.close()
            admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
    postgres.write({"2_b.sql": B})
    assert postgres.migrate() == ["v1/2_b.sql"]


@case(27)
def test_who_is_in_the_way_is_named(postgres):
    """Process, user and table; the step left nothing, and runs once they are gone."""
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_a.sql": "ALTER TABLE a ADD COLUMN more text"})
    with postgres.connect() as other:
        other.execute("BEGIN")
        other.execute("SELECT 'Grace' FROM a")
        done = db(postgres, "migrate", "--lock-timeout", "0.2")
        told(done, 4, "2_a.sql:1:1", f"process {other.info.backend_pid} of dbcycle on a")
        other.execute("ROLLBACK")
    assert postgres.migrate() == ["v1/2_a.sql"]


@case(28)
def test_a_statement_that_takes_too_long(postgres):
    """The step is rolled back; the statement, the reason and the way out are told."""
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_b.sql": f"{B}SET LOCAL statement_timeout = '50ms';\nSELECT pg_sleep(9);\n"})
    told(db(postgres, "migrate"), 7, "2_b.sql:3:1", "statement timeout", "SET LOCAL")
    assert postgres.tables() == ["a"]


@case(29)
def test_a_deadlock_with_an_application(postgres, server):
    """The step gives way, and is tried again."""
    postgres.write({"1_a.sql": A + B}).migrate()
    text = "LOCK TABLE a;\nSELECT pg_sleep(0.5);\nLOCK TABLE b;\nALTER TABLE b ADD COLUMN c text;\n"
    postgres.write({"2_c.sql": text})
    with connect(server.admin_url, postgres.target.name) as other:
        other.execute("SET deadlock_timeout = '10min'")
        other.execute("BEGIN")
        other.execute("LOCK TABLE b")

        def use():
            wait_until(lambda: len(locks(postgres, "a")) > 0)
            other.execute("LOCK TABLE a")
            other.execute("COMMIT")

        using = threading.Thread(target=use)
        using.start()
        assert postgres.migrate(patience=20.0) == ["v1/2_c.sql"]
        using.join()


def locks(place, table):
    return place.ask(
        "SELECT 1 FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'"
        f" AND relation = '{table}'::regclass"
    )


@case(30)
def test_a_pooler_that_shares_sessions_is_refused(postgres):
    """Before any change, with what to use instead; a plain line through a port is none."""
    server = postgres.target.server
    postgres.write({"1_a.sql": A}).migrate()
    name = postgres.target.name
    before = database_digest(server, name)
    postgres.write({"2_b.sql": B})
    with line_to(server, Pooler) as pooler:
        url = address(server, name, pooler.port)
        for words in (["migrate"], ["seed"]):
            told(db(postgres, *words, "--db-url", url), 3, "pooler", "direct endpoint")
    assert database_digest(server, name) == before
    with line_to(server) as line:
        done = db(postgres, "migrate", "--db-url", address(server, name, line.port))
        assert done.code == 0, done.err


@case(31)
def test_an_encrypted_line_that_the_server_refuses(postgres):
    """A short message without the address's login."""
    server = postgres.target.server
    postgres.write({"1_a.sql": A})
    url = address(server, "postgres", sslmode="require")
    password = psycopg.conninfo.conninfo_to_dict(server.base_url)["password"]
    done = told(db(postgres, "migrate", "--db-url", url), 9, "SSL", secrets=[password])
    assert len(done.err.splitlines()) <= 4
    wrong = url.replace(password, "wr0ng")
    told(db(postgres, "migrate", "--db-url", wrong.split("?")[0]), 9, secrets=["wr0ng"])


@case(33)
def test_a_clock_that_jumps_changes_no_order(place):
    """The history goes by its own numbers: a time in the future makes nothing the newest."""
    place.write({"1_a.sql": A, "2_b.sql": B, "2_b.down.sql": "DROP TABLE b;"})
    place.migrate(target="1_a.sql")
    table = "_dbcycle.migrations" if place.engine == "postgresql" else "_dbcycle_migrations"
    with place.connect() as connection:
        connection.execute(f"UPDATE {table} SET applied_at = '2999-01-01 00:00:00'")
    assert place.migrate() == ["v1/2_b.sql"]
    assert place.status.head == "v1/2_b.sql"
    assert place.roll_back() == ["v1/2_b.sql"]


@case(34)
def test_a_flood_of_notices_changes_nothing(postgres):
    """Twenty thousand of them are nobody's message."""
    noise = "DO $$ BEGIN FOR n IN 1..20000 LOOP RAISE NOTICE 'Grace %', n; END LOOP; END $$;\n"
    postgres.write({"1_a.sql": A + noise})
    done = told(db(postgres, "migrate"), 0)
    assert len(done.err) < 2000


@case(35)
def test_locks_that_run_out_are_told_with_their_setting(postgresql):
    """A dump of very many tables in one transaction: what to raise is named."""
    from .test_dumps import before_end, plain, refused

    many = "SELECT pg_catalog.pg_advisory_xact_lock(n) FROM generate_series(1, 1000000) n;"
    postgresql.dump.write_text(before_end(plain(postgresql), many))
    refused(postgresql, 7, "out of shared memory", "max_locks_per_transaction")


@case(36)
@pytest.mark.parametrize("version", ["9.6.24", "99.1"])
def test_a_server_that_nobody_tried_is_refused(postgres, version, monkeypatch):
    """Too old or too new: the versions that were tried are told, and how to try all the same."""
    server = postgres.target.server
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_b.sql": B})
    name = postgres.target.name
    with line_to(server, version=version) as line:
        url = address(server, name, line.port)
        told(db(postgres, "migrate", "--db-url", url), 3, version, "DBCYCLE_UNTESTED_SERVER")
        assert postgres.tables() == ["a"]
        if version == "99.1":
            monkeypatch.setenv("DBCYCLE_UNTESTED_SERVER", "1")
            assert db(postgres, "migrate", "--db-url", url).code == 0


@case(38)
@pytest.mark.parametrize("marker", ["", NO_TRANSACTION])
def test_a_server_whose_disk_is_full(postgres, marker):
    """Exit code 9; the step is rolled back, and once there is room the same command ends well."""
    full = (
        "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE ="
        " 'could not extend file: No space left on device'; END $$;\n"
    )
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_b.sql": marker + B + full})
    told(db(postgres, "migrate"), 9, "disk is full", "2_b.sql")
    assert (postgres.tables() == ["a"]) == (marker == "")
    if not marker:
        postgres.write({"2_b.sql": B})
        assert postgres.migrate() == ["v1/2_b.sql"]
