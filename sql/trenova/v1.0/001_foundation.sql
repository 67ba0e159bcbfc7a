-- Tenants: a business unit owns organizations, and an organization owns everything else.
-- PostgreSQL 14 or later. citext is a trusted extension: no superuser is needed.

CREATE EXTENSION IF NOT EXISTS citext;

CREATE TYPE organization_kind AS ENUM ('carrier', 'broker', 'both');

CREATE DOMAIN phone_number AS varchar(24)
    CONSTRAINT phone_number_form CHECK (VALUE ~ '^\+?[0-9 ().x-]{7,24}$');
CREATE DOMAIN money_amount AS numeric(12, 2)
    CONSTRAINT money_amount_not_negative CHECK (VALUE >= 0);

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TABLE us_states (
    abbreviation char(2) NOT NULL,
    name varchar(40) NOT NULL,
    is_contiguous boolean NOT NULL DEFAULT true,
    CONSTRAINT us_states_pkey PRIMARY KEY (abbreviation),
    CONSTRAINT us_states_name_key UNIQUE (name),
    CONSTRAINT us_states_abbreviation_check CHECK (abbreviation ~ '^[A-Z]{2}$')
);

CREATE TABLE business_units (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    code varchar(10) NOT NULL,
    name varchar(120) NOT NULL,
    billing_email citext,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT business_units_pkey PRIMARY KEY (id),
    CONSTRAINT business_units_code_key UNIQUE (code),
    CONSTRAINT business_units_settings_check CHECK (jsonb_typeof(settings) = 'object')
);
CREATE TRIGGER business_units_touch BEFORE UPDATE ON business_units
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE organizations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    business_unit_id uuid NOT NULL,
    kind organization_kind NOT NULL DEFAULT 'carrier',
    name varchar(120) NOT NULL,
    scac varchar(4) NOT NULL,
    dot_number varchar(12) NOT NULL,
    ein varchar(10),
    phone phone_number,
    address_line varchar(120),
    city varchar(80),
    state char(2),
    postal_code varchar(10),
    timezone varchar(40) NOT NULL DEFAULT 'America/New_York',
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (id),
    CONSTRAINT organizations_scac_key UNIQUE (scac),
    CONSTRAINT organizations_dot_number_key UNIQUE (dot_number),
    CONSTRAINT organizations_business_unit_id_fkey
        FOREIGN KEY (business_unit_id) REFERENCES business_units (id),
    CONSTRAINT organizations_state_fkey FOREIGN KEY (state) REFERENCES us_states (abbreviation),
    CONSTRAINT organizations_scac_check CHECK (scac ~ '^[A-Z]{2,4}$'),
    CONSTRAINT organizations_ein_check CHECK (ein ~ '^[0-9]{2}-[0-9]{7}$')
);
CREATE UNIQUE INDEX organizations_one_default_idx ON organizations (is_default) WHERE is_default;
CREATE INDEX organizations_business_unit_id_idx ON organizations (business_unit_id);
CREATE TRIGGER organizations_touch BEFORE UPDATE ON organizations
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
