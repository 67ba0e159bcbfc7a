-- An open offer without a driver becomes a new shipment, which needs none either.

ALTER TABLE shipments DISABLE TRIGGER shipments_touch;
UPDATE shipments SET status = 'new' WHERE status = 'tendered' AND driver_id IS NULL;
ALTER TABLE shipments ENABLE TRIGGER shipments_touch;
ALTER TABLE shipments DROP CONSTRAINT shipments_driver_check;
ALTER TABLE shipments
    DROP COLUMN tender_expires_at,
    ADD CONSTRAINT shipments_driver_check
        CHECK (status IN ('new', 'cancelled') OR driver_id IS NOT NULL);
