"""The pytest plugin: a fresh, realistic database for every test that asks for one.

pytest loads this for every run; whatever costs time is imported by the fixtures that need it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..config.model import SOURCES

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from ..config.model import Project
    from ..upkeep.temporary import Template, TemporaryDatabase
    from .clones import Clones

KEEP = ("failed", "all", "none")

_DATABASES = pytest.StashKey[list[tuple[Any, "TemporaryDatabase"]]]()
_FAILED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare every knob."""
    group = parser.getgroup("dbcycle", "dbcycle: a realistic database for every test")
    group.addoption(
        "--dbcycle-project", metavar="DIR|NAME", help="The project; over `dbcycle_project`."
    )
    group.addoption(
        "--dbcycle-keep",
        choices=KEEP,
        help="Whose databases stay after the test; over `dbcycle_keep`.",
    )
    parser.addini("dbcycle_project", "The project's folder or name; default: as for dbcycle.")
    parser.addini(
        "dbcycle_source",
        "What the databases hold: `published` (the published test database), `schema` (the "
        "migrations alone), or the seeds of `development` or `test`.",
        default="published",
    )
    parser.addini("dbcycle_keep", "failed, all or none.", default="failed")
    parser.addini("dbcycle_ahead", "How many databases wait ready.", default="2")
    parser.addini("dbcycle_async_driver", "psycopg (the default) or asyncpg; aiosqlite for SQLite.")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a wrong setting before any test runs."""
    _word(config, "dbcycle_source", SOURCES)
    _word(config, "dbcycle_keep", KEEP, "--dbcycle-keep")
    _number(config, "dbcycle_ahead")


# --- what is shared by the tests of one process -------------------------------------------------


@pytest.fixture(scope="session")
def dbcycle_project(pytestconfig: pytest.Config) -> "Project":
    """The project whose databases are tested."""
    from ..config.load import load_project
    from ..config.locate import find_project

    word = pytestconfig.getoption("--dbcycle-project") or pytestconfig.getini("dbcycle_project")
    with _readable():
        return load_project(find_project(word or None, Path(pytestconfig.rootpath)))


@pytest.fixture(scope="session")
def dbcycle_template(pytestconfig: pytest.Config, dbcycle_project: "Project") -> "Template":
    """The template of the session: what `dbcycle_source` says, made once for each content."""
    source = _word(pytestconfig, "dbcycle_source", SOURCES)
    return _template(dbcycle_project, source)


@pytest.fixture(scope="session")
def _dbcycle_clones(
    pytestconfig: pytest.Config, dbcycle_template: "Template"
) -> "Iterator[Clones]":
    yield from _clones(dbcycle_template, _number(pytestconfig, "dbcycle_ahead"))


@pytest.fixture(scope="session")
def _dbcycle_empty(dbcycle_project: "Project") -> "Iterator[Clones]":
    yield from _clones(_template(dbcycle_project, "schema"), 1)


@pytest.fixture(scope="session")
def _dbcycle_shared(_dbcycle_clones: "Clones") -> "Iterator[TemporaryDatabase]":
    """One copy for all the tests of this process that take back what they did."""
    copy = _dbcycle_clones.take()
    yield copy
    _dbcycle_clones.give_back(copy)


# --- what a test asks for -----------------------------------------------------------------------


@pytest.fixture
def dbcycle_db(
    request: pytest.FixtureRequest, _dbcycle_clones: "Clones"
) -> "Iterator[TemporaryDatabase]":
    """A database of the test's own: a fresh copy of the template."""
    yield from _lent(request, _dbcycle_clones)


@pytest.fixture
def empty_db(
    request: pytest.FixtureRequest, _dbcycle_empty: "Clones"
) -> "Iterator[TemporaryDatabase]":
    """A database of the test's own with the schema and no rows."""
    yield from _lent(request, _dbcycle_empty)


