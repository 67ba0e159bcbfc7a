"""Verify: prove that nothing leaked, nothing dangles, no row got lost and no schema drifted."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..databases.port import Database
from ..errors import VerificationFailed
from ..model.catalog import Catalog, ForeignKey
from ..model.ledger import Check
from ..model.survivors import Coverage, Survivor
from .plan import current_plan, require_catalog
from .search import LeakSearch
from .session import Cycle


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
        lines += [
            f"{place}: nothing was compared, so nothing is proven"
            for place in ("extracts", "database")
            if not self.coverage.by_place.get(place)
        ]
        return lines

    def checks(self) -> tuple[Check, ...]:
        """Return the four blocking checks of the test database."""
        coverage = asdict(self.coverage)
        places = self.coverage.by_place
        compared = bool(places.get("extracts")) and bool(places.get("database"))
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


def verify(
    cycle: Cycle,
    name: str,
    added: Mapping[str, int] | None = None,
    *,
    clean: dict[str, Any] | None = None,
    unchanged: Container[str] = (),
) -> Verification:
    """Verify the extracts and the database ``name`` that was built from them; changes nothing.

    ``added`` is how many rows versioned seeds added to each table; by default what was recorded
    when the test database was published. Tables that are ``unchanged`` since an earlier
    verification found them clean are not searched again, nor the keys between them; ``clean`` is
    that one's account, by table, and is kept up to date. By default everything is.
    """
    if added is None:
        record = cycle.ledger.get("test_db")
        added = record.facts.get("added_by_seeds", {}) if record is not None else {}
    result = Verification()
    catalog = require_catalog(cycle)
    plan = current_plan(cycle)
    with cycle.server.open(name, read_only=True) as database:
        cycle.progress("searching every value for originals")
        search = LeakSearch(cycle, plan, clean, unchanged)
        _search_leaks(search, catalog, database, result)
        cycle.progress(f"checking {len(catalog.foreign_keys)} foreign keys and every row count")
        _check_keys(catalog, database, result, unchanged)
        unproven = [key for key in catalog.foreign_keys if key.unproven]
        if plan.virtual or unproven:
            with cycle.server.open(cycle.database("migrated"), read_only=True) as migrated:
                _check_references([*plan.virtual, *unproven], migrated, database, result)
        _check_rows(cycle, catalog, database, added, result)
        _check_schema(catalog, database, result)
    return result


def _search_leaks(
    search: LeakSearch, catalog: Catalog, database: Database, result: Verification
) -> None:
    search.rows(catalog, database)
    search.schema(database)
    search.records()
    result.coverage = search.coverage
    result.survivors = search.survivors
    result.uncovered = search.uncovered


def _check_keys(
    catalog: Catalog, database: Database, result: Verification, unchanged: Container[str]
) -> None:
    for key in catalog.foreign_keys:
        if key.unproven or (key.table in unchanged and key.parent in unchanged):
            continue
        count = database.orphans(key)
        if count:
            result.orphans.append(
                f"{key.table}: {count} rows refer through {key.name} to no row of {key.parent}"
            )


def _check_references(
    keys: Iterable[ForeignKey], migrated: Database, database: Database, result: Verification
) -> None:
    """A reference that only the config declares, or whose rows production never proved, must join
    as well as it did there.
    """
    for key in keys:
        before, after = migrated.orphans(key), database.orphans(key)
        if after > before:
            result.orphans.append(
                f"{key.table}: {after} rows refer through {key.name} to no row of {key.parent}; "
                f"in production {before} did"
            )


def _check_rows(
    cycle: Cycle,
    catalog: Catalog,
    database: Database,
    added: Mapping[str, int],
    result: Verification,
) -> None:
    for name, table in sorted(catalog.tables.items()):
        record = cycle.ledger.get(f"seeded/{name}")
        expected = record.facts["rows"] + added.get(name, 0) if record is not None else None
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
