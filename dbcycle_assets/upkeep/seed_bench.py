"""A temporary database on which a seed is tried, and what is in it: fingerprints, never values."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..anonymizers.base import Kind
from ..config.model import Project
from ..databases.port import Database
from ..errors import DbCycleError
from ..model.catalog import Catalog, Table
from ..model.seeds import Seed
from .seeds import SeedRunner
from .temporary import TemporaryDatabase

_MADE_BY_DEFAULT = {Kind.DATE, Kind.TIMESTAMP, Kind.TIME, Kind.UUID}
"""Kinds whose default is a clock or a die."""

_BCRYPT = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Rows:
    """Fingerprints of every table: of all columns, and of those that a seed alone decides."""

    whole: Mapping[str, tuple[int, str]]
    fixed: Mapping[str, tuple[int, str]]


class Salts:
    """Salts of password hashes: the same in every database, and never twice in one."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()

    def __call__(self, name: str) -> bytes:
        """Return the next salt of a seed."""
        self._calls[name] += 1
        digest = hashlib.sha256(f"{name} {self._calls[name]}".encode()).digest()
        return f"$2b$04${''.join(_BCRYPT[byte % 64] for byte in digest[:21])}.".encode()


@dataclass
class Place:
    """One temporary database, and what a seed does there."""

    project: Project
    copy: TemporaryDatabase
    environment: str
    varies: Sequence[str]
    salts: Salts = field(default_factory=Salts)

    def renewed(self, salts: Salts) -> "Place":
        """Return the same database for another run, which remembers no answer."""
        return replace(self, salts=salts)

    @property
    def _runner(self) -> SeedRunner:
        runner = SeedRunner(
            self.project,
            self.copy.server,
            self.copy.name,
            self.environment,
            progress=lambda _told: None,
        )
        runner.salts = self.salts
        return runner

    def apply(self, seed: Seed, *, former: str | None = None) -> DbCycleError | None:
        """Apply a seed; return what it failed with."""
        try:
            self._runner.apply(seed, former=former)
        except DbCycleError as error:
            return error
        return None

    def take_back(self, seed: Seed) -> DbCycleError | None:
        """Take a seed back; return why that is refused, or failed."""
        try:
            self._runner.rollback(seed.name)
        except DbCycleError as error:
            return error
        return None

    def check(self, seed: Seed) -> str:
        """Return what a seed's own check failed with; what it finds is no matter here."""
        try:
            self._runner.check(seed)
        except DbCycleError as error:
            return error.what
        return ""

    def orphans(self) -> str:
        """Return which foreign keys lack rows, and how many."""
        with self._open() as database:
            told = [
                f"{count} rows of {key.table} ({', '.join(key.columns)}) refer to no row of "
                f"{key.parent}"
                for key in database.catalog().foreign_keys
                if (count := database.orphans(key))
            ]
        return "; ".join(told)

    def rows(self) -> Rows:
        """Return the fingerprints as they are now."""
        with self._open() as database:
            catalog = database.catalog()
            loose = _loose(catalog, self.varies)
            fixed = [_without(table, loose) for table in catalog.tables.values()]
            return Rows(
                _fingerprints(database, catalog.tables.values()), _fingerprints(database, fixed)
            )

    def columns_unlike(self, other: "Place") -> Mapping[str, Sequence[str]]:
        """Return the columns that a seed decides and that hold other values over there."""
        with self._open() as here, other._open() as there:  # noqa: SLF001 - one of its own kind
            catalog = here.catalog()
            loose = _loose(catalog, self.varies)
            found: dict[str, list[str]] = {}
            for table in catalog.tables.values():
                for column in _without(table, loose).columns:
                    alone = [replace(table, columns=(column,))]
                    if _fingerprints(here, alone) != _fingerprints(there, alone):
                        found.setdefault(table.id, []).append(column.name)
            return found

    @contextmanager
    def _open(self) -> Iterator[Database]:
        with self.copy.server.open(self.copy.name) as database:
            yield database


def _fingerprints(database: Database, tables: Collection[Table]) -> dict[str, tuple[int, str]]:
    """Return (rows, digest) by table; of one without columns the rows are counted."""
    found = database.fingerprints(table for table in tables if table.columns)
    counted = {table.id: (database.count(table), "") for table in tables if not table.columns}
    return counted | {name: (print_.rows, print_.digest) for name, print_ in found.items()}


def _loose(catalog: Catalog, varies: Sequence[str]) -> set[tuple[str, str]]:
    """Return the columns that a seed does not decide: counters, clocks and dice of the database,
    what it says itself that it varies, and references to any of them.
    """
    loose = {
        (table.id, column.name)
        for table in catalog.tables.values()
        for column in table.columns
        if column.identity
        or (column.has_default and column.kind in _MADE_BY_DEFAULT)
        or f"{table.id}.{column.name}" in varies
    }
    while True:
        more = {
            (key.table, child)
            for key in catalog.foreign_keys
            for child, parent in zip(key.columns, key.parent_columns, strict=True)
            if (key.parent, parent) in loose
        }
        if more <= loose:
            return loose
        loose |= more


def _without(table: Table, loose: Collection[tuple[str, str]]) -> Table:
    kept = tuple(column for column in table.columns if (table.id, column.name) not in loose)
    return replace(table, columns=kept)


def difference(
    before: Rows,
    after: Rows,
    which: str,
    tables: Collection[str] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return which tables hold other rows, by their names and numbers alone."""
    olds, news = getattr(before, which), getattr(after, which)
    told = []
    for name in sorted({*olds, *news} if tables is None else tables):
        old, new = olds.get(name, (0, "")), news.get(name, (0, ""))
        if old == new:
            continue
        unlike = (columns or {}).get(name)
        what = f" ({', '.join(unlike)})" if unlike else ""
        many = f"{old[0]} rows, then {new[0]}" if old[0] != new[0] else "other values"
        told.append(f"{name}{what}: {many}")
    return "; ".join(told)
