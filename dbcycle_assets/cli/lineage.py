"""What the report says of every column and key: judgement, origin and shape. No raw value."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..model.decision import ColumnPlan
from ..model.privacy import Privacy, privacy_of
from ..model.profile import ColumnProfile, FanOut, Pair, compare, percent, rules_of
from .blame import Judge
from .plots import bars, meter

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.session import Cycle
    from ..model.ledger import Record
    from ..model.plan import Plan, TablePlan

NOT_RECORDED = "not recorded"


def table_facts(
    cycle: "Cycle",
    plan: "Plan",
    name: str,
    rows: int | None,
    judged: Mapping[tuple[str, str], Judge],
) -> dict[str, Any]:
    """Return what the page shows of one table."""
    from ..cycle.profile import recorded

    entry = plan.tables[name]
    extracted, seeded = cycle.ledger.get(f"extracts/{name}"), cycle.ledger.get(f"seeded/{name}")
    profiles = recorded(extracted.facts.get("profile", {}))[0] if extracted else {}
    classes = privacy_of(entry.table, cycle.catalog)
    columns = [
        _column(entry, item, classes[item.column.name], profiles, judged) for item in entry.columns
    ]
    unjudged = [column for table, column in plan.unjudged if table == name]
    columns += [_unjudged(entry, column, classes[column]) for column in unjudged]
    golden = int(seeded.facts.get("golden") or 0) if seeded else 0
    return {
        "name": name,
        "extract": entry.rows,
        "rows": rows,
        "golden": golden,
        "stages": _stages(cycle, name, rows, golden),
        "columns": columns,
        "parents": sorted({key.parent for key in entry.table.foreign_keys}),
        "masked": sum(column["state"] in {"anonymized", "inherited"} for column in columns),
        "shifted": sum(bool(column["shifts"]) for column in columns),
    }


def _stages(cycle: "Cycle", name: str, rows: int | None, golden: int) -> list[dict[str, str]]:
    """Return the way of a table's rows through the assets, with their number at each stop."""
    stops = []
    for stage in ("migrated", "extracts", "seeded"):
        record: Record | None = cycle.ledger.get(f"{stage}/{name}")
        found = record.facts.get("rows") if record is not None else None
        more = f" with {golden:,} golden" if stage == "seeded" and golden else ""
        shown = f"{found:,} rows{more}" if found is not None else "not made"
        stops.append({"asset": f"{stage}/{name}", "rows": shown})
    shown = f"{rows:,} rows" if rows is not None else "not published"
    return [*stops, {"asset": "test_db", "rows": shown}]


def _column(
    entry: "TablePlan",
    item: ColumnPlan,
    privacy: Privacy,
    profiles: Mapping[str, Pair],
    judged: Mapping[tuple[str, str], Judge],
) -> dict[str, Any]:
    column, table = item.column, entry.table.id
    pair = profiles.get(column.name)
    limit = None if column.dimensions else column.max_length
    shifts = compare(column.name, rules_of(item), *pair, limit) if pair else []
    parent, _, name = (item.follows or "").rpartition(".")
    decided = (parent, name) if item.follows else (table, column.name)
    state = ("inherited" if item.follows else "anonymized") if item.masked else "kept"
    return {
        "name": column.name,
        "type": column.type,
        "key": column.name in entry.table.primary_key,
        "class": privacy.klass,
        "personal": privacy.personal and not item.masked,
        "rule": " or ".join(rules_of(item)),
        "options": _options(item),
        "properties": _properties(item),
        "follows": item.follows or "",
        "state": state,
        "judge": str(judged.get(decided, NOT_RECORDED)),
        "source": f"migrated/{table}",
        "shape": _shape(column.name, *pair) if pair and pair[0].rows else None,
        "shifts": [shift.text for shift in shifts if not shift.meant],
        "meant": [shift.text for shift in shifts if shift.meant],
    }


def _unjudged(entry: "TablePlan", name: str, privacy: Privacy) -> dict[str, Any]:
    column = entry.table.column(name)
    return {
        "name": name,
        "type": column.type if column is not None else "",
        "key": name in entry.table.primary_key,
        "class": privacy.klass,
        "personal": privacy.personal,
        "rule": "",
        "options": "",
        "properties": "",
        "follows": "",
        "state": "unjudged",
        "judge": "nobody yet",
        "source": f"migrated/{entry.table.id}",
        "shape": None,
        "shifts": [],
        "meant": [],
    }


