"""The pytest plugin, run as its users run it: suites of their own, in processes of their own."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from importlib.metadata import entry_points

import pytest

from dbcycle_assets import load_project
from dbcycle_assets.upkeep import temporary

from ..cycle.kit import Shop

pytest_plugins = ["pytester"]

SCRIPT = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, name TEXT);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), note TEXT
);
INSERT INTO users VALUES (1, 'ada@corp.test', 'Ada Lovelace'), (2, 'grace@corp.test', NULL);
INSERT INTO orders VALUES (1, 2, 'by Friday');
"""
CONFIG = """\
migrations: [{version: v1, directory: sql}]
tables:
  users: {columns: {email: email, name: full_name}, keep: [id]}
  orders: {columns: {note: free_text}, keep: [id, user_id]}
"""
MIGRATION = """
CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, name TEXT
);
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def published(request, tmp_path_factory):
    """A published project on each engine."""
    with pytest.MonkeyPatch.context() as patch:
        server = request.getfixturevalue("server") if request.param == "postgresql" else None
        patch.delenv("DBCYCLE_KEEP", raising=False)
        if server is not None:
            patch.setenv("SHOP_SERVER", server.url("postgres"))
        made = Shop(request.param, tmp_path_factory.mktemp("published") / "shop", server)
        (made.root / "sql").mkdir(parents=True)
        (made.root / "sql/1.sql").write_text(MIGRATION)
        made.produce(SCRIPT, CONFIG)
        made.build()
        yield made
        made.close()


@pytest.fixture
def shop(published):
    """The published project, without any template or copy."""
    yield published
    project = load_project(published.root)
    for place in temporary._servers(project):
        for role in (temporary.COPY, temporary.TEMPLATE):
            for name in left(published, role):
                place.drop(name, project.name)


@pytest.fixture
def suite(pytester, shop):
    """Give a function that writes a suite and runs it."""

    def run(text, *words, ini="", check=True):
        pytester.makefile(".ini", pytest=f"[pytest]\ndbcycle_project = {shop.root}\n{ini}\n")
        pytester.makepyfile(test_shop=textwrap.dedent(text))
        done = pytester.runpytest_subprocess(*plugin(), "-p", "no:randomly", *words)
        if check:
            assert done.ret == 0, done.stdout.str()
        return done

    return run


def plugin():
    """Return the words that load the plugin where it is not installed."""
    known = {point.name for point in entry_points(group="pytest11")}
    return () if "dbcycle" in known else ("-p", "dbcycle_assets.testing.plugin")


def left(shop, role=temporary.COPY):
    """Return the databases that a suite left; other suites have theirs on the same server."""
    project = load_project(shop.root)
    return [
        name
        for place in temporary._servers(project)
        for name, stamp in place.duplicates(role)
        if stamp.project == project.name
    ]


ISOLATED = """
    import pytest
    from sqlalchemy import text

    @pytest.mark.parametrize("number", range(6))
    def test_each_is_alone(dbcycle_db, number):
        with dbcycle_db.engine.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM users")).scalar() == 2
            found = set(connection.execute(text("SELECT email FROM users")).scalars())
            assert not found & {"ada@corp.test", "grace@corp.test"}
            connection.execute(text("DELETE FROM orders"))
            connection.execute(text("DELETE FROM users"))
