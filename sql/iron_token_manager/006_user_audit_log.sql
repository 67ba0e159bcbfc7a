-- Who did what to whom.
CREATE TABLE IF NOT EXISTS user_audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  operation TEXT NOT NULL CHECK (operation IN ('create', 'suspend', 'activate', 'delete',
                                               'change_role', 'reset_password')),
  target_user_id TEXT NOT NULL REFERENCES users (id),
  performed_by TEXT NOT NULL REFERENCES users (id),
  performed_at INTEGER NOT NULL,
  reason TEXT,
  previous_state TEXT,
  new_state TEXT
);
CREATE INDEX IF NOT EXISTS idx_user_audit_target ON user_audit_log (target_user_id);
CREATE INDEX IF NOT EXISTS idx_user_audit_performer ON user_audit_log (performed_by);
CREATE INDEX IF NOT EXISTS idx_user_audit_operation ON user_audit_log (operation);
CREATE INDEX IF NOT EXISTS idx_user_audit_time ON user_audit_log (performed_at);

CREATE TABLE IF NOT EXISTS _migration_006_completed (applied_at INTEGER NOT NULL);
