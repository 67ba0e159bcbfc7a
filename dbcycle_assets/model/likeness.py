"""How models and a schema differ, as values: what, where, and what to do about it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ADD = "write it in the model, or drop it in a migration"
REMOVE = "take it out of the model, or write the migration that makes it"
CHANGE = "correct the model, or write the migration that changes the schema"

ALIKE = 0.6
"""The share of columns in common from which two tables are taken for one that was renamed."""


@dataclass(frozen=True, order=True)
class Mismatch:
    """One difference. ``member`` is the class or ``Class.attribute`` of the model, if it has one;
    ``column`` is empty where the finding is about the whole table, and ``table`` where it is about
    an enum.
    """

    table: str
    column: str
    kind: str
    what: str
    remedy: str
    member: str = ""

    @property
    def place(self) -> str:
        """The column, table or enum that it is about."""
        return f"{self.table}.{self.column}" if self.column else self.table

    def __str__(self) -> str:
        where = [part for part in (self.place, self.member and f"({self.member})") if part]
        return f"{' '.join(where) or 'models'}: {self.what} → {self.remedy}"


def renamed(
    modelled: Mapping[str, Iterable[str]], existing: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """Return which mapped table each table that nothing maps seems to have been: a guess from the
    columns that they share.
    """
    found: dict[str, str] = {}
    for table, columns in sorted(existing.items()):
        shares = sorted(
            (-_share(set(columns), set(other)), name)
            for name, other in modelled.items()
            if name not in found.values()
        )
        if shares and -shares[0][0] >= ALIKE:
            found[table] = shares[0][1]
    return found


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


def label_difference(modelled: Sequence[str], existing: Sequence[str]) -> str:
    """Return how the labels of an enum differ, or an empty string."""
    missing = [label for label in existing if label not in modelled]
    more = [label for label in modelled if label not in existing]
    parts = []
    if missing:
        parts.append(f"lacks {_listed(missing)}")
    if more:
        parts.append(f"has {_listed(more)}, which the schema lacks")
    if not parts and list(modelled) != list(existing):
        parts.append(f"has another order: the schema has {_listed(existing)}")
    return " and ".join(parts)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(f"`{label}`" for label in labels)


def spelled(expression: str) -> str:
    """Return a SQL expression without what the database adds when it prints one: casts, brackets,
    spaces, and capitals outside of quotes.
    """
    pieces = re.split(r"('(?:[^']|'')*')", expression)
    made = "".join(piece if n % 2 else _bare(piece) for n, piece in enumerate(pieces))
    number = re.fullmatch(r"'(-?\d+(?:\.\d+)?)'", made)
    return number.group(1) if number else made


def _bare(text: str) -> str:
    cast = r"::\s*(?:\"[^\"]+\"|[a-z_][\w.]*(?: varying| precision| with(?:out)? time zone)?)"
    text = re.sub(rf"(?i){cast}(?:\s*\([\d, ]+\))?(?:\[\])*", "", text)
    return re.sub(r'[\s()"]', "", text).lower()


def check_differences(
    table: str, member: str, modelled: Mapping[str, str], existing: Mapping[str, str]
) -> list[Mismatch]:
    """Return the check constraints that only one side has. Both map a name to an expression; what
    has no name has a number in its place. Names decide; without a name the text does.
    """
    texts = {spelled(text) for text in modelled.values()}
    found = [
        Mismatch(
            table, "", "check", f"the model lacks the check {_called(name, text)}", ADD, member
        )
        for name, text in sorted(existing.items())
        if name not in modelled and spelled(text) not in texts
    ]
    texts = {spelled(text) for text in existing.values()}
    return found + [
        Mismatch(
            table, "", "check", f"the schema lacks the check {_called(name, text)}", REMOVE, member
        )
        for name, text in sorted(modelled.items())
        if name not in existing and spelled(text) not in texts
    ]


def _called(name: str, text: str) -> str:
    return f"({text})" if name.isdigit() else f"`{name}`"
