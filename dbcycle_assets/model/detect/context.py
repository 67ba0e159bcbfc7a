"""What a table says about its columns: whether it holds people, companies, records or lists."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from ...anonymizers.base import Kind
from ..catalog import Catalog, Table
from . import nouns
from .names import affixes, any_of, ending, matches, singular, words_of
from .nouns import CATALOGUE, NEUTRAL, ORGANISATIONS, PERSONS, RECORDS, THINGS

_STRUCTURAL_TABLES = 5
_STRUCTURAL_SHARE = 0.25
_FEWEST_ADDRESS_PARTS = 2
_OTHERS = PERSONS | RECORDS | CATALOGUE


@dataclass(frozen=True)
class Context:
    """What is known of a table before its columns are judged.

    ``person``: a row is a person; ``certain`` if the columns say so too. ``about``: a row refers
    to one. ``organisation``, ``thing`` (goods and places), ``record`` (a message, an order) and
    ``catalogue`` (types, settings) are what the name says. ``classes`` are those that the names
    of the columns tell without a context.
    """

    head: str
    words: tuple[str, ...]
    person: bool
    certain: bool
    about: bool
    organisation: bool
    thing: bool
    record: bool
    catalogue: bool
    classes: frozenset[str]
    affixes: frozenset[str]

    @property
    def impersonal(self) -> bool:
        """Whether the rows are organisations, goods or places, and not people."""
        return (self.organisation or self.thing) and not self.person

    @property
    def address(self) -> bool:
        """Whether the columns make up an address."""
        if not self.classes & {"address", "postal code"}:
            return False
        return len(self.classes & {"address", "postal code", "city", "state"}) >= (
            _FEWEST_ADDRESS_PARTS
        )


def contexts(catalog: Catalog) -> Mapping[str, Context]:
    """Return the context of every table; references to people count as evidence."""
    alone = {name: _context(table) for name, table in catalog.tables.items()}
    people = {name for name, context in alone.items() if context.person}
    return {
        name: _referring(context, catalog.tables[name], people) for name, context in alone.items()
    }


def structural(catalog: Catalog) -> frozenset[str]:
    """Return the names of columns that so many tables have that they tell of bookkeeping."""
    tables = len(catalog.tables)
    times: dict[str, int] = {}
    for table in catalog.tables.values():
        for column in table.columns:
            times[column.name] = times.get(column.name, 0) + 1
    least = max(_STRUCTURAL_TABLES, _STRUCTURAL_SHARE * tables)
    return frozenset(name for name, count in times.items() if count >= least)


def _context(table: Table) -> Context:
    words = _table_words(table.name)
    while len(words) > 1 and words[-1] in nouns.FILLERS:
        words = words[:-1]
    head = words[-1] if words else ""
    common = affixes(column.name for column in table.columns)
    classes = frozenset(
        klass
        for column in table.columns
        if column.kind is not Kind.BOOLEAN
        for start, end, klass in matches(words_of(column.name))[-1:]
        if not any_of(words_of(column.name)[end:], NEUTRAL)
    )
    named = bool(classes & {"first name", "last name"})
    reached = "email" in classes and bool(classes & {"phone", "username", "secret", "birth date"})
    lookup = words[-2:] in {("zip", "code"), ("postal", "code")}
    thing = (any_of((head,), THINGS) or lookup) and not named
    placed = (
        head in nouns.PLACED and any_of(words[:-1], ORGANISATIONS) and not any_of(words, PERSONS)
    )
    led = bool(words) and words[0] in ORGANISATIONS and not any_of(words[1:], _OTHERS)
    organisation = (head in ORGANISATIONS or placed or led) and not named
    technical = any_of(words, nouns.TECHNICAL) and not named
    romance = words[0] in PERSONS and not any_of(words[1:], CATALOGUE | RECORDS) if words else False
    certain = named or "birth date" in classes
    certain = certain or (reached and not organisation and not thing and head not in CATALOGUE)
    person = certain or head in PERSONS or romance
    return Context(
        head=head,
        words=words,
        person=person and not technical and not ((organisation or thing) and not named),
        certain=certain,
        about=False,
        organisation=organisation,
        thing=thing,
        record=any_of(words, RECORDS),
        catalogue=(technical or head in CATALOGUE or words[-1:] == ("type",)) and not named,
        classes=classes,
        affixes=common,
    )


@functools.cache
def _table_words(name: str) -> tuple[str, ...]:
    known = PERSONS | ORGANISATIONS | THINGS | RECORDS | CATALOGUE
    words = words_of(name.rpartition(".")[2])
    if words and not any_of(words[-1:], known):
        words = (*words[:-1], ending(words[-1], known))
    return tuple(
        word if word in PERSONS | ORGANISATIONS | THINGS else singular(word) for word in words
    )


def _referring(context: Context, table: Table, people: set[str]) -> Context:
    by_key = any(
        key.parent in people and not any_of(words_of(key.columns[0]), nouns.BOOKKEEPING)
        for key in table.foreign_keys
    )
    by_name = any(
        len(words := words_of(column.name)) > 1
        and words[-1] in {"id", "number", "code"}
        and any_of(words[:-1], PERSONS)
        and not any_of(words[:-1], nouns.BOOKKEEPING)
        for column in table.columns
    )
    by_login = "username" in context.classes and context.record
    return Context(**{**vars(context), "about": by_key or by_name or by_login})
