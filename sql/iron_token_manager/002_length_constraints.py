"""Give the names of tokens a greatest length; the table is rebuilt, once, and nothing is lost.

A rebuild drops the table, and what refers to it would be deleted with it if it ran again over
enforced keys. A guard table says that it ran, whoever ran it.
"""

import sqlalchemy as sa

GUARD = "_migration_002_completed"
COLUMNS = (
    "id, token_hash, user_id, project_id, name, provider, is_active, created_at, last_used_at, "
    "expires_at"
)
INDEXES = {
    "idx_api_tokens_user": "user_id",
    "idx_api_tokens_project": "project_id",
    "idx_api_tokens_active": "is_active",
    "idx_api_tokens_expires": "expires_at",
}
TABLE = """
CREATE TABLE api_tokens_rebuilt (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL UNIQUE CHECK (length(token_hash) BETWEEN 16 AND 128),
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 255),
  project_id TEXT CHECK (length(project_id) <= 255),
  name TEXT CHECK (length(name) <= 255),
  provider TEXT CHECK (length(provider) <= 64),
  is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  expires_at INTEGER
)
"""


def run(connection, step):
    """Rebuild api_tokens with its constraints, unless the guard is there."""
    if GUARD in sa.inspect(connection).get_table_names():
        return "already applied"
    before = connection.execute(sa.text("SELECT count(*) FROM token_usage")).scalar()
    connection.execute(sa.text(TABLE))
    copied = f"INSERT INTO api_tokens_rebuilt ({COLUMNS}) SELECT {COLUMNS} FROM api_tokens"
    moved = connection.execute(sa.text(copied)).rowcount
    connection.execute(sa.text("DROP TABLE api_tokens"))
    connection.execute(sa.text("ALTER TABLE api_tokens_rebuilt RENAME TO api_tokens"))
    for name, column in INDEXES.items():
        connection.execute(sa.text(f"CREATE INDEX {name} ON api_tokens ({column})"))
    after = connection.execute(sa.text("SELECT count(*) FROM token_usage")).scalar()
    if before != after:
        raise RuntimeError
    connection.execute(sa.text(f"CREATE TABLE {GUARD} (applied_at INTEGER NOT NULL)"))
    connection.execute(
        sa.text(f"INSERT INTO {GUARD} VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000)")
    )
    return f"{moved} tokens"
