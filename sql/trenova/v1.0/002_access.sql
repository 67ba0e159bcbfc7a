-- Who may do what: users hold roles in an organization, roles hold permissions.

CREATE TYPE permission_action AS ENUM ('read', 'create', 'update', 'delete', 'approve', 'manage');

CREATE TABLE users (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    username varchar(60) NOT NULL,
    email citext NOT NULL,
    -- `!` is no hash: nobody can log in.
    password_hash varchar(72) NOT NULL,
    name varchar(120) NOT NULL,
    phone phone_number,
    timezone varchar(40) NOT NULL DEFAULT 'America/New_York',
    preferences jsonb NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true,
    last_login_at timestamptz,
    last_login_ip inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT users_password_hash_check
        CHECK (password_hash = '!' OR password_hash ~ '^\$2[aby]\$[0-9]{2}\$')
);
CREATE UNIQUE INDEX users_username_idx ON users (organization_id, lower(username));
CREATE TRIGGER users_touch BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE permissions (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    resource varchar(40) NOT NULL,
    action permission_action NOT NULL,
    description varchar(200) NOT NULL,
    CONSTRAINT permissions_pkey PRIMARY KEY (id),
    CONSTRAINT permissions_resource_action_key UNIQUE (resource, action),
    CONSTRAINT permissions_resource_check CHECK (resource ~ '^[a-z][a-z_]*$')
);

-- A role without an organization is one that every organization has.
CREATE TABLE roles (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid,
    name varchar(60) NOT NULL,
    description varchar(200) NOT NULL DEFAULT '',
    CONSTRAINT roles_pkey PRIMARY KEY (id),
    CONSTRAINT roles_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX roles_shared_name_idx ON roles (name) WHERE organization_id IS NULL;
CREATE UNIQUE INDEX roles_own_name_idx ON roles (organization_id, name)
    WHERE organization_id IS NOT NULL;

CREATE TABLE role_permissions (
    role_id uuid NOT NULL,
    permission_id uuid NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT role_permissions_pkey PRIMARY KEY (role_id, permission_id),
    CONSTRAINT role_permissions_role_id_fkey
        FOREIGN KEY (role_id) REFERENCES roles (id) ON DELETE CASCADE,
    CONSTRAINT role_permissions_permission_id_fkey
        FOREIGN KEY (permission_id) REFERENCES permissions (id) ON DELETE CASCADE
);
CREATE INDEX role_permissions_permission_id_idx ON role_permissions (permission_id);

CREATE TABLE user_roles (
    user_id uuid NOT NULL,
    role_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    assigned_by uuid,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id, organization_id),
    CONSTRAINT user_roles_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles (id),
    CONSTRAINT user_roles_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT user_roles_assigned_by_fkey
        FOREIGN KEY (assigned_by) REFERENCES users (id) ON DELETE SET NULL
);
CREATE INDEX user_roles_role_id_idx ON user_roles (role_id);
