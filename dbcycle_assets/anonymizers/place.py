"""Postal addresses and companies."""

import functools
from collections.abc import Callable

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .person import fit, not_unique
from .vocabulary import emitted, fold, invented, pick, styled

ENDINGS = ("ville", "ton", "burg", "field")
TEXT = frozenset({Kind.TEXT})


def _place(key: Key, value: str) -> str:
    return pick(invented("last"), key, "place", value)


def _street(key: Key, value: str) -> str:
    kinds = ("Street", "Avenue", "Lane")
    number = key.number("house", value)
    return f"{number % 998 + 1} {_place(key, value)} {kinds[number >> 16 & 1]}"


def _city(key: Key, value: str) -> str:
    return _place(key, value) + ENDINGS[key.number("city", value) % len(ENDINGS)]


def _company(key: Key, value: str) -> str:
    return f"{_place(key, value)} {pick(invented('first'), key, 'company', value)} Ltd"


def _words(_parameters: Parameters) -> frozenset[str]:
    return emitted() | _towns()


@functools.cache
def _towns() -> frozenset[str]:
    names = invented("last")
    return frozenset(name.casefold() + ending for name in names for ending in ENDINGS)


def _definition(
    name: str, summary: str, make: Callable[[Key, str], str], *, searchable: bool
) -> Definition:
    def build(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
        def mask(value: str) -> str:
            folded = fold(value)
            return fit(styled(make(key, folded), value), facts) if folded else value

        return mask

    return Definition(
        name=name,
        summary=summary,
        accepts=TEXT,
        build=build,
        misfit=not_unique,
        searchable=searchable,
        vocabulary=_words,
    )


DEFINITIONS = (
    _definition("street_address", "An invented house number and street.", _street, searchable=True),
    _definition("city", "An invented town.", _city, searchable=False),
    _definition("state", "An invented region.", _place, searchable=False),
    _definition("company", "An invented company.", _company, searchable=True),
)
