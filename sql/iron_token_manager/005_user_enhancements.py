"""Users get an address, a last login and a reason for being suspended."""

import sqlalchemy as sa

COLUMNS = {
    "email": "TEXT",
    "last_login": "INTEGER",
    "suspended_at": "INTEGER",
    "deleted_at": "INTEGER",
}
INDEXES = {
    "idx_users_email": "users (email)",
    "idx_users_last_login": "users (last_login)",
    "idx_users_deleted": "users (deleted_at)",
    "idx_users_active_role": "users (is_active, role)",
}


def run(connection, step):
    """Add what is missing; a database that the application migrated itself has it already."""
    known = {column["name"] for column in sa.inspect(connection).get_columns("users")}
    for name, kind in COLUMNS.items():
        if name not in known:
            connection.execute(sa.text(f"ALTER TABLE users ADD COLUMN {name} {kind}"))
    for name, place in INDEXES.items():
        connection.execute(sa.text(f"CREATE INDEX IF NOT EXISTS {name} ON {place}"))
    guard = "CREATE TABLE IF NOT EXISTS _migration_005_completed (applied_at INTEGER NOT NULL)"
    connection.execute(sa.text(guard))
    return f"{len(set(COLUMNS) - known)} columns"
