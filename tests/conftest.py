"""Fixtures that every room's tests may use."""

from collections.abc import Iterator

import pytest

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A PostgreSQL of the tests' own; whatever server the machine has is left alone."""
    state = tmp_path_factory.mktemp("server")
    try:
        yield open_server("postgresql", url=None, state=state)
    finally:
        embedded.remove(state)