"""


def test_every_test_has_the_published_rows_to_itself(suite, shop):
    """And nothing is left but the template, which the next session finds."""
    suite(ISOLATED).assert_outcomes(passed=6)
    assert left(shop) == []
    (template,) = left(shop, temporary.TEMPLATE)
    suite(ISOLATED, "-n", "4").assert_outcomes(passed=6)
    assert left(shop) == []
    assert left(shop, temporary.TEMPLATE) == [template]
    assert shop.rows("SELECT count(*) FROM users") == [(2,)]


def test_four_workers_that_find_no_template_make_one(suite, shop):
    suite(ISOLATED, "-n", "4").assert_outcomes(passed=6)
    assert len(left(shop, temporary.TEMPLATE)) == 1
    assert left(shop) == []


def test_a_session_takes_back_what_was_committed(suite, shop):
    """In nested transactions and after errors too; without a copy for each test."""
    suite(
        """
        import pytest
        from sqlalchemy import text
        from sqlalchemy.exc import IntegrityError

        NAMES = set()

        @pytest.mark.parametrize("number", range(3))
        def test_commits_are_taken_back(db_session, number):
            count = text("SELECT count(*) FROM users")
            assert db_session.scalar(count) == 2
            db_session.execute(text("INSERT INTO users VALUES (3, 'x@x.test', NULL)"))
            db_session.commit()
            with pytest.raises(IntegrityError), db_session.begin_nested():
                db_session.execute(text("INSERT INTO users VALUES (4, 'x@x.test', NULL)"))
            db_session.execute(text("INSERT INTO users VALUES (5, 'y@x.test', NULL)"))
            db_session.rollback()
            assert db_session.scalar(count) == 3
            with pytest.raises(IntegrityError):
                db_session.execute(text("INSERT INTO orders VALUES (9, 99, NULL)"))
                db_session.commit()

        def test_a_session_is_on_the_tests_own_database(dbcycle_db, db_session, dbcycle_url):
            assert dbcycle_db.url == dbcycle_url
            db_session.execute(text("INSERT INTO users VALUES (3, 'x@x.test', NULL)"))
            db_session.flush()
            assert db_session.scalar(text("SELECT count(*) FROM users")) == 3

        def test_nothing_is_asked_for():
            pass
        """
    ).assert_outcomes(passed=5)
    assert left(shop) == []


ASYNC = """
    import pytest
    from sqlalchemy import text
    from sqlalchemy.exc import IntegrityError

    {mark}

    @pytest.mark.parametrize("number", range(3))
    async def test_commits_are_taken_back(async_db_session, number):
        session = async_db_session
        count = text("SELECT count(*) FROM users")
        assert await session.scalar(count) == 2
        await session.execute(text("INSERT INTO users VALUES (3, 'x@x.test', NULL)"))
        await session.commit()
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                await session.execute(text("INSERT INTO users VALUES (4, 'x@x.test', NULL)"))
        assert await session.scalar(count) == 3

    async def test_not_used(async_db_session):
        pass
"""


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("pytestmark = pytest.mark.asyncio", ()),
        ("pytestmark = pytest.mark.anyio\n    anyio_backend = 'asyncio'", ("-p", "no:asyncio")),
    ],
    ids=["pytest-asyncio", "anyio"],
)
def test_an_async_session_takes_back_what_was_committed(suite, shop, mark, words):
    """Whatever runs the tests, and no warning is raised by what was left open."""
    text = ASYNC.format(mark=mark)
    if "anyio" in mark:
        text = text.replace("anyio_backend = 'asyncio'", "") + (
            "\n    @pytest.fixture\n    def anyio_backend():\n        return 'asyncio'\n"
        )
    scope = "asyncio_default_fixture_loop_scope = function\n" if "asyncio" not in str(words) else ""
    suite(text, "-W", "error", *words, ini=scope).assert_outcomes(passed=4)
    assert left(shop) == []
    if shop.engine == "postgresql":  # asyncpg's own transport outlives the loop of its test
        asyncpg = f"{scope}dbcycle_async_driver = asyncpg"
        suite(text, *words, ini=asyncpg).assert_outcomes(passed=4)


def test_a_failed_test_keeps_its_database_and_says_how_to_open_it(suite, shop):
    done = suite(
        """
        from sqlalchemy import text

        def test_fails(dbcycle_db):
            with dbcycle_db.engine.begin() as connection:
                connection.execute(text("UPDATE users SET name = 'left behind'"))
            assert False

        def test_passes(dbcycle_db):
            pass
        """,
        check=False,
    )
    done.assert_outcomes(passed=1, failed=1)
    (kept,) = left(shop)
    told = done.stdout.str()
    assert f"shell --name {kept}" in told
    assert ":***@" in told or shop.engine == "sqlite"
    place = temporary.find_copy(load_project(shop.root), kept)
    with place.engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT DISTINCT name FROM users").scalars().all()
    place.close()
    assert names == ["left behind"]
    suite(ISOLATED)
    assert left(shop) == [kept]
    words = re.search(r"drop it: dbcycle (.*)", told)[1].split()
    subprocess.run([sys.executable, "-m", "dbcycle_assets", *words], check=True)
    assert left(shop) == []


@pytest.mark.case(21)
def test_a_session_that_was_killed_is_swept_by_the_next(suite, shop, pytester):
    pytester.makefile(".ini", pytest=f"[pytest]\ndbcycle_project = {shop.root}\n")
    pytester.makepyfile(
        test_shop="""
        import pathlib, time

        def test_hangs(dbcycle_db):
            pathlib.Path("running").touch()
            time.sleep(600)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *plugin()],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not (pytester.path / "running").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert left(shop)
    suite(ISOLATED).assert_outcomes(passed=6)
    assert left(shop) == []


