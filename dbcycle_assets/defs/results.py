"""From a stage's outcome to what Dagster records: metadata, checks, data versions. No raw value."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from ..cycle.session import Outcome
from ..errors import DbCycleError
from ..model.ledger import Check
from .specs import Specs


def materialized(specs: Specs, outcome: Outcome) -> dg.MaterializeResult[None]:
    """Return the materialization of one outcome, memoized or not, with its checks."""
    record = outcome.record
    return dg.MaterializeResult(
        asset_key=specs.key(record.asset),
        data_version=dg.DataVersion(record.data_version),
        metadata=_metadata(specs, outcome),
        check_results=[check_result(specs, record.asset, check) for check in record.checks],
    )


def check_result(specs: Specs, asset: str, check: Check) -> dg.AssetCheckResult:
    """Return one check as Dagster's own: an error if it blocks, else a warning."""
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=specs.key(asset),
        passed=check.passed,
        severity=dg.AssetCheckSeverity.ERROR if check.blocking else dg.AssetCheckSeverity.WARN,
        metadata={name: _value(value) for name, value in check.facts.items()},
    )


def failed_checks(specs: Specs, asset: str, error: DbCycleError) -> Iterator[dg.AssetCheckResult]:
    """Yield the results that a verification error carries."""
    for check in getattr(error, "checks", ()):
        yield check_result(specs, asset, check)


def _value(value: object) -> Any:
    if isinstance(value, bool | int | float | str):
        return value
    return dg.MetadataValue.json(value if isinstance(value, dict | list) else list(value))  # type: ignore[call-overload]


def _metadata(specs: Specs, outcome: Outcome) -> dict[str, Any]:
    record = outcome.record
    stage, _, table = record.asset.partition("/")
    facts = dict(record.facts)
    found: dict[str, Any] = {
        "dbcycle/cache": "hit" if outcome.memoized else "made",
        "dbcycle/seconds": record.seconds,
        "dbcycle/made_at": record.made_at,
    }
    if "rows" in facts:
        found["dagster/row_count"] = int(facts.pop("rows"))
    if preview := facts.pop("preview", ""):
        found["preview"] = dg.MetadataValue.md(preview)
    columns = facts.pop("columns", None)
    if columns and stage in {"extracts", "seeded"}:
        found["dagster/column_schema"] = _schema(columns)
        lineage = _lineage if stage == "extracts" else _merged_lineage
        found["dagster/column_lineage"] = lineage(specs, table, columns)
    if published := facts.pop("columns_by_table", None):
        found["dagster/column_lineage"] = _published_lineage(specs, published)
    facts.pop("profile", None)  # its numbers are those of the check
    if table:
        found["dagster/table_name"] = f"{specs.project.name}.{table}"
    facts.pop("digest", None)
    return found | {f"dbcycle/{name}": _value(value) for name, value in facts.items()}


def _schema(columns: list[Mapping[str, str]]) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column["name"],
                column["type"],
                description=column["rule"],
                tags=_tags(column),
            )
            for column in columns
        ]
    )


def _tags(column: Mapping[str, str]) -> dict[str, str]:
    found = {"class": _tag(column["class"])} if column.get("class") else {}
    if column["rule"] != "keep":
        found |= {"pii": "", "rule": _tag(column["rule"])}
    return found


def _tag(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in text)[:63]


def _lineage(specs: Specs, table: str, columns: list[Mapping[str, str]]) -> dg.TableColumnLineage:
    deps: dict[str, list[dg.TableColumnDep]] = {}
    for column in columns:
        name = column["name"]
        source = specs.key(f"migrated/{table}")
        deps[name] = [dg.TableColumnDep(source, name)]
        if column["follows"]:
            parent, _, parent_column = column["follows"].rpartition(".")
            followed = specs.key(f"migrated/{parent}")
            deps[name].append(dg.TableColumnDep(followed, parent_column))
    return dg.TableColumnLineage(deps_by_column=deps)


def _merged_lineage(
    specs: Specs, table: str, columns: list[Mapping[str, str]]
) -> dg.TableColumnLineage:
    source = specs.key(f"extracts/{table}")
    deps = {column["name"]: [dg.TableColumnDep(source, column["name"])] for column in columns}
    return dg.TableColumnLineage(deps_by_column=deps)


def _published_lineage(specs: Specs, tables: Mapping[str, list[str]]) -> dg.TableColumnLineage:
    """Return the lineage of the test database, whose columns are named ``table.column``."""
    return dg.TableColumnLineage(
        deps_by_column={
            f"{table}.{name}": [dg.TableColumnDep(specs.key(f"seeded/{table}"), name)]
            for table, names in tables.items()
            for name in names
        }
    )
