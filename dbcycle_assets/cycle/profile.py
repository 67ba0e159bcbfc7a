"""Profiles: the shape of every column while its rows stream by, and of keys by query.

Raw blocks pass through here on their way through extract; what stays is numbers. Memory is bounded
whatever the table: above :data:`EXACT` distinct values a column is counted from a sample of them
that keeps, of every value, either all its rows or none (adaptive sampling: Flajolet 1990).
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ..anonymizers.base import Kind
from ..databases.port import Database
from ..model.catalog import Catalog
from ..model.decision import ColumnPlan
from ..model.ledger import Check
from ..model.plan import TablePlan
from ..model.profile import (
    RANKS,
    Anonymity,
    ColumnProfile,
    FanOut,
    Pair,
    anonymity,
    fan_out,
    fidelity,
    in_octaves,
    k_anonymity,
    quantile,
)
from .session import Cycle

EXACT = 1 << 14
"""Up to this many distinct values a column is counted exactly; above, within about 1 %."""
HEAVY = 1 << 11
"""How many of the most frequent values are followed once a column is counted from a sample."""
SHORT = 1 << 16
"""Lengths up to this many characters are counted in an array."""
FIRST, EVERY = 4, 8
"""Of a large table's blocks the first are looked at, and then one of so many; how often the values
of foreign keys occur is counted in all.
"""
WORDED = frozenset(
    {
        Kind.TEXT,
        Kind.JSON,
        Kind.XML,
        Kind.BYTES,
        Kind.TSVECTOR,
        Kind.NETWORK,
        Kind.COMPOSITE,
        Kind.OTHER,
    }
)
"""The kinds whose values differ in length."""


class _Counts:
    """How often each value occurs, by hash: exact while they are few, then from a sample."""

    def __init__(self) -> None:
        self.level = 0
        self._sample = pl.DataFrame(schema={"hash": pl.UInt64, "n": pl.UInt32})
        self._heavy: pl.DataFrame | None = None

    def add(self, hashes: pl.Series) -> None:
        """Count the values of one block."""
        if self._heavy is not None:
            counts = hashes.alias("hash").value_counts(name="n")
            self._heavy = _sum(self._heavy, counts).top_k(HEAVY, by="n")
        if self.level:
            hashes = hashes.filter(hashes < (1 << (64 - self.level)))
        self._sample = _sum(self._sample, hashes.alias("hash").value_counts(name="n"))
        while self._sample.height > EXACT:
            if self._heavy is None:
                self._heavy = self._sample.top_k(HEAVY, by="n")
            self.level += 1
            self._sample = self._part(self._sample)

    def to_json(self) -> dict[str, Any]:
        """Return what was counted, for :meth:`take` of another process."""
        heavy = None if self._heavy is None else self._heavy.to_dict(as_series=False)
        return {
            "level": self.level,
            "sample": self._sample.to_dict(as_series=False),
            "heavy": heavy,
        }

    def take(self, found: Mapping[str, Any]) -> None:
        """Add what was counted of other rows."""
        other = pl.DataFrame(found["sample"], schema=self._sample.schema)
        heavy = found["heavy"]
        theirs = other if heavy is None else pl.DataFrame(heavy, schema=self._sample.schema)
        if self._heavy is not None or heavy is not None:
            mine = self._sample if self._heavy is None else self._heavy
            self._heavy = _sum(mine, theirs).top_k(HEAVY, by="n")
        self.level = max(self.level, found["level"])
        both = _sum(self._sample, other)
        self._sample = self._part(both) if self.level else both
        while self._sample.height > EXACT:
            if self._heavy is None:
                self._heavy = self._sample.top_k(HEAVY, by="n")
            self.level += 1
            self._sample = self._part(self._sample)

    def _part(self, counts: pl.DataFrame) -> pl.DataFrame:
        return counts.filter(pl.col("hash") < (1 << (64 - self.level)))

    @property
    def distinct(self) -> int:
        """The number of distinct values; an estimate if ``level`` is above zero."""
        return int(self._sample.height) << self.level

    def most(self) -> list[int]:
        """Return how often the most frequent values occur."""
        known = self._sample if self._heavy is None else self._heavy
        return known.top_k(RANKS, by="n")["n"].to_list()

    def sizes(self) -> dict[int, int]:
        """Return how many values of the sample occur how often."""
        return dict(self._sample["n"].value_counts(name="times").iter_rows())


def _tallied(lengths: pl.Series) -> dict[int, int]:
    """Return how often each length occurs."""
    if lengths.max() > SHORT:  # type: ignore[operator]
        return dict(lengths.value_counts().iter_rows())
    counts = np.bincount(lengths.to_numpy())
    found = np.flatnonzero(counts)
    return dict(zip(found.tolist(), counts[found].tolist(), strict=True))


def _sum(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    if not one.height:
        return other
    return pl.concat([one, other]).group_by("hash").agg(pl.col("n").sum())


class _Measure:
    """One column, or one key of several columns, before or after."""

    def __init__(self, *, unique: bool, worded: bool, whole: bool = True) -> None:
        self.rows = 0
        self.seen = 0
        self._whole = whole
        self._blocks = 0
        self.nulls = 0
        # What a unique key proves needs no counting.
        self.counts = None if unique else _Counts()
        self._lengths: Counter[int] | None = Counter() if worded else None

    def add(self, column: pl.Series) -> None:
        """Take in one block of an escaped column."""
        self.rows += len(column)
        self.nulls += column.null_count()
        self._blocks += 1
        if not self._whole and self._blocks > FIRST and self._blocks % EVERY:
            return
        self.seen += len(column) - column.null_count()
        present = column.drop_nulls() if column.null_count() else column
        if self.counts is not None and len(present):
            self.counts.add(present.hash())
        if self._lengths is not None and len(present):
            lengths = present.str.len_chars()
            if present.str.contains("\\", literal=True).any():
                lengths = lengths - present.str.count_matches(r"\\.")
            self._lengths.update(_tallied(lengths))

    def to_json(self) -> dict[str, Any]:
        """Return what was seen, for :meth:`take` of another process."""
        return {
            "rows": self.rows,
            "nulls": self.nulls,
            "seen": self.seen,
            "counts": None if self.counts is None else self.counts.to_json(),
            "lengths": None if self._lengths is None else sorted(self._lengths.items()),
        }

    def take(self, found: Mapping[str, Any]) -> None:
        """Add what was seen of other rows."""
        self.rows += found["rows"]
        self.nulls += found["nulls"]
        self.seen += found["seen"]
        if self.counts is not None:
            self.counts.take(found["counts"])
        if self._lengths is not None:
            self._lengths.update(dict(found["lengths"]))

    def profile(self) -> ColumnProfile:
        """Return what was seen."""
        present = self.rows - self.nulls
        lengths = self._lengths or Counter()
        counts = self.counts
        most = counts.most() if counts is not None else [1] * min(RANKS, self.seen)
        return ColumnProfile(
            rows=self.rows,
            nulls=self.nulls,
            distinct=min(present, counts.distinct) if counts is not None else present,
            exact=counts is None or not (counts.level or self.seen < present),
            ranks=tuple(_rounded(times / self.seen) for times in most) if present else (),
            lengths=in_octaves(lengths),
            shortest=min(lengths, default=0),
            longest=max(lengths, default=0),
            mean_length=round(lengths_sum(lengths) / self.seen, 2) if present else 0.0,
            median_length=quantile(lengths, 0.5),
            p95_length=quantile(lengths, 0.95),
        )

    def fan_out(self) -> FanOut:
        """Return how often each value occurs, as children of a parent."""
        present = self.rows - self.nulls
        if self.counts is None:
            return fan_out({1: present} if present else {})
        most = self.counts.most()
        return fan_out(
            self.counts.sizes(),
            scale=1 << self.counts.level,
            children=present,
            largest=most[0] if most else 0,
        )


def lengths_sum(lengths: Mapping[int, int]) -> int:
    """Return the number of characters in all."""
    return sum(length * count for length, count in lengths.items())


def _rounded(share: float) -> float:
    digits = 4 - math.floor(math.log10(share)) if share else 4
    return round(share, digits)


class Profiler:
    """Profiles one table while its blocks are masked; columns nobody rewrites are read once."""

    def __init__(self, plan: TablePlan) -> None:
        self._plan = plan
        self._in_keys = {name for key in plan.table.foreign_keys for name in key.columns}
        self._before = [self._measure(item) for item in plan.columns]
        self._after = {
            index: self._measure(item) for index, item in enumerate(plan.columns) if item.masked
        }
        index_of = {item.column.name: index for index, item in enumerate(plan.columns)}
        self._keys = {
            key.name: [index_of[name] for name in key.columns]
            for key in plan.table.foreign_keys
            if all(name in index_of for name in key.columns)
        }
        self._wide = {
            name: _Measure(unique=False, worded=False)
            for name, indexes in self._keys.items()
            if len(indexes) > 1
        }

    def _measure(self, item: ColumnPlan) -> _Measure:
        column = item.column
        return _Measure(
            unique=self._plan.table.facts(column).unique,
            worded=column.kind in WORDED or bool(column.dimensions),
            whole=column.name in self._in_keys,
        )

    def add(self, raw: pl.DataFrame, masked: pl.DataFrame) -> None:
        """Take in one block before and after its masks."""
        for index, measure in enumerate(self._before):
            measure.add(raw.to_series(index))
        for index, measure in self._after.items():
            measure.add(masked.to_series(index))
        for name, measure in self._wide.items():
            parts = [raw.columns[index] for index in self._keys[name]]
            key = raw.select(parts).drop_nulls().select(pl.struct(parts).alias("key"))
            measure.rows += key.height
            if measure.counts is not None and key.height:
                measure.counts.add(key.select(pl.col("key").hash()).to_series())

    def to_json(self) -> dict[str, Any]:
        """Return what was seen of a part of the table, for :meth:`take`: numbers and hashes."""
        return {
            "before": [measure.to_json() for measure in self._before],
            "after": {str(index): found.to_json() for index, found in self._after.items()},
            "wide": {name: measure.to_json() for name, measure in self._wide.items()},
        }

    def take(self, found: Mapping[str, Any]) -> None:
        """Add what was seen of a part of the table."""
        for measure, part in zip(self._before, found["before"], strict=True):
            measure.take(part)
        for index, measure in self._after.items():
            measure.take(found["after"][str(index)])
        for name, measure in self._wide.items():
            measure.take(found["wide"][name])

    def pairs(self) -> dict[str, Pair]:
        """Return every column before and after."""
        found = {}
        for index, item in enumerate(self._plan.columns):
            before = self._before[index].profile()
            after = self._after[index].profile() if index in self._after else before
            found[item.column.name] = (before, after)
        return found

    def results(self) -> tuple[dict[str, Any], Check]:
        """Return the facts to record with the extract, and the check; numbers only."""
        pairs = self.pairs()
        columns = {
            name: [side.to_json() for side in (pair if pair[0] is not pair[1] else pair[:1])]
            for name, pair in pairs.items()
        }
        keys = {
            name: (self._wide.get(name) or self._before[indexes[0]]).fan_out().to_json()
            for name, indexes in self._keys.items()
        }
        return {"columns": columns, "keys": keys}, fidelity(self._plan, pairs)


def recorded(profile: Mapping[str, Any]) -> tuple[dict[str, Pair], dict[str, FanOut]]:
    """Return the columns and keys of a recorded profile."""
    columns = {
        name: (ColumnProfile.from_json(sides[0]), ColumnProfile.from_json(sides[-1]))
        for name, sides in profile.get("columns", {}).items()
    }
    keys = {name: FanOut.from_json(entry) for name, entry in profile.get("keys", {}).items()}
    return columns, keys


def fan_outs(
    catalog: Catalog, database: Database, known: Mapping[str, dict[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return by table and key how many children the parents of each foreign key have; what is
    ``known`` of a table is not counted again.
    """
    found: dict[str, dict[str, Any]] = dict(known or {})
    for key in catalog.foreign_keys:
        if key.name in found.get(key.table, {}):
            continue
        sizes = database.group_sizes(catalog.tables[key.table], key.columns, nulls=False)
        found.setdefault(key.table, {})[key.name] = fan_out(sizes).to_json()
    return found


def anonymity_checks(cycle: Cycle, catalog: Catalog, database: Database) -> tuple[Check, ...]:
    """Return the k-anonymity of a database, or nothing where no quasi-identifier is declared."""
    config = cycle.config
    found: list[Anonymity] = []
    for name, settings in sorted(config.tables.items()):
        for columns in settings.quasi_identifiers:
            sizes = database.group_sizes(catalog.tables[name], columns, nulls=True)
            found.append(anonymity(name, columns, config.verify.k, sizes))
    return (k_anonymity(found),) if found else ()
