"""Published shops on either engine, one for each module, and the command line in this process."""

import os
import warnings

import pytest

from dbcycle_assets.databases import open_server

from ..upkeep.conftest import engine, place, place_on, postgres  # noqa: F401
from .kit import World, publish

with warnings.catch_warnings():  # typer imports names that newer versions of click deprecate
    warnings.simplefilter("ignore")
    import dbcycle_assets.cli.app  # noqa: F401

VARIABLES = ("DBCYCLE_PROJECT", "DBCYCLE_ENV", "DBCYCLE_KEY", "DATABASE_URL", "DATABASE_URL_TEST")


@pytest.fixture(scope="module", autouse=True)
def _environment(tmp_path_factory):
    """No variable of the user's, and a home of its own for Dagster."""
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.setenv(name, "")
            patch.delenv(name)
        patch.setenv("DAGSTER_HOME", str(tmp_path_factory.mktemp("dagster")))
        yield


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory):
    """A published shop on SQLite."""
    root = tmp_path_factory.mktemp("sqlite") / "shop"
    world = World("sqlite", root, open_server("sqlite", url=None, state=root / "server"))
    publish(world)
    return world


@pytest.fixture(scope="module")
def on_postgresql(server, tmp_path_factory):
    """A published shop on PostgreSQL."""
    os.environ["SHOP_SERVER"] = server.base_url
    world = World("postgresql", tmp_path_factory.mktemp("postgresql") / "shop", server)
    publish(world)
    try:
        yield world
    finally:
        world.close()
        del os.environ["SHOP_SERVER"]


def kept(world):
    """Put the files of a shop back after a test."""
    files = [world.root / "dbcycle.yaml", world.dump]
    contents = [path.read_bytes() for path in files]
    before = world.cycle.ledger.get("test_db"), world.cycle.ledger.get("restored_db")
    yield world
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)
    if (world.cycle.ledger.get("test_db"), world.cycle.ledger.get("restored_db")) != before:
        assert world.run("refresh", "--all").code == 0


@pytest.fixture
def sqlite(on_sqlite):
    """The published shop on SQLite; its files are put back."""
    yield from kept(on_sqlite)


@pytest.fixture
def postgresql(on_postgresql):
    """The published shop on PostgreSQL; its files are put back."""
    yield from kept(on_postgresql)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request):
    """The published shop on each engine in turn."""
    return request.getfixturevalue(request.param)
