ALTER TABLE permissions DROP COLUMN code;
DROP FUNCTION permission_action_name(permission_action);

ALTER TABLE users ADD COLUMN is_active boolean NOT NULL DEFAULT true;
ALTER TABLE users DISABLE TRIGGER users_touch;
UPDATE users SET is_active = false WHERE status = 'disabled';
ALTER TABLE users ENABLE TRIGGER users_touch;
DROP INDEX users_locked_idx;
ALTER TABLE users
    DROP COLUMN status,
    DROP COLUMN must_change_password,
    DROP COLUMN password_changed_at;
DROP TYPE user_status;
