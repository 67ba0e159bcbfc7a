"""Verify: prove that nothing leaked, nothing dangles, no row got lost and no schema drifted."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from ..anonymizers import parameters_of
from ..anonymizers.base import Kind
from ..databases.port import Database, ElementCodec
from ..errors import VerificationFailed
from ..model.catalog import Catalog
from ..model.decision import ColumnPlan
from ..model.ledger import Check
from ..model.plan import Plan, TablePlan
from ..model.survivors import Coverage, Search, Survivor, kept_digest, leaves_of
from . import blocks, originals
from .plan import current_plan, require_catalog
from .session import Cycle

WORDLESS = {
    Kind.BOOLEAN: "a boolean carries no text",
    Kind.DATE: "a date carries no text",
    Kind.TIMESTAMP: "a timestamp carries no text",
    Kind.TIME: "a time carries no text",
    Kind.INTERVAL: "an interval carries no text",
    Kind.INTEGER: "a number carries no text",
    Kind.NUMERIC: "a number carries no text",
    Kind.FLOAT: "a number carries no text",
    Kind.UUID: "a random identifier carries no text",
    Kind.ENUM: "an enum label is part of the schema",
}
SHORTEST_NUMBER = 9
"""A number with fewer digits is not searched: it would meet phone numbers by chance."""


@dataclass
class Verification:
    """What was compared and what was found. It passes only if something was compared."""

    coverage: Coverage = field(default_factory=Coverage)
    survivors: list[Survivor] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    schema_drift: list[str] = field(default_factory=list)
    lost_rows: list[str] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing was found and the comparison was not empty."""
        return not self.findings()

    def findings(self) -> list[str]:
        """Return every reason to fail, a line each; names and counts only."""
        lines = [
            f"{s.found_in}: {s.count} values hold originals of {s.table}.{s.column}"
            for s in self.survivors
        ]
        lines += self.uncovered + self.orphans + self.lost_rows + self.schema_drift
        if not self.coverage.leaves_compared:
            lines.append("nothing was compared, so nothing is proven")
        return lines

    def checks(self) -> tuple[Check, ...]:
        """Return the four blocking checks of the test database."""
        coverage = asdict(self.coverage)
        compared = bool(self.coverage.leaves_compared)
        clean = compared and not self.survivors and not self.uncovered
        return (
            Check("no_survivors", clean, {**coverage, "survivors": len(self.survivors)}),
            Check("no_orphans", not self.orphans, {"orphans": self.orphans}),
            Check("no_row_lost", not self.lost_rows, {"tables": self.lost_rows}),
            Check("no_schema_drift", not self.schema_drift, {"drift": self.schema_drift}),
        )

    def require(self) -> None:
        """Raise VerificationFailed, with the checks attached, if anything was found."""
        if self.passed:
            return
        lines = self.findings()
        error = VerificationFailed(
            "verification failed; nothing was published:",
            lines,
            remedy="give the column a rule, or, where the words are a coincidence, list it under "
            "`verify: {coincidences: [table.column]}` in dbcycle.yaml",
        )
        error.checks = self.checks()
        raise error

    def to_json(self) -> dict[str, object]:
        """Return the document that ``dbcycle verify --json`` prints."""
        return {
            "passed": self.passed,
            "coverage": asdict(self.coverage),
            "survivors": [asdict(survivor) for survivor in self.survivors],
            "orphans": self.orphans,
            "schema_drift": self.schema_drift,
            "lost_rows": self.lost_rows,
            "uncovered": self.uncovered,
        }


def verify(cycle: Cycle, name: str) -> Verification:
    """Verify the extracts and the database ``name`` that was built from them; changes nothing."""
    result = Verification()
    catalog = require_catalog(cycle)
    plan = current_plan(cycle)
    with cycle.server.open(name, read_only=True) as database:
        cycle.progress("searching every value for originals")
        _search_leaks(cycle, plan, database, result)
        cycle.progress(f"checking {len(catalog.foreign_keys)} foreign keys and every row count")
        _check_keys(catalog, database, result)
        if plan.virtual:
            with cycle.server.open(cycle.database("migrated"), read_only=True) as migrated:
                _check_references(plan, migrated, database, result)
        _check_rows(cycle, catalog, database, result)
        _check_schema(catalog, database, result)
    return result


