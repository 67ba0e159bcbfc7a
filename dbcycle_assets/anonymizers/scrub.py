"""Prose that stays readable: what identifies people in it is replaced, the rest is kept."""

import re
from collections.abc import Callable

from .base import Definition, Facts, Key, Kind, Mask, Parameters, Replace
from .contact import DEFINITIONS as CONTACTS
from .network import DEFINITIONS as ADDRESSES
from .permutation import Digits
from .phone import DEFINITIONS as PHONES
from .vocabulary import emitted

_EMAIL = re.compile(r"[^\s@<>\"'(),;:{}\[\]]+@[^\s@<>\"'(),;:{}\[\]]+\.[^\s@<>\"'(),;:{}\[\].]+")
_URL = re.compile(r"\bhttps?://[^\s<>\"')\]]+", re.IGNORECASE)
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_CODE = re.compile(r"(?<!\w)(?=[\w-]*\d[\w-]*\d[\w-]*\d)[^\W_]+(?:-[^\W_]+)*(?!\w)")
_NUMBER = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().\-/]{4,24}\d(?!\w)")
_DATE = re.compile(
    r"(?<![\w.-])(?:\d{4}-(?:0\d|1[0-2])-[0-3]\d(?:[T ][\d:.]+)?"
    r"|\d{1,2}[./]\d{1,2}[./](?:\d{2}|\d{4})|\d{1,2}:\d{2})(?![\w-])"
)
_PIECES = re.compile(
    "|".join(f"(?P<{name}>{pattern.pattern})" for name, pattern in (
        ("email", _EMAIL), ("url", _URL), ("ip_address", _IP), ("date", _DATE),
        ("number", _NUMBER), ("code", _CODE),
    )),
    re.IGNORECASE,
)  # fmt: skip


def _scrub(_parameters: Parameters, _facts: Facts, key: Key, people: Replace | None = None) -> Mask:
    masks = {
        entry.name: entry.build(entry.parameters(), Facts(Kind.TEXT), key)
        for entry in (*CONTACTS, *PHONES, *ADDRESSES)
        if entry.name in {"email", "phone", "url", "ip_address"}
    }
    digits = Digits(key, "scrub")

    def other(match: re.Match[str]) -> str:
        kind, found = match.lastgroup or "", match.group()
        if kind == "date":
            return found
        if kind in masks:
            try:
                return masks[kind](found) or ""
            except ValueError:  # four numbers with dots that are no address
                return _digits(digits, found)
        return masks["phone"](found) or "" if kind == "number" else _digits(digits, found)

    def mask(value: str) -> str:
        pieces = []
        done = 0
        for match in _PIECES.finditer(value):
            pieces += [_named(people, value[done : match.start()]), other(match)]
            done = match.end()
        return "".join([*pieces, _named(people, value[done:])])

    return mask


def _named(people: Callable[[str], str] | None, text: str) -> str:
    return people(text) if people is not None and text else text


def _digits(permute: Digits, text: str) -> str:
    fresh = iter(permute("".join(char for char in text if char in "0123456789")))
    return "".join(next(fresh) if char in "0123456789" else char for char in text)


def _misfit(_parameters: Parameters, facts: Facts) -> str | None:
    if facts.unique:
        return "may give two rows the same text, but the column is unique"
    if facts.max_length is not None:
        return f"may need more room than the column's {facts.max_length} characters"
    return None


DEFINITIONS = (
    Definition(
        name="scrub",
        summary="The same prose with other e-mails, phones, numbers, codes, and other names for "
        "everybody whom a name column of the database knows.",
        accepts=frozenset({Kind.TEXT}),
        build=_scrub,
        partial=True,
        people=True,
        vocabulary=lambda _parameters: emitted(),
        misfit=_misfit,
    ),
)
