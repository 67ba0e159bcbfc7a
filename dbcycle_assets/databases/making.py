"""Single rows on a SQLAlchemy connection of somebody else: for factories, in the user's own
transaction.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy

from ..errors import UsageError
from ..model.catalog import Catalog, Table


class Making(Protocol):
    """What factories need of an engine. Values are text forms; rows come back as the driver
    gives them.
    """

    def version(self, connection: sqlalchemy.Connection) -> str:
        """Return a text that changes when the schema changes."""

    def catalog(self, connection: sqlalchemy.Connection) -> Catalog:
        """Return the catalog of the database that a connection is on."""

    def insert(
        self, connection: sqlalchemy.Connection, table: Table, row: Mapping[str, str | None]
    ) -> dict[str, Any]:
        """Insert one row and return all its columns."""

    def find(
        self,
        connection: sqlalchemy.Connection,
        table: Table,
        values: Mapping[str, str],
        unless: Sequence[str] = (),
    ) -> dict[str, Any] | None:
        """Return the first row by primary key that has these values, whatever the case of texts
        in columns of ``unless``; None if there is none.
        """


def making(connection: sqlalchemy.Connection) -> Making:
    """Return how rows are made on a connection.

    Raises:
        UsageError: it is on another kind of database.
    """
    if connection.dialect.name == "sqlite":
        from .sqlite.making import SqliteMaking

        return SqliteMaking()
    if connection.dialect.name == "postgresql":
        from .postgres.making import PostgresMaking

        return PostgresMaking()
    raise UsageError(
        f"no rows can be made on {connection.dialect.name}", remedy="use PostgreSQL or SQLite"
    )
