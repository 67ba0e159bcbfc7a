r"""Typed SQLite values as copy text, and back without loss.

A value has its plain text form if reading that form again, for the affinity of its column, gives
the same value of the same storage class. Blobs are always ``\x`` and hex digits. Every other value
is marked: an escape character and one sign, followed by the plain form. The sign is punctuation,
so that whoever looks for words in a marked value finds them.
"""

import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...errors import BadInput
from ..copytext import escape, unescape

MARK = "\x1b"
_INTEGER, _REAL, _TEXT, _RAW = "#", "~", "'", "?"

Value = int | float | str | bytes | None

_HEX = re.compile(r"\\x(?:[0-9a-f]{2})*")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|-?Infinity")
_FIRST = frozenset("-0123456789I")
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Undecodable:
    """A text whose bytes are not valid UTF-8; SQLite stores such."""

    raw: bytes


def text_of(raw: bytes) -> str | Undecodable:
    """Return what a stored text is to us; given to every connection as its text factory."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return Undecodable(raw)


def affinity(declared: str) -> str:
    """Return the affinity of a declared type (https://sqlite.org/datatype3.html, section 3.1)."""
    name = declared.upper()
    if "INT" in name:
        return "INTEGER"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in name or not name:
        return "BLOB"
    if any(part in name for part in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def _number(text: str) -> int | float | None:
    """Return the number that a text spells, or None."""
    if text[:1] not in _FIRST:
        return None
    if _WHOLE.fullmatch(text) and -_LARGEST - 1 <= int(text) <= _LARGEST:
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return None


def _spell(value: float) -> str:
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def encode(value: Value | Undecodable, kind: str) -> str | None:
    """Return the text form of a value in a column of an affinity; null is None."""
    if value is None:
        return None
    if isinstance(value, str):
        return _encode_text(value, kind)
    if isinstance(value, int):
        return str(value) if kind not in {"TEXT", "REAL"} else f"{MARK}{_INTEGER}{value}"
    if isinstance(value, float):
        return _spell(value) if kind != "TEXT" else f"{MARK}{_REAL}{_spell(value)}"
    if isinstance(value, Undecodable):
        return f"{MARK}{_RAW}{value.raw.hex()}"
    return f"\\x{value.hex()}"


def _encode_text(value: str, kind: str) -> str:
    if (
        (kind != "TEXT" and _number(value) is not None)
        or value[:1] == MARK
        or (value[:2] == "\\x" and _HEX.fullmatch(value))
    ):
        return f"{MARK}{_TEXT}{value}"
    return value


def decode(text: str, kind: str) -> Value | Undecodable:
    """Return the value of a text form in a column of an affinity.

    Raises:
        ValueError: the text starts with a mark that :func:`encode` does not write.
    """
    if text[:1] == MARK:
        return _decode_marked(text[1:2], text[2:])
    if text[:2] == "\\x" and _HEX.fullmatch(text):
        return bytes.fromhex(text[2:])
    if kind == "TEXT":
        return text
    number = _number(text)
    if number is None:
        return text
    return float(number) if kind == "REAL" else number


def _decode_marked(sign: str, rest: str) -> Value | Undecodable:
    if sign == _INTEGER:
        return int(rest)
    if sign == _REAL:
        return float(rest)
    if sign == _RAW:
        return Undecodable(bytes.fromhex(rest))
    if sign == _TEXT:
        return rest
    message = "unknown mark"
    raise ValueError(message)


def line_of(row: Iterable[Value | Undecodable], kinds: Sequence[str]) -> str:
    """Return one row as a line of copy text."""
    return "\t".join([_field(encode(value, kind)) for value, kind in zip(row, kinds, strict=True)])


def _field(text: str | None) -> str:
    if text is None:
        return "\\N"
    return escape(text)


def rows_of(
    blocks: Iterable[bytes], kinds: Sequence[str], where: str, before: int = 0
) -> Iterator[list[Value | Undecodable]]:
    """Yield the rows of copy text; so many came ``before``, for the message of an error.

    Raises:
        BadInput: a line does not have a field for every column, or cannot be read.
    """
    number = before
    for block in blocks:
        lines = block.decode().split("\n")
        for line in lines[:-1] if lines[-1] == "" else lines:
            number += 1
            fields = line.split("\t")
            if len(fields) != len(kinds):
                raise BadInput(
                    f"{len(fields)} fields where {len(kinds)} columns are expected",
                    where=f"{where}, row {number}",
                )
            try:
                yield [
                    None if field == "\\N" else decode(unescape(field), kind)
                    for field, kind in zip(fields, kinds, strict=True)
                ]
            except (ValueError, OverflowError):
                raise BadInput("a value cannot be read", where=f"{where}, row {number}") from None


def bind(row: Sequence[Value | Undecodable]) -> tuple[list[str], list[Value]]:
    """Return placeholders and values for one row; only undecodable texts need a cast."""
    marks = ["CAST(? AS TEXT)" if isinstance(value, Undecodable) else "?" for value in row]
    return marks, [value.raw if isinstance(value, Undecodable) else value for value in row]


def insert_all(
    connection: sqlite3.Connection,
    statement: Callable[[Sequence[str]], str],
    rows: Iterable[Sequence[Value | Undecodable]],
    width: int,
) -> int:
    """Insert rows as they come, in bounded memory; return how many.

    ``statement`` builds the INSERT from one placeholder for each column. When it fails, the
    exception's ``row`` attribute is the number of the row, from 1.
    """
    number = 0

    def plain() -> Iterator[Sequence[Value | Undecodable]]:
        nonlocal number
        for row in rows:
            number += 1
            if any(isinstance(value, Undecodable) for value in row):
                marks, values = bind(row)
                connection.execute(statement(marks), values)
            else:
                yield row

    try:
        connection.executemany(statement(["?"] * width), plain())
    except sqlite3.Error as error:
        error.row = number  # type: ignore[attr-defined]
        raise
    return number
