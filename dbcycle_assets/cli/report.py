"""``report``: one self-contained page with every judgement, check and count. No raw value."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..artifacts import write_atomically
from ..model.ledger import Check, Record
from .invocation import of
from .text import count, say

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.session import Cycle
    from ..model.plan import Plan

STAGES = ("test_db", "seeded", "extracts", "plan", "restored_db")
"""The order in which the page shows the checks: what is published first."""


def report(
    ctx: typer.Context,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the page.")
    ] = None,
) -> None:
    """Write one HTML page with every judgement, check and plot.

    It shows what each column becomes, by whose decision and what that did to its shape; what was
    verified; k-anonymity; and a diagram of the tables. It holds no value of a row.
    """
    invocation = of(ctx)
    path = (output or invocation.project.state / "report.html").resolve()
    with invocation.reading() as cycle:
        facts = write_report(cycle, path)
    columns = sum(len(entry["columns"]) for entry in facts["tables"])
    invocation.show(
        {"report": str(path), "tables": len(facts["tables"]), "columns": columns},
        lambda: say(
            f"{path}   ({count(len(facts['tables']), 'table')}, {count(columns, 'column')})"
        ),
    )


def write_report(cycle: "Cycle", path: Path) -> dict[str, Any]:
    """Write the page, whole or not at all, and return the facts that it shows.

    Raises:
        BadInput: nothing was migrated yet.
    """
    from ..cycle.plan import current_plan, require_catalog

    require_catalog(cycle)
    facts = _facts(cycle, current_plan(cycle))
    with write_atomically(path) as file:
        file.write(_page(facts).encode())
    return facts


def _page(facts: dict[str, Any]) -> str:
    import jinja2
    from markupsafe import Markup

    folder = resources.files(__package__).joinpath("templates")
    style, script, page = (
        folder.joinpath(name).read_text("utf-8")
        for name in ("report.css", "report.js", "report.html.j2")
    )
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # The page may run this one script and no other, wherever it is opened.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = {"style": Markup(style), "script": Markup(script), "digest": digest}  # noqa: S704
    return environment.from_string(page).render(facts | own)


def _facts(cycle: "Cycle", plan: "Plan") -> dict[str, Any]:
    """Return everything that the page shows: names, rules, counts and shares."""
    from .blame import judges
    from .lineage import key_facts, table_facts

    records = cycle.records(cycle.nodes())
    published = records.get("test_db")
    rows: dict[str, int] = dict(published.facts.get("rows_by_table", {})) if published else {}
    judged = judges(cycle.project.root, cycle.project.config)
    tables = [
        table_facts(cycle, plan, name, rows.get(name), judged) for name in sorted(plan.tables)
    ]
    checks = _checks(list(records.values()))
    return {
        "project": cycle.project.name,
        "engine": cycle.project.config.engine,
        "written": datetime.now(UTC).isoformat(sep=" ", timespec="minutes")[:16] + " UTC",
        "published": _published(published),
        "stale": [entry.asset for entry in cycle.stale()],
        "tables": tables,
        "keys": _drawn(key_facts(cycle, plan, published, rows)),
        "anonymity": _anonymity(published),
        "checks": checks,
        "warnings": [line for entry in checks for line in entry["warnings"]],
        "load_order": plan.load_order,
        "findings": list(plan.findings),
        "unjudged": [f"{name}.{column}" for name, column in plan.unjudged],
        "totals": _totals(tables, rows),
        "diagram": _diagram(cycle, plan, rows, tables),
    }


def _drawn(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mark the plots as what they are: SVG that escapes its own texts."""
    from markupsafe import Markup

    return [
        {
            name: Markup(value) if str(value).startswith("<svg") else value  # noqa: S704
            for name, value in entry.items()
        }
        for entry in entries
    ]


def _totals(tables: Sequence[dict[str, Any]], rows: dict[str, int]) -> dict[str, int]:
    columns = [column for table in tables for column in table["columns"]]
    for column in columns:
        if column["shape"]:
            column["shape"] = _drawn([column["shape"]])[0]
    states = [column["state"] for column in columns]
    return {
        "tables": len(tables),
        "columns": len(columns),
        "anonymized": states.count("anonymized"),
        "inherited": states.count("inherited"),
        "kept": states.count("kept"),
        "unjudged": states.count("unjudged"),
        "personal": sum(column["personal"] and column["state"] == "kept" for column in columns),
        "shifted": sum(bool(column["shifts"]) for column in columns),
        "rows": sum(rows.values()),
    }


