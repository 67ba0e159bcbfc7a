"""How far a stage is, and what a run will cost: from rows counted so far, and from past runs."""

import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..databases.port import Progress
from ..model.ledger import Record, Stale
from ..model.plan import Plan

FIRST, SHARE = 2.0, 0.1
"""A report comes after so many seconds, and then whenever so much of the time has passed again."""
ONE_BY_ONE = 20e-6
"""Seconds for a value that no rule masks a column at a time, where no past run tells better."""
MANY = 100_000
"""Rows from which on a column that is masked value by value is worth a word."""


class Pace:
    """Reports how many rows are done, how fast, and how long the rest will take."""

    def __init__(self, progress: Progress, doing: str, expected: int | None) -> None:
        self._progress = progress
        self._doing = doing
        self._expected = expected
        self._started = self._told = time.monotonic()

    def at(self, rows: int) -> None:
        """Tell where the work is, if it is time to."""
        now = time.monotonic()
        elapsed = now - self._started
        if now - self._told < max(FIRST, SHARE * elapsed):
            return
        self._told = now
        rate = rows / elapsed
        text = f"{self._doing}: {rows:,} rows, {rate:,.0f} a second"
        if self._expected and rows < self._expected and rate:
            text = (
                f"{self._doing}: {rows:,} of {self._expected:,} rows, {rate:,.0f} a second, "
                f"about {duration((self._expected - rows) / rate)} left"
            )
        self._progress(text)

    def counted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield blocks of copy text, and tell how many lines have passed."""
        rows = 0
        for block in blocks:
            yield block
            rows += block.count(b"\n")
            self.at(rows)


def duration(seconds: float) -> str:
    """Return seconds in the unit that a person would use."""
    if seconds < 90:  # noqa: PLR2004 - a minute and a half
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"  # noqa: PLR2004


def peak_memory_mb() -> float:
    """Return the most memory that this process has had, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)


@dataclass(frozen=True)
class Forecast:
    """What a run of the stale assets will cost, as past runs of the same ones did.

    ``unknown`` are assets that never ran, and ``slow`` says which columns take long and why.
    """

    seconds: float
    size_bytes: int
    unknown: int
    slow: tuple[str, ...]


def forecast(
    stale: Iterable[Stale], records: Mapping[str, Record], plan: Plan | None, workers: int
) -> Forecast:
    """Return what a run will cost; tables that are made side by side share the time."""
    seconds, size, unknown = 0.0, 0, 0
    slow: list[str] = []
    for entry in stale:
        stage, _, table = entry.asset.partition("/")
        record = records.get(entry.asset)
        if record is None:
            unknown += 1
        else:
            seconds += record.seconds / (workers if stage in {"extracts", "seeded"} else 1)
            size += int(record.facts.get("size_bytes", 0))
        if stage == "extracts" and plan is not None and table in plan.tables:
            rows = records.get(f"migrated/{table}")
            slow += _slow(plan, table, record, rows.facts.get("rows", 0) if rows else 0)
    return Forecast(round(seconds, 1), size, unknown, tuple(slow))


def _slow(plan: Plan, table: str, record: Record | None, rows: int) -> Iterator[str]:
    taken = record.facts.get("column_seconds", {}) if record is not None else {}
    for item in plan.tables[table].masked:
        if rows < MANY or all(case.definition.at_once for case in item.masks):
            continue
        name, rules = item.column.name, ", ".join(case.rule for case in item.masks)
        if name in taken:
            cost = f"{duration(taken[name])} the last time"
        else:
            cost = f"up to about {duration(rows * ONE_BY_ONE)}"
        yield f"{table}.{name}: {rules} masks {rows:,} rows value by value, {cost}"
