"""The plan: config × catalog, decided. Pure values that can be printed, tested and compared.

A column is *judged* when the config names an anonymizer for it, lists it under ``keep``, or when it
refers to a column whose rule it must follow. One unjudged column stops everything.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..anonymizers import definition_of, parameters_of
from ..config.model import Config, Rule, TableConfig
from ..errors import ConfigError, PlanError, did_you_mean
from .catalog import Catalog, ForeignKey, Table
from .decision import ColumnPlan, Judge, case_digest, reading_faults
from .digest import digest_of
from .graph import load_order
from .head import at_head, masked_ancestors
from .marks import NAMES, PHRASES
from .proof import Proof, Verdict, prove
from .subset import make_program

EXTRACT_FORMAT = 2
"""Raised when the same rules would write different bytes."""
PROFILE_VERSION = 1
"""Raised when the same rows would be given another profile."""


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
    notes: tuple[str, ...] = ()
    """What a person should know and nothing stops for."""
    virtual: tuple[ForeignKey, ...] = ()
    """References that the config declares, without a condition; the database knows none of them."""

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

    def proofs(self) -> list[Proof]:
        """Return what is known of every constraint of every table that has rows."""
        return [
            proof
            for _, entry in sorted(self.tables.items())
            if entry.rows
            for proof in prove(entry.table, entry.columns)
        ]

    @property
    def digest(self) -> str:
        """A digest of every decision."""
        decisions = {
            name: {
                "rows": table.rows,
                "shape": table.table.shape,
                "columns": [
                    (item.column.name, item.digest, item.follows) for item in table.columns
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
    head = at_head(config, catalog)
    config = head.config
    _refuse_unknown_names(config, catalog)
    judge = Judge(config, catalog)
    tables: dict[str, TablePlan] = {}
    unjudged: list[tuple[str, str]] = []
    findings: list[str] = []
    for name, table in sorted(catalog.tables.items()):
        settings = config.tables.get(name, TableConfig())
        columns: list[ColumnPlan] = []
        misfits: list[str] = []
        for column in table.stored_columns:
            decided = judge.decide(table, column)
            if decided is not None:
                columns.append(decided)
                misfits += _misfits(table, decided, settings)
            elif settings.extract == "rows":
                unjudged.append((name, column.name))
        tables[name] = TablePlan(table, settings.extract == "rows", tuple(columns))
        findings += misfits
        if settings.extract == "rows" and not misfits:
            findings += [
                f"{name}: {proof.constraint}: {proof.verdict}: {proof.reason}"
                for proof in prove(table, tuple(columns))
                if proof.verdict is Verdict.IMPOSSIBLE
            ]
    findings += _empty_parents(config, catalog)
    findings += make_program(config, catalog).findings if config.sampled else ()
    findings += [
        f"{old}: the table is now called {new}; `dbcycle judge` writes that down"
        for old, new in head.moves.tables.items()
    ]
    return Plan(
        tables,
        load_order(catalog),
        tuple(unjudged),
        tuple(sorted(findings)),
        (*head.notes, *_kept_of_masked(tables.values(), config, catalog)),
        judge.virtual,
    )


def _kept_of_masked(tables: Iterable[TablePlan], config: Config, catalog: Catalog) -> Iterator[str]:
    """Yield a note for every kept column whose values come from a masked one."""
    for entry in tables:
        for item in entry.columns if entry.rows else ():
            if item.masked:
                continue
            ancestors = catalog.ancestors_of(entry.table.id, item.column.name)
            if masked := masked_ancestors(config, ancestors):
                first = masked[0]
                yield (
                    f"{entry.table.id}.{item.column.name} is kept, and {first.step} makes it of "
                    f"{first.from_table}.{first.from_column}, which is masked"
                )


def extract_code_version(
    config: Config, name: str, inherited: Iterable[tuple[str, str]] = ()
) -> str:
    """Return the code version of one table's extract: its own config, the decisions that its
    columns inherit (column, digest), and the versions of the anonymizers they use.
    """
    table = config.tables[name]
    return digest_of(
        {
            "format": EXTRACT_FORMAT,
            "profile": PROFILE_VERSION,
            "extract": table.extract,
            "keep": sorted(table.keep),
            "rules": {column: _rule_digests(rule) for column, rule in table.columns.items()},
            "references": {
                column: [reference.model_dump() for reference in references]
                for column, references in table.references.items()
            },
            "inherited": sorted(inherited),
        }
    )


def _rule_digests(rule: Rule) -> list[str]:
    own = rule.model_dump(include={"domain", "per", "when"})
    rest = _rule_digests(rule.otherwise) if rule.otherwise else []
    return [case_digest(rule.anonymize, rule.options), digest_of(own), *rest]


@dataclass(frozen=True)
class ExtractNeeds:
    """What one table's extract is made from beside its own rows and config.

    ``inherited`` are (column, digest of the decision) of columns that follow a reference,
    ``tables`` those whose rows its rules look at, ``keyed`` whether the key decides anything.
    """

    inherited: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    keyed: bool


def extract_needs(config: Config, judge: Judge | None, name: str) -> ExtractNeeds:
    """Return what a table's extract is made from; before any catalog its own config decides.

    Raises:
        ConfigError: an unknown anonymizer or a wrong parameter.
    """
    settings = config.tables[name]
    if settings.extract == "none":
        return ExtractNeeds((), (), keyed=False)
    table = None if judge is None else judge.catalog.tables.get(name)
    if judge is None or table is None:
        own = [definition_of(*pair) for rule in settings.columns.values() for pair in _chain(rule)]
        return ExtractNeeds((), (), keyed=any(found.keyed for found in own))
    decided = [found for c in table.stored_columns if (found := judge.decide(table, c)) is not None]
    cases = [case for found in decided for case in found.chain]
    beside = [b for case in cases for b in (*case.per, *(c.beside for c in case.when))]
    looked_up = {reading.parent for reading in beside if reading.parent is not None}
    masks = [case for case in cases if case.rule != "keep"]
    if any(case.definition.people for case in masks):
        looked_up |= people_tables(config)
    return ExtractNeeds(
        tuple((f.column.name, f.digest) for f in decided if any(c.follows for c in f.chain)),
        tuple(sorted(looked_up - {name})),
        keyed=any(case.definition.keyed for case in masks),
    )


def people_tables(config: Config) -> set[str]:
    """Return the tables whose columns name people: those that rules over prose look up."""
    return {
        name
        for name, table in config.tables.items()
        if table.extract == "rows"
        and any(
            pair[0] in NAMES | PHRASES for rule in table.columns.values() for pair in _chain(rule)
        )
    }


def _chain(rule: Rule) -> list[tuple[str, Mapping[str, object]]]:
    rest = _chain(rule.otherwise) if rule.otherwise else []
    return [*([(rule.anonymize, rule.options)] if rule.anonymize != "keep" else []), *rest]


def _misfits(table: Table, decided: ColumnPlan, settings: TableConfig) -> list[str]:
    where = f"{table.id}.{decided.column.name}"
    own = settings.columns.get(decided.column.name)
    if own is not None and all(case.follows for case in decided.chain):
        same = (own.anonymize, own.options) == (decided.rule, decided.options)
        return (
            [] if same else [f"{where}: has a rule of its own, but must follow {decided.follows}"]
        )
    found = []
    for case in decided.masks:
        if case.follows is not None:
            if case.definition.build_row is not None and not case.per:
                found.append(f"{where}: {case.rule} of {case.follows} cannot be followed by a key")
            continue
        parameters = parameters_of(case.rule, case.options)
        if case.facts.kind not in case.definition.accepts:
            found.append(f"{where}: {case.rule} does not serve {case.column.type} columns")
        elif misfit := case.definition.misfit(parameters, case.facts):
            found.append(f"{where}: {case.rule}: {misfit}")
    return found


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
        quasi = {column for columns in settings.quasi_identifiers for column in columns}
        for column in sorted({*settings.columns, *settings.keep, *quasi} - set(stored)):
            found = table.column(column)
            reason = (
                "is generated by the database and needs no judgement"
                if found is not None
                else f"the table has no such column{did_you_mean(column, stored)}"
            )
            problems.append(f"tables.{name}.{column}: {reason}")
    if not problems:
        problems = [f"tables.{place}: {fault}" for place, fault in reading_faults(config, catalog)]
    if problems:
        raise ConfigError(
            "\n  - ".join(["names that do not exist after the migrations:", *problems]),
            where="dbcycle.yaml",
            remedy="correct or remove them, then run `dbcycle plan`",
        )
