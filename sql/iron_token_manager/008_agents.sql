-- Agents that work with a user's tokens. (007 is reserved.)
CREATE TABLE IF NOT EXISTS agents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  owner_id TEXT NOT NULL REFERENCES users (id),
  providers TEXT NOT NULL DEFAULT '[]',
  tags TEXT NOT NULL DEFAULT '[]',
  project_id TEXT REFERENCES projects (id),
  created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_agents_owner ON agents (owner_id);
CREATE INDEX IF NOT EXISTS idx_agents_name ON agents (name);
CREATE INDEX IF NOT EXISTS idx_agents_created ON agents (created_at);

CREATE TABLE IF NOT EXISTS _migration_008_completed (applied_at INTEGER NOT NULL);
