"""The same config under new names of tables and columns: of a parsed file, or of a model's dump."""

from collections.abc import Mapping, MutableMapping, MutableSequence
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.comments import CommentedMap


@dataclass(frozen=True)
class Moves:
    """New names: of tables, and of columns by the new name of their table."""

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    def column(self, table: str, name: str) -> str:
        """Return the new name of a column of a table's new name."""
        return self.columns.get(table, {}).get(name, name)

    def place(self, place: str) -> str:
        """Return the new ``table.column``."""
        table, dot, column = place.rpartition(".")
        table = self.tables.get(table, table)
        return f"{table}{dot}{self.column(table, column)}" if dot else place


def move(document: MutableMapping[str, Any], moves: Moves) -> None:
    """Give tables and columns their new names wherever the document names them, in place.

    Texts that only hold a name among others (a template, SQL) stay as they are.
    """
    tables = document.get("tables") or {}
    for old, new in moves.tables.items():
        _rename(tables, old, new)
    for name, table in tables.items():
        if table:
            _table(table, name, moves)
            children = (table.get("sample") or {}).get("children")
            if isinstance(children, MutableSequence):
                _each(children, moves.tables)
    coincidences = (document.get("verify") or {}).get("coincidences")
    if isinstance(coincidences, MutableSequence):
        coincidences[:] = [moves.place(each) for each in coincidences]


def _table(table: MutableMapping[str, Any], name: str, moves: Moves) -> None:
    names = moves.columns.get(name, {})
    for key in ("columns", "references"):
        for old, new in names.items():
            _rename(table.get(key) or {}, old, new)
    _each(table.get("keep"), names)
    for columns in table.get("quasi_identifiers") or []:
        _each(columns, names)
    for rule in (table.get("columns") or {}).values():
        _rule(rule, names)
    references = table.get("references") or {}
    for column, targets in references.items():
        if isinstance(targets, str):
            references[column] = moves.place(targets)
            continue
        for target in targets if isinstance(targets, list) else [targets]:
            target["to"] = moves.place(target["to"])
            _conditions(target, names)


def _rule(rule: Any, names: Mapping[str, str]) -> None:
    if isinstance(rule, list):
        for each in rule:
            _rule(each, names)
    elif isinstance(rule, MutableMapping):
        _each(rule.get("per"), names)
        if isinstance(rule.get("per"), str):
            rule["per"] = names.get(rule["per"], rule["per"])
        _conditions(rule, names)
        _rule(rule.get("otherwise"), names)


def _conditions(entry: MutableMapping[str, Any], names: Mapping[str, str]) -> None:
    for old, new in names.items():
        _rename(entry.get("when") or {}, old, new)


def _each(listed: Any, names: Mapping[str, str]) -> None:
    if isinstance(listed, list):
        for index, name in enumerate(listed):
            if name in names:  # others keep the way they are written
                listed[index] = names[name]


def _rename(mapping: MutableMapping[str, Any], old: str, new: str) -> None:
    """Give a key another name, in its place; in a file, with its comments."""
    if old not in mapping:
        return
    if isinstance(mapping, CommentedMap):
        at = list(mapping).index(old)
        comment = mapping.ca.items.pop(old, None)
        mapping.insert(at, new, mapping.pop(old))
        if comment is not None:
            mapping.ca.items[new] = comment
        return
    entries = list(mapping.items())
    mapping.clear()
    mapping.update((new if key == old else key, value) for key, value in entries)
