-- Drivers and other workers, customers, and the places where freight is loaded.

CREATE TYPE worker_kind AS ENUM ('employee', 'contractor');
CREATE TYPE worker_status AS ENUM ('active', 'on_leave', 'terminated');
CREATE TYPE license_class AS ENUM ('A', 'B', 'C');
CREATE TYPE location_kind AS ENUM ('terminal', 'warehouse', 'store', 'rail_yard');

CREATE TABLE workers (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    user_id uuid,
    manager_id uuid,
    code varchar(12) NOT NULL,
    kind worker_kind NOT NULL DEFAULT 'employee',
    status worker_status NOT NULL DEFAULT 'active',
    -- "Last, First", as the payroll system had it.
    name varchar(160) NOT NULL,
    date_of_birth date NOT NULL,
    ssn char(11) NOT NULL,
    phone phone_number NOT NULL,
    personal_email citext,
    address_line varchar(120) NOT NULL,
    city varchar(80) NOT NULL,
    state char(2) NOT NULL,
    postal_code varchar(10) NOT NULL,
    emergency_contact jsonb NOT NULL DEFAULT '{}',
    bank_routing char(9),
    bank_account varchar(17),
    pay_per_mile numeric(6, 3) NOT NULL,
    hired_on date NOT NULL,
    terminated_on date,
    notes text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT workers_pkey PRIMARY KEY (id),
    CONSTRAINT workers_organization_id_code_key UNIQUE (organization_id, code),
    CONSTRAINT workers_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT workers_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT workers_manager_id_fkey FOREIGN KEY (manager_id) REFERENCES workers (id),
    CONSTRAINT workers_state_fkey FOREIGN KEY (state) REFERENCES us_states (abbreviation),
    CONSTRAINT workers_ssn_check CHECK (ssn ~ '^[0-9]{3}-[0-9]{2}-[0-9]{4}$'),
    CONSTRAINT workers_bank_routing_check CHECK (bank_routing ~ '^[0-9]{9}$'),
    CONSTRAINT workers_dates_check CHECK (terminated_on >= hired_on),
    CONSTRAINT workers_status_check CHECK ((status = 'terminated') = (terminated_on IS NOT NULL))
);
CREATE UNIQUE INDEX workers_user_id_idx ON workers (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX workers_manager_id_idx ON workers (manager_id);
CREATE TRIGGER workers_touch BEFORE UPDATE ON workers
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE worker_licenses (
    worker_id uuid NOT NULL,
    state char(2) NOT NULL,
    number varchar(20) NOT NULL,
    class license_class NOT NULL,
    endorsements text[] NOT NULL DEFAULT '{}',
    issued_on date NOT NULL,
    expires_on date NOT NULL,
    medical_examiner varchar(120),
    CONSTRAINT worker_licenses_pkey PRIMARY KEY (worker_id, state),
    CONSTRAINT worker_licenses_state_number_key UNIQUE (state, number),
    CONSTRAINT worker_licenses_worker_id_fkey
        FOREIGN KEY (worker_id) REFERENCES workers (id) ON DELETE CASCADE,
    CONSTRAINT worker_licenses_state_fkey FOREIGN KEY (state) REFERENCES us_states (abbreviation),
    CONSTRAINT worker_licenses_dates_check CHECK (expires_on > issued_on)
);

CREATE TABLE customers (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    code varchar(10) NOT NULL,
    name varchar(120) NOT NULL,
    -- v1.2 gives a customer many contacts.
    contact_name varchar(120),
    contact_email citext,
    contact_phone phone_number,
    address_line varchar(120) NOT NULL,
    city varchar(80) NOT NULL,
    state char(2) NOT NULL,
    postal_code varchar(10) NOT NULL,
    credit_limit money_amount,
    billing jsonb NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customers_pkey PRIMARY KEY (id),
    CONSTRAINT customers_organization_id_code_key UNIQUE (organization_id, code),
    CONSTRAINT customers_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT customers_state_fkey FOREIGN KEY (state) REFERENCES us_states (abbreviation)
);
CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE locations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    customer_id uuid,
    kind location_kind NOT NULL,
    name varchar(120) NOT NULL,
    address_line varchar(120) NOT NULL,
    city varchar(80) NOT NULL,
    state char(2) NOT NULL,
    postal_code varchar(10) NOT NULL,
    latitude numeric(9, 6),
    longitude numeric(9, 6),
    gate_instructions text,
    opening_hours jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT locations_pkey PRIMARY KEY (id),
    CONSTRAINT locations_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT locations_customer_id_fkey
        FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL,
    CONSTRAINT locations_state_fkey FOREIGN KEY (state) REFERENCES us_states (abbreviation),
    CONSTRAINT locations_latitude_check CHECK (latitude BETWEEN -90 AND 90),
    CONSTRAINT locations_longitude_check CHECK (longitude BETWEEN -180 AND 180)
);
CREATE INDEX locations_customer_id_idx ON locations (customer_id);
