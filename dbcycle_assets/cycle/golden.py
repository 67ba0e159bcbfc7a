"""Golden records: hand-written rows that must exist in every test database. Data, never code."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ruamel.yaml

from ..config.document import UNREADABLE
from ..config.model import Project
from ..databases.port import Row
from ..errors import GoldenError, did_you_mean, on_one_line
from ..model.catalog import Column, Table
from ..model.golden import text_form

FORMATS = (".yaml", ".yml", ".json", ".py")
MAX_BYTES = 20_000_000
MAX_VALUES = 1_000_000
_HALF = re.compile("[\ud800-\udfff]")


def golden_files(project: Project) -> dict[str, Path]:
    """Return the file of golden records of each table that has one.

    Raises:
        GoldenError: one table has two files, or a file belongs to no configured table.
    """
    if project.config.golden is None:
        return {}
    folder = project.path(project.config.golden)
    if not folder.is_dir():
        raise GoldenError(
            "the folder of golden records does not exist",
            where=str(folder),
            remedy="create it, or remove `golden:` from dbcycle.yaml",
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in FORMATS or path.name.startswith((".", "_")):
            continue
        table = path.stem
        if table not in project.config.tables:
            raise GoldenError(
                f"no table `{table}` in dbcycle.yaml{did_you_mean(table, project.config.tables)}",
                where=str(path),
                remedy="name the file after the table, or start its name with `_`",
            )
        if table in found:
            raise GoldenError(
                f"`{table}` already has golden records in {found[table].name}",
                where=str(path),
                remedy="keep one file for each table",
            )
        found[table] = path
    return found


def read_golden(
    path: Path, table: Table, engine: str, renamed: Mapping[str, str] = MappingProxyType({})
) -> list[Row]:
    """Return the records of one file, each value in the engine's text form.

    ``renamed`` are the new names of columns that a migration renamed: either name may be used.

    Raises:
        GoldenError: with the file, the record's number (from 1) and the field; never a value.
    """
    rows: list[Row] = []
    for number, record in enumerate(parse_golden(path), 1):
        where = f"{path}: record {number}"
        if not isinstance(record, Mapping):
            raise GoldenError(
                "is not a mapping of column to value",
                where=where,
                remedy="write each record as `column: value` pairs",
            )
        row: dict[str, str | None] = {}
        for name, value in record.items():
            column = _column(table, renamed.get(str(name), str(name)), where)
            try:
                row[column.name] = text_form(value, column, engine)
            except ValueError as error:
                raise GoldenError(
                    str(error),
                    where=f"{where}, field {name}",
                    remedy=f"write a value that a column of type {column.type} takes",
                ) from None
        missing = [column for column in table.primary_key if row.get(column) is None]
        if missing:
            raise GoldenError(
                f"lacks its primary key ({', '.join(missing)})",
                where=where,
                remedy="give every golden record a fixed primary key",
            )
        rows.append(row)
    return rows


def _column(table: Table, name: str, where: str) -> Column:
    column = table.column(name)
    if column is None or column.generated:
        known = [column.name for column in table.stored_columns]
        raise GoldenError(
            f"{table.id} has no column `{on_one_line(name)}` to write{did_you_mean(name, known)}",
            where=where,
            remedy="name one of its columns; generated ones are made by the database",
        )
    return column


def parse_golden(path: Path) -> Sequence[Any]:
    """Return the records of one file as plain values, not yet held against their table.

    Raises:
        GoldenError: the file is not a literal list.
    """
    if path.stat().st_size > MAX_BYTES:
        raise GoldenError(
            f"is larger than {MAX_BYTES:,} bytes",
            where=str(path),
            remedy="golden records are few and written by hand: keep those that tests name",
        )
    text = _text(path)
    try:
        if path.suffix == ".json":
            document = json.loads(text)
        elif path.suffix == ".py":
            document = _literal(text)
        else:
            document = _yaml(text, path)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise GoldenError(
            "is not a literal list of records",
            where=f"{path}:{line}" if line else str(path),
            remedy="golden records are data: a list of mappings, no calls and no imports",
        ) from None
    if document is None:
        return []
    if not isinstance(document, list):
        raise GoldenError(
            "must be a list of records", where=str(path), remedy="begin each record with `- `"
        )
    _require_sound(document, path)
    return document


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise GoldenError(
            "the file is not UTF-8", where=str(path), remedy="save it as UTF-8"
        ) from None


def _require_sound(document: Any, path: Path) -> None:
    """Refuse half characters, and more values than a person wrote, aliases expanded.

    Raises:
        GoldenError: there are some.
    """
    stack, count = [document], 0
    while stack:
        node = stack.pop()
        count += 1
        if count > MAX_VALUES:
            raise GoldenError(
                f"has more than {MAX_VALUES:,} values",
                where=str(path),
                remedy="write the records out: aliases that hold aliases multiply",
            )
        if isinstance(node, str) and _HALF.search(node):
            raise GoldenError(
                "half of a character is written in it (`\\ud83d`)",
                where=str(path),
                remedy="write the character itself",
            )
        if isinstance(node, Mapping):
            stack += [*node, *node.values()]
        elif isinstance(node, list | tuple | set):
            stack += node


def _yaml(text: str, path: Path) -> Any:
    try:
        return ruamel.yaml.YAML(typ="safe", pure=True).load(text)
    except UNREADABLE as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise GoldenError(
            "is not valid YAML", where=where, remedy="correct the line, or write it as JSON"
        ) from None


def _literal(text: str) -> object:
    tree = ast.parse(text)
    body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.AnnAssign):
        message = "one assignment expected"
        raise ValueError(message)
    value = body[0].value
    return ast.literal_eval(value) if value is not None else None
