"""Rows out of recipes."""

from collections.abc import Mapping

from ...anonymizers.base import Kind
from ..catalog import Column, Table
from .recipe import Recipe, Source
from .solve import Given, ordered
from .values import value
from .words import number_of


def invent(recipe: Recipe, index: int, given: Given) -> dict[str, str | None]:
    """Return the columns that are invented for the ``index``-th row (from 1), in text form.

    What is ``given`` is left out; columns that the database or a parent decides are left out too.
    """
    row = dict(given)
    for item in recipe.fields:
        name = item.column.name
        if name in given:
            continue
        if item.source is Source.NULL:
            row[name] = None
        elif item.source is Source.INVENTED:
            row[name] = value(item.want, index)
    for item in recipe.fields:
        if item.source is Source.OWN and item.column.name not in given:
            row[item.column.name] = row.get(item.parent)
    made = ordered(row, recipe.orders, recipe.table, frozenset(given))
    if recipe.engine == "sqlite":
        made |= _as_numbers(recipe.table, made)
    return {name: text for name, text in made.items() if name not in given}


def _as_numbers(table: Table, row: Given) -> dict[str, str | None]:
    truths = {column.name for column in table.columns if column.kind is Kind.BOOLEAN}
    return {
        name: {"f": "0", "t": "1"}.get(row[name] or "", row[name]) for name in truths & set(row)
    }


def lacking(table: Table, given: Given) -> list[Column]:
    """Return the columns that neither the record nor the database gives a value."""
    return [
        column
        for column in table.stored_columns
        if column.name not in given
        and not column.nullable
        and not column.has_default
        and not column.identity
    ]


def complete(recipe: Recipe, given: Given) -> dict[str, str]:
    """Return what a hand-written record lacks, always the same for the same primary key.

    A column for which nothing is known is left out.
    """
    key = [given.get(name) for name in recipe.table.primary_key]
    index = number_of(recipe.table.id, *key) % 10**9 + 1
    found: Mapping[str, str | None] = invent(recipe, index, given)
    missing = {column.name for column in lacking(recipe.table, given)}
    return {name: text for name, text in found.items() if name in missing and text is not None}
