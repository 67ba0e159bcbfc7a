"""What two databases of a project hold that the other does not: rows, columns and tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ..databases.port import Database
from ..errors import BadInput
from ..model.catalog import Column, Table
from .blocks import parse
from .session import Cycle

CELLS = 24_000_000
"""How many cells of each database are held in memory at a time, eight bytes for each."""


@dataclass(frozen=True)
class TableDifference:
    """One table of both databases: its rows, and those that only one has or that differ.

    ``columns`` has how many rows of both differ in each column. Without a primary key rows are
    told apart by all they hold, so none is ``changed``.
    """

    table: str
    former: int
    present: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    shape: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything is different."""
        return bool(self.added or self.removed or self.changed or self.shape)


@dataclass(frozen=True)
class Difference:
    """What is different between two databases; tables that are in one only are named."""

    former: str
    present: str
    tables: tuple[TableDifference, ...]
    only_former: tuple[str, ...]
    only_present: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether anything is different."""
        found = (table.differs for table in self.tables)
        return bool(self.only_former or self.only_present) or any(found)


def compare(
    cycle: Cycle, former: str, present: str, tables: Sequence[str] | None = None
) -> Difference:
    """Compare two databases table by table (default: every one), by digests of 64 bits.

    Raises:
        BadInput: neither has a table of that name.
        ServerUnavailable: the server cannot be reached.
    """
    server = cycle.server
    with (
        server.open(former, read_only=True) as one,
        server.open(present, read_only=True) as other,
    ):
        before, now = one.catalog().tables, other.catalog().tables
        unknown = [name for name in tables or () if name not in before and name not in now]
        if unknown:
            raise BadInput(
                f"neither database has a table {', '.join(unknown)}",
                where=f"{former}, {present}",
                remedy="`dbcycle diff` without --table lists all that differ",
            )
        wanted = sorted((before.keys() | now.keys()) & set(tables or before.keys() | now.keys()))
        found = []
        for name in wanted:
            if name in before and name in now:
                cycle.progress(f"comparing {name}")
                found.append(_table((one, before[name]), (other, now[name])))
    return Difference(
        former,
        present,
        tuple(found),
        tuple(name for name in wanted if name not in now),
        tuple(name for name in wanted if name not in before),
    )


def _table(former: tuple[Database, Table], present: tuple[Database, Table]) -> TableDifference:
    (one, before), (other, now) = former, present
    names = [column.name for column in now.columns if before.column(column.name) is not None]
    key = [name for name in now.primary_key if name in names]
    key = key if now.primary_key == before.primary_key else []
    rows = one.count(before), other.count(now)
    cells = max(rows) * (len(names) - len(key) + 1)
    passes = max(1, -(-cells // CELLS))
    added = removed = changed = 0
    columns = dict.fromkeys([name for name in names if name not in key], 0) if key else {}
    for number in range(passes) if names else ():
        digests = [
            _digests(database, table, names, key, (number, passes))
            for database, table in ((one, before), (other, now))
        ]
        both = digests[0].join(digests[1], on="key", how="full", suffix=" now", coalesce=True)
        if not key:
            less = both["rows"].fill_null(0) - both["rows now"].fill_null(0)
            removed += int(less.clip(lower_bound=0).sum())
            added -= int(less.clip(upper_bound=0).sum())
            continue
        removed += int(both["rows now"].is_null().sum())
        added += int(both["rows"].is_null().sum())
        kept = both.filter(pl.col("rows").is_not_null() & pl.col("rows now").is_not_null())
        differs = kept.select(
            (pl.col(name) != pl.col(f"{name} now")).alias(name) for name in _numbered(columns)
        )
        if differs.width:
            changed += int(differs.select(pl.any_horizontal(pl.all())).to_series().sum())
        for name, column in zip(_numbered(columns), columns, strict=True):
            columns[column] += int(differs[name].sum())
    found = {name: count for name, count in columns.items() if count}
    return TableDifference(now.id, *rows, added, removed, changed, found, _shape(before, now))


def _numbered(columns: Sequence[str] | dict[str, int]) -> list[str]:
    return [f"cell {number}" for number in range(len(columns))]


def _digests(
    database: Database,
    table: Table,
    names: Sequence[str],
    key: Sequence[str],
    part: tuple[int, int],
) -> pl.DataFrame:
    """Return a digest of each row's key, how many rows have it, and one of each other cell; only
    of the keys that belong to a part of all.
    """
    number, parts = part
    columns = [column for name in names if (column := table.column(name)) is not None]
    places = {column.name: f"c{place}" for place, column in enumerate(columns)}
    # An escaped field holds no tab, and no field but null is written like null.
    identity = [pl.col(places[name]).fill_null("\\N") for name in key or names]
    others = [name for name in names if name not in key] if key else []
    cells = [
        pl.col(places[name]).hash(seed=1).alias(cell)
        for name, cell in zip(others, _numbered(others), strict=True)
    ]
    frames = [
        parse(block, len(columns))
        .select(pl.concat_str(identity, separator="\t").hash().alias("key"), *cells)
        .filter(pl.col("key") % parts == number)
        for block in database.read(table, columns)
    ]
    empty = pl.DataFrame(schema=dict.fromkeys(["key", *_numbered(others)], pl.UInt64))
    found = pl.concat([empty, *frames])
    return found.group_by("key").agg(
        pl.len().cast(pl.Int64).alias("rows"), pl.exclude("key").first()
    )


def _shape(before: Table, now: Table) -> tuple[str, ...]:
    """Return what is different about the columns and the primary key, a phrase each."""
    former = {column.name: column for column in before.columns}
    present = {column.name: column for column in now.columns}
    found = [f"{name} is gone" for name in former if name not in present]
    found += [f"{name} is new" for name in present if name not in former]
    found += [
        f"{name}: {_type(former[name])} → {_type(column)}"
        for name, column in present.items()
        if name in former and _type(former[name]) != _type(column)
    ]
    if before.primary_key != now.primary_key:
        found.append("another primary key")
    return tuple(found)


def _type(column: Column) -> str:
    return column.type if column.nullable else f"{column.type} not null"
