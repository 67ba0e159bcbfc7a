"""Blocks of copy text as one Parquet file with typed columns, whatever the table's size."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from ..anonymizers.base import Kind
from ..artifacts import write_atomically
from ..model.catalog import Column
from . import blocks

_TYPES: dict[Kind, pl.DataType] = {
    Kind.INTEGER: pl.Int64(),
    Kind.FLOAT: pl.Float64(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.DATE: pl.Date(),
    Kind.TIMESTAMP: pl.Datetime("us"),
}
_WRITTEN = {
    Kind.INTEGER: r"^(0|-?[1-9]\d*)$",
    Kind.DATE: r"^\d{4}-\d{2}-\d{2}$",
    Kind.TIMESTAMP: r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?$",
}
"""What values look like that their type holds exactly."""


def write_parquet(path: Path, columns: list[Column], frames: Iterable[pl.DataFrame]) -> int:
    """Write escaped text columns as one file, whole or not at all; return the number of rows.

    A column has its type where every value of it fits that exactly; else it is text.
    """
    rows, fits = 0, dict.fromkeys((column.name for column in columns), True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        for number, frame in enumerate(frames):
            texts = [
                blocks.written(frame.to_series(index), str).alias(column.name)
                for index, column in enumerate(columns)
            ]
            for column, series in zip(columns, texts, strict=True):
                fits[column.name] &= _typed(series, column).null_count() == series.null_count()
            pl.DataFrame(texts).write_ipc(Path(folder) / f"{number:06}.arrow")
            rows += frame.height
        with write_atomically(path) as file:
            if not rows:
                pl.DataFrame(schema=dict.fromkeys(fits, pl.String)).write_parquet(file)
                return 0
            typed = [
                _expression(column).alias(column.name)
                for column in columns
                if fits[column.name] and _kind(column) in _TYPES
            ]
            pl.scan_ipc(Path(folder) / "*.arrow").with_columns(typed).sink_parquet(file)
    return rows


def _kind(column: Column) -> Kind:
    return Kind.OTHER if column.dimensions else column.kind


def _typed(series: pl.Series, column: Column) -> pl.Series:
    """Return values as their type; null where one does not fit."""
    return pl.DataFrame([series]).select(_expression(column)).to_series()


def _expression(column: Column) -> pl.Expr:
    kind, texts = _kind(column), pl.col(column.name)
    if kind in _WRITTEN:
        texts = pl.when(texts.str.contains(_WRITTEN[kind])).then(texts)
    if kind is Kind.INTEGER:
        return texts.cast(pl.Int64, strict=False)
    if kind is Kind.FLOAT:
        infinite = {"Infinity": "inf", "-Infinity": "-inf"}
        return texts.replace(infinite).cast(pl.Float64, strict=False)
    if kind is Kind.BOOLEAN:
        names = {"t": True, "f": False, "1": True, "0": False}
        return texts.replace_strict(names, default=None, return_dtype=pl.Boolean)
    if kind is Kind.DATE:
        return texts.str.to_date("%Y-%m-%d", strict=False)
    if kind is Kind.TIMESTAMP:
        return texts.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    return texts
