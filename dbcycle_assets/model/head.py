"""The config as it reads at the head: rules follow the columns that migrations renamed or moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..config.model import Config, Rule
from ..config.moves import Moves, move
from .catalog import Ancestor, Catalog

Place = tuple[str, str]


@dataclass(frozen=True)
class Head:
    """A config whose names are those after the migrations.

    ``moves`` are the names that differ from the file's; ``notes`` say so, each with the step.
    """

    config: Config
    moves: Moves
    notes: tuple[str, ...] = ()


def at_head(config: Config, catalog: Catalog | None) -> Head:
    """Return the config under the names of a migrated database.

    A name moves if it is gone, if one column and no other was made of it as it stood, and if
    nobody has judged that one.
    """
    if catalog is None or not catalog.ancestors:
        return Head(config, Moves())
    tables = _moved_tables(config, catalog)
    columns: dict[str, dict[str, str]] = {}
    notes = [f"{old} is now {new} ({step})" for old, (new, step) in tables.items()]
    for name in config.tables:
        now = tables.get(name, (name, ""))[0]
        for old, ancestor in _moved_columns(config, catalog, name, now).items():
            columns.setdefault(now, {})[old] = ancestor.column
            notes.append(f"{now}.{old} is now {now}.{ancestor.column} ({ancestor.step})")
    moves = Moves({old: new for old, (new, _) in tables.items()}, columns)
    return Head(_renamed(config, moves), moves, tuple(notes)) if moves else Head(config, moves)


def _renamed(config: Config, moves: Moves) -> Config:
    document = _plain(config.model_dump())
    move(document, moves)
    return Config.model_validate(document)


def _plain(value: Any) -> Any:
    """Return nested values with lists where the model has tuples."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _moved_tables(config: Config, catalog: Catalog) -> dict[str, tuple[str, str]]:
    """Return the new name of each table that is gone, with the step."""
    found: dict[str, tuple[str, str]] = {}
    for name in config.tables:
        if name in catalog.tables:
            continue
        heirs = {a.table: a for a in catalog.ancestors if a.from_table == name and a.exact}
        if len(heirs) == 1 and not heirs.keys() & config.tables.keys():
            ((new, ancestor),) = heirs.items()
            found[name] = (new, ancestor.step)
    return found


def _moved_columns(config: Config, catalog: Catalog, name: str, now: str) -> dict[str, Ancestor]:
    """Return what each judged column that is gone became, by its former name."""
    table = catalog.tables.get(now)
    settings = config.tables[name]
    if table is None:
        return {}
    judged = {*settings.columns, *settings.keep}
    found: dict[str, Ancestor] = {}
    for column in sorted({*judged, *settings.references}):
        if table.column(column) is not None:
            continue
        heirs = [
            ancestor
            for ancestor in catalog.ancestors
            if ancestor.exact
            and ancestor.table == now
            and ancestor.column not in judged
            and (ancestor.from_table, ancestor.from_column) in {(name, column), (now, column)}
        ]
        if len({ancestor.column for ancestor in heirs}) == 1:
            found[column] = heirs[-1]
    return found


def renamed_columns(catalog: Catalog, table: str) -> dict[str, str]:
    """Return what became of columns of a table that are gone, by their former names."""
    there = catalog.tables[table]
    found: dict[str, set[str]] = {}
    for ancestor in catalog.ancestors:
        if ancestor.exact and ancestor.table == table and not there.column(ancestor.from_column):
            found.setdefault(ancestor.from_column, set()).add(ancestor.column)
    return {old: new.pop() for old, new in found.items() if len(new) == 1}


def inherited_rule(
    config: Config, ancestors: Sequence[Ancestor]
) -> tuple[Ancestor, Mapping[str, Any]] | None:
    """Return the rule that a copy of a judged column should have: (where from, the rule's keys).

    A rule with conditions is not inherited: it reads columns that the copy does not have.
    """
    for ancestor in ancestors:
        settings = config.tables.get(ancestor.from_table)
        rule = settings.columns.get(ancestor.from_column) if settings is not None else None
        if rule is not None and ancestor.exact and not (rule.when or rule.per):
            return ancestor, _keys(rule)
    return None


def masked_ancestors(config: Config, ancestors: Sequence[Ancestor]) -> list[Ancestor]:
    """Return those ancestors that the config masks."""
    return [
        ancestor
        for ancestor in ancestors
        if (settings := config.tables.get(ancestor.from_table)) is not None
        and (rule := settings.columns.get(ancestor.from_column)) is not None
        and rule.anonymize != "keep"
    ]


def _keys(rule: Rule) -> Mapping[str, Any]:
    domain = {"domain": rule.domain} if rule.domain is not None else {}
    return {"anonymize": rule.anonymize, **rule.options, **domain}
