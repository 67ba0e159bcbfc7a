"""Split the payroll system's "Last, First" into two columns and generate the name from them.

A name without a comma is a last name alone. The way down writes "Last, First" again.
"""

import sqlalchemy as sa

_SPLIT = """
UPDATE workers
SET last_name = btrim(split_part(name, ',', 1)),
    first_name = nullif(btrim(substr(name, length(split_part(name, ',', 1)) + 2)), '')
"""
_JOIN = "UPDATE workers SET name = concat_ws(', ', last_name, first_name)"


def run(connection, step):
    """Split every name; return how many there are, and how many had no comma."""
    _do(
        connection,
        "ALTER TABLE workers ADD COLUMN first_name varchar(80), ADD COLUMN last_name varchar(80)",
        "ALTER TABLE workers DISABLE TRIGGER workers_touch",
    )
    split = connection.execute(sa.text(_SPLIT)).rowcount
    single = connection.scalar(sa.text("SELECT count(*) FROM workers WHERE first_name IS NULL"))
    _do(
        connection,
        "ALTER TABLE workers ENABLE TRIGGER workers_touch",
        "ALTER TABLE workers DROP COLUMN name",
        "ALTER TABLE workers ALTER COLUMN last_name SET NOT NULL",
        "ALTER TABLE workers ADD COLUMN full_name text GENERATED ALWAYS AS"
        " (CASE WHEN first_name IS NULL THEN last_name"
        " ELSE first_name || ' ' || last_name END) STORED",
    )
    return f"{split} names split, {single} of them a last name alone"


def revert(connection, step):
    """Write the names in one column again."""
    _do(
        connection,
        "ALTER TABLE workers ADD COLUMN name varchar(160)",
        "ALTER TABLE workers DISABLE TRIGGER workers_touch",
        _JOIN,
        "ALTER TABLE workers ENABLE TRIGGER workers_touch",
        "ALTER TABLE workers ALTER COLUMN name SET NOT NULL",
        "ALTER TABLE workers DROP COLUMN full_name, DROP COLUMN first_name, DROP COLUMN last_name",
    )


def _do(connection, *statements):
    for statement in statements:
        connection.execute(sa.text(statement))
