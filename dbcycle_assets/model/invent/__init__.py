"""Inventing rows: what a table asks of a row, and values that give it. Pure and deterministic."""

from .recipe import Field, Parent, Recipe, Recipes, Source
from .rows import complete, invent, lacking

__all__ = [
    "Field",
    "Parent",
    "Recipe",
    "Recipes",
    "Source",
    "complete",
    "invent",
    "lacking",
]
