"""Databases that factories have to serve, and a project around each."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from dbcycle_assets.config.model import Config, Project
from dbcycle_assets.databases.port import Stamp

DATA = Path(__file__).parents[1] / "data"
TYPES = Path(__file__).parents[1] / "databases" / "types.sql"


def project_of(engine, root=DATA, **config):
    """Return a project without any file."""
    settings = {"name": "shop", "engine": engine, "source": {"dump": "prod.dump"}, **config}
    return Project(root=root, config=Config.model_validate(settings))


@pytest.fixture
def project():
    return project_of


@pytest.fixture
def postgres(server):
    """Give a function that opens a connection on a PostgreSQL database made by a script or dump;
    what is done on it is rolled back.
    """
    with contextlib.ExitStack() as stack:
        made = []

        def connect(source):
            name = f"factories_{len(made)}"
            stamp = Stamp("tests", "restored")
            if isinstance(source, Path) and source.suffix == ".dump":
                server.restore(source, name, stamp, lambda _told: None)
            else:
                server.create(name, stamp)
                script = source.read_text() if isinstance(source, Path) else source
                with psycopg.connect(server.url(name)) as connection:
                    connection.execute(script)
            made.append(name)
            url = server.url(name).replace("postgresql://", "postgresql+psycopg://")
            return stack.enter_context(opened(url))

        yield connect
        stack.close()
        for name in made:
            server.drop(name, "tests")


@pytest.fixture
def sqlite(tmp_path):
    """Give a function that opens a connection on a SQLite database made by a script or file, with
    foreign keys enforced.
    """
    with contextlib.ExitStack() as stack:

        def connect(source):
            path = tmp_path / "factories.db"
            path.unlink(missing_ok=True)
            if isinstance(source, Path):
                shutil.copy(source, path)
            else:
                with contextlib.closing(sqlite3.connect(path)) as connection:
                    connection.executescript(source)
            return stack.enter_context(opened(f"sqlite:///{path}"))

        yield connect


@contextlib.contextmanager
def opened(url):
    """Open a connection; nothing of it stays."""
    engine = sqlalchemy.create_engine(url)
    if url.startswith("sqlite"):
        sqlalchemy.event.listen(
            engine, "connect", lambda raw, _record: raw.execute("PRAGMA foreign_keys = ON")
        )
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(params=["postgresql", "sqlite"])
def either(request, postgres, sqlite):
    """Give (engine, function that opens a connection on a database made by a script)."""
    return request.param, postgres if request.param == "postgresql" else sqlite
