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


def privacy_of(table: Table) -> Mapping[str, Privacy]:
    """Return the privacy class of each stored column of a table."""
    alone = Catalog("", {table.id: table})
    return {
        found.column: Privacy(found.klass, found.personal and found.confidence >= SURE)
        for found in propose(alone, {})
    }
