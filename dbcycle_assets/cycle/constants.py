"""The golden records as a Python module of typed constants, for tests to name them by."""

import ast
import datetime
import keyword
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from ..anonymizers.base import Kind
from ..config.model import Project
from ..databases.port import Row
from ..errors import BadInput, GoldenError
from ..model.catalog import Catalog, Column, Table
from ..model.source import literal, quoted
from .completion import Completion
from .golden import golden_files, parse_golden

NATURAL = ("username", "login", "email", "code", "slug", "sku", "name", "title", "label")
"""Columns that a record is named by, the best first."""

_TAIL = 4
_READERS: dict[Kind, tuple[str, Callable[[str], Any]]] = {
    Kind.INTEGER: ("int", int),
    Kind.NUMERIC: ("Decimal", Decimal),
    Kind.FLOAT: ("float", float),
    Kind.UUID: ("UUID", UUID),
    Kind.DATE: ("date", datetime.date.fromisoformat),
    Kind.TIMESTAMP: ("datetime", datetime.datetime.fromisoformat),
    Kind.TIME: ("time", datetime.time.fromisoformat),
    Kind.BOOLEAN: ("bool", lambda text: {"t": True, "f": False, "1": True, "0": False}[text]),
}
_IMPORTS = (
    ("dataclasses", ("dataclass",)),
    ("datetime", ("UTC", "date", "datetime", "time")),
    ("decimal", ("Decimal",)),
    ("typing", ("Any", "Literal")),
    ("uuid", ("UUID",)),
)


@dataclass(frozen=True)
class _Field:
    name: str
    column: Column
    type: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class _Records:
    """The golden records of one table: as written, and whole in text form."""

    table: Table
    written: Sequence[Mapping[str, Any]]
    rows: Sequence[Row]


def constants_module(project: Project, catalog: Catalog) -> str:
    """Return the source of a module with one constant for each golden record.

    Raises:
        BadInput: the project has no golden records.
        GoldenError: a record does not fit its table, or cannot be completed.
    """
    found = dict(_records(project, catalog))
    if not any(entry.rows for entry in found.values()):
        raise BadInput(
            "there are no golden records",
            where=project.name,
            remedy="write `golden: golden` and golden/‹table›.yaml",
        )
    names = _names(found)
    body: list[str] = []
    for table, entry in found.items():
        if entry.rows:
            body += _section(entry, names[table])
    told = f"The golden records of {project.name}. Written by `dbcycle constants`: do not edit."
    # Sections begin with their own blank lines; two are the most that stand together.
    text = re.sub(r"\n{4,}", "\n\n\n", "\n".join(body))
    whole = re.sub(r"\n{4,}", "\n\n\n", f"{_imports(text)}{text}")
    return f'"""{told}"""\n\n{whole.rstrip()}\n'


def check_constants(path: Path, text: str) -> list[str]:
    """Return what differs between a file and the module that it should be, in words."""
    if not path.is_file():
        return [f"{path}: there is no such file"]
    former, present = path.read_text(encoding="utf-8"), text
    if former == present:
        return []
    try:
        before, after = _assigned(former), _assigned(present)
    except SyntaxError:
        return [f"{path}: is not Python"]
    gone = [f"{path}: {name} is no golden record any more" for name in sorted(before - after)]
    new = [f"{path}: {name} is missing" for name in sorted(after - before)]
    return [*gone, *new] or [f"{path}: is not what the golden records say"]


