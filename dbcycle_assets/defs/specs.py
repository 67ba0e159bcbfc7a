"""From the asset graph's plain nodes to Dagster's specs, all through one translator."""

import re
import warnings
from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from ..artifacts import file_name
from ..config.model import Project, Rule
from ..errors import UsageError
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
    "prod_database": "dump",
    "prod_dump": "dump",
    "anonymization_key": "key",
    "restored_db": "restored",
    "migrated_schema": "migrated",
    "test_db": "published",
}
"""The group of each stage whose group is not its own name."""

IN_DATABASE = frozenset(
    {"prod_database", "restored_db", "migrated_schema", "migrated", "subset", "seeded", "test_db"}
)
"""The stages whose assets lie in a database; those of the others are files."""

DESCRIPTIONS = {
    "prod_database": "Where a URL names it: the production database, read only to dump it.",
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

FIXED = ("code_version", "partitions_def", "skippable")
"""The attributes of a spec that are the cycle's own: what is fresh depends on them."""


def key_part(table: str) -> str:
    """Return a table id as one part of an asset key; different ids give different parts."""
    safe = re.sub(r"[^A-Za-z0-9_]", "_", table)
    return safe if safe == table else re.sub(r"[^A-Za-z0-9_]", "_", file_name(table))


class DbCycleTranslator:
    """How each asset of a project looks in Dagster. A subclass gives them other keys, groups, tags,
    owners or conditions; what runs, and what is fresh, stays the same.
    """

    def get_asset_spec(self, project: Project, node: Node) -> dg.AssetSpec:
        """Return the key and the attributes of one asset.

        ``node.stage`` and ``node.table`` say which one it is. The assets that it is made of are
        added afterwards; ``deps`` of the spec are further ones.
        """
        engine = "sqlite" if project.config.engine == "sqlite" else "postgres"
        table = [key_part(node.table)] if node.table is not None else []
        return dg.AssetSpec(
            dg.AssetKey([project.name, node.stage, *table]),
            code_version=node.code_version or None,
            group_name=GROUPS.get(node.stage, node.stage),
            description=_describe(project, node),
            kinds={engine if node.stage in IN_DATABASE else "file"},
            owners=list(project.config.owners),
            tags={"dbcycle/project": project.name, "dbcycle/stage": node.stage},
            metadata={"dagster/code_references": _reference(project, node)},
        )


class Specs:
    """The assets of a project under the names that a translator gives them."""

    def __init__(
        self, project: Project, nodes: Iterable[Node], translator: DbCycleTranslator | None = None
    ) -> None:
        """Translate every asset.

        Raises:
            UsageError: two assets would be one, or one would be what the cycle cannot make.
        """
        self.project = project
        self.nodes = tuple(nodes)
        self._translator = translator or DbCycleTranslator()
        self._translated = {node.asset: self._translate(node) for node in self.nodes}
        names: dict[dg.AssetKey, str] = {}
        for asset, spec in self._translated.items():
            if spec.key in names:
                raise UsageError(
                    f"`{names[spec.key]}` and `{asset}` get the same key"
                    f" {spec.key.to_user_string()}",
                    where=f"the translation of {project.name}",
                    remedy="set `key_prefix`, or let the key depend on `node.stage` and"
                    " `node.table`",
                )
            names[spec.key] = asset

    @property
    def keys(self) -> list[dg.AssetKey]:
        """The key of every asset that can be made, parents first."""
        return [self.key(node.asset) for node in self.nodes]

    def key(self, asset: str) -> dg.AssetKey:
        """Return the key of an asset, also of one that the config has no longer."""
        if asset not in self._translated:
            self._translated[asset] = self._translate(Node(asset, (), ""))
        return self._translated[asset].key

    def external(self, asset: str) -> dg.AssetSpec:
        """Return the spec of what is not made here; nothing can ask for it to be made."""
        self.key(asset)
        return self._translated[asset].replace_attributes(automation_condition=None)

    def spec(self, node: Node, external: tuple[str, ...] = ()) -> dg.AssetSpec:
        """Return the spec of one node; ``external`` names further dependencies."""
        found = self._translated[node.asset]
        own = [self.key(asset) for asset in (*node.deps, *external)]
        others = [dep for dep in found.deps if dep.asset_key not in own]
        return found.replace_attributes(deps=[*own, *others])

    def checks(self, node: Node) -> list[dg.AssetCheckSpec]:
        """Return the checks of one node, the blocking ones first."""
        config = self.project.config
        absent = {
            "k_anonymity": not any(table.quasi_identifiers for table in config.tables.values()),
            "models_in_step": config.models is None,
            "no_long_locks": config.engine != "postgresql",
        }
        warned = [name for name in WARNINGS.get(node.stage, ()) if not absent.get(name)]
        blocking = CHECKS.get(node.stage, ())
        return [
            dg.AssetCheckSpec(
                name,
                asset=self.key(node.asset),
                blocking=name in blocking,
                description=CHECK_DESCRIPTIONS[name],
            )
            for name in (*blocking, *warned)
        ]

    def _translate(self, node: Node) -> dg.AssetSpec:
        spec = self._translator.get_asset_spec(self.project, node)
        given = dg.AssetSpec(spec.key, code_version=node.code_version or None)
        for name in FIXED:
            if getattr(spec, name) != getattr(given, name):
                raise UsageError(
                    f"`{name}` of `{node.asset}` cannot be translated: the cycle decides it",
                    where=f"the translation of {self.project.name}",
                    remedy=f"leave `{name}` as it is given",
                )
        return spec


def _describe(project: Project, node: Node) -> str:
    text = DESCRIPTIONS[node.stage].format(table=node.table)
    if node.stage != "extracts" or node.table is None:
        return text
    table = project.config.tables.get(node.table)
    if table is None:
        return text
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
