"""Many rows at once between SQLite and copy text: :mod:`.values` says what each value becomes."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from ...anonymizers.columns import put
from ..copytext import SPECIAL, escape, parse, render, unescape
from .values import MARK, Undecodable, Value, decode, encode

_ODD = rf"^{MARK}|^\\x"
_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$|^-?Infinity$"
_INTEGER = r"^(?:0|-?[1-9][0-9]{0,17})$"


def block_of(rows: Sequence[Sequence[Value | Undecodable]], kinds: Sequence[str]) -> bytes:
    """Return rows as a block of copy text."""
    columns = zip(*rows, strict=True)
    fields = [
        _fields(column, kind).alias(f"c{index}")
        for index, (column, kind) in enumerate(zip(columns, kinds, strict=True))
    ]
    return render(pl.DataFrame(fields))


def _fields(values: Sequence[Value | Undecodable], kind: str) -> pl.Series:
    """Return the escaped fields of one column; null is null."""
    types = set(map(type, values)) - {type(None)}
    if types <= {int} and kind not in {"TEXT", "REAL"}:
        return pl.Series(values, dtype=pl.Int64).cast(pl.String)
    if types <= {str}:
        texts = pl.Series(values, dtype=pl.String)
        odd = texts.str.contains(_ODD) | texts.str.contains(SPECIAL.pattern)
        if kind != "TEXT":
            odd |= texts.str.contains(_NUMBER)
        odd = odd.fill_null(value=False)
        if not odd.any():
            return texts
        made = [_field(text, kind) for text in texts.filter(odd)]
        return put(texts, odd, pl.Series(made, dtype=pl.String))
    return pl.Series([_field(value, kind) for value in values], dtype=pl.String)


def _field(value: Value | Undecodable, kind: str) -> str | None:
    text = encode(value, kind)
    return None if text is None else escape(text)


def rows_in(
    block: bytes, kinds: Sequence[str]
) -> tuple[list[tuple[Value | Undecodable, ...]], bool]:
    """Return the rows of a block of whole lines, and whether every value is one to bind as it is.

    Raises:
        ValueError: a value cannot be read.
    """
    frame = parse(block, len(kinds))
    plain = True
    columns: list[Sequence[Any]] = []
    for name, kind in zip(frame.columns, kinds, strict=True):
        values, bound = _values(frame[name], kind)
        columns.append(values)
        plain &= bound
    return list(zip(*columns, strict=True)), plain


def _values(fields: pl.Series, kind: str) -> tuple[Sequence[Any], bool]:
    """Return the values of one column of escaped fields."""
    odd = fields.str.contains("\\", literal=True) | fields.str.starts_with(MARK)
    if not odd.any():
        if kind == "TEXT":
            return fields.to_list(), True
        present = fields.drop_nulls()
        if kind != "REAL" and present.str.contains(_INTEGER).all():
            return fields.cast(pl.Int64).to_list(), True
        if not present.str.contains(_NUMBER).any():
            return fields.to_list(), True
    elif kind == "TEXT":
        values: list[Any] = fields.to_list()
        for index in odd.fill_null(value=False).arg_true().to_list():
            values[index] = decode(unescape(values[index]), kind)
        return values, not any(isinstance(value, Undecodable) for value in values)
    found = [None if field is None else decode(unescape(field), kind) for field in fields]
    return found, not any(isinstance(value, Undecodable) for value in found)
