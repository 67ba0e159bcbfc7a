"""The privacy class of every column: what kind of data it holds, and whether that is personal."""

from collections.abc import Mapping
from dataclasses import dataclass

from .catalog import Catalog, Table
from .detect import propose

SURE = 0.8
"""From this confidence on, a kept column that looks personal is pointed out."""


@dataclass(frozen=True)
class Privacy:
    """The class of one column's data by its name, type and keys, no value being looked at."""

    klass: str
    personal: bool


def privacy_of(table: Table, catalog: Catalog | None = None) -> Mapping[str, Privacy]:
    """Return the privacy class of each stored column of a table; one that migrations made of a
    personal column of the catalog has that one's class.
    """
    ancestors = tuple(a for a in catalog.ancestors if a.table == table.id) if catalog else ()
    beside = {a.from_table for a in ancestors} & set(catalog.tables if catalog else ())
    tables = {name: catalog.tables[name] for name in sorted(beside)} if catalog else {}
    few = Catalog("", {**tables, table.id: table}, ancestors=ancestors)
    return {
        found.column: Privacy(found.klass, found.personal and found.confidence >= SURE)
        for found in propose(few, {})
        if found.table == table.id
    }