@pytest.fixture
def dbcycle_url(dbcycle_db: "TemporaryDatabase") -> str:
    """The URL of the test's own database."""
    return dbcycle_db.url


@pytest.fixture
def dbcycle_connection(dbcycle_db: "TemporaryDatabase") -> Iterator[Any]:
    """A plain connection to the test's own database: psycopg's, or sqlite3's."""
    with dbcycle_db.engine.connect() as connection:
        raw = connection.connection.driver_connection
        connection.detach()
    yield raw
    raw.close()  # type: ignore[union-attr]


@pytest.fixture
def db_session(request: pytest.FixtureRequest) -> "Iterator[Session]":
    """A SQLAlchemy session; everything is taken back after the test, what it committed too.

    It is on the test's own database if the test asks for one, else on one that all such tests of
    the process share: nothing is copied for it.
    """
    from .sessions import taken_back

    with taken_back(_database_of(request)) as session:
        yield session


@pytest.fixture
def async_db_session(request: pytest.FixtureRequest) -> "Iterator[AsyncSession]":
    """An async SQLAlchemy session, as `db_session`; for any plugin that runs async tests."""
    from .sessions import async_taken_back

    driver = request.config.getini("dbcycle_async_driver") or None
    with _readable(), async_taken_back(_database_of(request), driver) as session:
        yield session


def _database_of(request: pytest.FixtureRequest) -> "TemporaryDatabase":
    for own in ("dbcycle_db", "empty_db"):
        if own in request.fixturenames:
            return request.getfixturevalue(own)  # type: ignore[no-any-return]
    return request.getfixturevalue("_dbcycle_shared")  # type: ignore[no-any-return]


# --- keeping what a failed test left ------------------------------------------------------------


def _lent(request: pytest.FixtureRequest, clones: "Clones") -> "Iterator[TemporaryDatabase]":
    copy = clones.take()
    request.node.stash.setdefault(_DATABASES, []).append((clones, copy))
    yield copy
    keep = _word(request.config, "dbcycle_keep", KEEP, "--dbcycle-keep")
    if keep == "all" or (keep == "failed" and request.node.stash.get(_FAILED, False)):
        clones.keep(copy)
    else:
        clones.give_back(copy)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Say in the report of a failed test where its database is and how to open it."""
    report = yield
    failed = report.failed and report.when == "call"
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or failed
    found = item.stash.get(_DATABASES, [])
    keep = _word(item.config, "dbcycle_keep", KEEP, "--dbcycle-keep") if found else "none"
    if failed and keep != "none":
        told = [clones.template.told(copy) for clones, copy in found]
        report.sections.append(("dbcycle", "\n".join(told)))
    return report


# --- helpers ------------------------------------------------------------------------------------


@contextmanager
def _readable() -> Iterator[None]:
    """End a session or test with our message alone: a traceback into us helps nobody."""
    from ..errors import DbCycleError

    told = ""
    try:
        yield
    except DbCycleError as error:
        told = str(error)
    if told:
        pytest.fail(f"dbcycle: {told}", pytrace=False)


def _template(project: "Project", source: str) -> "Template":
    from ..upkeep.temporary import template_named

    with _readable():
        return template_named(project, source)


def _clones(template: "Template", ahead: int) -> "Iterator[Clones]":
    from .clones import Clones

    clones = Clones(template, ahead)
    yield clones
    clones.close()


def _word(
    config: pytest.Config, name: str, known: tuple[str, ...], option: str | None = None
) -> str:
    word = (config.getoption(option) if option else None) or config.getini(name)
    if word not in known:
        message = f"{name} = {word}: use one of {', '.join(known)}"
        raise pytest.UsageError(message)
    return str(word)


def _number(config: pytest.Config, name: str) -> int:
    word = str(config.getini(name))
    if not word.isdecimal():
        message = f"{name} = {word}: give a number"
        raise pytest.UsageError(message)
    return int(word)
