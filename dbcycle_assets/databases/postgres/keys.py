"""Unique keys as SQL: which rows of one relation equal which rows of another."""

from collections.abc import Iterable
from dataclasses import dataclass

from ...model.catalog import Table
from .session import identifier


@dataclass(frozen=True)
class Key:
    """One key. ``parts`` are SQL over bare column names; ``where`` limits it to some rows."""

    name: str
    columns: tuple[str, ...]
    parts: tuple[str, ...]
    where: str | None = None
    nulls_equal: bool = False

    def side(self, relation: str, alias: str, also: Iterable[str]) -> str:
        """Return a derived table with the key's values as k1, k2, … and some more columns."""
        values = [f"{part} AS k{n}" for n, part in enumerate(self.parts, 1)]
        where = f" WHERE {self.where}" if self.where else ""
        return f"(SELECT {', '.join([*values, *also])} FROM {relation}{where}) AS {alias}"

    def equal(self, left: str, right: str) -> str:
        """Return the condition that two sides have equal keys."""
        sign = "IS NOT DISTINCT FROM" if self.nulls_equal else "="
        return " AND ".join(
            f"{left}.k{n} {sign} {right}.k{n}" for n in range(1, len(self.parts) + 1)
        )


def keys_of(table: Table) -> list[Key]:
    """Return the table's keys, the primary key first."""
    found = []
    if table.primary_key:
        parts = tuple(map(identifier, table.primary_key))
        found.append(Key("primary key", table.primary_key, parts))
    for key in table.unique_keys:
        if key.expression is None:
            found.append(Key(key.name, key.columns, tuple(map(identifier, key.columns))))
        else:
            found.append(_from_expression(key.name, key.columns, key.expression))
    return found


def _from_expression(name: str, columns: tuple[str, ...], expression: str) -> Key:
    parts, rest = _taken_apart(expression)
    nulls_equal = rest.startswith(" NULLS NOT DISTINCT")
    where = rest.removeprefix(" NULLS NOT DISTINCT").removeprefix(" WHERE ") or None
    return Key(name, columns, tuple(parts), where, nulls_equal)


def _taken_apart(text: str) -> tuple[list[str], str]:
    """Return the parts of a list in parentheses, as the server prints it, and what follows it."""
    depth, quote, start = 0, "", 1
    parts = []
    for position, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
            if not depth:
                parts.append(text[start:position])
                return parts, text[position + 1 :]
        elif sign == "," and depth == 1:
            parts.append(text[start:position])
            start = position + 1
    return [text], ""
