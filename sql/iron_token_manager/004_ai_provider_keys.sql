-- The keys of AI providers, sealed, and which project may use which.
CREATE TABLE IF NOT EXISTS ai_provider_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  provider TEXT NOT NULL CHECK (provider IN ('openai', 'anthropic')),
  encrypted_key TEXT NOT NULL,
  nonce TEXT NOT NULL,
  description TEXT CHECK (length(description) <= 500),
  is_enabled INTEGER NOT NULL DEFAULT 1,
  owner_id TEXT NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_ai_provider_keys_provider ON ai_provider_keys (provider);
CREATE INDEX IF NOT EXISTS idx_ai_provider_keys_owner ON ai_provider_keys (owner_id);

CREATE TABLE IF NOT EXISTS project_provider_keys (
  project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  provider_key_id INTEGER NOT NULL REFERENCES ai_provider_keys (id) ON DELETE CASCADE,
  assigned_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, provider_key_id)
);
CREATE INDEX IF NOT EXISTS idx_project_provider_keys_key ON project_provider_keys (provider_key_id);
CREATE INDEX IF NOT EXISTS idx_project_provider_keys_assigned
  ON project_provider_keys (assigned_at);

CREATE TABLE IF NOT EXISTS _migration_004_completed (applied_at INTEGER NOT NULL);
