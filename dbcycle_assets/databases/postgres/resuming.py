"""What a schema's definition does not say of a database: where each sequence is, and which
materialized views hold no rows.
"""

import psycopg

from .session import Connection, identifier, query, statement

_UNFILLED = """
CREATE SCHEMA IF NOT EXISTS _dbcycle;
CREATE TABLE IF NOT EXISTS _dbcycle.unfilled (view text PRIMARY KEY);
TRUNCATE _dbcycle.unfilled;
"""


def resume(former: Connection, copy: Connection) -> None:
    """Let the sequences of a copy go on where those of the former database are, and note which of
    its materialized views are to stay without rows.
    """
    names = [
        identifier(row["schema"], row["name"])
        for row in former.execute(query("sequence_names")).fetchall()
    ]
    for name in names:
        known = former.execute(statement(f"SELECT last_value, is_called FROM {name}")).fetchone()
        if known is not None:
            copy.execute(
                "SELECT pg_catalog.setval(c.oid, %s, %s)"
                " FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%s)",
                [known["last_value"], known["is_called"], name],
            )
    views = former.execute(query("view_dependencies")).fetchall()
    unfilled = {
        identifier(row["schema"], row["name"])
        for row in views
        if row["materialized"] and not row["filled"]
    }
    if not unfilled:
        return
    with copy.transaction():
        copy.execute(statement(_UNFILLED))
        copy.execute(
            "INSERT INTO _dbcycle.unfilled SELECT pg_catalog.unnest(%s::text[])", [sorted(unfilled)]
        )


def unfilled(connection: Connection) -> set[str]:
    """Return the materialized views that are to stay without rows."""
    try:
        rows = connection.execute("SELECT view FROM _dbcycle.unfilled").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return set()
    return {row["view"] for row in rows}
