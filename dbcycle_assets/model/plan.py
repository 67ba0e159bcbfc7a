"""The plan: config × catalog, decided. Pure values that can be printed, tested and compared.

A column is *judged* when the config names an anonymizer for it, lists it under ``keep``, or when it
refers to a column whose rule it must follow. One unjudged column stops everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..anonymizers import definition, rule_digest
from ..anonymizers.base import Facts
from ..config.model import Config, TableConfig
from ..errors import ConfigError, PlanError, did_you_mean
from .catalog import Catalog, Column, Table
from .digest import digest_of
from .graph import load_order, roots_of_columns

EXTRACT_FORMAT = 1
"""Raised when the same rules would write different bytes."""


@dataclass(frozen=True)
class ColumnPlan:
    """What one column becomes; ``rule`` is ``keep`` or the name of an anonymizer.

    ``follows`` names the ``table.column`` whose rule this one inherits through a foreign key, and
    ``facts`` are those of the column that decides the mapping.
    """

    column: Column
    rule: str
    facts: Facts
    options: Mapping[str, Any] = field(default_factory=dict)
    follows: str | None = None

    @property
    def masked(self) -> bool:
        """Whether an anonymizer runs on this column."""
        return self.rule != "keep"


@dataclass(frozen=True)
class TablePlan:
    """What one table's extract becomes."""

    table: Table
    rows: bool
    columns: tuple[ColumnPlan, ...]

    @property
    def masked(self) -> tuple[ColumnPlan, ...]:
        """The columns that an anonymizer rewrites."""
        return tuple(column for column in self.columns if column.masked)


@dataclass(frozen=True)
class Plan:
    """The decided cycle: a plan for each table, in the order in which they load."""

    tables: Mapping[str, TablePlan]
    load_order: tuple[tuple[str, ...], ...]
    unjudged: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]

    def require(self, proposals: Mapping[tuple[str, str], str] | None = None) -> None:
        """Raise PlanError with every finding at once if there is any."""
        known = proposals or {}
        lines = [
            f"{place[0]}.{place[1]}: unjudged; proposed: {known.get(place, 'run dbcycle judge')}"
            for place in self.unjudged
        ]
        lines += self.findings
        if lines:
            message = f"the plan has {len(lines)} finding{'s' if len(lines) > 1 else ''}:"
            raise PlanError(
                message,
                lines,
                remedy="judge them: `dbcycle judge` proposes a rule for each and writes those "
                "you accept into dbcycle.yaml",
            )

    @property
    def digest(self) -> str:
        """A digest of every decision."""
        decisions = {
            name: {
                "rows": table.rows,
                "shape": table.table.shape,
                "columns": [
                    (item.column.name, item.rule, _rule(item.rule, item.options), item.follows)
                    for item in table.columns
                ],
            }
            for name, table in self.tables.items()
        }
        return digest_of([decisions, self.load_order, self.unjudged, self.findings])


def make_plan(config: Config, catalog: Catalog) -> Plan:
    """Decide what happens to every table and column; findings are collected, not raised.

    Raises:
        ConfigError: the config names a table or column that the database does not have.
    """
    _refuse_unknown_names(config, catalog)
    roots = roots_of_columns(catalog.foreign_keys)
    tables: dict[str, TablePlan] = {}
    unjudged: list[tuple[str, str]] = []
    findings: list[str] = []
    for name, table in sorted(catalog.tables.items()):
        settings = config.tables.get(name, TableConfig())
        columns: list[ColumnPlan] = []
        for column in table.stored_columns:
            decided = _decide(config, catalog, roots, table, column)
            if decided is not None:
                columns.append(decided)
                findings += _misfits(table, decided, settings)
            elif settings.extract == "rows":
                unjudged.append((name, column.name))
        findings += [
            f"{name}: `{key}` is not available in this version; remove it"
            for key in ("sample", "export", "factory")
            if getattr(settings, key) is not None
        ]
        tables[name] = TablePlan(table, settings.extract == "rows", tuple(columns))
    findings += _empty_parents(config, catalog)
    return Plan(tables, load_order(catalog), tuple(unjudged), tuple(sorted(findings)))


