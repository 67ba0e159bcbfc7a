"""A database on either engine, with a folder for its models."""

import secrets

import pytest

from dbcycle_assets.databases import open_server
from dbcycle_assets.databases.port import Stamp

from .kit import Place


@pytest.fixture
def place_on(request, tmp_path):
    """Give a function that makes an empty database on an engine."""
    made = []

    def make(engine):
        if engine == "postgresql":
            server = request.getfixturevalue("server")
        else:
            server = open_server("sqlite", url=None, state=tmp_path / "state")
        name = f"models_{secrets.token_hex(4)}"
        server.create(name, Stamp("shop", "restored"))
        folder = tmp_path / "app"
        folder.mkdir()
        made.append((server, name))
        return Place(server, name, folder)

    yield make
    for server, name in made:
        for each in (name, f"{name}_again"):
            server.drop(each, "shop")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, place_on):
    """An empty database on each engine in turn."""
    return place_on(request.param)
