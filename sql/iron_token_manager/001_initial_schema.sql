-- Tokens, what they used, what they may use, and the projects they belong to.
CREATE TABLE IF NOT EXISTS projects (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_projects_owner ON projects (owner);

CREATE TABLE IF NOT EXISTS api_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  project_id TEXT,
  name TEXT,
  provider TEXT,
  is_active INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  expires_at INTEGER
);
CREATE INDEX IF NOT EXISTS idx_api_tokens_user ON api_tokens (user_id);
CREATE INDEX IF NOT EXISTS idx_api_tokens_project ON api_tokens (project_id);
CREATE INDEX IF NOT EXISTS idx_api_tokens_active ON api_tokens (is_active);
CREATE INDEX IF NOT EXISTS idx_api_tokens_expires ON api_tokens (expires_at);

CREATE TABLE IF NOT EXISTS token_usage (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  total_tokens INTEGER NOT NULL,
  cost_cents INTEGER NOT NULL DEFAULT 0,
  request_id TEXT,
  recorded_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_token_usage_token ON token_usage (token_id);
CREATE INDEX IF NOT EXISTS idx_token_usage_recorded ON token_usage (recorded_at);
CREATE INDEX IF NOT EXISTS idx_token_usage_provider ON token_usage (provider);
CREATE INDEX IF NOT EXISTS idx_token_usage_token_time ON token_usage (token_id, recorded_at);

CREATE TABLE IF NOT EXISTS usage_limits (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id TEXT NOT NULL,
  project_id TEXT,
  max_tokens_per_day INTEGER,
  max_requests_per_minute INTEGER,
  max_cost_cents_per_month INTEGER,
  updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_usage_limits_user ON usage_limits (user_id);
CREATE INDEX IF NOT EXISTS idx_usage_limits_project ON usage_limits (project_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_usage_limits_scope
  ON usage_limits (user_id, coalesce(project_id, ''));

CREATE TABLE IF NOT EXISTS api_call_traces (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token_id INTEGER NOT NULL REFERENCES api_tokens (id) ON DELETE CASCADE,
  client_ip TEXT,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  status_code INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  traced_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_api_call_traces_token ON api_call_traces (token_id);
CREATE INDEX IF NOT EXISTS idx_api_call_traces_traced ON api_call_traces (traced_at);
CREATE INDEX IF NOT EXISTS idx_api_call_traces_status ON api_call_traces (status_code);
