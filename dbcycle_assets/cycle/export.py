"""Extracts as files for people and other programs: Python, CSV, JSON lines and Parquet.

Each is written from the extract, a block at a time, in its order, and is whole or absent.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..anonymizers.base import Kind
from ..artifacts import digest_of_file, disk_errors, write_atomically
from ..config.model import EXPORTS
from ..errors import BadInput, DbCycleError
from ..model.catalog import Column, Table
from ..model.digest import digest_of
from . import blocks
from .extract import Failure
from .parquet import write_parquet
from .plan import require_catalog
from .session import Cycle, Outcome

_INTEGER = re.compile(r"0|-?[1-9]\d*")
_FINITE = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class _Lines:
    """A format of one line a row: what stands around the lines, and how a value is written."""

    value: Callable[[Column], Callable[[str], str]]
    null: str
    head: Callable[[Table], str]
    line: Callable[[list[str]], tuple[str, list[str], str]]
    tail: str = ""


def export(cycle: Cycle, tables: Iterable[str]) -> Iterator[Outcome | Failure]:
    """Write the files that the config asks for and yield each outcome as it comes."""
    catalog = require_catalog(cycle)
    for name in tables:
        asset = f"exports/{name}"
        if (hit := cycle.fresh(asset, missing=cycle.missing_export(asset))) is not None:
            yield hit
            continue
        started = time.monotonic()
        cycle.progress(f"exporting {name}")
        try:
            rows, files = 0, {}
            for path in cycle.project.config.tables[name].export:
                rows = write(cycle, catalog.tables[name], cycle.project.path(path))
                files[path] = digest_of_file(cycle.project.path(path))
        except DbCycleError as error:
            yield Failure(asset, error)
            continue
        facts = {"rows": rows, "files": files}
        yield cycle.record(asset, digest_of(files), started=started, facts=facts)


def write(cycle: Cycle, table: Table, path: Path) -> int:
    """Write a table's extract in the format of the path's ending; return the number of rows.

    Raises:
        BadInput: there is no whole extract, or no such format.
        DbCycleError: rows were lost; the former file is untouched.
    """
    manifest = cycle.extracts.manifest(table.id)
    if manifest is None:
        raise BadInput("there is no extract", where=table.id, remedy="run `dbcycle refresh`")
    if path.suffix not in EXPORTS:
        raise BadInput(
            f"`{path.suffix or path.name}` is no format",
            where=str(path),
            remedy=f"end the name with {', '.join(EXPORTS)}",
        )
    columns = [c for name, _ in manifest.columns if (c := table.column(name)) is not None]
    frames = (blocks.parse(block, len(manifest.columns)) for block in cycle.extracts.read(table.id))
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            done = write_parquet(path, columns, frames)
        else:
            done = _write_lines(_FORMATS[path.suffix], table, path, columns, frames)
    if done != manifest.rows:
        path.unlink(missing_ok=True)
        raise DbCycleError(
            f"{table.id}: {done} rows written of {manifest.rows}",
            remedy="this is a defect; please report it",
        )
    return done


# --- formats of one line a row -----------------------------------------------------------------


def _write_lines(
    form: _Lines, table: Table, path: Path, columns: list[Column], frames: Iterable[pl.DataFrame]
) -> int:
    writers = [form.value(column) for column in columns]
    start, between, end = form.line([column.name for column in columns])
    done = 0
    with write_atomically(path) as file:
        file.write(form.head(table).encode())
        for frame in frames:
            values = [
                blocks.written(frame.to_series(index), write, form.null).alias(f"v{index}")
                for index, write in enumerate(writers)
            ]
            parts = [
                part
                for index, before in enumerate(between)
                for part in (pl.lit(before), pl.col(f"v{index}"))
            ]
            line = pl.concat_str([pl.lit(start), *parts, pl.lit(f"{end}\n")])
            lines = pl.DataFrame(values).select(line).to_series()
            file.write(str(lines.str.join("").item()).encode())
            done += frame.height
        file.write(form.tail.encode())
    return done


def _number_or(
    other: Callable[[str], str], column: Column, names: dict[str, str]
) -> Callable[[str], str]:
    """Return how to write a value that stays a number or a truth value where that loses nothing."""
    if column.dimensions:
        return other
    if column.kind is Kind.INTEGER:
        return lambda value: value if _INTEGER.fullmatch(value) else other(value)
    if column.kind is Kind.BOOLEAN:
        return lambda value: names.get(value) or (value if value in {"0", "1"} else other(value))
    return other


def _quoted(value: str) -> str:
    """Return a text as JSON with nothing invisible in it."""
    return _visible(value, _utf16)


def _python_text(value: str) -> str:
    """Return a text as a Python literal: there a pair of surrogates would be two characters."""
    return _visible(value, lambda char: char.encode("unicode_escape").decode())


def _visible(value: str, escape: Callable[[str], str]) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return (
        text if text.isprintable() else "".join(c if c.isprintable() else escape(c) for c in text)
    )


def _utf16(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _json_value(column: Column) -> Callable[[str], str]:
    if column.kind is Kind.JSON and not column.dimensions:
        return lambda value: value.replace("\n", " ").replace("\r", " ")
    if column.kind is Kind.FLOAT and not column.dimensions:
        return lambda value: value if _FINITE.fullmatch(value) else _quoted(value)
    return _number_or(_quoted, column, {"t": "true", "f": "false"})


def _csv_text(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def variable(table: Table) -> str:
    """Return the name of the list that holds a table's rows in a Python module."""
    return f"AUTO_{re.sub(r'[^0-9A-Za-z]+', '_', table.id).strip('_').upper()}_DATA"


def _keyed(
    start: str, end: str, text: Callable[[str], str]
) -> Callable[[list[str]], tuple[str, list[str], str]]:
    def line(names: list[str]) -> tuple[str, list[str], str]:
        between = [f"{', ' if at else ''}{text(name)}: " for at, name in enumerate(names)]
        return start, between, end

    return line


_FORMATS = {
    ".py": _Lines(
        lambda column: _number_or(_python_text, column, {"t": "True", "f": "False"}),
        "None",
        lambda table: (
            f'"""The anonymized rows of {table.id}. Made by `dbcycle export`: do not edit."""\n\n'
            f"{variable(table)} = [\n"
        ),
        _keyed("    {", "},", _python_text),
        "]\n",
    ),
    ".jsonl": _Lines(_json_value, "null", lambda _table: "", _keyed("{", "}", _quoted)),
    ".csv": _Lines(
        lambda column: _number_or(_csv_text, column, {"t": "true", "f": "false"}),
        "",
        lambda table: ",".join(_csv_text(c.name) for c in table.stored_columns) + "\n",
        lambda names: ("", ["," if at else "" for at, _ in enumerate(names)], ""),
    ),
}
