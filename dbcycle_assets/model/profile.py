"""What the shape of a column and of a key is, before and after anonymization, and whether the test
database kept it. Counts, shares and lengths only: no profile holds a value of a row.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .decision import ColumnPlan
from .ledger import Check
from .plan import TablePlan

RANKS = 10
"""How many of the most frequent values have their share recorded."""

CARDINALITY_TOLERANCE = 0.1
"""By which part the number of distinct values may differ before it is called out."""

COLLAPSING = frozenset(
    {
        *("null", "constant", "choice", "faker", "password_hash", "redact", "generalize"),
        *("tsvector", "sql", "python", "template"),
    }
)
"""Rules that are meant to change how many distinct values there are, or where the user means to."""

EMPTYING = frozenset({"null", "sql", "python"})
"""Rules that may turn a value into null."""

COARSE = frozenset({"date", "timestamp", "birth_date", "noise", "bytes", "number", "integer"})
"""Rules that may merge neighbours; they keep the cardinality within :data:`COARSE_TOLERANCE`."""
COARSE_TOLERANCE = 0.5


@dataclass(frozen=True)
class ColumnProfile:
    """One column: ``ranks`` are the shares of its most frequent values among those present.

    ``lengths`` counts the values by length in characters: one, two to three, four to seven, …;
    the first entry counts empty ones. It is empty, and the lengths are 0, where the length of the
    text form says nothing. ``exact`` is false where ``distinct`` is an estimate.
    """

    rows: int = 0
    nulls: int = 0
    distinct: int = 0
    exact: bool = True
    ranks: tuple[float, ...] = ()
    lengths: tuple[int, ...] = ()
    shortest: int = 0
    longest: int = 0
    mean_length: float = 0.0
    median_length: int = 0
    p95_length: int = 0

    @property
    def null_rate(self) -> float:
        """The share of rows without a value."""
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def top(self) -> float:
        """The share of the most frequent value."""
        return self.ranks[0] if self.ranks else 0.0

    @property
    def top_ten(self) -> float:
        """The share of the ten most frequent values together."""
        return min(1.0, sum(self.ranks))

    def to_json(self) -> dict[str, Any]:
        """Return the profile as plain JSON values; what is 0 or empty is left out."""
        return {name: value for name, value in asdict(self).items() if value or name == "exact"}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ColumnProfile":
        """Return the profile that :meth:`to_json` described."""
        lists = {name: tuple(document.get(name, ())) for name in ("ranks", "lengths")}
        return cls(**{**document, **lists})


@dataclass(frozen=True)
class FanOut:
    """How many children the parents of one foreign key have, among parents that have any.

    ``sizes`` counts those parents by number of children: one, two to three, four to seven, ….
    """

    children: int = 0
    parents: int = 0
    largest: int = 0
    p95: int = 0
    sizes: tuple[int, ...] = ()

    @property
    def mean(self) -> float:
        """Children per parent that has any."""
        return self.children / self.parents if self.parents else 0.0

    def without(self, parents: int | None) -> float | None:
        """Return the share of ``parents`` rows that have no child, or None if that is unknown."""
        if not parents:
            return None
        return max(0.0, 1 - self.parents / parents)

    def to_json(self) -> dict[str, Any]:
        """Return the fan-out as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "FanOut":
        """Return the fan-out that :meth:`to_json` described."""
        return cls(**{**document, "sizes": tuple(document["sizes"])})


def fan_out(
    sizes: Mapping[int, int], *, scale: int = 1, children: int | None = None, largest: int = 0
) -> FanOut:
    """Return the fan-out for a number of parents by number of children.

    ``scale`` says for how many parents each counted one stands; ``children`` and ``largest`` are
    the true ones where they are known better.
    """
    counted = sum(size * count for size, count in sizes.items())
    return FanOut(
        children=counted * scale if children is None else children,
        parents=sum(sizes.values()) * scale,
        largest=max([largest, *sizes]),
        p95=quantile(sizes, 0.95),
        sizes=tuple(count * scale for count in in_octaves(sizes)),
    )


def quantile(counts: Mapping[int, int], share: float) -> int:
    """Return the smallest number that at least a ``share`` of the counted ones do not exceed."""
    wanted, seen = share * sum(counts.values()), 0
    for number, count in sorted(counts.items()):
        seen += count
        if seen >= wanted:
            return number
    return 0


def in_octaves(counts: Mapping[int, int]) -> tuple[int, ...]:
    """Return how many numbers are 0, 1, 2-3, 4-7, …, without empty entries at the end."""
    found = [0] * (max((number.bit_length() for number in counts), default=-1) + 1)
    for number, count in counts.items():
        found[number.bit_length()] += count
    return tuple(found)


@dataclass(frozen=True)
class Shift:
    """One way in which a column's shape changed; ``meant`` if its rule is there to do that."""

    column: str
    aspect: str
    text: str
    meant: bool = False


