"""Tables as SQLAlchemy reflects them, with what its reflection leaves out made good."""

import warnings
from typing import Any

import sqlalchemy
from sqlalchemy.types import NullType

from ...model.catalog import Catalog
from . import lexer
from .values import affinity

_OPTIONS = (
    ("AUTOINCREMENT", "autoincrement", True),
    ("STRICT", "strict", True),
    ("WITHOUT ROWID", "with_rowid", False),
)


def reflect(connection: sqlalchemy.Connection, catalog: Catalog) -> sqlalchemy.MetaData:
    """Return the tables of a catalog, with the options that stand behind their definition."""
    metadata = sqlalchemy.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)  # types that nobody knows
        metadata.reflect(connection, only=[table.name for table in catalog.tables.values()])
    definitions = connection.execute(
        sqlalchemy.text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    )
    for name, sql in definitions:
        if name not in metadata.tables:
            continue
        stated = set(lexer.table_options(sql or ""))
        options = {key: value for word, key, value in _OPTIONS if word in stated}
        metadata.tables[name].dialect_options["sqlite"].update(options)
    for told in catalog.tables.values():
        for column in told.columns:
            if column.name in metadata.tables[told.name].columns:
                metadata.tables[told.name].c[column.name].info["spelled"] = column.type
    metadata.info["enums"] = []
    metadata.info["same_type"] = same_type
    return metadata


_STORED: tuple[tuple[Any, frozenset[str]], ...] = (
    (sqlalchemy.Boolean, frozenset({"INTEGER", "NUMERIC"})),
    (sqlalchemy.Integer, frozenset({"INTEGER", "NUMERIC"})),
    (sqlalchemy.Numeric, frozenset({"REAL", "NUMERIC", "INTEGER"})),
    (sqlalchemy.LargeBinary, frozenset({"BLOB"})),
    (
        (sqlalchemy.DateTime, sqlalchemy.Date, sqlalchemy.Time, sqlalchemy.JSON, sqlalchemy.Uuid),
        frozenset({"TEXT", "NUMERIC"}),
    ),
    ((sqlalchemy.String, sqlalchemy.Enum), frozenset({"TEXT"})),
)
"""Which affinity of a column holds what SQLAlchemy writes for a type."""


def same_type(real: Any, model: Any, dialect: sqlalchemy.Dialect) -> bool | None:
    """Tell whether a column holds what a model's type writes, as its affinity decides; None for
    texts that both have a length, and types that nobody knows.
    """
    lengths = (getattr(real, "length", None), getattr(model, "length", None))
    if isinstance(model, NullType) or isinstance(real, NullType):
        return True
    if isinstance(model, sqlalchemy.String) and None not in lengths:
        return None
    declared = affinity(str(real.compile(dialect)))
    for kinds, held in _STORED:
        if isinstance(model, kinds):
            return declared in held
    return None
