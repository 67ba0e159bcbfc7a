"""Tables as SQLAlchemy reflects them, with what its reflection leaves out made good."""

import re
import warnings
from typing import Any

import sqlalchemy
from sqlalchemy.dialects.postgresql import DOMAIN

from ...model.catalog import Catalog
from .session import query

DEFAULT_SCHEMA = "public"


def reflect(connection: sqlalchemy.Connection, catalog: Catalog) -> sqlalchemy.MetaData:
    """Return the tables of a catalog; see the protocol. A domain has the whole type it is based on,
    a partitioned table how it is partitioned, and a column the spelling of its type.
    """
    metadata = sqlalchemy.MetaData()
    inspector: Any = sqlalchemy.inspect(connection)
    wanted: dict[str | None, list[str]] = {}
    for told in catalog.tables.values():
        schema = None if told.schema == DEFAULT_SCHEMA else told.schema
        wanted.setdefault(schema, []).append(told.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sqlalchemy.exc.SAWarning)  # types that nobody knows
        for schema, names in sorted(wanted.items(), key=lambda entry: entry[0] or ""):
            # A list of names would leave out a table that another schema has too.
            metadata.reflect(
                connection, schema=schema, only=lambda name, _, wanted=names: name in wanted
            )
    based = {(row.schema, row.name): row.base for row in connection.execute(_query("domains"))}
    keys = {
        (row.schema, row.name): row.partition_key
        for row in connection.execute(_query("partition_keys"))
    }
    spelled = {
        (told.schema, told.name, each.name): each.type
        for told in catalog.tables.values()
        for each in told.columns
    }
    for table in metadata.tables.values():
        schema = table.schema or DEFAULT_SCHEMA
        if key := keys.get((schema, table.name)):
            table.dialect_options["postgresql"]["partition_by"] = key
        for column in table.columns:
            if spelling := spelled.get((schema, table.name, column.name)):
                column.info["spelled"] = spelling
            if isinstance(column.type, DOMAIN):
                domain = column.type
                _complete(domain, based.get((domain.schema or DEFAULT_SCHEMA, domain.name), ""))
    metadata.info["enums"] = [
        {"name": found["name"], "schema": _other(found["schema"]), "labels": found["labels"]}
        for found in inspector.get_enums(schema="*")
        if found["schema"] != "_dbcycle"
    ]
    metadata.info["same_type"] = same_type
    return metadata


def same_type(real: Any, model: Any, dialect: sqlalchemy.Dialect) -> bool | None:
    """Tell whether a model's type is that of a column, or None where their spelling decides. A
    domain may be written as the type that it is based on.
    """
    if not isinstance(real, DOMAIN):
        return None
    base: Any = real.data_type
    if isinstance(model, DOMAIN):
        if (model.name, model.schema) != (real.name, real.schema):
            return False
        model = model.data_type
    return bool(base.compile(dialect) == model.compile(dialect))


def _query(name: str) -> sqlalchemy.TextClause:
    return sqlalchemy.text(query(name).decode())


def _other(schema: str | None) -> str | None:
    return None if schema == DEFAULT_SCHEMA else schema


def _complete(domain: DOMAIN, base: str) -> None:
    """Give a domain the length or precision of its base type, which reflection cuts off."""
    found = re.search(r"\(([\d,\s]+)\)", base)
    numbers = [int(part) for part in found.group(1).split(",")] if found else []
    kind: Any = domain.data_type
    if isinstance(kind, sqlalchemy.Numeric | sqlalchemy.String):
        make: Any = type(kind)
        domain.data_type = make(*numbers)
    domain.create_type = True
    inner: Any = kind.item_type if isinstance(kind, sqlalchemy.ARRAY) else domain.data_type
    if getattr(inner, "collation", None) == "default":
        inner.collation = None
    if domain.collation == "default":
        domain.collation = None
