"""What the tests of the engines share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbcycle_assets.databases.port import Database, Server, Stamp
from dbcycle_assets.model.catalog import Catalog

DATA = Path(__file__).parent.parent / "data"
PROJECT = "contract"


def stamp(role: str = "scratch") -> Stamp:
    return Stamp(PROJECT, role)


def silent(_message: str) -> None:
    pass


@contextmanager
def scratch(server: Server, script: str, name: str = "contract_scratch") -> Iterator[Database]:
    """A database of its own for one test, made by a script."""
    server.create(name, stamp())
    try:
        with server.open(name) as database:
            database.run_sql(script, Path("scratch.sql"))
            yield database
    finally:
        server.drop(name, PROJECT)


def heap_of(server: Server, source: str, target: str) -> Catalog:
    """Build the tables of one database in another without keys, as seeding does."""
    with server.open(source, read_only=True) as database:
        catalog = database.catalog()
    server.create(target, stamp())
    server.copy_schema(source, target, "pre-data", silent)
    return catalog
