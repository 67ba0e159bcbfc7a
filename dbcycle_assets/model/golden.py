"""The text form of values that people write by hand."""

import datetime
import json
import math
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
    if isinstance(value, bool):
        names = ("f", "t") if engine == "postgresql" else ("0", "1")
        return names[value]
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, str | int | float | Decimal | datetime.date | datetime.time):
        return str(value)
    message = f"cannot write a {type(value).__name__}"
    raise ValueError(message)


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
