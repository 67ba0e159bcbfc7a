"""What is known of every constraint before a row moves: proven, checked at run, or impossible.

Rows of production satisfy their constraints. A constraint over kept columns alone stays satisfied;
one that touches an anonymized column is satisfied if the properties of its anonymizers say so.
Whatever is not proven is checked by the database itself while the rows are loaded.
"""

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..anonymizers import parameters_of
from ..anonymizers.base import Kind
from .catalog import Column, ForeignKey, Table, UniqueKey
from .decision import ColumnPlan

UNBOUNDED = frozenset({"sql", "python", "compose"})
"""Rules whose output only the run can know."""

_WORD = re.compile(r'"((?:[^"]|"")+)"|(\w+)')
_TYPE = re.compile(r"(?:numeric|decimal)\(\d+(?:,-?\d+)?\)")


class Verdict(enum.StrEnum):
    """How sure it is that a constraint will hold."""

    PROVEN = "proven"
    CHECKED = "checked at run"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True)
class Proof:
    """One constraint of one table: what it is, whether it will hold, and why."""

    table: str
    constraint: str
    verdict: Verdict
    reason: str


def prove(table: Table, columns: tuple[ColumnPlan, ...]) -> Iterator[Proof]:
    """Yield a proof for every constraint of a table; ``columns`` is what each column becomes."""
    planned = {item.column.name: item for item in columns}
    masked = {name: item for name, item in planned.items() if item.masked}
    if table.primary_key:
        key = UniqueKey("PRIMARY KEY", table.primary_key)
        yield _unique(table, "PRIMARY KEY", key, masked)
    for unique in table.unique_keys:
        yield _unique(table, "UNIQUE", unique, masked)
    for reference in table.foreign_keys:
        yield _foreign(table, reference, masked)
    for definition in table.checks:
        yield _check(table, "CHECK", definition, masked)
    for definition in table.extra:
        if "EXCLUDE" in definition:
            yield _check(table, "EXCLUDE", definition, masked)
    for name, item in masked.items():
        yield from _column(table, name, item)


def _unique(table: Table, kind: str, key: UniqueKey, masked: dict[str, ColumnPlan]) -> Proof:
    text = f"{kind} {key.expression or '(' + ', '.join(key.columns) + ')'}"
    touched = [masked[name] for name in key.columns if name in masked]
    if not touched:
        return Proof(table.id, text, Verdict.PROVEN, "its columns are kept")
    if any(map(_only_null, touched)):
        if kind == "PRIMARY KEY":
            return Proof(table.id, text, Verdict.IMPOSSIBLE, "a primary key cannot be null")
        if "NULLS NOT DISTINCT" not in text:
            return Proof(table.id, text, Verdict.PROVEN, "nulls never meet each other")
    if (reason := _different(key, touched, masked)) is not None:
        return Proof(table.id, text, Verdict.PROVEN, reason)
    return _doubtful(table, text, key, touched)


def _different(
    key: UniqueKey, touched: list[ColumnPlan], masked: dict[str, ColumnPlan]
) -> str | None:
    """Return why different values stay different under a key, or None if they need not."""
    if not all(map(_injective, touched)):
        return None
    rules = ", ".join(sorted({item.rule for item in touched}))
    if key.expression is None:
        return f"{rules}: different values stay different"
    predicate = key.expression.partition(" WHERE ")[2]
    folding = all(item.definition.folds for item in touched)
    if folding and not _names(predicate) & set(masked):
        return f"{rules}: different whatever the case, and so are the fakes"
    return None


def _doubtful(table: Table, text: str, key: UniqueKey, touched: list[ColumnPlan]) -> Proof:
    first = next((item for item in touched if not _injective(item)), touched[0])
    rules = " or ".join(case.rule for case in first.chain)
    if len(key.columns) == 1 and key.expression is None and len(first.chain) == 1:
        parameters = parameters_of(first.rule, first.options)
        if misfit := first.definition.misfit(parameters, first.facts):
            return Proof(table.id, text, Verdict.IMPOSSIBLE, f"{first.rule} {misfit}")
    reason = f"{first.column.name}: {rules} may give two rows the same value"
    return Proof(table.id, text, Verdict.CHECKED, reason)


def _injective(item: ColumnPlan) -> bool:
    return len(item.chain) == 1 and item.rule != "keep" and item.definition.unique


def _foreign(table: Table, key: ForeignKey, masked: dict[str, ColumnPlan]) -> Proof:
    text = f"FOREIGN KEY ({', '.join(key.columns)}) → {key.parent}"
    touched = [masked[name] for name in key.columns if name in masked]
    if not touched:
        return Proof(table.id, text, Verdict.PROVEN, "its columns and those it refers to are kept")
    if all(case.follows for item in touched for case in item.chain):
        return Proof(table.id, text, Verdict.PROVEN, "the same rule on both sides")
    if all(case.rule in {"null", "keep"} for item in touched for case in item.chain):
        return Proof(table.id, text, Verdict.PROVEN, "null refers to nothing")
    own = next(c.rule for item in touched for c in item.chain if c.rule not in {"null", "keep"})
    reason = f"the column it refers to is kept, so {own} here would break the reference"
    return Proof(table.id, text, Verdict.IMPOSSIBLE, reason)


def _check(table: Table, kind: str, definition: str, masked: dict[str, ColumnPlan]) -> Proof:
    text = " ".join(definition.split())
    text = text if kind in text else f"{kind} {text}"
    touched = sorted(_names(definition) & set(masked))
    if not touched:
        return Proof(table.id, text, Verdict.PROVEN, "its columns are kept")
    if kind == "CHECK" and all(_only_null(masked[name]) for name in touched):
        return Proof(table.id, text, Verdict.PROVEN, "a check over nulls holds")
    return Proof(table.id, text, Verdict.CHECKED, f"reads {', '.join(touched)}")


def _only_null(item: ColumnPlan) -> bool:
    return [case.rule for case in item.chain] == ["null"]


def _names(definition: str) -> set[str]:
    """Return every word of a definition that could name a column."""
    return {quoted.replace('""', '"') or bare for quoted, bare in _WORD.findall(definition)}


def _column(table: Table, name: str, item: ColumnPlan) -> Iterator[Proof]:
    column = item.column
    rules = [case.rule for case in item.masks]
    bound = not UNBOUNDED & set(rules)
    if not column.nullable:
        if "null" in rules:
            yield Proof(table.id, f"{name} NOT NULL", Verdict.IMPOSSIBLE, "the rule is null")
        else:
            verdict = Verdict.PROVEN if bound else Verdict.CHECKED
            yield Proof(table.id, f"{name} NOT NULL", verdict, f"{' or '.join(rules)} of a value")
    for text, reason in _limits(column):
        verdict = Verdict.PROVEN if bound and reason else Verdict.CHECKED
        why = reason if bound and reason else "only the run can know"
        yield Proof(table.id, f"{name} {text}", verdict, why)


def _limits(column: Column) -> Iterator[tuple[str, str]]:
    """Yield (limit of the type, why every anonymizer keeps to it, or nothing)."""
    if column.max_length is not None:
        yield f"at most {column.max_length} characters", "every rule keeps to the length"
    if _TYPE.fullmatch(column.type):
        yield f"as {column.type}", ""
    if column.kind is Kind.ENUM:
        yield f"one of {len(column.labels)} labels", "the rule chooses among the labels"