def _diagram(
    cycle: "Cycle", plan: "Plan", rows: dict[str, int], tables: Sequence[dict[str, Any]]
) -> str:
    from markupsafe import Markup

    from .diagram import diagram

    if cycle.catalog is None:
        return ""
    marked = {
        table["name"]: [
            column["name"]
            for column in table["columns"]
            if column["state"] in {"anonymized", "inherited"} and not column["key"]
        ]
        for table in tables
    }
    return Markup(diagram(cycle.catalog, rows, plan.load_order, marked))  # noqa: S704 - it escapes


def _published(record: Record | None) -> dict[str, Any] | None:
    from markupsafe import Markup

    from .plots import stacked

    if record is None:
        return None
    coverage = dict(record.facts.get("coverage", {}))
    places = dict(coverage.pop("by_place", {}))
    coverage |= {f"leaves compared in {place}": number for place, number in places.items()}
    skipped = sorted(
        dict(coverage.pop("skipped_reasons", {})).items(), key=lambda item: (-item[1], item[0])
    )
    parts = [("compared", int(coverage.get("leaves_compared", 0))), *skipped]
    return {
        "at": record.made_at.replace("T", " ")[:16] + " UTC",
        "coverage": coverage,
        "parts": parts,
        "total": max(sum(number for _, number in parts), 1),
        "bar": Markup(stacked(parts)),  # noqa: S704 - it escapes
        "safe": all(check.passed for check in record.checks if check.blocking),
    }


def _anonymity(record: Record | None) -> list[dict[str, Any]]:
    """Return every declared set of quasi-identifiers with its classes."""
    checks = record.checks if record is not None else ()
    return [
        entry
        for check in checks
        if check.name == "k_anonymity"
        for entry in check.facts.get("by_set", [])
    ]


def _checks(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return every stored check, those of one name and stage together; counts and names."""
    groups: dict[tuple[int, str, str], list[tuple[Record, Check]]] = {}
    for record in records:
        stage = record.asset.partition("/")[0]
        place = STAGES.index(stage) if stage in STAGES else len(STAGES)
        for check in record.checks:
            groups.setdefault((place, stage, check.name), []).append((record, check))
    found = []
    for (_, stage, name), entries in sorted(groups.items(), key=lambda item: item[0]):
        single = [_check(record, check) for record, check in sorted(entries, key=_asset)]
        passed = sum(entry["passed"] for entry in single)
        found.append(
            {
                "stage": stage,
                "name": name.replace("_", " "),
                "blocking": entries[0][1].blocking,
                "passed": passed,
                "entries": single,
                "warnings": [line for entry in single for line in entry["warnings"]],
                "at": max(entry["at"] for entry in single),
            }
        )
    return found


def _asset(entry: tuple[Record, Check]) -> str:
    return entry[0].asset


def _check(record: Record, check: Check) -> dict[str, Any]:
    facts = [
        f"{name.replace('_', ' ')} {value:,}"
        for name, value in sorted(check.facts.items())
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    past = [entry for entry in record.past if check.name in entry["checks"]]
    table = record.asset.partition("/")[2]
    shifts = [f"{table}.{line}" for line in check.facts.get("shifts", [])]
    shifts += [
        f"{each['table']}: {each['rows_below']:,} of {each['rows']:,} rows hide among fewer than "
        f"{each['k']} in {', '.join(each['columns'])}"
        for each in check.facts.get("by_set", [])
        if each["rows_below"]
    ]
    return {
        "table": table or record.asset,
        "passed": check.passed,
        "facts": ", ".join(facts),
        "warnings": shifts if not check.passed else [],
        "at": _moment(record.made_at),
        "history": [
            {"at": _moment(entry["at"]), "passed": entry["checks"][check.name]}
            for entry in reversed(past)
        ],
    }


def _moment(text: str) -> str:
    return text.replace("T", " ")[:16]
