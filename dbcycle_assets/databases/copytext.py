"""Copy text, in which rows travel: one field, and whole blocks of lines as columns."""

import re

import polars as pl

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SPECIAL = re.compile(r"[\\\x08\x0c\n\r\t\x0b]")
_LETTERS = {character: f"\\{letter}" for letter, character in _ESCAPES.items()} | {"\\": "\\\\"}


def unescape(field: str) -> str:
    """Return the value of a non-null copy text field."""
    if "\\" not in field:
        return field
    return _UNESCAPE.sub(lambda match: _ESCAPES.get(match.group(1), match.group(1)), field)


def escape(value: str) -> str:
    """Return a value as a copy text field."""
    return SPECIAL.sub(lambda match: _LETTERS[match.group()], value)


def parse(block: bytes, width: int) -> pl.DataFrame:
    """Return whole lines of copy text as a frame of escaped text columns; null is null."""
    if not width:
        return pl.DataFrame()
    names = [f"c{index}" for index in range(width)]
    if width > 1 and not block.startswith(_BYTE_ORDER_MARK):
        return pl.read_csv(
            block,
            has_header=False,
            separator="\t",
            quote_char=None,
            null_values=["\\N"],
            empty_string_is_null=False,
            schema=dict.fromkeys(names, pl.String),
        )
    # A CSV reader drops empty lines and byte order marks, which are values here.
    lines = pl.Series([block.decode().removesuffix("\n")]).str.split("\n").explode()
    fields = lines.str.split_exact("\t", width - 1).struct.unnest()
    fields.columns = names
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
