"""A small efficient_tutor: made by the project's own generator, migrated by its own steps."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from dbcycle_assets import Project, load_project
from dbcycle_assets.databases.port import Server, Stamp
from dbcycle_assets.upkeep.engine import engine_for
from dbcycle_assets.upkeep.sources import migration_steps

ROOT = Path(__file__).parents[2] / "data" / "efficient_tutor"
USERS = 80


@pytest.fixture(scope="session")
def project() -> Project:
    return load_project(ROOT)


@pytest.fixture(scope="session")
def generator() -> Iterator[ModuleType]:
    """The generator as a module; its neighbours are found as when it runs as a script."""
    sys.path.insert(0, str(ROOT))
    try:
        import generate

        yield generate
    finally:
        sys.path.remove(str(ROOT))
        for name in ("generate", "company", "prose", "rows"):
            sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def produce(server: Server, generator: ModuleType):
    """Give a function that makes a production database of a seed."""

    def make(name: str, seed: int = 7) -> str:
        server.create(name, Stamp("efficient_tutor", "restored"))
        with psycopg.connect(server.url(name)) as connection:
            generator.fill(connection, generator.World(USERS, seed))
        return name

    return make


@pytest.fixture(scope="session")
def production(produce) -> str:
    return produce("tutor_production")


@pytest.fixture(scope="session")
def migrate(server: Server, project: Project, production: str):
    """Give a function that migrates a clone of production; it returns what the steps reported."""

    def run(name: str) -> list[str]:
        server.clone(production, name, Stamp("efficient_tutor", "migrated"))
        said: list[str] = []
        with server.open(name) as database:
            engine = engine_for(
                project, database, report=said.append, url=server.url(name), alone=True
            )
            engine.migrations.prepare()
            engine.apply(migration_steps(project), lambda _step, _seconds: None)
        return said

    return run


@pytest.fixture(scope="session")
def migrated(migrate) -> str:
    migrate("tutor_migrated")
    return "tutor_migrated"


@pytest.fixture
def ask(server: Server):
    """Give a function that runs one query on one of the databases."""

    def run(name: str, query: str) -> list[tuple]:
        with psycopg.connect(server.url(name)) as connection:
            connection.execute("SET search_path = public")
            return connection.execute(query).fetchall()

    return run
