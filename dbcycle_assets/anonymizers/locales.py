"""Invented names in the sounds and the script of a language, also of women or men only."""

import functools
import hashlib
import importlib
import re
import unicodedata

from .vocabulary import SIZE, locales, real_names

FEWEST = 200
"""Fewer different names would make everybody a namesake."""
_TRIES = 40_000
_LENGTHS = range(4, 13)
_VOWELS = frozenset("aeiouyæøœаеиоуыэюяіїєαεηιουω")
_ATTRIBUTES = {
    ("first", None): ("first_names", "first_names_female", "first_names_male"),
    ("first", "female"): ("first_names_female",),
    ("first", "male"): ("first_names_male",),
    ("last", None): ("last_names", "last_names_female", "last_names_male"),
    ("last", "female"): ("last_names_female", "last_names"),
    ("last", "male"): ("last_names_male", "last_names"),
}
LAST_FIRST = ("hu", "ja", "ko", "vi", "zh")
"""Languages that put the family's name first."""


def _sources(locale: str, kind: str, gender: str | None) -> list[str]:
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    for attribute in _ATTRIBUTES[kind, gender]:
        kana = attribute.replace("_names", "_kana_names")
        listed = getattr(provider, kana, None) or getattr(provider, attribute, ())
        if isinstance(listed, property) or not listed:
            continue
        found = {word for name in listed for word in re.findall(r"[^\W\d_]+", str(name).casefold())}
        if found:
            return sorted(found)
    return []


def _vowel(char: str) -> bool:
    return unicodedata.normalize("NFD", char)[0] in _VOWELS


def _cut(name: str) -> tuple[str, str] | None:
    """Return the two parts of a name, cut after a vowel near its middle, or in the middle."""
    places = [
        place
        for place in range(2, len(name) - 1)
        if _vowel(name[place - 1]) and not _vowel(name[place])
    ]
    if places:
        place = min(places, key=lambda place: abs(2 * place - len(name)))
        return name[:place], name[place:]
    if any(_vowel(char) for char in name):
        return None
    place = max(1, len(name) // 2)
    return name[:place], name[place:] or name


@functools.cache
def blended(locale: str, kind: str, gender: str | None) -> tuple[str, ...]:
    """Return invented names of a locale: the head of one name and the tail of another; nobody's.

    Raises:
        ValueError: the locale is unknown, or it has too few names for that.
    """
    if locale not in locales():
        message = f"there are no names for the locale {locale}"
        raise ValueError(message)
    source = _sources(locale, kind, gender)
    parts = [cut for name in source if (cut := _cut(name))]
    heads = sorted({head for head, _tail in parts})
    tails = sorted({tail for _head, tail in parts})
    alphabetic = any(_vowel(char) for name in source for char in name)
    lengths = _LENGTHS if alphabetic else range(2, _LENGTHS.stop)
    taken = real_names() | set(source)
    found: set[str] = set()
    for counter in range(_TRIES if heads and tails else 0):
        drawn = hashlib.sha256(f"{locale}{kind}{gender}{counter}".encode()).digest()
        first, second = int.from_bytes(drawn[:8], "big"), int.from_bytes(drawn[8:16], "big")
        name = heads[first % len(heads)] + tails[second % len(tails)]
        if len(name) in lengths and name not in taken and not re.search(r"(.)\1\1", name):
            found.add(name.capitalize())
        if len(found) == SIZE:
            break
    if len(found) < FEWEST:
        message = f"the locale {locale} has too few {gender or ''} {kind} names"
        raise ValueError(" ".join(message.split()))
    return tuple(sorted(found))
