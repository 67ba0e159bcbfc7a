"""Databases are made, switched and dropped only under our stamp."""

import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Server, Stamp
from dbcycle_assets.databases.postgres.server import PostgresServer
from dbcycle_assets.databases.postgres.session import connect, with_database
from dbcycle_assets.errors import DbCycleError, GuardRefused, MigrationError, ServerUnavailable
from dbcycle_assets.model.migration import Entry

from .kit import PROJECT, scratch, stamp


def test_a_switch_keeps_the_former_database(server: Server) -> None:
    """The new database answers under the live name at once, the former under the previous one."""
    names = ["contract_new", "contract_live", "contract_previous"]
    for content in ("1", "2", "3"):
        server.create("contract_new", Stamp(PROJECT, "test", content))
        server.switch(*names, PROJECT)  # type: ignore[call-arg]
    found = [server.stamp(name) for name in names]
    assert [each.content if each else None for each in found] == [None, "3", "2"]
    for name in names:
        server.drop(name, PROJECT)
        assert not server.exists(name)
    with pytest.raises(DbCycleError):
        server.switch(*names, PROJECT)  # type: ignore[call-arg]


def test_a_switch_ends_the_sessions_in_its_way(server: Server) -> None:
    """An open session on the live database does not keep it from being replaced."""
    server.create("contract_live", stamp())
    server.create("contract_new", stamp())
    with server.open("contract_live"):
        server.switch("contract_new", "contract_live", "contract_previous", PROJECT)
    for name in ("contract_live", "contract_previous"):
        server.drop(name, PROJECT)


def test_another_project_is_refused(server: Server) -> None:
    """A stamp of one project gives another project no right."""
    server.create("contract_one", stamp())
    try:
        with pytest.raises(GuardRefused, match="contract"):
            server.drop("contract_one", "other")
        with pytest.raises(GuardRefused):
            server.create("contract_one", Stamp("other", "test"))
    finally:
        server.drop("contract_one", PROJECT)


def test_a_creation_that_was_killed_is_still_ours(server: Server) -> None:
    """A database made but not yet stamped is known by the mark of its creation."""
    assert isinstance(server, PostgresServer)
    with server._administer() as connection:
        connection.execute("CREATE DATABASE contract_half CONNECTION LIMIT 1953719668")
    assert server.stamp("contract_half") is None
    server.create("contract_half", stamp())
    assert server.stamp("contract_half") is not None
    server.drop("contract_half", PROJECT)


def test_the_owner_is_no_superuser(server: Server) -> None:
    """Whoever works on the databases cannot run programs on the machine."""
    with scratch(server, "SELECT 1") as database, pytest.raises(MigrationError, match="42501"):
        database.run_sql("CREATE TABLE t (a text); COPY t FROM PROGRAM 'id';", Path("x.sql"))


def test_a_migration_error_has_its_place_and_no_value(server: Server) -> None:
    """The message has file, line and column; DETAIL and quoted values are left out."""
    with scratch(server, "CREATE TABLE t (a integer PRIMARY KEY); INSERT INTO t VALUES (5);") as db:
        cases = {
            "SELECT 1;\nSELECT\n  nope FROM t;": ("m.sql:3:3", "nope"),
            "\n INSERT INTO t VALUES (7), (5);": ("m.sql:2:2", "t_pkey"),
            "SELECT 'hidden'::integer;": ("m.sql:1:8", "integer"),
            "DO $$ BEGIN RAISE EXCEPTION 'hidden'; END $$;": ("m.sql:1:1", "withheld"),
            "SELECT 1;\n\\! ls": ("m.sql:2", "psql"),
            "SELECT 'open": ("m.sql:1", "inside"),
            "INSERT INTO t VALUES (8);\nROLLBACK;": ("m.sql:2:1", "roll"),
        }
        for script, (where, what) in cases.items():
            with pytest.raises(MigrationError) as caught:
                db.run_sql(script, Path("m.sql"))
            assert caught.value.where == where
            assert what in caught.value.what
            assert "hidden" not in str(caught.value)
        table = db.catalog().tables["t"]
        assert db.count(table) == 1