def test_an_empty_database_has_the_schema_and_no_rows(suite, shop):
    text = """
        from sqlalchemy import text

        def test_empty(empty_db, db_session):
            assert db_session.scalar(text("SELECT count(*) FROM users")) == 0

        def test_again(empty_db, dbcycle_connection):
            assert empty_db.url
        """
    suite(text, ini="dbcycle_source = schema").assert_outcomes(passed=2)
    assert left(shop) == []


def test_seeds_that_are_not_there_are_no_template(suite, shop):
    """An empty database would be taken for a seeded one."""
    done = suite(ISOLATED, ini="dbcycle_source = development", check=False)
    assert done.ret != 0
    assert "the project has no seeds" in done.stdout.str()


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ("dbcycle_source = prod", "use one of published, schema, development, test"),
        ("dbcycle_ahead = many", "give a number"),
        ("dbcycle_keep = some", "use one of failed, all, none"),
    ],
)
def test_a_wrong_setting_is_explained(suite, shop, ini, told):
    done = suite(ISOLATED, ini=ini, check=False)
    assert done.ret != 0
    assert told in done.stdout.str() + done.stderr.str()


def test_what_is_missing_is_explained_without_a_traceback(suite, shop):
    """Nothing published: what to run is said, once for each test."""
    config = shop.root / "dbcycle.yaml"
    before = config.read_text()
    config.write_text(before.replace("name: shop", "name: other"))
    done = suite(ISOLATED, check=False)
    config.write_text(before)
    assert done.ret != 0
    text = done.stdout.str()
    assert "there is no published test database" in text
    assert "dbcycle refresh" in text
    assert "Traceback" not in text


def test_a_run_without_a_database_costs_nothing(suite, pytester, shop):
    """Neither SQLAlchemy nor the product's rooms are loaded for it."""
    suite(
        """
        import sys

        def test_nothing():
            assert not {"sqlalchemy", "polars", "dagster", "psycopg"} & set(sys.modules)
        """,
        "-p",
        "no:postgresql",
    ).assert_outcomes(passed=1)


def test_copies_for_other_languages(shop):
    """They belong to the process that asked, and go with it."""
    words = [sys.executable, "-m", "dbcycle_assets", "--project", str(shop.root), "--json", "clone"]
    done = subprocess.run([*words, "--count", "3"], check=True, capture_output=True, text=True)
    names = [each["name"] for each in json.loads(done.stdout)["databases"]]
    assert sorted(left(shop)) == sorted(names)
    project = load_project(shop.root)
    assert temporary.sweep(project) == []
    dead = subprocess.run([*words, "--owner", "999999999"], check=True, capture_output=True)
    assert temporary.sweep(project) == [json.loads(dead.stdout)["databases"][0]["name"]]
    assert sorted(temporary.sweep(project, names=names)) == sorted(names)
