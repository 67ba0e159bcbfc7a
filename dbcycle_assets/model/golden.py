"""The text form of values that people write by hand."""

import datetime
import enum
import ipaddress
import json
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..anonymizers.base import Kind
from .catalog import Column


def text_form(value: Any, column: Column, engine: str) -> str | None:
    """Return a hand-written value as the engine reads it; None is null.

    Lists become arrays in array columns and JSON in JSON columns; mappings become JSON.

    Raises:
        ValueError: the value's type does not fit the column; the message has no value.
    """
    if value is None:
        return None
    if column.dimensions and isinstance(value, list):
        return _array(value, column, engine)
    if column.kind is Kind.JSON and not (isinstance(value, str) and _is_json(value)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)
    if isinstance(value, list | dict):
        message = f"a {'list' if isinstance(value, list) else 'mapping'} does not fit {column.type}"
        raise ValueError(message)  # noqa: TRY004 - one error type for callers
    return _plain(value, engine)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _plain(value: Any, engine: str = "postgresql") -> str:
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, bool):
        names = ("f", "t") if engine == "postgresql" else ("0", "1")
        return names[value]
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    message = f"cannot write a {type(value).__name__}"
    raise ValueError(message)


def _float(value: float) -> str:
    if math.isfinite(value):
        return str(value)
    return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (bytes, lambda value: "\\x" + value.hex()),
    (memoryview, lambda value: "\\x" + value.hex()),
    (float, _float),
    (datetime.datetime, lambda value: value.isoformat(sep=" ")),
    (
        datetime.timedelta,
        lambda value: (
            f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"
        ),
    ),
    *((kind, str) for kind in (str, int, Decimal, datetime.date, datetime.time, uuid.UUID)),
    *((kind, str) for kind in (ipaddress.IPv4Address, ipaddress.IPv6Address)),
    *((kind, str) for kind in (ipaddress.IPv4Network, ipaddress.IPv6Network)),
)


def _array(values: list[Any], column: Column, engine: str) -> str:
    parts = []
    for value in values:
        if isinstance(value, list):
            parts.append(_array(value, column, engine))
        elif value is None:
            parts.append("NULL")
        else:
            text = _plain(value, engine)
            parts.append('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
    return "{" + ",".join(parts) + "}"
