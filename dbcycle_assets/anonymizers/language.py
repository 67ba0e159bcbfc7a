"""Texts that match a pattern, each with a number: a bounded subset of regular expressions."""

import functools
import math
import string
from typing import Protocol

_CLASSES = {
    "d": string.digits,
    "w": string.digits + string.ascii_letters + "_",
    "h": "0123456789abcdef",
}
_SPECIAL = "\\[](){}|?*+.^$"
LONGEST = 1000
"""The most repetitions of one part."""


class Language(Protocol):
    """Finitely many texts: ``size`` counts ways to make one, ``certain`` texts that differ."""

    size: int
    certain: int
    longest: int

    def text(self, number: int) -> str:
        """Return the text of a number below ``size``."""


class _Char:
    def __init__(self, alphabet: str) -> None:
        self._alphabet = alphabet
        self.size = self.certain = len(alphabet)
        self.longest = 1

    def text(self, number: int) -> str:
        return self._alphabet[number]


class _Sequence:
    def __init__(self, parts: list[Language]) -> None:
        self._parts = parts
        self.size = math.prod(part.size for part in parts)
        self.certain = math.prod(part.certain for part in parts)
        self.longest = sum(part.longest for part in parts)

    def text(self, number: int) -> str:
        made = []
        for part in reversed(self._parts):
            number, place = divmod(number, part.size)
            made.append(part.text(place))
        return "".join(reversed(made))


class _Choice:
    """One of several: of these only the richest counts for certain, as they may overlap."""

    def __init__(self, parts: list[Language]) -> None:
        self._parts = parts
        self.size = sum(part.size for part in parts)
        self.certain = max(part.certain for part in parts)
        self.longest = max(part.longest for part in parts)

    def text(self, number: int) -> str:
        for part in self._parts:
            if number < part.size:
                return part.text(number)
            number -= part.size
        raise IndexError(number)


@functools.cache
def parsed(pattern: str) -> Language:
    """Return the texts of a pattern.

    Raises:
        ValueError: it says something that the subset does not have.
    """
    parser = _Parser(pattern.removeprefix("^").removesuffix("$"))
    made = parser.choice()
    if parser.rest or made.size < 2:  # noqa: PLR2004 - one text is a constant
        message = f"stops at: {parser.rest}" if parser.rest else "matches one text only"
        raise ValueError(message)
    return made


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.rest = pattern

    def take(self, text: str) -> bool:
        found = self.rest.startswith(text)
        self.rest = self.rest[len(text) :] if found else self.rest
        return found

    def next(self) -> str:
        if not self.rest:
            message = "ends too early"
            raise ValueError(message)
        char, self.rest = self.rest[0], self.rest[1:]
        return char

    def choice(self) -> Language:
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else _Choice(parts)

    def sequence(self) -> Language:
        parts: list[Language] = []
        while self.rest and self.rest[0] not in "|)":
            parts.append(self.repeated(self.atom()))
        return _Sequence(parts)

    def atom(self) -> Language:
        if self.take("("):
            self.take("?:")
            made = self.choice()
            if not self.take(")"):
                message = "a group is not closed"
                raise ValueError(message)
            return made
        if self.take("["):
            return _Char(self.members())
        char = self.next()
        if char == "\\":
            return _Char(self.escaped())
        if char in _SPECIAL:
            message = f"has {char}, which is not bounded or not of the subset"
            raise ValueError(message)
        return _Char(char)

    def escaped(self) -> str:
        char = self.next()
        if char.isalnum() and char not in _CLASSES:
            message = f"has \\{char}, which is not of the subset"
            raise ValueError(message)
        return _CLASSES.get(char, char)

    def members(self) -> str:
        found = ""
        while not self.take("]"):
            char = self.next()
            if char == "^" and not found:
                message = "has a negated class"
                raise ValueError(message)
            if char == "\\":
                found += self.escaped()
            elif self.rest[:1] == "-" and self.rest[1:2] not in ("]", ""):
                self.next()
                found += "".join(map(chr, range(ord(char), ord(self.next()) + 1)))
            else:
                found += char
        if not found:
            message = "has an empty class"
            raise ValueError(message)
        return "".join(sorted(set(found)))

    def repeated(self, part: Language) -> Language:
        if self.take("?"):
            return _Choice([_Sequence([]), part])
        if not self.take("{"):
            return part
        bounds, closed, self.rest = self.rest.partition("}")
        low, comma, high = bounds.partition(",")
        if not (closed and low.isdecimal() and (high.isdecimal() or not comma)):
            message = "has a repetition without bounds"
            raise ValueError(message)
        first, last = int(low), int(high or low)
        if not first <= last <= LONGEST:
            message = f"repeats more than {LONGEST} times, or less than it says"
            raise ValueError(message)
        counts: list[Language] = [_Sequence([part] * count) for count in range(first, last + 1)]
        return counts[0] if len(counts) == 1 else _Choice(counts)
