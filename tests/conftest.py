"""Fixtures that every room's tests may use."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator

import pytest

from dbcycle_assets.databases import embedded, open_server
from dbcycle_assets.databases.port import Server


def pytest_configure() -> None:
    """Keep the keys of the tests out of the user's own settings, and let the programs that tests
    start hear the signals that they send: a runner in the background may ignore them.
    """
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="dbcycle-settings-")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


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
