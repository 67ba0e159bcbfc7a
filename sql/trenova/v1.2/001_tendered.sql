-- A customer's offer that nobody has accepted yet. A step of its own: PostgreSQL does not let the
-- transaction that adds a value use it.

ALTER TYPE shipment_status ADD VALUE 'tendered' BEFORE 'new';