def compare(
    column: str,
    rules: Collection[str],
    before: ColumnProfile,
    after: ColumnProfile,
    max_length: int | None = None,
) -> list[Shift]:
    """Return what changed beyond its tolerance when ``rules``, each on some rows, were applied."""
    meant = not COLLAPSING.isdisjoint(rules)
    tolerance = CARDINALITY_TOLERANCE if COARSE.isdisjoint(rules) else COARSE_TOLERANCE
    found = []
    if after.rows != before.rows:
        found.append(Shift(column, "rows", f"{before.rows:,} → {after.rows:,} rows"))
    if after.nulls != before.nulls:
        text = f"null {percent(before.null_rate)} → {percent(after.null_rate)}"
        found.append(Shift(column, "nulls", text, not EMPTYING.isdisjoint(rules)))
    if not _near(before, after, tolerance):
        text = f"{before.distinct:,} → {after.distinct:,} distinct values"
        found.append(Shift(column, "distinct", text, meant))
    if max_length is not None and after.longest > max_length:
        text = f"{after.longest} characters where {max_length} fit"
        found.append(Shift(column, "length", text))
    return found


def rules_of(item: ColumnPlan) -> tuple[str, ...]:
    """Return the rules of a column, one for each case."""
    return tuple(case.rule for case in item.chain)


def _near(before: ColumnProfile, after: ColumnProfile, tolerance: float) -> bool:
    return abs(after.distinct - before.distinct) <= tolerance * before.distinct


def percent(share: float) -> str:
    """Return a share for people; a share that is neither nothing nor all never looks like it."""
    if 0 < share < 0.001:  # noqa: PLR2004 - what one decimal cannot show
        return "<0.1 %"
    if 0.999 < share < 1:  # noqa: PLR2004
        return ">99.9 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


Pair = tuple[ColumnProfile, ColumnProfile]
"""A column before and after; the same profile twice where nobody rewrites the column."""


def fidelity(plan: TablePlan, profiles: Mapping[str, Pair]) -> Check:
    """Return the check that an extract kept the shape of its table: it warns, it never blocks.

    Its facts are numbers, so that their history can be plotted, and the shifts in words.
    """
    shifts: list[Shift] = []
    for item in plan.columns:
        if item.column.name in profiles:
            name = item.column.name
            # The limit is one of an element where the column is an array.
            limit = None if item.column.dimensions else item.column.max_length
            shifts += compare(name, rules_of(item), *profiles[name], limit)
    unmeant = [shift for shift in shifts if not shift.meant]
    pairs = list(profiles.values())
    facts = {
        "columns": len(profiles),
        "columns_shifted": len({shift.column for shift in unmeant}),
        "columns_changed_as_meant": len({shift.column for shift in shifts if shift.meant}),
        "rows_before": max((before.rows for before, _ in pairs), default=0),
        "rows_after": max((after.rows for _, after in pairs), default=0),
        "null_rate_before": round(_mean(before.null_rate for before, _ in pairs), 6),
        "null_rate_after": round(_mean(after.null_rate for _, after in pairs), 6),
        "distinct_before": sum(before.distinct for before, _ in pairs),
        "distinct_after": sum(after.distinct for _, after in pairs),
        "skew_before": round(_mean(before.top for before, _ in pairs), 6),
        "skew_after": round(_mean(after.top for _, after in pairs), 6),
        "shifts": [f"{shift.column}: {shift.text}" for shift in unmeant],
        "meant": [f"{shift.column}: {shift.text}" for shift in shifts if shift.meant],
    }
    return Check("fidelity", not unmeant, facts, blocking=False)


def _mean(numbers: Iterable[float]) -> float:
    found = list(numbers)
    return sum(found) / len(found) if found else 0.0


@dataclass(frozen=True)
class Anonymity:
    """The classes of rows that agree in some quasi-identifiers; null agrees with null."""

    table: str
    columns: tuple[str, ...]
    k: int
    rows: int
    classes: int
    smallest: int
    rows_below: int

    @property
    def holds(self) -> bool:
        """Whether every row hides among at least ``k``."""
        return not self.rows_below

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return {**asdict(self), "columns": list(self.columns)}


def anonymity(table: str, columns: tuple[str, ...], k: int, sizes: Mapping[int, int]) -> Anonymity:
    """Return the k-anonymity for a number of classes by size."""
    return Anonymity(
        table,
        columns,
        k,
        rows=sum(size * count for size, count in sizes.items()),
        classes=sum(sizes.values()),
        smallest=min(sizes, default=0),
        rows_below=sum(size * count for size, count in sizes.items() if size < k),
    )


def k_anonymity(found: list[Anonymity]) -> Check:
    """Return the check over every declared set of quasi-identifiers: it warns, it never blocks."""
    facts = {
        "sets": len(found),
        "k": max((each.k for each in found), default=0),
        "smallest_class": min((each.smallest for each in found if each.rows), default=0),
        "rows_below_k": sum(each.rows_below for each in found),
        "by_set": [each.to_json() for each in found],
    }
    return Check("k_anonymity", all(each.holds for each in found), facts, blocking=False)
