"""Telephone numbers, in the punctuation that they are written with."""

import re
from collections.abc import Callable
from typing import Literal

import pydantic

from .base import ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import Codes, Digits, walk

_TWO = re.compile("2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""Calling codes of two digits (ITU-T E.164); 1 and 7 have one, all others have three."""
_SPOKEN = re.compile(r"(?i)\b(?:tel|telephone|phone|fax|mobile|mob|cell|home|work|office)\b")
_EXTENSION = re.compile(r"(?i)(?:\bext(?:ension)?|x|#)[\s.:]*[0-9]+\s*$")
_START = re.compile(r"[^0-9]*\+[^0-9]*|[^0-9]*00(?=[1-9])")
_TRUNK = re.compile(r"[^0-9]*\(0\)|[^0-9]*0(?=[^0-9]*[1-9])")
_NANP, _BRITISH = "1", "44"
_AREAS = ("212", "213", "312", "404", "415", "503", "512", "602", "617", "702", "801", "919")
_WIDTH = 10


class Phone(Parameters):
    """How a number is replaced."""

    numbers: Literal["permuted", "fictional"] = pydantic.Field(
        default="permuted",
        description="`permuted` keeps unique unique; `fictional` puts North American numbers into "
        "555-0100 to 555-0199 and British ones into Ofcom's ranges for drama; others are permuted",
    )
    calling_code: str | None = pydantic.Field(
        default=None,
        pattern=r"^[1-9][0-9]{0,2}$",
        description="the country of numbers that are written without one, such as 1 or 44",
    )


def code_of(digits: str) -> str:
    """Return the calling code at the start of an international number."""
    if digits[:1] in {"1", "7"}:
        return digits[:1]
    return digits[:2] if _TWO.match(digits) else digits[:3]


def _taken(text: str, count: int) -> int:
    """Return where a text's first ``count`` digits end."""
    place = 0
    while count:
        count -= text[place] in "0123456789"
        place += 1
    return place


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")


def _split(number: str, default: str | None) -> tuple[str, str, str]:
    """Return what is kept of a number, its calling code, and the rest."""
    kept, code, rest = "", default or "", number
    if (start := _START.match(number)) is not None:
        kept, rest = start.group(), number[start.end() :]
        code = code_of(_digits(rest))
        end = _taken(rest, len(code))
        kept, rest = kept + rest[:end], rest[end:]
    if (trunk := _TRUNK.match(rest)) is not None:
        kept, rest = kept + trunk.group(), rest[trunk.end() :]
    elif not kept and default == _NANP and re.match(r"[^0-9]*1(?:[^0-9]*[0-9]){10}", rest):
        kept, rest = rest[: _taken(rest, 1)], rest[_taken(rest, 1) :]
    return kept, code, rest


def _likely(code: str, like: str) -> Callable[[str], bool]:
    """Return whether digits may stand where ``like`` stood: no zero first, no odd area code."""
    if code == _NANP and len(like) == _WIDTH and like[0] > "1" and like[3] > "1":
        return lambda made: made[0] > "1" and made[3] > "1"
    return lambda made: (made[0] == "0") == (like[0] == "0")


def _fictional(code: str, made: str, like: str) -> str | None:
    if len(made) != _WIDTH:
        return None
    if code == _NANP:
        return f"{_AREAS[int(made[:4]) % len(_AREAS)]}55501{made[8:]}"
    if code == _BRITISH:
        return {"7": "7700900", "2": "2079460"}.get(like[0], "1632960") + made[7:]
    return None


def _phone(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Phone)  # noqa: S101 - the registry pairs them
    permute = Digits(key, "phone")
    extensions = Digits(key, "phone extension")
    codes = Codes(key, "phone text")

    def changed(number: str) -> str:
        kept, code, rest = _split(number, parameters.calling_code)
        digits = _digits(rest)
        if not digits:  # too short for what it seemed to start with
            return codes(number)
        made = walk(permute, digits, _likely(code, digits))
        if parameters.numbers == "fictional":
            made = _fictional(code, made, digits) or made
        fresh = iter(made)
        return kept + "".join(next(fresh) if char in "0123456789" else char for char in rest)

    def mask(value: str) -> str:
        found = _EXTENSION.search(value)
        number, extension = (value[: found.start()], found.group()) if found else (value, "")
        if re.search(r"[^\W0-9_]", _SPOKEN.sub("", number)) or not _digits(number):
            return codes(value)  # words, or digits of another script: no telephone number
        fresh = iter(extensions(_digits(extension)))
        return changed(number) + re.sub("[0-9]", lambda _digit: next(fresh), extension)

    return mask


def _column(parameters: Parameters, _facts: Facts, key: Key) -> ColumnMask | None:
    from .phone_columns import permuted

    assert isinstance(parameters, Phone)  # noqa: S101 - the registry pairs them
    if parameters.numbers == "fictional":
        return None
    return permuted(Digits(key, "phone"), parameters.calling_code)


def _misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Phone)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.numbers == "fictional":
        return "has too few fictional numbers for a unique column; `numbers: permuted` has enough"
    return None


DEFINITIONS = (
    Definition(
        name="phone",
        summary="Other digits in the same punctuation, calling code and trunk prefix kept; unique.",
        accepts=frozenset({Kind.TEXT}),
        build=_phone,
        build_column=_column,
        parameters=Phone,
        unique=True,
        version=2,
        misfit=_misfit,
        length_preserving=True,
        format_preserving=True,
        reversible=True,
    ),
)