def test_a_migration_runs_whole_or_not_at_all(server: Server) -> None:
    """What people write into migrations runs: their own BEGIN, COPY data, bodies of functions."""
    script = r"""
    BEGIN;
    CREATE TABLE t (a integer, b text);
    COPY t FROM stdin;
1	one; two -- three
2	\N
\.
    CREATE FUNCTION f(n integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC
        SELECT CASE WHEN n > 0 THEN 1 ELSE 2 END;
        SELECT 5;
    END;
    CREATE FUNCTION g() RETURNS text LANGUAGE plpgsql AS $a$
    BEGIN RETURN $b$;'$b$ /* no comment */ || E'\'; --'; END; $a$;
    /* a /* nested; */ comment; */
    CREATE RULE r AS ON DELETE TO t DO (SELECT 1; SELECT 2);
    COMMIT;
    INSERT INTO t VALUES (f(1), g()) -- no semicolon at the end
    """
    with scratch(server, "SELECT 1") as database:
        database.run_sql(script, Path("m.sql"))
        table = database.catalog().tables["t"]
        text = b"".join(database.read(table, table.columns))
        assert text == b"1\tone; two -- three\n2\t\\N\n5\t;''; --\n"
        with pytest.raises(MigrationError, match="no-transaction"):
            database.run_sql("CREATE INDEX CONCURRENTLY i ON t (a);", Path("m.sql"))
        database.run_sql(
            "-- dbcycle: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;",
            Path("m.sql"),
        )
        assert any("INDEX i" in each for each in database.catalog().tables["t"].extra)


def test_python_steps_commit_or_roll_back(server: Server) -> None:
    """A SQLAlchemy block that raises leaves nothing; one that ends well is there."""
    with scratch(server, "CREATE TABLE t (a integer);") as database:
        with database.sqlalchemy() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")

        def half() -> None:
            with database.sqlalchemy() as connection:
                connection.exec_driver_sql("INSERT INTO t VALUES (2)")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            half()
        assert database.count(database.catalog().tables["t"]) == 1
        migrations = database.migrations()
        assert migrations.entries() == []
        migrations.prepare()
        migrations.write(Entry("v1/b.sql", "1"))
        migrations.write(Entry("v1/a.sql", "2"))
        assert [(e.step, e.checksum) for e in migrations.entries()] == [
            ("v1/b.sql", "1"),
            ("v1/a.sql", "2"),
        ]


def test_a_read_only_session_sees_one_moment(server: Server) -> None:
    """Rows that arrive after the session's first look stay unseen, and it cannot write."""
    with (
        scratch(server, "CREATE TABLE t (a integer);") as database,
        server.open("contract_scratch", read_only=True) as reader,
    ):
        table = reader.catalog().tables["t"]
        database.run_sql("INSERT INTO t VALUES (1);", Path("m.sql"))
        assert (reader.count(table), database.count(table)) == (0, 1)
        with pytest.raises(DbCycleError):
            reader.replace_rows(table, table.columns, [], [], "c")


def test_a_password_never_shows(server: Server) -> None:
    """Names, errors and argument lists are free of the password."""
    assert isinstance(server, PostgresServer)
    password = server.base_url.split(":")[2].split("@")[0]
    command, variables = server.shell_command("postgres")
    assert password not in repr(server) + server.describe() + " ".join(command)
    assert variables == {"PGPASSWORD": password}
    wrong = server.base_url.replace(password, "wr%3Aong")
    with pytest.raises(ServerUnavailable) as caught:
        connect(wrong)
    assert "wr" not in str(caught.value).replace("write", "")


def test_a_url_keeps_its_parts_and_changes_its_database() -> None:
    """Driver suffixes go, options stay, names are encoded."""
    url = "postgresql+psycopg://me:p%40ss@host:5/db?sslmode=require"
    assert with_database(url, "a b") == "postgresql://me:p%40ss@host:5/a%20b?sslmode=require"
    assert with_database("postgresql:///db?host=/run/x", "n") == "postgresql:///n?host=/run/x"


def test_the_embedded_server_comes_back(tmp_path: Path) -> None:
    """One server for each state folder; after a kill the next use starts it with its databases."""
    state = tmp_path / "state"
    try:
        first = open_server("postgresql", url=None, state=state)
        first.create("contract_kept", stamp())
        pointer = state / "server.json"
        assert stat.S_IMODE(pointer.stat().st_mode) == 0o600
        again = open_server("postgresql", url=None, state=state)
        assert again.url("x") == first.url("x")
        pid = json.loads(pointer.read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while embedded.facts(state)["running"] and time.monotonic() < deadline:
            time.sleep(0.1)
        back = open_server("postgresql", url=None, state=state)
        assert back.stamp("contract_kept") is not None
        back.stop()
        assert not embedded.facts(state)["running"]
    finally:
        embedded.remove(state)
    assert embedded.facts(state) == {}
