"""Tables as SQLAlchemy reflects them, with what its reflection leaves out made good."""

import warnings

import sqlalchemy

from ...model.catalog import Catalog
from . import lexer


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
        table, stated = metadata.tables[name], lexer.table_options(sql or "")
        options = table.dialect_options["sqlite"]
        if "WITHOUT ROWID" in stated:
            options["with_rowid"] = False
        if "STRICT" in stated:
            options["strict"] = True
        if "AUTOINCREMENT" in stated:
            options["autoincrement"] = True
    for table in catalog.tables.values():
        for column in table.columns:
            if column.name in metadata.tables[table.name].columns:
                metadata.tables[table.name].c[column.name].info["spelled"] = column.type
    metadata.info["enums"] = []
    return metadata
