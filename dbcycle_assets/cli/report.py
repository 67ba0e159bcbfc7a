"""``report``: one self-contained page with every judgement, check and count. No raw value."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..artifacts import write_atomically
from ..model.ledger import Record
from .invocation import of
from .text import count, say

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.session import Cycle
    from ..model.plan import Plan


def report(
    ctx: typer.Context,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the page.")
    ] = None,
) -> None:
    """Write one HTML page with every judgement and check.

    It also has the counts, the load order and a diagram of the tables; it holds no value of a row.
    """
    from ..cycle.plan import current_plan, require_catalog

    invocation = of(ctx)
    path = (output or invocation.project.state / "report.html").resolve()
    with invocation.reading() as cycle:
        require_catalog(cycle)
        plan = current_plan(cycle)
        facts = _facts(cycle, plan)
        with write_atomically(path) as file:
            file.write(_page(facts).encode())
    columns = sum(len(entry["columns"]) for entry in facts["tables"])
    invocation.show(
        {"report": str(path), "tables": len(facts["tables"]), "columns": columns},
        lambda: say(
            f"{path}   ({count(len(facts['tables']), 'table')}, {count(columns, 'column')})"
        ),
    )


def _page(facts: dict[str, Any]) -> str:
    import jinja2

    source = resources.files(__package__).joinpath("templates/report.html.j2").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(facts)


def _facts(cycle: "Cycle", plan: "Plan") -> dict[str, Any]:
    """Return everything that the page shows: names, rules and counts."""
    import markupsafe

    from .diagram import diagram

    catalog = cycle.catalog
    records = cycle.records(cycle.nodes())
    published = records.get("test_db")
    rows: dict[str, int] = dict(published.facts.get("rows_by_table", {})) if published else {}
    stale = {entry.asset: "; ".join(entry.reasons) for entry in cycle.stale()}
    tables = [_table(cycle, plan, name, rows.get(name)) for name in sorted(plan.tables)]
    columns = [column for table in tables for column in table["columns"]]
    drawing = diagram(catalog, rows, plan.load_order) if catalog is not None else ""
    return {
        "project": cycle.project.name,
        "engine": cycle.project.config.engine,
        "written": datetime.now(UTC).isoformat(sep=" ", timespec="minutes")[:16] + " UTC",
        "published": _published(published),
        "stale": stale,
        "tables": tables,
        "checks": _checks(list(records.values())),
        "load_order": plan.load_order,
        "findings": list(plan.findings),
        "unjudged": [f"{name}.{column}" for name, column in plan.unjudged],
        "totals": {
            "tables": len(tables),
            "columns": len(columns),
            "anonymized": sum(column["state"] == "anonymized" for column in columns),
            "inherited": sum(column["state"] == "inherited" for column in columns),
            "kept": sum(column["state"] == "kept" for column in columns),
            "unjudged": len(plan.unjudged),
            "rows": sum(rows.values()),
        },
        # The drawing escapes every name itself.
        "diagram": markupsafe.Markup(drawing),  # noqa: S704
    }


def _published(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    coverage = dict(record.facts.get("coverage", {}))
    skipped = sorted(dict(coverage.pop("skipped_reasons", {})).items())
    places = dict(coverage.pop("by_place", {}))
    coverage |= {f"leaves compared in {place}": number for place, number in places.items()}
    return {
        "at": record.made_at.replace("T", " ")[:16] + " UTC",
        "coverage": coverage,
        "skipped": skipped,
    }


def _table(cycle: "Cycle", plan: "Plan", name: str, rows: int | None) -> dict[str, Any]:
    entry = plan.tables[name]
    extracted, seeded = cycle.ledger.get(f"extracts/{name}"), cycle.ledger.get(f"seeded/{name}")
    unjudged = [column for table, column in plan.unjudged if table == name]
    primary = entry.table.primary_key
    columns = [
        {
            "name": item.column.name,
            "type": item.column.type,
            "key": item.column.name in primary,
            "rule": item.rule,
            "options": ", ".join(sorted(item.options)),
            "follows": item.follows or "",
            "state": ("inherited" if item.follows else "anonymized") if item.masked else "kept",
        }
        for item in entry.columns
    ]
    columns += [
        {
            "name": column,
            "type": found.type if (found := entry.table.column(column)) is not None else "",
            "key": column in primary,
            "rule": "",
            "options": "",
            "follows": "",
            "state": "unjudged",
        }
        for column in unjudged
    ]
    return {
        "name": name,
        "extract": entry.rows,
        "rows": rows,
        "extracted": extracted.facts.get("rows") if extracted else None,
        "golden": seeded.facts.get("golden") if seeded else None,
        "columns": columns,
        "parents": sorted({key.parent for key in entry.table.foreign_keys}),
    }


def _checks(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return every stored check; facts are counts and names."""
    found = []
    for record in records:
        for check in record.checks:
            facts = [
                f"{name.replace('_', ' ')} {value:,}"
                for name, value in sorted(check.facts.items())
                if isinstance(value, int) and not isinstance(value, bool)
            ]
            found.append(
                {
                    "asset": record.asset,
                    "name": check.name.replace("_", " "),
                    "passed": check.passed,
                    "facts": ", ".join(facts),
                    "at": record.made_at.replace("T", " ")[:16],
                }
            )
    return sorted(found, key=lambda entry: (entry["passed"], entry["asset"], entry["name"]))
