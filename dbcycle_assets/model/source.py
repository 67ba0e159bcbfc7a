"""Python source for plain values, laid out as ``ruff format`` leaves it."""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

WIDTH = 88


def literal(value: Any, indent: int = 0, before: int = 0, after: int = 1) -> str:
    """Return the source of a value that begins ``before`` columns right of ``indent`` and has
    ``after`` characters behind it: on one line if that fits, else an element a line.
    """
    flat = _flat(value)
    if indent + before + len(flat) + after <= WIDTH or not _parts(value):
        return flat
    opening, closing = ("{", "}") if isinstance(value, Mapping) else ("(", ")")
    if isinstance(value, list):
        opening, closing = "[", "]"
    inner = indent + 4
    lines = [
        f"{' ' * inner}{head}{literal(part, inner, len(head))},\n" for head, part in _parts(value)
    ]
    return f"{opening}\n{''.join(lines)}{' ' * indent}{closing}"


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(f"{_flat(key)}: ", part) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return [("", part) for part in value]
    return []


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flat(k)}: {_flat(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_flat, value)) + ("," if len(value) == 1 else "") + ")"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, UUID | Decimal):
        return f"{type(value).__name__}({quoted(str(value))})"
    if isinstance(value, bytes):
        return "b" + quoted(value.decode("latin-1")) if value.isascii() else _bytes(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.UTC)
        return _moment(value, value.tzinfo is not None)
    if isinstance(value, datetime.date):
        return f"date({value.year}, {value.month}, {value.day})"
    if isinstance(value, datetime.time):
        return f"time({_clock([value.hour, value.minute, value.second, value.microsecond])})"
    return repr(value)


def _bytes(value: bytes) -> str:
    return f'bytes.fromhex("{value.hex()}")'


def _moment(value: datetime.datetime, aware: bool) -> str:  # noqa: FBT001 - one private caller
    clock = _clock([value.hour, value.minute, value.second, value.microsecond])
    zone = ", tzinfo=UTC" if aware else ""
    return f"datetime({value.year}, {value.month}, {value.day}, {clock}{zone})"


def _clock(parts: Sequence[int]) -> str:
    shown = list(parts)
    while len(shown) > 2 and not shown[-1]:  # noqa: PLR2004 - hours and minutes always
        shown.pop()
    return ", ".join(map(str, shown))


def quoted(text: str) -> str:
    """Return the source of a text, in double quotes unless that costs more escapes."""
    made = repr(text)
    body = made[1:-1]
    if made[0] == '"':
        return made
    if text.count('"') > text.count("'"):
        return made
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'