def _search_leaks(cycle: Cycle, plan: Plan, database: Database, result: Verification) -> None:
    known: dict[tuple[str, str], list[bytes]] = {}
    kept_by_rule: dict[str, frozenset[bytes]] = {}
    for name, table in sorted(plan.tables.items()):
        searchable = [
            item.column.name
            for item in table.masked
            if any(case.definition.searchable for case in item.masks)
        ]
        kept = originals.read(cycle.project.state, name) if table.rows else {}
        if searchable and table.rows and (kept is None or not set(searchable) <= set(kept)):
            result.uncovered.append(f"{name}: the digests of its originals are missing or stale")
            continue
        for column, found in (kept or {}).items():
            known[(name, column)] = found.digests
            kept_by_rule[f"{name}.{column}"] = found.excused
            if found.unsearchable:
                reason = "an original too short or too common to search"
                result.coverage.skip(reason, found.unsearchable)
    search = Search(cycle.key, known)
    excused = set(cycle.project.config.verify.coincidences)
    for table in plan.tables.values():
        if table.rows:
            _search_table(cycle, table, database, _Excuses(search, excused, kept_by_rule), result)


@dataclass(frozen=True)
class _Excuses:
    """A search, the places whose hits the user called coincidences, and what conditions keep."""

    search: Search
    coincidences: set[str]
    kept_by_rule: dict[str, frozenset[bytes]]


def _search_table(
    cycle: Cycle, plan: TablePlan, database: Database, known: _Excuses, result: Verification
) -> None:
    counts: dict[tuple[str, str, str], int] = {}
    coverage = result.coverage
    coverage.tables += 1
    coverage.columns += len(plan.columns)
    vocabularies = [_vocabulary(column) for column in plan.columns]
    codecs = [database.element_codec(column.column) for column in plan.columns]
    for block in cycle.extracts.read(plan.table.id):
        frame = blocks.parse(block, len(plan.columns))
        coverage.rows += frame.height
        for index, column in enumerate(plan.columns):
            where = f"{plan.table.id}.{column.column.name}"
            kept = known.kept_by_rule.get(where)
            for text, count in _texts(blocks.values(frame.to_series(index)), codecs[index]):
                reason = _wordless(column, text)
                if reason is None and kept and kept_digest(cycle.key, text) in kept:
                    reason = "kept by a condition of its rule"
                if reason is not None:
                    coverage.skip(reason, count)
                    continue
                coverage.leaves_compared += count
                for owner in known.search.hits(text, vocabularies[index]):
                    if where in known.coincidences:
                        coverage.coincidences += count
                    else:
                        counts[(*owner, where)] = counts.get((*owner, where), 0) + count
    result.survivors += [Survivor(*key, count) for key, count in sorted(counts.items())]


def _texts(
    values: Iterator[tuple[str, int]], codec: ElementCodec | None
) -> Iterator[tuple[str, int]]:
    for value, count in values:
        for element in codec.leaves(value) if codec is not None else [value]:
            for leaf in leaves_of(element):
                yield leaf, count


def _wordless(column: ColumnPlan, text: str) -> str | None:
    """Return why a value is not searched, judged by type and by the value itself."""
    reason = WORDLESS.get(column.column.kind)
    if reason is None or any(char.isalpha() for char in text if char not in "eETZ"):
        return None if column.column.kind not in {Kind.ENUM, Kind.UUID} else reason
    return None if sum(map(str.isdigit, text)) >= SHORTEST_NUMBER and text.isdigit() else reason


def _vocabulary(column: ColumnPlan) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for case in column.masks:
        found |= case.definition.vocabulary(parameters_of(case.rule, case.options))
    return found


def _check_keys(catalog: Catalog, database: Database, result: Verification) -> None:
    for key in catalog.foreign_keys:
        count = database.orphans(key)
        if count:
            result.orphans.append(
                f"{key.table}: {count} rows refer through {key.name} to no row of {key.parent}"
            )


def _check_references(
    plan: Plan, migrated: Database, database: Database, result: Verification
) -> None:
    """A reference that only the config declares must join as well as it did in production."""
    for key in plan.virtual:
        before, after = migrated.orphans(key), database.orphans(key)
        if after > before:
            result.orphans.append(
                f"{key.table}: {after} rows refer through {key.name} to no row of {key.parent}; "
                f"in production {before} did"
            )


def _check_rows(cycle: Cycle, catalog: Catalog, database: Database, result: Verification) -> None:
    for name, table in sorted(catalog.tables.items()):
        record = cycle.ledger.get(f"seeded/{name}")
        expected = record.facts["rows"] if record is not None else None
        found = database.count(table)
        if found != expected:
            result.lost_rows.append(f"{name}: {found} rows, {expected} expected")


def _check_schema(catalog: Catalog, database: Database, result: Verification) -> None:
    present = database.catalog()
    if present.schema_digest == catalog.schema_digest:
        return
    for name in sorted({*catalog.tables, *present.tables}):
        before, after = catalog.tables.get(name), present.tables.get(name)
        if before is None or after is None or before.shape != after.shape:
            result.schema_drift.append(f"{name}: differs from the migrated schema")
    if not result.schema_drift:
        result.schema_drift.append("views, functions, types or sequences differ")