def _assigned(text: str) -> set[str]:
    return {
        target.id
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _records(project: Project, catalog: Catalog) -> Iterator[tuple[str, _Records]]:
    completion = Completion(project, catalog)
    for name, path in sorted(golden_files(project).items()):
        if name not in catalog.tables:
            raise GoldenError("the database has no such table", where=str(path))
        rows, _ = completion.records(name, path)
        written = [dict(record) for record in parse_golden(path)]
        yield name, _Records(catalog.tables[name], written, rows)


def _section(entry: _Records, names: Sequence[str]) -> Iterator[str]:
    kind = _pascal(_singular(entry.table.name))
    fields = list(_fields(entry))
    for item in fields:
        if item.column.labels and not item.column.dimensions:
            labels = "".join(f"    {quoted(label)},\n" for label in item.column.labels)
            one = f"[{quoted(item.column.labels[0])}]"
            shown = f"[\n{labels}]" if len(item.column.labels) > 1 else one
            yield f"{kind}{_pascal(item.column.name)} = Literal{shown}"
    yield f'\n\n@dataclass(frozen=True)\nclass {kind}:\n    """A row of {entry.table.id}."""\n'
    yield from (f"    {item.name}: {item.type}" for item in fields)
    yield "\n"
    for number, name in enumerate(names):
        given = "".join(
            f"    {item.name}={literal(item.values[number], 4, len(item.name) + 1)},\n"
            for item in fields
        )
        yield f"{name} = {kind}(\n{given})"
    flat = f"ALL_{_constant(entry.table.name)} = ({names[0]},)"
    if len(names) == 1 and len(flat) <= 88:  # noqa: PLR2004 - the width of a line
        yield f"{flat}\n"
    else:
        listed = "".join(f"    {name},\n" for name in names)
        yield f"ALL_{_constant(entry.table.name)} = (\n{listed})\n"


def _fields(entry: _Records) -> Iterator[_Field]:
    taken: set[str] = set()
    kind = _pascal(_singular(entry.table.name))
    for column in entry.table.stored_columns:
        if not any(column.name in row for row in entry.rows):
            continue
        name = re.sub(r"\W", "_", column.name)
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"{name}_" if keyword.iskeyword(name) else f"column_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        values, type_ = _typed(entry, column)
        if column.labels and not column.dimensions:
            type_ = f"{kind}{_pascal(column.name)}"
        yield _Field(name, column, type_ + (" | None" if None in values else ""), values)


def _typed(entry: _Records, column: Column) -> tuple[tuple[Any, ...], str]:
    """Return the values of a column over all records, and their one type."""
    texts = [row.get(column.name) for row in entry.rows]
    written = [record.get(column.name) for record in entry.written]
    if column.dimensions:
        shown = [
            tuple(w) if isinstance(w, list) else t for w, t in zip(written, texts, strict=True)
        ]
        if all(value is None or isinstance(value, tuple) for value in shown):
            items = {type(item).__name__ for value in shown for item in value or ()}
            one = items.pop() if len(items) == 1 else "Any"
            return tuple(shown), f"tuple[{one if one in {'str', 'int', 'bool'} else 'Any'}, ...]"
        return tuple(texts), "str"
    if column.kind is Kind.JSON:
        whole = [t if w is None else w for w, t in zip(written, texts, strict=True)]
        shapes: set[type] = {type(value) for value in whole if value is not None}
        known: dict[type, str] = {dict: "dict[str, Any]", list: "list[Any]"}
        return tuple(whole), known.get(shapes.pop(), "Any") if len(shapes) == 1 else "Any"
    if column.kind in _READERS:
        type_, reader = _READERS[column.kind]
        try:
            return tuple(None if text is None else reader(text) for text in texts), type_
        except (ValueError, KeyError, ArithmeticError):
            return tuple(texts), "str"
    return tuple(texts), "str"


def _names(found: Mapping[str, _Records]) -> dict[str, list[str]]:
    """Return a constant's name for every record: its table and what it is called."""
    bases = {table: _bases(found, table, set()) for table in found}
    made: dict[str, list[str]] = {}
    for table, entry in found.items():
        prefix = _constant(_singular(entry.table.name))
        names = []
        counted = Counter(bases[table])
        for row, base in zip(entry.rows, bases[table], strict=True):
            own = base if counted[base] == 1 else f"{base}_{_key(entry, row, short=False)}"
            names.append(own if own.startswith(f"{prefix}_") else f"{prefix}_{own}")
        made[table] = names
    _separate(made, found)
    return made


def _separate(made: dict[str, list[str]], found: Mapping[str, _Records]) -> None:
    """Tell names apart that two tables, or the tuple of a table, would share."""
    counted = Counter(name for names in made.values() for name in names)
    tuples = {f"ALL_{_constant(entry.table.name)}" for entry in found.values()}
    for table, names in made.items():
        made[table] = [
            f"{_constant(table)}_{name}" if counted[name] > 1 or name in tuples else name
            for name in names
        ]


def _bases(found: Mapping[str, _Records], table: str, seen: set[str]) -> list[str]:
    entry = found[table]
    for column in NATURAL:
        texts = [row.get(column) for row in entry.rows]
        names = [_natural(column, text or "") for text in texts]
        if names and all(names):
            return names
    return [_by_parents(found, entry, row, seen | {table}) for row in entry.rows]


def _natural(column: str, text: str) -> str:
    return _constant(text.partition("@")[0] if column == "email" else text)


def _by_parents(found: Mapping[str, _Records], entry: _Records, row: Row, seen: set[str]) -> str:
    """Return the name of a record after the records that its primary key refers to."""
    parts = []
    for name in entry.table.primary_key:
        keys = [key for key in entry.table.foreign_keys if key.columns == (name,)]
        key = next((key for key in keys if key.parent in found and key.parent not in seen), None)
        part = None
        if key is not None:
            parents = found[key.parent]
            values = [parent.get(key.parent_columns[0]) for parent in parents.rows]
            if row[name] in values:
                part = _bases(found, key.parent, seen)[values.index(row[name])]
        parts.append(part or _short(row[name] or ""))
    return "_".join(parts)


def _short(text: str) -> str:
    """Return a key as part of a name: of a UUID its end, which differs in hand-written ones."""
    made = _constant(text)
    return (
        made[-_TAIL:] if re.fullmatch(r"[0-9A-F]{8}(_[0-9A-F]{4}){3}_[0-9A-F]{12}", made) else made
    )


def _key(entry: _Records, row: Row, *, short: bool) -> str:
    texts = [row[name] or "" for name in entry.table.primary_key]
    return "_".join(_short(text) if short else _constant(text) for text in texts)


def _constant(text: str) -> str:
    return re.sub(r"[^0-9A-Z]+", "_", text.upper()).strip("_")


def _pascal(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+|_", text))


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    if name.endswith(("sses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def _imports(text: str) -> str:
    made = ""
    named = {
        node.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for module, names in _IMPORTS:
        used = [name for name in names if name in named]
        if used:
            made += f"from {module} import {', '.join(used)}\n"
    return f"{made}\n" if made else ""
