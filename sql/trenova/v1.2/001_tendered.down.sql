-- An enum never loses a value: the type is made anew, and an offer becomes a new shipment.

DROP INDEX shipments_bill_of_lading_idx;
DROP INDEX shipments_open_idx;
ALTER TABLE shipments DROP CONSTRAINT shipments_driver_check;
ALTER TABLE shipments ALTER COLUMN status DROP DEFAULT;
ALTER TYPE shipment_status RENAME TO shipment_status_tendered;
CREATE TYPE shipment_status AS ENUM
    ('new', 'assigned', 'in_transit', 'delivered', 'invoiced', 'cancelled');
ALTER TABLE shipments ALTER COLUMN status TYPE shipment_status
    USING (CASE status::text WHEN 'tendered' THEN 'new' ELSE status::text END)::shipment_status;
DROP TYPE shipment_status_tendered;
ALTER TABLE shipments ALTER COLUMN status SET DEFAULT 'new';
ALTER TABLE shipments ADD CONSTRAINT shipments_driver_check
    CHECK (status IN ('new', 'cancelled') OR driver_id IS NOT NULL);
CREATE UNIQUE INDEX shipments_bill_of_lading_idx ON shipments (customer_id, bill_of_lading)
    WHERE status <> 'cancelled';
CREATE INDEX shipments_open_idx ON shipments (organization_id, status)
    WHERE status IN ('new', 'assigned', 'in_transit');
