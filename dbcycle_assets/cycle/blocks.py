"""Blocks of copy text as columns: parsed, rewritten by distinct value, and put together again.

Columns that nobody rewrites are never unescaped, so they come out byte for byte as they went in.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence

import polars

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


def parse(block: bytes, width: int) -> polars.DataFrame:
    """Return whole lines of copy text as a frame of escaped text columns; null is null."""
    names = [f"c{index}" for index in range(width)]
    # A lone column's empty string is an empty line, and a leading U+FEFF would be taken for a
    # byte order mark: neither survives a CSV reader.
    if width == 1 or block.startswith(b"\xef\xbb\xbf"):
        lines = block.decode().split("\n")[:-1]
        rows = [line.split("\t") for line in lines]
        columns = zip(*rows, strict=True) if rows else [[] for _ in names]
        frame = polars.DataFrame(
            {name: list(column) for name, column in zip(names, columns, strict=True)},
            schema=dict.fromkeys(names, polars.String),
        )
        return frame.with_columns(
            polars.when(polars.col(name) == "\\N")
            .then(None)
            .otherwise(polars.col(name))
            .alias(name)
            for name in names
        )
    return polars.read_csv(
        io.BytesIO(block),
        has_header=False,
        new_columns=names,
        separator="\t",
        quote_char=None,
        null_values=["\\N"],
        missing_utf8_is_empty_string=True,
        schema=dict.fromkeys(names, polars.String),
    )


def render(frame: polars.DataFrame) -> bytes:
    """Return a frame of escaped text columns as copy text."""
    out = io.BytesIO()
    frame.write_csv(
        out, include_header=False, separator="\t", quote_style="never", null_value="\\N"
    )
    return out.getvalue()


def rewrite(column: polars.Series, change: Callable[[str], str | None]) -> polars.Series:
    """Apply a change to every distinct value of an escaped column; null stays null."""
    distinct = column.drop_nulls().unique()
    if distinct.is_empty():
        return column
    changed = [
        None if (value := change(unescape(field))) is None else escape(value)
        for field in distinct.to_list()
    ]
    table = polars.Series(changed, dtype=polars.String)
    return column.replace_strict(distinct, table, default=None, return_dtype=polars.String)


def values(column: polars.Series) -> Iterator[tuple[str, int]]:
    """Yield each distinct non-null value of an escaped column and how often it occurs."""
    counts = column.drop_nulls().value_counts()
    for field, count in counts.iter_rows():
        yield unescape(field), count


def preview(frame: polars.DataFrame, names: Sequence[str], rows: int, width: int = 40) -> str:
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
