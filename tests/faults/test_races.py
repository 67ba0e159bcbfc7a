"""Many at once: one order for all of them, and nobody waits for ever."""

import threading

import psycopg
import pytest
import sqlalchemy as sa

from dbcycle_assets import load_project, temporary_database
from dbcycle_assets.databases.postgres.session import connect
from dbcycle_assets.upkeep import temporary

from .kit import ended, run, started, told

case = pytest.mark.case
A = "CREATE TABLE a (id integer PRIMARY KEY, word text);\n"
B = A.replace(" a ", " b ")


@pytest.fixture
def seeded(place):
    """A migrated and seeded project with a backup."""
    place.write({"1_a.sql": A, "1_a.down.sql": "DROP TABLE a;", "2_b.sql": B})
    folder = place.root / "seeds/base"
    folder.mkdir(parents=True)
    (folder / "00_a.sql").write_text(
        "-- version: 1.0.0\n-- depends:\nINSERT INTO a VALUES (1, 'x');\n"
    )
    for words in (["setup"], ["backup"]):
        assert run("--project", place.root, "db", *words).code == 0
    return place


@case(90)
def test_everything_at_once_ends_in_one_order(seeded):
    """Migrate, seed, reset and restore together: each is whole or says why not, and then the
    database is one of the states that they lead to.
    """
    commands = [
        ["migrate"],
        ["seed"],
        ["reset", "--force"],
        ["backup", "restore", "--force"],
        ["migrate"],
        ["seed"],
    ]
    running = [started("--project", seeded.root, "db", *words) for words in commands]
    processes = [each.__enter__() for each in running]
    try:
        done = [ended(process) for process in processes]
    finally:
        for each in running:
            each.__exit__(None, None, None)
    for one in done:
        assert one.code in {0, 3, 4, 5, 7, 9}, one.err
        assert "Traceback" not in one.err
        assert "unexpected" not in one.err, one.err
    assert any(one.code == 0 for one in done)
    assert run("--project", seeded.root, "db", "setup").code == 0
    assert seeded.applied == ["v1/1_a.sql", "v1/2_b.sql"]
    assert seeded.ask("SELECT id FROM a") == [(1,)]
    assert seeded.status.lock is None


@case(93)
def test_a_reset_while_copies_are_in_use(seeded):
    """The copies of the tests are their own: they survive, rows and all."""
    with temporary_database(seeded.root, seeds="development") as made:
        with made.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO a VALUES (7, 'mine')"))
        assert run("--project", seeded.root, "db", "reset", "--force").code == 0
        with made.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT id FROM a ORDER BY id")).fetchall()
        assert [row[0] for row in rows] == [1, 7]


@case(94)
def test_an_application_is_not_blocked_behind_a_migration(postgres):
    """While a step waits for a table, whoever comes behind it waits no longer than the step's own
    patience: the application's own limit, three times that long, is never reached.
    """
    postgres.write({"1_a.sql": A}).migrate()
    postgres.write({"2_a.sql": "ALTER TABLE a ADD COLUMN more text"})
    url = postgres.target.server.url(postgres.target.name)
    failed, asked, stop = [], [], threading.Event()

    def application():
        with psycopg.connect(url, autocommit=True, options="-c statement_timeout=3s") as session:
            while not stop.is_set():
                try:
                    session.execute("SELECT count(*) FROM a")
                    asked.append(1)
                except psycopg.Error as error:
                    failed.append(error)

    using = threading.Thread(target=application)
    with postgres.connect() as long:
        long.execute("BEGIN")
        long.execute("SELECT * FROM a")
        using.start()
        try:
            words = ["--project", postgres.root, "db", "migrate", "--lock-timeout", "1"]
            told(run(*words), 4, "2_a.sql")
        finally:
            stop.set()
            using.join()
        long.execute("ROLLBACK")
    assert not failed
    assert asked
    assert postgres.migrate() == ["v1/2_a.sql"]


@case(126)
def test_a_template_has_no_session_but_ours(postgres):
    """Who is on it when it is sealed is sent away, and nobody comes back; copies go on."""
    postgres.write({"1_a.sql": A})
    with temporary_database(postgres.root):
        pass
    project = load_project(postgres.root)
    template = temporary.template_of(project)
    server = template.server
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        psycopg.connect(server.url(template.name))
    with connect(server.base_url) as admin:
        rows = admin.execute(
            "SELECT datallowconn FROM pg_database WHERE datname = %s", [template.name]
        ).fetchall()
        assert [row["datallowconn"] for row in rows] == [False]
        opened = f'ALTER DATABASE "{template.name}" ALLOW_CONNECTIONS true'
        admin.execute(opened)
    monitor = psycopg.connect(server.url(template.name))
    server.seal(template.name)
    with pytest.raises(psycopg.OperationalError):
        monitor.execute("SELECT 1")
    with temporary_database(postgres.root) as made, made.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM a")).scalar() == 0


@case(128)
def test_what_a_test_does_to_its_database_stays_there(postgres):
    """Committed rows, dropped tables, settings, and sessions that nobody closed."""
    postgres.write({"1_a.sql": A})
    with temporary_database(postgres.root) as made:
        left = psycopg.connect(made.url.replace("+psycopg", ""))
        left.execute("INSERT INTO a VALUES (1, 'x')")
        left.commit()
        left.execute(f"ALTER DATABASE \"{made.name}\" SET work_mem = '64kB'")
        left.execute("DROP TABLE a")
        left.commit()
        left.execute("BEGIN")
        name = made.name
    with temporary_database(postgres.root) as made:
        assert made.name != name
        with made.engine.connect() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM a")).scalar() == 0
            assert connection.execute(sa.text("SHOW work_mem")).scalar() != "64kB"
    server = postgres.target.server
    assert not server.exists(name)
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
