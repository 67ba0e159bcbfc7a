DROP TABLE shipment_charges;
DROP TABLE stop_events;
DROP TABLE stops;
DROP TABLE shipments;
DROP TYPE charge_kind;
DROP TYPE stop_kind;
DROP TYPE shipment_status;
