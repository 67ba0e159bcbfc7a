"""Texts that match a regular expression, counted through in a fixed order."""

import re
from collections.abc import Callable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ANY = _LETTERS + "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_. "
_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "punct": "!-/:-@\\[-`{-~",
    "xdigit": "0-9A-Fa-f",
}
_POSIX = re.compile(r"\[:(\w+):\]")
_MORE = 8
"""How many times more than needed something is repeated that may be repeated for ever."""


def translated(pattern: str) -> str:
    """Return a pattern of PostgreSQL as Python writes it."""
    text = _POSIX.sub(lambda found: _CLASSES.get(found[1], found[0]), pattern)
    return text.replace(r"\m", r"\b").replace(r"\M", r"\b").replace(r"\y", r"\b")


def from_like(pattern: str) -> str:
    """Return the regular expression for a LIKE pattern."""
    return _from_wildcards(pattern, {"%": ".*", "_": "."}, "\\")


def from_glob(pattern: str) -> str:
    """Return the regular expression for a GLOB pattern."""
    parts = re.split(r"(\[\^?\]?[^\]]*\])", pattern)
    kept = (
        part if number % 2 else _from_wildcards(part, {"*": ".*", "?": "."}, "")[1:-1]
        for number, part in enumerate(parts)
    )
    return f"^{''.join(kept)}$"


def _from_wildcards(pattern: str, wild: dict[str, str], escape: str) -> str:
    made, quoted = "", False
    for character in pattern:
        if character == escape and not quoted:
            quoted = True
            continue
        made += re.escape(character) if quoted else wild.get(character, re.escape(character))
        quoted = False
    return f"^{made}$"


def matches(pattern: str, text: str) -> bool:
    """Tell whether a text matches, as the database would say."""
    try:
        return re.search(translated(pattern), text) is not None
    except (re.error, ValueError):
        return False


def matching(pattern: str, index: int) -> str | None:
    """Return the ``index``-th text that matches a pattern, or None if the pattern is not read."""
    try:
        tree = parser.parse(translated(pattern))
    except (re.error, ValueError, OverflowError):
        return None
    text = _Writer(index, ignore=bool(tree.state.flags & re.IGNORECASE)).write(tree)
    return text if text is not None and matches(pattern, text) else None


class _Writer:
    """Takes one choice after the other from the digits of a number."""

    def __init__(self, index: int, *, ignore: bool) -> None:
        self.left = index
        self.ignore = ignore

    def _choice(self, count: int) -> int:
        self.left, chosen = divmod(self.left, count)
        return chosen

    def write(self, nodes: Any) -> str | None:
        made = ""
        for op, argument in nodes:
            part = self._node(op, argument)
            if part is None:
                return None
            made += part
        return made

    def _node(self, op: Any, argument: Any) -> str | None:
        makers: dict[Any, Callable[[], str | None]] = {
            sre.LITERAL: lambda: chr(argument),
            sre.NOT_LITERAL: lambda: self._one([c for c in _ANY if c != chr(argument)]),
            sre.ANY: lambda: self._one(_LETTERS),
            # The result is held against the whole pattern, and so against these.
            sre.AT: str,
            sre.ASSERT: str,
            sre.ASSERT_NOT: str,
            sre.IN: lambda: self._one(_members(argument)),
            sre.SUBPATTERN: lambda: self.write(argument[-1]),
            sre.BRANCH: lambda: self.write(argument[1][self._choice(len(argument[1]))]),
            sre.MAX_REPEAT: lambda: self._repeated(*argument),
            sre.MIN_REPEAT: lambda: self._repeated(*argument),
        }
        return makers[op]() if op in makers else None

    def _repeated(self, low: int, high: int, inner: Any) -> str | None:
        times = low if high == low else min(high, max(low, _MORE))
        parts = [self.write(inner) for _ in range(times)]
        return None if None in parts else "".join(part for part in parts if part is not None)

    def _one(self, options: Sequence[str]) -> str | None:
        return options[self._choice(len(options))] if options else None


def _members(argument: Any) -> list[str]:
    negated = bool(argument) and argument[0][0] is sre.NEGATE
    found: set[str] = set()
    for op, value in argument:
        if op is sre.LITERAL:
            found.add(chr(value))
        elif op is sre.RANGE:
            found.update(map(chr, range(value[0], min(value[1], value[0] + 200) + 1)))
        elif op is sre.CATEGORY:
            found.update(_category(value))
    if negated:
        return [c for c in _ANY if c not in found]
    return sorted(found, key=lambda c: (_ANY.find(c) if c in _ANY else len(_ANY), c))


def _category(value: Any) -> str:
    return {
        sre.CATEGORY_DIGIT: "0123456789",
        sre.CATEGORY_WORD: _LETTERS + "0123456789",
        sre.CATEGORY_SPACE: " ",
        sre.CATEGORY_NOT_DIGIT: _LETTERS,
        sre.CATEGORY_NOT_SPACE: _LETTERS,
        sre.CATEGORY_NOT_WORD: "-",
    }.get(value, "")