def extract_code_version(
    config: Config, name: str, inherited: Iterable[tuple[str, str, Mapping[str, Any]]] = ()
) -> str:
    """Return the code version of one table's extract: its own config, the rules that its columns
    inherit (column, rule, options), and the versions of the anonymizers they use.
    """
    table = config.tables[name]
    rules = {column: (r.anonymize, r.options) for column, r in sorted(table.columns.items())}
    return digest_of(
        {
            "format": EXTRACT_FORMAT,
            "extract": table.extract,
            "sample": table.sample.model_dump() if table.sample else None,
            "keep": sorted(table.keep),
            "rules": {column: _rule(*rule) for column, rule in rules.items()},
            "inherited": sorted(
                (column, _rule(rule, options)) for column, rule, options in inherited
            ),
        }
    )


def inherited_rules(
    config: Config, catalog: Catalog, name: str
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return (column, rule, options) for each column of a table that follows an anonymized key."""
    if (table := catalog.tables.get(name)) is None:
        return []
    roots = roots_of_columns(catalog.foreign_keys)
    plans = (_decide(config, catalog, roots, table, column) for column in table.stored_columns)
    return [(p.column.name, p.rule, p.options) for p in plans if p is not None and p.follows]


def is_keyed(config: Config, name: str, catalog: Catalog | None) -> bool:
    """Tell whether any rule of a table's extract depends on the anonymization key."""
    table = config.tables[name]
    if table.extract == "none":
        return False
    rules = [rule.anonymize for rule in table.columns.values()]
    if catalog is not None:
        rules += [rule for _, rule, _ in inherited_rules(config, catalog, name)]
    return any(definition(rule).keyed for rule in rules)


def _rule(rule: str, options: Mapping[str, Any]) -> str:
    return "keep" if rule == "keep" else rule_digest(rule, options)


def _decide(
    config: Config,
    catalog: Catalog,
    roots: Mapping[tuple[str, str], tuple[str, str]],
    table: Table,
    column: Column,
) -> ColumnPlan | None:
    own = config.tables.get(table.id, TableConfig())
    root = roots.get((table.id, column.name))
    if root is not None and (parent := catalog.tables.get(root[0])) is not None:
        rule = config.tables.get(root[0], TableConfig()).columns.get(root[1])
        parent_column = parent.column(root[1])
        if rule is not None and parent_column is not None:
            return ColumnPlan(
                column,
                rule.anonymize,
                parent.facts(parent_column),
                rule.options,
                f"{root[0]}.{root[1]}",
            )
    if (rule := own.columns.get(column.name)) is not None:
        return ColumnPlan(column, rule.anonymize, table.facts(column), rule.options)
    if column.name in own.keep:
        return ColumnPlan(column, "keep", table.facts(column))
    return None


def _misfits(table: Table, decided: ColumnPlan, settings: TableConfig) -> list[str]:
    where = f"{table.id}.{decided.column.name}"
    if decided.follows is not None:
        own = settings.columns.get(decided.column.name)
        if own is not None and (own.anonymize, own.options) != (decided.rule, decided.options):
            return [f"{where}: has a rule of its own, but it must follow {decided.follows}"]
        return []
    if not decided.masked:
        return []
    found = definition(decided.rule)
    parameters = found.parameters.model_validate(dict(decided.options))
    if decided.facts.kind not in found.accepts:
        return [f"{where}: {decided.rule} does not serve {decided.column.type} columns"]
    misfit = found.misfit(parameters, decided.facts)
    return [f"{where}: {decided.rule}: {misfit}"] if misfit else []


def _empty_parents(config: Config, catalog: Catalog) -> list[str]:
    empty = {name for name, table in config.tables.items() if table.extract == "none"}
    return [
        f"{key.table}: refers to {key.parent}, which is structure only (`extract: none`); "
        "its rows would dangle"
        for key in catalog.foreign_keys
        if key.parent in empty and key.table not in empty
    ]


def _refuse_unknown_names(config: Config, catalog: Catalog) -> None:
    problems: list[str] = []
    for name, settings in sorted(config.tables.items()):
        table = catalog.tables.get(name)
        if table is None:
            hint = did_you_mean(name, catalog.tables)
            problems.append(f"tables.{name}: the database has no such table{hint}")
            continue
        stored: Sequence[str] = [column.name for column in table.stored_columns]
        for column in sorted({*settings.columns, *settings.keep} - set(stored)):
            found = table.column(column)
            reason = (
                "is generated by the database and needs no judgement"
                if found is not None
                else f"the table has no such column{did_you_mean(column, stored)}"
            )
            problems.append(f"tables.{name}.{column}: {reason}")
    if problems:
        raise ConfigError(
            "\n  - ".join(["names that do not exist after the migrations:", *problems]),
            where="dbcycle.yaml",
            remedy="correct or remove them, then run `dbcycle plan`",
        )
