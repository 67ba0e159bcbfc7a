"""Fixtures that every room's tests may use."""

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Server


def pytest_configure() -> None:
    """Keep the keys of the tests out of the user's own settings."""
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="dbcycle-settings-")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(os.environ["XDG_CONFIG_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL of the tests' own; whatever server the machine has is left alone."""
    state = tmp_path_factory.mktemp("server")
    try:
        yield open_server("postgresql", url=None, state=state)
    finally:
        embedded.remove(state)
