"""What one column becomes: its own judgement, or that of the column it refers to.

A decision is a chain of cases. The first case whose conditions hold for a row is taken; a column
that refers to another follows the whole chain of that column, so that keys still join.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..anonymizers import Definition, Key, definition_of, parameters_of, rule_digest
from ..anonymizers.base import Beside, Facts, Reading
from ..config.model import Config, Reference, Rule, TableConfig
from ..errors import did_you_mean
from .catalog import Catalog, Column, ForeignKey, Table
from .graph import roots_of_columns

Place = tuple[str, str]
"""(table id, column name)."""


@dataclass(frozen=True)
class Condition:
    """Holds for a row whose ``beside`` value is one of ``values`` (or none of them, negated)."""

    beside: Beside
    values: tuple[str | None, ...]
    negated: bool = False


@dataclass(frozen=True)
class ColumnPlan:
    """What one column becomes; ``rule`` is ``keep`` or the name of an anonymizer.

    ``follows`` names the ``table.column`` whose rule this one inherits through a reference, and
    ``facts`` are those of the column that decides the mapping. Rows for which ``when`` does not
    hold go by ``otherwise``.
    """

    column: Column
    rule: str
    facts: Facts
    options: Mapping[str, Any] = field(default_factory=dict)
    follows: str | None = None
    domain: str | None = None
    per: tuple[Beside, ...] = ()
    when: tuple[Condition, ...] = ()
    otherwise: "ColumnPlan | None" = None

    @property
    def chain(self) -> tuple["ColumnPlan", ...]:
        """The cases in the order in which they are tried."""
        return (self, *(self.otherwise.chain if self.otherwise else ()))

    @property
    def masked(self) -> bool:
        """Whether an anonymizer runs on any row of this column."""
        return any(case.rule != "keep" for case in self.chain)

    @property
    def masks(self) -> tuple["ColumnPlan", ...]:
        """The cases that rewrite."""
        return tuple(case for case in self.chain if case.rule != "keep")

    @property
    def definition(self) -> Definition:
        """The anonymizer of this case, as its parameters make it."""
        return definition_of(self.rule, self.options)

    def reads(self, key: Key) -> tuple[Reading, ...]:
        """Return what the anonymizer of this case reads beside its value, ``per`` included."""
        parameters = parameters_of(self.rule, self.options)
        inner = key.within(self.domain)
        return (*self.per, *self.definition.reads(parameters, self.column.name, inner))

    @property
    def digest(self) -> str:
        """A digest of the decision; what the key decides is left out."""
        return "|".join(
            (
                case_digest(case.rule, case.options),
                str(case.domain),
                repr(case.per),
                repr(case.when),
            )[index]
            for case in self.chain
            for index in range(4)
        )


def case_digest(rule: str, options: Mapping[str, Any]) -> str:
    """Return what identifies a rule with its parameters."""
    return "keep" if rule == "keep" else rule_digest(rule, options)


def virtual_keys(config: Config) -> list[ForeignKey]:
    """Return the references that the config declares without a condition, as foreign keys."""
    return [
        ForeignKey(f"references.{column}", name, (column,), *_target(reference))
        for name, table in sorted(config.tables.items())
        for column, references in sorted(table.references.items())
        for reference in references
        if not reference.when
    ]


def _target(reference: Reference) -> tuple[str, tuple[str]]:
    table, _, column = reference.to.rpartition(".")
    return table, (column,)


class Judge:
    """Decides every column of a database; the config's names are taken to exist."""

    def __init__(self, config: Config, catalog: Catalog) -> None:
        self._config = config
        self.catalog = catalog
        declared = {(key.table, column) for key in catalog.foreign_keys for column in key.columns}
        self.virtual = tuple(
            key for key in virtual_keys(config) if (key.table, key.columns[0]) not in declared
        )
        self._roots = roots_of_columns([*catalog.foreign_keys, *self.virtual])

    def decide(self, table: Table, column: Column) -> ColumnPlan | None:
        """Return what the column becomes, or None if nobody has judged it."""
        settings = self._config.tables.get(table.id, TableConfig())
        root = self._roots.get((table.id, column.name))
        if root is not None and (found := self._follow(column, root)) is not None:
            return found
        own = self._own(settings, table, column)
        for reference in reversed(settings.references.get(column.name, ())):
            if not reference.when:
                continue
            parent, (parent_column,) = _target(reference)
            followed = self._follow(column, (parent, parent_column))
            if followed is None:
                continue
            if own is None:
                return None  # rows of no known kind would have no judgement
            own = _guarded(followed, conditions(reference.when), own)
        return own

    def _own(self, settings: TableConfig, table: Table, column: Column) -> ColumnPlan | None:
        if (rule := settings.columns.get(column.name)) is not None:
            return _case(rule, column, table.facts(column))
        if column.name in settings.keep:
            return ColumnPlan(column, "keep", table.facts(column))
        return None

    def _follow(self, column: Column, root: Place) -> ColumnPlan | None:
        """Return the decision of the column at the end of the references, for this column."""
        parent = self.catalog.tables.get(root[0])
        rule = self._config.tables.get(root[0], TableConfig()).columns.get(root[1])
        parent_column = parent.column(root[1]) if parent is not None else None
        if parent is None or parent_column is None or rule is None:
            return None
        decided = _case(rule, column, parent.facts(parent_column))
        return _seen_from(decided, root, column.name)


