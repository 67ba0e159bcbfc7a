-- An account says what state it is in, and when its password was last chosen by its owner.

CREATE TYPE user_status AS ENUM ('invited', 'active', 'locked', 'disabled');

ALTER TABLE users
    ADD COLUMN status user_status NOT NULL DEFAULT 'active',
    ADD COLUMN must_change_password boolean NOT NULL DEFAULT false,
    ADD COLUMN password_changed_at timestamptz;

ALTER TABLE users DISABLE TRIGGER users_touch;
UPDATE users SET status = 'disabled' WHERE NOT is_active;
UPDATE users SET status = 'locked' WHERE is_active AND password_hash = '!';
UPDATE users SET must_change_password = true WHERE last_login_at IS NULL;
ALTER TABLE users ENABLE TRIGGER users_touch;

ALTER TABLE users DROP COLUMN is_active;
CREATE INDEX users_locked_idx ON users (organization_id) WHERE status = 'locked';

-- A cast of an enum to text is not immutable for PostgreSQL; these names never change.
CREATE FUNCTION permission_action_name(permission_action) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::text $$;
ALTER TABLE permissions
    ADD COLUMN code text
        GENERATED ALWAYS AS (resource || '.' || permission_action_name(action)) STORED,
    ADD CONSTRAINT permissions_code_key UNIQUE (code);
