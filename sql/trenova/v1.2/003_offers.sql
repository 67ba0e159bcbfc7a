-- An offer needs no driver, and lapses.

ALTER TABLE shipments DROP CONSTRAINT shipments_driver_check;
ALTER TABLE shipments
    ADD COLUMN tender_expires_at timestamptz,
    ADD CONSTRAINT shipments_driver_check
        CHECK (status IN ('tendered', 'new', 'cancelled') OR driver_id IS NOT NULL),
    ADD CONSTRAINT shipments_tender_check
        CHECK (status <> 'tendered' OR tender_expires_at IS NOT NULL);
