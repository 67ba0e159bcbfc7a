"""The sample application's own fixtures, over those of the plugin."""

import shutil
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from dbcycle_assets import load_project
from dbcycle_assets.databases import embedded
from dbcycle_assets.defs.run import refresh
from dbcycle_assets.testing import factories

from .backend import app, get_session, use

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dbcycle_project(tmp_path_factory):
    """efficient_tutor, published by a cycle of its own; an application would name its project."""
    place = tmp_path_factory.mktemp("sample")
    ignore = shutil.ignore_patterns(".dbcycle", "extracts", "__pycache__")
    for part in ("data/efficient_tutor", "sql/efficient_tutor"):
        shutil.copytree(ROOT / part, place / part, ignore=ignore)
    (place / "home").mkdir()
    project = load_project(place / "data/efficient_tutor")
    done = refresh(project, instance_home=place / "home")
    assert done.published, done.failed
    yield project
    embedded.remove(project.state)


@pytest.fixture
def anyio_backend():
    """Run the async tests on asyncio alone."""
    return "asyncio"


@pytest.fixture
def made(dbcycle_project, db_session):
    """A factory for every table, in the test's session."""
    return factories(dbcycle_project, db_session)


@pytest.fixture
def client(async_db_session):
    """A client of the application, which works in the test's session and commits nothing."""

    async def session():
        yield async_db_session
        await async_db_session.flush()

    use(session)
    yield AsyncClient(transport=ASGITransport(app), base_url="http://test")
    app.dependency_overrides.pop(get_session)
