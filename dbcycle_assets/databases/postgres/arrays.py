"""PostgreSQL's array text, taken apart and put together with dimensions and bounds as they were."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class ArrayCodec:
    """The codec of one array type; ``delimiter`` is a comma for all built-in types but box."""

    delimiter: str = ","

    def map(self, value: str, mask: Callable[[str], str | None]) -> str:
        """Apply a mask to every non-null element; dimensions and bounds stay as they are."""
        start = value.find("{")
        if start < 0:
            return value
        elements = _elements(self.delimiter)

        def replace(match: re.Match[str]) -> str:
            element = _element(match)
            if element is None:
                return match.group()
            masked = mask(element)
            return "NULL" if masked is None else self._quoted(masked)

        return value[:start] + elements.sub(replace, value[start:])

    def leaves(self, value: str) -> list[str]:
        """Return every non-null element."""
        start = value.find("{")
        if start < 0:
            return []
        found = map(_element, _elements(self.delimiter).finditer(value, start))
        return [element for element in found if element is not None]

    def _quoted(self, element: str) -> str:
        plain = (
            element
            and element.upper() != "NULL"
            and not any(sign in element for sign in ('"', "\\", "{", "}", self.delimiter))
            and not any(sign.isspace() for sign in element)
        )
        if plain:
            return element
        return '"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"'


@functools.cache
def _elements(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(
        rf'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>(?:[^{{}}{mark}"\\]|\\.)+)', re.DOTALL
    )


def _element(match: re.Match[str]) -> str | None:
    quoted = match["quoted"]
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted)
    bare = match["bare"]
    return None if bare.upper() == "NULL" else _ESCAPED.sub(r"\1", bare)
