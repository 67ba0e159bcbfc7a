"""What subsetting asks of an engine, and where the sets of a drawing lie among our bookkeeping."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ..errors import BadInput
from ..model.catalog import Table

BOUND = "\0"
"""What stands for a bound value; no name can hold it."""

KEPT = '"_dbcycle_kept"'
"""The alias of a set where it is joined with its table."""

Sql = str
"""A piece of SQL."""


Kept = Callable[[str], Sql]
"""Gives the join that leaves only the kept rows of a table under an alias."""


def everything(_alias: str) -> Sql:
    """Return no join: every row is kept."""
    return ""


class Dialect(Protocol):
    """What differs between the engines."""

    recursive: bool
    """Whether a chain of self-references is walked in one statement."""

    def relation(self, table: Table) -> Sql:
        """Return what to select from."""

    def identifier(self, name: str) -> Sql:
        """Return a quoted name."""

    def bookkeeping(self, name: str) -> Sql:
        """Return the quoted name of a table of our own."""

    def identity(self, table: Table) -> tuple[Sql, ...]:
        """Return the names that tell one row from every other."""

    def text(self, value: Sql) -> Sql:
        """Return a value as text."""

    def drawn(self, table: Table, alias: str) -> Sql:
        """Return a row's place in the draw: a hash of its key under the salt in force."""

    def mark(self, table: Table, alias: str) -> Sql:
        """Return a number that a row's key decides, for digests of many rows."""

    def below(self, fraction: float) -> Sql:
        """Return the comparison that holds for that share of all places."""

    def salted(self, salt: str) -> None:
        """Put a salt in force; it never becomes part of a statement."""

    def create(self, name: str, identity: int, select: Sql, columns: Sequence[str]) -> int:
        """Make a table of what a query finds, and return how many rows that were."""

    def exists(self, name: str) -> bool:
        """Tell whether a table of our own is there."""

    def run(self, sql: Sql, values: Sequence[Any] = ()) -> int:
        """Run one statement and return how many rows it changed; ``values`` are bound where
        :data:`BOUND` stands.
        """

    def rows(self, sql: Sql, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds; ``values`` as in :meth:`run`."""

    def refused(self, where: str) -> AbstractContextManager[None]:
        """Turn a refusal of the user's own SQL into BadInput at ``where``, without a value."""

    def measured(self, name: str, rows: int) -> None:
        """Let the planner know a table of ours that has grown by so many rows."""

    def size(self, table: Table) -> int | None:
        """Return about how many bytes a table's rows take, if that can be known."""

    def marked(self, kept: Sql) -> tuple[int, str]:
        """Return how many rows a set has, and the sum of their marks."""


def kept_name(number: int) -> str:
    """Return the name among our bookkeeping of one table's kept rows."""
    return f"kept_{number}"


def joining(identity: Sequence[Sql], kept: Sql, alias: str) -> Sql:
    """Return the join that leaves only the kept rows of what was selected under an alias."""
    return f" JOIN {kept} AS {KEPT} ON {same_row(identity, alias, KEPT)}"


def same_row(identity: Sequence[Sql], alias: str, kept: str) -> Sql:
    """Return the condition that a row of a set is a row of its table."""
    return " AND ".join(f"{kept}.i{n} = {alias}.{name}" for n, name in enumerate(identity))


def forget(dialect: Dialect) -> None:
    """Drop the sets of a former drawing."""
    for name in drawn_before(dialect).values():
        if name is not None:
            dialect.run(f"DROP TABLE IF EXISTS {name}")
    for name in ("subset", "subset_values"):
        dialect.run(f"DROP TABLE IF EXISTS {dialect.bookkeeping(name)}")


def drawn_before(dialect: Dialect) -> dict[str, Sql | None]:
    """Return the set of each table of the subset that was drawn here; None keeps every row."""
    return {
        name: None if number is None else dialect.bookkeeping(kept_name(number))
        for name, number in _recorded(dialect)
    }


def _recorded(dialect: Dialect) -> list[tuple[Any, ...]]:
    if not dialect.exists("subset"):
        return []
    return dialect.rows(f"SELECT table_id, number FROM {dialect.bookkeeping('subset')} ORDER BY 1")


def joined(dialect: Dialect, table: Table) -> Kept:
    """Return what joins the kept rows of a table.

    Raises:
        BadInput: no subset was drawn here.
    """
    drawn = drawn_before(dialect)
    if table.id not in drawn:
        raise BadInput(
            "the config asks for a subset, and none was drawn in this database",
            where=table.id,
            remedy="run `dbcycle refresh`; another database than the migrated one (--db-url) is "
            "read whole, without `sample` and `subset` in the config",
        )
    kept = drawn[table.id]
    if kept is None:
        return everything
    identity = dialect.identity(table)
    return lambda alias: joining(identity, kept, alias)
