"""Marks: what an original would be recognised by.

A mark is an e-mail address (``@``), the digits of a phone number (``#``), a name or phrase of up to
six words (``w``; ``f`` its first word), or a whole value (``t``).
"""

import functools
import itertools
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping

import xxhash

from ..anonymizers.base import Key

NAMES = frozenset({"first_name", "last_name", "full_name", "username"})
"""Rules whose originals are searched word for word, single words included."""

PHRASES = frozenset({"street_address", "company"})
"""Rules whose originals are searched as phrases of two words or more."""

LONGEST_PHRASE = 6
SHORTEST_WHOLE = 8
SHORTEST_NAME = 3
WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile(r"[0-9a-z]+")
_EMAIL = re.compile(r"[^\s@<>\"'(),;:{}\[\]]+@[^\s@<>\"'(),;:{}\[\]]+\.[^\s@<>\"'(),;:{}\[\].]+")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().\-/]{5,20}\d(?![\w])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
PHONE_DIGITS = range(7, 16)
_DIGITS_ENOUGH = re.compile(r"\d(?:\D*\d){6}")


def words(text: str) -> list[str]:
    """Return the words of a text, folded so that case and compatibility forms do not matter."""
    if text.isascii():  # most texts are, and they are their own compatibility form
        return _ASCII_WORD.findall(text.lower())
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def contacts(text: str) -> Iterator[str]:
    """Yield the marks of e-mail addresses and phone numbers found anywhere in a text."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield "@" + match.group().casefold().strip(".")
    if _DIGITS_ENOUGH.search(text) is None:
        return
    for match in _PHONE.finditer(_DATE.sub(" ", text)):
        digits = "".join(filter(str.isdigit, match.group()))
        if len(digits) in PHONE_DIGITS:
            yield "#" + digits


def _named(word: str) -> bool:
    return not word.isdigit() and (len(word) >= SHORTEST_NAME or not word.isascii())


def marks_of_original(value: str, rule: str) -> set[str]:
    """Return the marks by which an original of a rule would be recognised; may be empty."""
    marks = set(contacts(value))
    if rule == "scrub" or (marks and rule in {"email", "phone"}):
        return marks
    parts = words(value)
    phrase = " ".join(parts)
    whole = len(phrase) >= SHORTEST_WHOLE
    if rule in NAMES and len(parts) <= LONGEST_PHRASE:
        if len(parts) > 1 or (parts and _named(parts[0])):
            marks.add("w" + phrase)
    elif rule in PHRASES and 1 < len(parts) <= LONGEST_PHRASE and whole:
        marks.add("w" + phrase)
    elif whole and (len(parts) > 2 or any(map(str.isdigit, phrase))):  # noqa: PLR2004
        marks.add("t" + phrase)
    return marks


KINDS = "@#wft"
"""The first letters of marks."""


@functools.lru_cache(maxsize=256)
def seed_of(key: Key, kind: str) -> int:
    """Return the secret seed of one kind of marks."""
    return key.word("mark", kind, 0)


def mark_digest(key: Key, mark: str) -> int:
    """Return the 64 bits by which a mark is known: XXH3 (Collet) with a secret seed."""
    text = mark[1:].encode("utf-8", "surrogatepass")
    return xxhash.xxh3_64_intdigest(text, seed_of(key, mark[0]))


def json_leaves(document: object) -> Iterator[str]:
    """Yield every string and number of a JSON document, and its keys of more than a word."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if len(words(str(key))) > 1:
                yield str(key)
            yield from json_leaves(value)
    elif isinstance(document, list):
        yield from itertools.chain.from_iterable(map(json_leaves, document))
    elif isinstance(document, str):
        yield document
    elif document is not None and not isinstance(document, bool):
        yield str(document)


def leaves_of(value: str) -> list[str]:
    """Return the texts inside one value in text form: JSON leaves, decoded bytes, or itself."""
    if value[:2] == "\\x":
        try:
            decoded = bytes.fromhex(value[2:])
        except ValueError:
            return [value]
        # Prose inside binary formats is rare but real; the undecodable rest carries no words.
        return [decoded.decode("utf-8", "ignore")]
    if value[:1] in '{["' and value[-1:] in '}]"':
        try:
            return list(json_leaves(json.loads(value)))
        except (ValueError, RecursionError):
            return [value]
    return [value]
