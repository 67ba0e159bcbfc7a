"""The ledger and the catalog: what was made, from what."""

import json
from pathlib import Path

from ..model.catalog import Catalog
from ..model.ledger import Record
from .files import Place, file_name, mark_of, read_bytes, remove, write_json


class Ledger:
    """The records of a project, one JSON file for each asset."""

    def __init__(self, folder: Place) -> None:
        self.folder = folder / "ledger"

    def path(self, asset: str) -> Place:
        """Return where an asset's record lies."""
        stage, _, table = asset.partition("/")
        return self.folder / stage / f"{file_name(table or stage)}.json"

    def get(self, asset: str) -> Record | None:
        """Return an asset's record, or None; an unreadable record counts as none."""
        try:
            return Record.from_json(json.loads(read_bytes(self.path(asset))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def put(self, record: Record) -> None:
        """Write an asset's record."""
        write_json(self.path(record.asset), record.to_json())

    def forget(self, asset: str) -> None:
        """Remove an asset's record, before its artifact is replaced."""
        remove(self.path(asset))


def read_catalog(state: Place) -> Catalog | None:
    """Return the catalog that the last migration left, or None."""
    try:
        return Catalog.from_json(json.loads(read_bytes(state / "catalog.json")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def catalog_mark(state: Place) -> tuple[object, ...] | None:
    """Return what is another for every catalog that is kept, without reading it, or None."""
    return mark_of(state / "catalog.json")


def write_catalog(state: Place, catalog: Catalog) -> None:
    """Keep the catalog that a migration left."""
    write_json(state / "catalog.json", catalog.to_json())


def write_source(state: Path, identity: str) -> None:
    """Keep what tells the database that a dump was taken from, wherever its address leads."""
    write_json(state / "source.json", {"identity": identity})


def read_source(state: Path) -> str | None:
    """Return the identity of the database that the last dump was taken from, if it is known."""
    try:
        return str(json.loads((state / "source.json").read_bytes())["identity"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
