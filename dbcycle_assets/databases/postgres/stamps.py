"""The stamp of a database that we made: a comment, which no copy and no dump of it carries."""

import json
from collections.abc import Mapping
from typing import Any

from ..port import Stamp
from .session import Connection, identifier, literal, statement, translated

_PREFIX = "dbcycle "
HALF_MADE = 1_953_719_668
"""The connection limit that a database of ours carries between its creation and its stamp: it
comes with CREATE DATABASE itself, so that a kill in between leaves no unclaimed database."""


def facts_of(connection: Connection, name: str) -> Mapping[str, Any] | None:
    """Return the connection limit and the comment of a database, or None if it is absent."""
    return connection.execute(
        "SELECT d.datconnlimit AS connection_limit,"
        " pg_catalog.shobj_description(d.oid, 'pg_database') AS comment"
        " FROM pg_catalog.pg_database d WHERE d.datname = %s",
        [name],
    ).fetchone()


def stamp_of(comment: str | None) -> Stamp | None:
    """Return the stamp that a database's comment holds, or None."""
    if comment is None or not comment.startswith(_PREFIX):
        return None
    try:
        document = json.loads(comment.removeprefix(_PREFIX))
        return Stamp(
            str(document["project"]),
            str(document["role"]),
            str(document["content"]),
            dict(document["facts"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def make_database(connection: Connection, name: str, how: str, stamp: Stamp) -> None:
    """Create a database with its stamp; ``how`` says of what. Nobody claims one that a kill left
    in between: it carries the limit :data:`HALF_MADE` until the stamp is there.
    """
    create = f"CREATE DATABASE {identifier(name)} {how} CONNECTION LIMIT {HALF_MADE}"
    claim = f"{stamping(name, stamp)}; ALTER DATABASE {identifier(name)} CONNECTION LIMIT -1"
    with translated(name):
        connection.execute(statement(create))
        connection.execute(statement(claim))  # both or neither: one string is one transaction


def write_stamp(connection: Connection, name: str, stamp: Stamp) -> None:
    """Replace the stamp of a database."""
    with translated(name):
        connection.execute(statement(stamping(name, stamp)))


def stamping(name: str, stamp: Stamp) -> str:
    """Return the statement that writes a stamp: the comment of the database."""
    document = {
        "project": stamp.project,
        "role": stamp.role,
        "content": stamp.content,
        "facts": dict(stamp.facts),
    }
    text = literal(_PREFIX + json.dumps(document, sort_keys=True))
    return f"COMMENT ON DATABASE {identifier(name)} IS {text}"