def _options(item: ColumnPlan) -> str:
    """Return the parameters that the user set; a text may be a secret and is only named."""
    shown = [
        f"{name} {value}" if isinstance(value, int | float) else name
        for case in item.masks
        for name, value in sorted(case.options.items())
    ]
    return ", ".join(shown)


def _properties(item: ColumnPlan) -> str:
    if not item.masked:
        return ""
    rule = item.masks[0].definition
    words = [
        "keyed" if rule.keyed else "not keyed",
        "stays unique" if rule.unique else "may repeat",
        "originals searched" if rule.searchable else "originals not searched",
    ]
    words += ["keeps parts"] if rule.partial else []
    words += ["by row"] if len(item.chain) > 1 else []
    return " · ".join([*words, f"v{rule.version}"])


def _shape(name: str, before: ColumnProfile, after: ColumnProfile) -> dict[str, Any]:
    """Return the four plots of a column with their captions."""
    rows = max(before.rows, 1), max(after.rows, 1)
    distinct = before.distinct / rows[0], after.distinct / rows[1]
    sign = "" if before.exact and after.exact else "about "
    nulls = percent(before.null_rate), percent(after.null_rate)
    values = f"{before.distinct:,}", f"{after.distinct:,}"
    lengths = _number(before.mean_length), _number(after.mean_length)
    tops = percent(before.top), percent(after.top)
    about = [
        f"{side}: {profile.shortest} to {profile.longest} characters, half up to"
        f" {profile.median_length}, 95 % up to {profile.p95_length}"
        for side, profile in (("before", before), ("after", after))
    ]
    title = f"{name}: shares of the ten most frequent values, {percent(before.top_ten)} in all"
    shaped = before.lengths or after.lengths
    repeated = any(side.distinct < side.rows - side.nulls for side in (before, after))
    return {
        "nulls": meter(before.null_rate, after.null_rate, f"{name}: share of null"),
        "nulls_text": arrow(*nulls),
        "distinct": meter(*distinct, f"{name}: distinct values per row"),
        "distinct_text": sign + arrow(*values),
        "length": bars(before.lengths, after.lengths, "; ".join(about)) if shaped else "",
        "length_text": arrow(*lengths) if shaped else "",
        "skew": bars(before.ranks, after.ranks, title) if repeated else "",
        "skew_text": arrow(*tops) if repeated else "each once" if before.top else "",
    }


def arrow(before: str, after: str) -> str:
    """Return both sides, or the one that they share."""
    return before if before == after else f"{before} → {after}"


def _number(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def key_facts(
    cycle: "Cycle", plan: "Plan", published: "Record | None", rows: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return how many children the parents of each foreign key have, before and after."""
    from ..cycle.profile import recorded

    found = []
    known = published.facts.get("fan_out", {}) if published is not None else {}
    for name, entry in sorted(plan.tables.items()):
        extracted = cycle.ledger.get(f"extracts/{name}")
        before = recorded(extracted.facts.get("profile", {}))[1] if extracted else {}
        for key in entry.table.foreign_keys:
            after = known.get(name, {}).get(key.name)
            if key.name not in before or after is None:
                continue
            parent = cycle.ledger.get(f"extracts/{key.parent}")
            former = parent.facts.get("rows") if parent is not None else None
            columns = ", ".join(key.columns)
            sides = before[key.name], FanOut.from_json(after)
            entry_facts = {"child": f"{name}.{columns}", "parent": key.parent}
            found.append(entry_facts | _fan_out(*sides, former, rows.get(key.parent)))
    return found


def _fan_out(
    before: FanOut, after: FanOut, parents_before: int | None, parents_after: int | None
) -> dict[str, str]:
    lonely = [
        percent(share) if share is not None else "?"
        for share in (before.without(parents_before), after.without(parents_after))
    ]
    title = "parents by number of children: 1, 2 to 3, 4 to 7, …"
    return {
        "plot": bars(before.sizes, after.sizes, title) if before.sizes or after.sizes else "",
        "mean": arrow(_number(before.mean), _number(after.mean)),
        "p95": arrow(f"{before.p95:,}", f"{after.p95:,}"),
        "largest": arrow(f"{before.largest:,}", f"{after.largest:,}"),
        "lonely": arrow(*lonely),
    }
