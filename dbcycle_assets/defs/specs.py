"""From the asset graph's plain nodes to Dagster's specs; pure, and the place to override names."""

import re
import warnings
from pathlib import Path

import dagster as dg

from ..artifacts import file_name
from ..config.model import Project, Rule
from ..model.ledger import Node

CHECKS: dict[str, tuple[str, ...]] = {
    "restored_db": ("rows_restored",),
    "plan": ("everything_judged",),
    "extracts": ("no_raw_values", "no_row_lost"),
    "seeded": ("no_row_lost",),
    "test_db": ("no_survivors", "no_orphans", "no_row_lost", "no_schema_drift"),
}
"""The blocking checks that every asset of a stage answers."""

CHECK_DESCRIPTIONS = {
    "rows_restored": "The rows of every table of the dump are there.",
    "everything_judged": "Every column has a rule or is kept by decision.",
    "no_raw_values": "No value came through a rule unchanged.",
    "no_row_lost": "As many rows as there must be.",
    "no_survivors": "No original of an anonymized column was found in anything that was made.",
    "no_orphans": "Every reference leads to a row, by anti-join.",
    "no_schema_drift": "The schema is that of the migrations.",
    "models_in_step": "The application's models say what the schema says.",
    "no_long_locks": "No migration step locks or rewrites a table for long.",
    "fidelity": "Nulls, distinct values and lengths are like production's, or changed as meant.",
    "k_anonymity": "No row stands out by its quasi-identifiers.",
}
"""What each check says when it has passed."""

WARNINGS: dict[str, tuple[str, ...]] = {
    "migrated_schema": ("no_long_locks", "models_in_step"),
    "extracts": ("fidelity",),
    "test_db": ("k_anonymity",),
}
"""The checks that warn and never block; k-anonymity where quasi-identifiers are declared, locks
on PostgreSQL, models where the config names them."""

GROUPS = {
    "prod_dump": "dump",
    "anonymization_key": "key",
    "restored_db": "restored",
    "migrated_schema": "migrated",
    "test_db": "published",
}
"""The group of each stage whose group is not its own name."""

DESCRIPTIONS = {
    "prod_dump": "The production dump, known by its content.",
    "anonymization_key": "Which anonymization key is in force, by its id; never the key.",
    "restored_db": "The dump restored into a scratch database.",
    "migrated_schema": "A clone of the restored database with every migration applied.",
    "migrated": "The rows and shape of `{table}` after the migrations.",
    "plan": "Config × catalog, decided: what every table and column becomes.",
    "subset": "Which rows of `{table}` are kept, drawn in the migrated database.",
    "extracts": "`{table}` anonymized, on disk.",
    "exports": "The extract of `{table}` as files for people and other programs.",
    "golden": "The golden records of `{table}`.",
    "seeded": "`{table}`: the extract with its golden records merged over it, loaded.",
    "test_db": "The verified and published test database.",
}


def key_part(table: str) -> str:
    """Return a table id as one part of an asset key; different ids give different parts."""
    safe = re.sub(r"[^A-Za-z0-9_]", "_", table)
    return safe if safe == table else re.sub(r"[^A-Za-z0-9_]", "_", file_name(table))


def asset_key(project: str, asset: str) -> dg.AssetKey:
    """Return the key of one of our assets: ``[project, stage]`` or ``[project, stage, table]``."""
    stage, _, table = asset.partition("/")
    return dg.AssetKey([project, stage, *([key_part(table)] if table else [])])


def asset_spec(project: Project, node: Node, external: tuple[str, ...] = ()) -> dg.AssetSpec:
    """Return the spec of one node; ``external`` names further dependencies."""
    kind = "sqlite" if project.config.engine == "sqlite" else "postgres"
    engine = {"restored_db", "migrated_schema", "migrated", "subset", "seeded", "test_db"}
    deps = [asset_key(project.name, dep) for dep in (*node.deps, *external)]
    return dg.AssetSpec(
        asset_key(project.name, node.asset),
        deps=deps,
        code_version=node.code_version,
        group_name=GROUPS.get(node.stage, node.stage),
        description=_describe(project, node),
        kinds={kind if node.stage in engine else "file"},
        owners=list(project.config.owners),
        tags={"dbcycle/project": project.name, "dbcycle/stage": node.stage},
        metadata={"dagster/code_references": _reference(project, node)},
    )


def check_specs(project: Project, node: Node) -> list[dg.AssetCheckSpec]:
    """Return the checks of one node, the blocking ones first."""
    key = asset_key(project.name, node.asset)
    absent = {
        "k_anonymity": not any(t.quasi_identifiers for t in project.config.tables.values()),
        "models_in_step": project.config.models is None,
        "no_long_locks": project.config.engine != "postgresql",
    }
    warned = [name for name in WARNINGS.get(node.stage, ()) if not absent.get(name)]
    blocking = CHECKS.get(node.stage, ())
    return [
        dg.AssetCheckSpec(
            name, asset=key, blocking=name in blocking, description=CHECK_DESCRIPTIONS[name]
        )
        for name in (*blocking, *warned)
    ]


def _describe(project: Project, node: Node) -> str:
    text = DESCRIPTIONS[node.stage].format(table=node.table)
    if node.stage != "extracts" or node.table is None:
        return text
    table = project.config.tables[node.table]
    rules = [f"| `{name}` | {_in_words(rule)} |" for name, rule in table.columns.items()]
    rules += [f"| `{name}` | keep |" for name in table.keep]
    return "\n".join([text, "", "| column | rule |", "| --- | --- |", *rules])


def _in_words(rule: Rule) -> str:
    """Return the rules of a column in the order in which they are tried."""
    rest = f", else {_in_words(rule.otherwise)}" if rule.otherwise is not None else ""
    when = f" when {', '.join(sorted(rule.when))} fits" if rule.when else ""
    return f"{rule.anonymize}{when}{rest}"


def _reference(project: Project, node: Node) -> dg.CodeReferencesMetadataValue:
    path = project.root / "dbcycle.yaml"
    line = _line_of(path, node.table) if node.table else 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # beta since years; nobody can do anything about it
        source = dg.LocalFileCodeReference(
            file_path=str(path), line_number=line, label="dbcycle.yaml"
        )
        return dg.CodeReferencesMetadataValue(code_references=[source])


def _line_of(path: Path, table: str) -> int:
    pattern = re.compile(rf"\s*[\"']?{re.escape(table)}[\"']?\s*:")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if pattern.match(line):
            return number
    return 1