def _case(rule: Rule, column: Column, facts: Facts) -> ColumnPlan:
    return ColumnPlan(
        column,
        rule.anonymize,
        facts,
        rule.options,
        domain=rule.domain,
        per=tuple(Beside(name) for name in rule.per),
        when=conditions(rule.when),
        otherwise=_case(rule.otherwise, column, facts) if rule.otherwise else None,
    )


def _seen_from(decided: ColumnPlan, root: Place, column: str) -> ColumnPlan:
    """Return a decision of ``root`` as it reads from a column that refers to it."""

    def across(beside: Beside) -> Beside:
        if beside.column == root[1]:
            return Beside(column)
        return Beside(beside.column, root[0], root[1], column)

    return replace(
        decided,
        follows=f"{root[0]}.{root[1]}",
        per=tuple(map(across, decided.per)),
        when=tuple(replace(c, beside=across(c.beside)) for c in decided.when),
        otherwise=_seen_from(decided.otherwise, root, column) if decided.otherwise else None,
    )


def _guarded(decided: ColumnPlan, when: tuple[Condition, ...], otherwise: ColumnPlan) -> ColumnPlan:
    """Return ``decided`` for the rows that ``when`` holds for, else ``otherwise``."""
    if decided.otherwise is None:
        return replace(decided, when=(*when, *decided.when), otherwise=otherwise)
    rest = _guarded(decided.otherwise, when, otherwise)
    return replace(decided, when=(*when, *decided.when), otherwise=rest)


def conditions(when: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Return the conditions of a ``when``: a value, a list of values, null, or ``{not: …}``."""
    return tuple(_condition(column, wanted) for column, wanted in sorted(when.items()))


def _condition(column: str, wanted: Any) -> Condition:
    negated = isinstance(wanted, Mapping)
    inner = wanted["not"] if negated else wanted
    listed = inner if isinstance(inner, list | tuple) else [inner]
    values = tuple(text for value in listed for text in _texts(value))
    return Condition(Beside(column), values, negated)


def _texts(value: Any) -> tuple[str | None, ...]:
    """Return how the engines write a value of the config."""
    if value is None:
        return (None,)
    if isinstance(value, bool):
        return ("t", "true", "1") if value else ("f", "false", "0")
    return (str(value),)


def reading_faults(config: Config, catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield (place, fault) for every name that a rule or reference reads and that is not there."""
    for name, settings in sorted(config.tables.items()):
        table = catalog.tables.get(name)
        if table is None:
            continue
        found = [(column, _rule_faults(rule, table)) for column, rule in settings.columns.items()]
        found += [
            (column, _reference_faults(column, reference, table, catalog))
            for column, references in settings.references.items()
            for reference in references
        ]
        for column, faults in found:
            yield from ((f"{name}.{column}", fault) for fault in faults)


def _rule_faults(rule: Rule, table: Table) -> Iterator[str]:
    yield from _missing((*rule.per, *rule.when), table)
    yield from _when_faults(rule.when)
    if rule.anonymize != "keep":
        found = definition_of(rule.anonymize, rule.options)
        if rule.per and not found.per:
            yield f"{rule.anonymize} takes no `per`"
        yield from _missing(found.reads_masked(parameters_of(rule.anonymize, rule.options)), table)
    if rule.when and rule.otherwise is None:
        yield "`when` needs an `otherwise` (or a last rule in the list): what of the other rows?"
    if rule.otherwise is not None:
        if not rule.when:
            yield "a rule without `when` takes every row, so the rules after it are never reached"
        yield from _rule_faults(rule.otherwise, table)


def _missing(names: Iterable[str], table: Table) -> Iterator[str]:
    known = [column.name for column in table.columns]
    for name in names:
        if name not in known:
            yield f"`{table.id}` has no column `{name}`{did_you_mean(name, known)}"


def _when_faults(when: Mapping[str, Any]) -> Iterator[str]:
    for column, wanted in when.items():
        if isinstance(wanted, Mapping) and set(wanted) != {"not"}:
            yield f"when.{column}: give a value, a list of values, or {{not: …}}"


def _reference_faults(
    own: str, reference: Reference, table: Table, catalog: Catalog
) -> Iterator[str]:
    yield from _missing((own, *reference.when), table)
    yield from _when_faults(reference.when)
    parent, (column,) = _target(reference)
    found = catalog.tables.get(parent)
    target = found.column(column) if found is not None else None
    if found is None:
        yield f"`{parent}` is no table{did_you_mean(parent, catalog.tables)}"
    elif target is None:
        yield from _missing((column,), found)
    elif not found.facts(target).unique:
        yield f"{reference.to} is not unique, so it cannot be referred to"
