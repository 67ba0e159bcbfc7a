"""Blocks of copy text as columns: parsed, rewritten by distinct value, and put together again.

Columns that nobody rewrites are never unescaped, so they come out byte for byte as they went in.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import polars as pl

from ..anonymizers.columns import put
from ..databases import stopping
from ..databases.copytext import SPECIAL, escape, parse, render, unescape

__all__ = [
    "ahead",
    "distinct",
    "escape",
    "parse",
    "preview",
    "render",
    "rewrite",
    "rewrite_at_once",
    "unescape",
    "values",
    "written",
]

_T = TypeVar("_T")


def ahead(source: Generator[_T]) -> Generator[_T]:
    """Yield what another generator does; while one item is in use, a thread makes the next."""
    end = object()
    try:
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(next, source, end)
            while (item := future.result()) is not end:
                stopping.point()
                future = pool.submit(next, source, end)
                yield cast("_T", item)
    finally:
        source.close()


def rewrite(
    column: pl.Series,
    change: Callable[[str, tuple[str | None, ...]], str | None],
    beside: Sequence[pl.Series] = (),
) -> pl.Series:
    """Apply a change to every distinct value of an escaped column, together with the values of the
    columns ``beside`` it; null stays null.
    """
    places = column
    if beside:
        # An escaped field holds no tab, and no field but null is written like null.
        filled = [series.fill_null("\\N").alias(f"b{n}") for n, series in enumerate(beside)]
        frame = pl.DataFrame([column.alias("value"), *filled])
        places = frame.select(pl.concat_str(frame.columns, separator="\t")).to_series()
    distinct = places.drop_nulls().unique()
    if distinct.is_empty():
        return column
    changed = []
    for place in distinct.to_list():
        field, *others = place.split("\t") if beside else (place,)
        read = tuple(None if other == "\\N" else unescape(other) for other in others)
        value = change(unescape(field), read)
        changed.append(None if value is None else escape(value))
    table = pl.Series(changed, dtype=pl.String)
    return places.replace_strict(distinct, table, default=None, return_dtype=pl.String)


def rewrite_at_once(
    column: pl.Series, change: Callable[[pl.Series], pl.Series], *, unique: bool
) -> pl.Series:
    """Apply a change to the values of an escaped column at once; null stays null. Of equal values
    only one is changed, but for a column that is ``unique``, or nearly so.
    """
    if column.null_count() == len(column):
        return column
    if not column.null_count() and (unique or _mostly_different(column)):
        return _escaped(change(_unescaped(column)))
    fields = column.drop_nulls().unique()
    made = _escaped(change(_unescaped(fields)))
    return column.replace_strict(fields, made, default=None, return_dtype=pl.String)


def _mostly_different(column: pl.Series) -> bool:
    """Tell whether finding the equal values of a column would cost more than it saves."""
    some = column.head(2000)
    return some.n_unique() > 0.8 * len(some)


def distinct(column: pl.Series) -> pl.Series:
    """Return the distinct non-null values of an escaped column."""
    return _unescaped(column.drop_nulls().unique())


def _unescaped(fields: pl.Series) -> pl.Series:
    marked = fields.str.contains("\\", literal=True)
    if not marked.any():
        return fields
    values = pl.Series([unescape(field) for field in fields.filter(marked)], dtype=pl.String)
    return put(fields, marked, values)


def _escaped(values: pl.Series) -> pl.Series:
    marked = values.str.contains(SPECIAL.pattern).fill_null(value=False)
    if not marked.any():
        return values
    fields = pl.Series([escape(value) for value in values.filter(marked)], dtype=pl.String)
    return put(values, marked, fields)


def written(column: pl.Series, write: Callable[[str], str], null: str | None = None) -> pl.Series:
    """Write every distinct value of an escaped column in another way, and null as ``null``."""
    distinct = column.drop_nulls().unique()
    if distinct.is_empty():
        return pl.Series([null], dtype=pl.String).new_from_index(0, len(column))
    texts = [write(unescape(field)) for field in distinct.to_list()]
    return column.replace_strict(distinct, texts, default=null, return_dtype=pl.String)


def values(column: pl.Series) -> Iterator[tuple[str, int]]:
    """Yield each distinct non-null value of an escaped column and how often it occurs."""
    counts = column.drop_nulls().value_counts()
    for field, count in counts.iter_rows():
        yield unescape(field), count


def preview(frame: pl.DataFrame, names: Sequence[str], rows: int, width: int = 40) -> str:
    """Return the first rows as a markdown table with every markup character made harmless."""

    def cell(field: str | None) -> str:
        if field is None:
            return "*null*"
        text = unescape(field)
        text = text if len(text) <= width else text[: width - 1] + "…"
        text = "".join(char if char.isprintable() else " " for char in text)
        return re.sub(r"([\\`*_{}\[\]()#+!|<>&~])", r"\\\1", text).replace("\\<", "&lt;")

    head = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    body = [f"| {' | '.join(map(cell, row))} |" for row in frame.head(rows).iter_rows()]
    return "\n".join([*head, *body])
