"""Postal addresses and companies."""

import functools
from collections.abc import Callable

from .base import ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .person import fit, not_unique
from .vocabulary import emitted, fold, invented, pick, styled

ENDINGS = ("ville", "ton", "burg", "field")
TEXT = frozenset({Kind.TEXT})


STREETS = ("Street", "Avenue", "Lane")


def _place(key: Key, value: str) -> str:
    return pick(invented("last"), key.word("place", value, 0), value)


def _street(key: Key, value: str) -> str:
    house = key.word("place", value, 1) % 998 + 1
    return f"{house} {_place(key, value)} {STREETS[key.word('place', value, 2) % 2]}"


def _city(key: Key, value: str) -> str:
    return _place(key, value) + ENDINGS[key.word("place", value, 1) % len(ENDINGS)]


def _company(key: Key, value: str) -> str:
    return f"{_place(key, value)} {pick(invented('first'), key.word('place', value, 1), value)} Ltd"


def _column_of(rule: str, facts: Facts, key: Key) -> ColumnMask:
    """Return the mask of whole columns for one of the rules of this module."""
    import polars as pl

    from . import columns
    from .base import words_of

    def make(digests: pl.Series, folded: pl.Series) -> columns.Made:
        place, holds = columns.picked(invented("last"), words_of(digests, 0), folded)
        number = words_of(digests, 1)
        if rule == "street_address":
            kind = pl.Series(STREETS).gather(words_of(digests, 2) % 2)
            return columns.joined((number % 998 + 1).cast(pl.String), " ", place, " ", kind), holds
        if rule == "city":
            ending = pl.Series(ENDINGS).gather(number % len(ENDINGS))
            return columns.joined(place, ending), holds
        if rule == "state":
            return place, holds
        other, also = columns.picked(invented("first"), number, folded)
        return columns.joined(place, " ", other, " Ltd"), holds & also

    return columns.styled_words("place", make, facts, key)


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
        build_column=lambda _parameters, facts, key: _column_of(name, facts, key),
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
