-- A shipment is a list of stops; what happens at a stop is written down with who did it.

CREATE TYPE shipment_status AS ENUM
    ('new', 'assigned', 'in_transit', 'delivered', 'invoiced', 'cancelled');
CREATE TYPE stop_kind AS ENUM ('pickup', 'delivery', 'drop_trailer');
CREATE TYPE charge_kind AS ENUM ('linehaul', 'fuel', 'detention', 'lumper', 'other');

CREATE SEQUENCE pro_number_seq START 100001;

CREATE TABLE shipments (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    driver_id uuid,
    tractor_id uuid,
    trailer_id uuid,
    dispatched_by uuid,
    pro_number integer NOT NULL DEFAULT nextval('pro_number_seq'),
    status shipment_status NOT NULL DEFAULT 'new',
    bill_of_lading varchar(24) NOT NULL,
    commodity varchar(80) NOT NULL,
    weight_pounds integer NOT NULL,
    miles integer NOT NULL,
    temperature_range int4range,
    special_instructions text,
    customer_reference jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT shipments_pkey PRIMARY KEY (id),
    CONSTRAINT shipments_pro_number_key UNIQUE (pro_number),
    CONSTRAINT shipments_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT shipments_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id),
    CONSTRAINT shipments_driver_id_fkey FOREIGN KEY (driver_id) REFERENCES workers (id),
    CONSTRAINT shipments_tractor_id_fkey FOREIGN KEY (tractor_id) REFERENCES tractors (id),
    CONSTRAINT shipments_trailer_id_fkey FOREIGN KEY (trailer_id) REFERENCES trailers (id),
    CONSTRAINT shipments_dispatched_by_fkey FOREIGN KEY (dispatched_by) REFERENCES users (id),
    CONSTRAINT shipments_weight_check CHECK (weight_pounds BETWEEN 1 AND 80000),
    CONSTRAINT shipments_miles_check CHECK (miles > 0),
    CONSTRAINT shipments_driver_check
        CHECK (status IN ('new', 'cancelled') OR driver_id IS NOT NULL)
);
ALTER SEQUENCE pro_number_seq OWNED BY shipments.pro_number;
CREATE UNIQUE INDEX shipments_bill_of_lading_idx ON shipments (customer_id, bill_of_lading)
    WHERE status <> 'cancelled';
CREATE INDEX shipments_customer_id_idx ON shipments (customer_id);
CREATE INDEX shipments_driver_id_idx ON shipments (driver_id);
CREATE TRIGGER shipments_touch BEFORE UPDATE ON shipments
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE stops (
    shipment_id uuid NOT NULL,
    sequence smallint NOT NULL,
    kind stop_kind NOT NULL,
    location_id uuid NOT NULL,
    planned_at timestamptz NOT NULL,
    arrived_at timestamptz,
    departed_at timestamptz,
    dwell interval GENERATED ALWAYS AS (departed_at - arrived_at) STORED,
    CONSTRAINT stops_pkey PRIMARY KEY (shipment_id, sequence),
    CONSTRAINT stops_shipment_id_fkey
        FOREIGN KEY (shipment_id) REFERENCES shipments (id) ON DELETE CASCADE,
    CONSTRAINT stops_location_id_fkey FOREIGN KEY (location_id) REFERENCES locations (id),
    CONSTRAINT stops_sequence_check CHECK (sequence > 0),
    CONSTRAINT stops_times_check CHECK (departed_at >= arrived_at)
);
CREATE INDEX stops_location_id_idx ON stops (location_id);

CREATE TABLE stop_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    shipment_id uuid NOT NULL,
    sequence smallint NOT NULL,
    happened_at timestamptz NOT NULL,
    signed_by varchar(120),
    remark text,
    CONSTRAINT stop_events_pkey PRIMARY KEY (id),
    CONSTRAINT stop_events_stop_fkey
        FOREIGN KEY (shipment_id, sequence) REFERENCES stops (shipment_id, sequence)
        ON DELETE CASCADE
);
CREATE INDEX stop_events_stop_idx ON stop_events (shipment_id, sequence);

CREATE TABLE shipment_charges (
    shipment_id uuid NOT NULL,
    line smallint NOT NULL,
    kind charge_kind NOT NULL,
    quantity numeric(10, 2) NOT NULL DEFAULT 1,
    rate numeric(10, 4) NOT NULL,
    amount numeric(12, 2) GENERATED ALWAYS AS (round(quantity * rate, 2)) STORED,
    CONSTRAINT shipment_charges_pkey PRIMARY KEY (shipment_id, line),
    CONSTRAINT shipment_charges_shipment_id_fkey
        FOREIGN KEY (shipment_id) REFERENCES shipments (id) ON DELETE CASCADE,
    CONSTRAINT shipment_charges_quantity_check CHECK (quantity > 0)
);
