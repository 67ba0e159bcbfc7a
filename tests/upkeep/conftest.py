"""A database on either engine, with a folder of migrations."""

import pytest

from .kit import Place


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture
def place_on(request, tmp_path, monkeypatch):
    """Give a function that makes a project on an engine."""
    made = []
    for name in ("DBCYCLE_ENV", "DBCYCLE_PROJECT", "UPKEEP_PROD"):
        monkeypatch.delenv(name, raising=False)

    def make(engine):
        if engine == "postgresql":
            server = request.getfixturevalue("server")
            monkeypatch.setenv("UPKEEP_SERVER", server.base_url)
        else:
            monkeypatch.delenv("UPKEEP_SERVER", raising=False)
        place = Place(engine, tmp_path / "shop").configure()
        made.append(place)
        return place

    yield make
    for place in made:
        place.close()


@pytest.fixture
def place(place_on, engine):
    """A project on each engine in turn."""
    return place_on(engine)


@pytest.fixture
def postgres(place_on):
    """A project on PostgreSQL."""
    return place_on("postgresql")
