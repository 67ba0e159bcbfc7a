"""Blocks of copy text as columns: parsed, rewritten by distinct value, and put together again.

Columns that nobody rewrites are never unescaped, so they come out byte for byte as they went in.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import polars as pl

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"[\\\b\f\n\r\t\v]")
_LETTERS = {character: f"\\{letter}" for letter, character in _ESCAPES.items()} | {"\\": "\\\\"}


def unescape(field: str) -> str:
    """Return the value of a non-null copy text field."""
    if "\\" not in field:
        return field
    return _UNESCAPE.sub(lambda match: _ESCAPES.get(match.group(1), match.group(1)), field)


def escape(value: str) -> str:
    """Return a value as a copy text field."""
    return _SPECIAL.sub(lambda match: _LETTERS[match.group()], value)


def parse(block: bytes, width: int) -> pl.DataFrame:
    """Return whole lines of copy text as a frame of escaped text columns; null is null."""
    # Not a CSV reader: those drop empty lines and byte order marks, which are values here.
    lines = pl.Series([block.decode().removesuffix("\n")]).str.split("\n").explode()
    fields = lines.str.split_exact("\t", width - 1).struct.unnest()
    fields.columns = [f"c{index}" for index in range(width)]
    null = pl.lit("\\N")
    return fields.select(
        pl.when(pl.col(name) == null).then(None).otherwise(pl.col(name)).alias(name)
        for name in fields.columns
    )


def render(frame: pl.DataFrame) -> bytes:
    """Return a frame of escaped text columns as copy text."""
    filled = [pl.col(name).fill_null("\\N") for name in frame.columns]
    lines = frame.select(pl.concat_str(filled, separator="\t").alias("line"))
    text: str = lines.to_series().str.join("\n").item()
    return text.encode() + b"\n" if frame.height else b""


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
