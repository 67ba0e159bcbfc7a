-- Tractors and trailers; a tractor has at most one driver, and a driver one tractor.

CREATE TYPE equipment_status AS ENUM ('available', 'in_use', 'in_shop', 'sold');
CREATE TYPE trailer_kind AS ENUM ('dry_van', 'reefer', 'flatbed', 'tanker');

CREATE TABLE tractors (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    primary_worker_id uuid,
    unit_number varchar(12) NOT NULL,
    status equipment_status NOT NULL DEFAULT 'available',
    make varchar(40) NOT NULL,
    model_year smallint NOT NULL,
    vin char(17) NOT NULL,
    plate varchar(10) NOT NULL,
    plate_state char(2) NOT NULL,
    odometer_miles integer NOT NULL DEFAULT 0,
    telematics jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT tractors_pkey PRIMARY KEY (id),
    CONSTRAINT tractors_organization_id_unit_number_key UNIQUE (organization_id, unit_number),
    CONSTRAINT tractors_vin_key UNIQUE (vin),
    CONSTRAINT tractors_plate_key UNIQUE (plate_state, plate),
    CONSTRAINT tractors_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT tractors_primary_worker_id_fkey
        FOREIGN KEY (primary_worker_id) REFERENCES workers (id) ON DELETE SET NULL,
    CONSTRAINT tractors_plate_state_fkey
        FOREIGN KEY (plate_state) REFERENCES us_states (abbreviation),
    CONSTRAINT tractors_model_year_check CHECK (model_year BETWEEN 1980 AND 2100),
    CONSTRAINT tractors_odometer_check CHECK (odometer_miles >= 0)
);
CREATE UNIQUE INDEX tractors_primary_worker_idx ON tractors (primary_worker_id)
    WHERE primary_worker_id IS NOT NULL AND status <> 'sold';

CREATE TABLE trailers (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    unit_number varchar(12) NOT NULL,
    kind trailer_kind NOT NULL,
    status equipment_status NOT NULL DEFAULT 'available',
    vin char(17) NOT NULL,
    plate varchar(10) NOT NULL,
    plate_state char(2) NOT NULL,
    length_feet smallint NOT NULL DEFAULT 53,
    CONSTRAINT trailers_pkey PRIMARY KEY (id),
    CONSTRAINT trailers_organization_id_unit_number_key UNIQUE (organization_id, unit_number),
    CONSTRAINT trailers_vin_key UNIQUE (vin),
    CONSTRAINT trailers_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id),
    CONSTRAINT trailers_plate_state_fkey
        FOREIGN KEY (plate_state) REFERENCES us_states (abbreviation)
);
