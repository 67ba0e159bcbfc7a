"""The words that fakes are made of.

Names are *invented*: halves of Faker's own names, blended into names that occur in no Faker list.
A real name in the output is then always a finding, never a coincidence.
"""

import functools
import hashlib
import importlib
import pkgutil
import re

SIZE = 6000
_LENGTHS = range(7, 12)
_SPLIT = re.compile(r"(?<=[aeiouy])(?=[bcdfghjklmnprstvz][a-z])")

PROSE = tuple(
    """
    lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor incididunt
    labore dolore aliqua enim minim veniam quis nostrud exercitation ullamco laboris
    nisi aliquip commodo consequat duis aute irure reprehenderit voluptate velit esse
    cillum fugiat nulla pariatur excepteur sint occaecat cupidatat proident sunt culpa
    officia deserunt mollit anim laborum perspiciatis unde omnis iste natus voluptatem
    accusantium doloremque laudantium totam aperiam eaque ipsa quae illo inventore
    veritatis architecto beatae vitae dicta explicabo nemo ipsam voluptas aspernatur
    odit fugit consequuntur magni ratione sequi nesciunt porro quisquam dolorem adipisci
    numquam eius modi tempora incidunt magnam aliquam quaerat
    """.split()  # noqa: SIM905 - words read better as prose
)
FIXED = frozenset(
    {*PROSE, "street", "avenue", "lane", "ltd", "https", "example", "com", "org", "net"}
)


def _names(locale: str, attributes: tuple[str, ...]) -> set[str]:
    provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    found: set[str] = set()
    for attribute in attributes:
        listed = getattr(provider, attribute, ())
        for name in () if isinstance(listed, property) else listed:
            found.update(re.findall(r"[^\W\d_]+", str(name)))
    return found


FIRST = ("first_names", "first_names_male", "first_names_female", "first_names_nonbinary")
LAST = ("last_names", "last_names_male", "last_names_female")


def locales() -> list[str]:
    """Return every locale for which Faker knows names of persons."""
    folder = importlib.import_module("faker.providers.person").__path__
    return sorted(found.name for found in pkgutil.iter_modules(folder) if found.ispkg)


@functools.cache
def real_names() -> frozenset[str]:
    """Return every word of every name that Faker knows, folded, and our own fixed words."""
    names: set[str] = set()
    for locale in locales():
        names |= _names(locale, (*FIRST, *LAST))
    return frozenset(name.casefold() for name in names) | FIXED


@functools.cache
def known_names(kind: str) -> frozenset[str]:
    """Return the words of every ``first`` or ``last`` name that Faker knows, folded."""
    attributes = FIRST if kind == "first" else LAST
    return frozenset(name.casefold() for locale in locales() for name in _names(locale, attributes))


@functools.cache
def invented(kind: str) -> tuple[str, ...]:
    """Return invented ``first`` or ``last`` names, capitalized, always the same ones."""
    source = sorted(
        name.casefold()
        for name in _names("en_US", FIRST if kind == "first" else LAST)
        if name.isascii()
    )
    # Three parts of three names: two parts alone often meet in a real one.
    split = [parts for name in source if len(parts := _SPLIT.split(name)) > 1]
    heads = sorted({parts[0] for parts in split if len(parts[0]) > 1})
    middles = sorted({part for parts in split for part in parts[1:-1]})
    tails = sorted({parts[-1] for parts in split})
    found: set[str] = set()
    counter = 0
    while len(found) < SIZE:
        number = int.from_bytes(hashlib.sha256(f"{kind}{counter}".encode()).digest()[:8], "big")
        counter += 1
        chosen = ((heads, number), (middles, number >> 20), (tails, number >> 40))
        name = "".join(pool[index % len(pool)] for pool, index in chosen)
        if len(name) in _LENGTHS and name not in real_names() and not re.search(r"(.)\1\1", name):
            found.add(name)
    return tuple(name.capitalize() for name in sorted(found))


@functools.cache
def emitted() -> frozenset[str]:
    """Return every word that names, addresses and prose of ours are made of, folded."""
    names = (*invented("first"), *invented("last"))
    return FIXED | frozenset(name.casefold() for name in names)


def pick(pool: tuple[str, ...], number: int, value: str) -> str:
    """Return the pool's entry for the number of a value; never one that equals the value."""
    for step in range(len(pool)):
        found = pool[(number + step) % len(pool)]
        if found.casefold() != value:
            return found
    return pool[number % len(pool)]


def fold(value: str) -> str:
    """Return a value as its domain compares it: trimmed, without case."""
    return " ".join(value.split()).casefold()


def styled(fake: str, like: str) -> str:
    """Return a fake in upper or lower case if the original is."""
    if like.isupper() and len(like) > 1:
        return fake.upper()
    return fake.lower() if like.islower() else fake
