"""Free text, and text whose shape matters."""

import re

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import Digits
from .vocabulary import FIXED, PROSE, fold

TEXT = frozenset({Kind.TEXT})
_WORD = re.compile(r"[^\W_]+(?:[@.\-'’/:+][^\W_]+)*")
_LEXEME = re.compile(r"'((?:[^']|'')*)'")


def prose(key: Key, value: str) -> str:
    """Return prose of the same shape: every word, number and address becomes another word of about
    its length; line breaks and punctuation stay.
    """
    seed = key.digest("prose", fold(value)).hex()
    counter = 0

    def word(match: re.Match[str]) -> str:
        nonlocal counter
        counter += 1
        wanted = match.group()
        number = key.number("prose word", f"{seed}{counter}")
        fitting = [entry for entry in _by_length(len(wanted)) if entry != wanted.casefold()]
        made = fitting[number % len(fitting)] if fitting else "xq"[wanted.casefold() == "x"]
        return made.capitalize() if wanted[:1].isupper() else made

    return _WORD.sub(word, value)


def _by_length(length: int) -> tuple[str, ...]:
    """Return words that are not longer, and not much shorter, than ``length``."""
    near = tuple(word for word in PROSE if length - 3 <= len(word) <= length)
    return near or tuple(word for word in PROSE if len(word) <= length)


def _free_text(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    return lambda value: prose(key, value)


def _scramble(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    digits = Digits(key, "scramble")

    def mask(value: str) -> str:
        stream = key.digest("scramble", value, 64)
        fresh = iter(digits("".join(char for char in value if char in "0123456789")))

        def other(index: int, char: str) -> str:
            if char in "0123456789":
                return next(fresh)
            if not char.isalpha():
                return str(stream[index % 64] % 10) if char.isalnum() else char
            step = 1 + stream[index % 64] % 25
            base = ord("A") if char.isupper() else ord("a")
            place = (ord(char) - base) % 26 if char.isascii() else ord(char) % 26
            return chr(base + (place + step) % 26)

        return "".join(other(index, char) for index, char in enumerate(value))

    return mask


def _redact(_parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    return lambda value: re.sub(r"[^\W_]", "█", value)


def _tsvector(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    def lexeme(match: re.Match[str]) -> str:
        number = key.number("lexeme", match.group(1))
        return f"'{PROSE[number % len(PROSE)]}{number >> 64 & 0xFFF:03x}'"

    return lambda value: _LEXEME.sub(lexeme, value)


def _not_injective(_parameters: Parameters, facts: Facts) -> str | None:
    return "may give two rows the same text, but the column is unique" if facts.unique else None


def _words(_parameters: Parameters) -> frozenset[str]:
    return FIXED | {"x", "q"}


DEFINITIONS = (
    Definition(
        name="free_text",
        summary="Other words of about the same length; punctuation and line breaks stay.",
        accepts=TEXT,
        build=_free_text,
        vocabulary=_words,
        misfit=_not_injective,
    ),
    Definition(
        name="scramble",
        summary="Other letters and digits in the same places; for codes of a fixed shape.",
        accepts=TEXT,
        build=_scramble,
        version=2,
        length_preserving=True,
        format_preserving=True,
    ),
    Definition(
        name="postal_code",
        summary="Other letters and digits in the same places.",
        accepts=TEXT,
        build=_scramble,
        version=2,
        searchable=False,
        length_preserving=True,
        format_preserving=True,
    ),
    Definition(
        name="redact",
        summary="A block for every letter and digit.",
        accepts=TEXT,
        build=_redact,
        length_preserving=True,
        keyed=False,
        misfit=_not_injective,
    ),
    Definition(
        name="tsvector",
        summary="Other lexemes at the same positions.",
        accepts=frozenset({Kind.TSVECTOR}),
        build=_tsvector,
        searchable=False,
    ),
)
