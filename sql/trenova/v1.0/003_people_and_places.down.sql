DROP TABLE locations;
DROP TABLE customers;
DROP TABLE worker_licenses;
DROP TABLE workers;
DROP TYPE location_kind;
DROP TYPE license_class;
DROP TYPE worker_status;
DROP TYPE worker_kind;
