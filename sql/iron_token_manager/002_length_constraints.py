"""Give the names of tokens a greatest length; the table is rebuilt, once, and nothing is lost.

A rebuild drops the table, and what refers to it would be deleted with it if it ran again over
enforced keys. A guard table says that it ran, whoever ran it; the table itself shows whether that
is so. Where the two disagree, dropping the guard is no cure: the step says what is.
"""

import sqlalchemy as sa

from dbcycle_assets.errors import Dirty

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
    guarded = GUARD in sa.inspect(connection).get_table_names()
    text = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'api_tokens'"
    effective = "length(token_hash) BETWEEN" in connection.execute(sa.text(text)).scalar()
    if guarded and not effective:
        raise Dirty(
            f"the guard {GUARD} is there, and the constraints that it stands for are not",
            where="002_length_constraints.py",
            remedy="somebody stopped half-way, or made the guard by hand: look at api_tokens, then "
            f"drop {GUARD} and run again; the rebuild deletes no row of token_usage",
        )
    if guarded:
        return "already applied"
    if effective:
        guard(connection)
        return "already applied; its guard was missing and is there again"
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
    guard(connection)
    return f"{moved} tokens"


def guard(connection):
    """Say, for whoever comes next, that the step is in effect."""
    connection.execute(sa.text(f"CREATE TABLE {GUARD} (applied_at INTEGER NOT NULL)"))
    connection.execute(
        sa.text(f"INSERT INTO {GUARD} VALUES (CAST(strftime('%s', 'now') AS INTEGER) * 1000)")
    )
