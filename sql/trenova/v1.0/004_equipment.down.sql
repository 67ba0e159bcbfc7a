DROP TABLE trailers;
DROP TABLE tractors;
DROP TYPE trailer_kind;
DROP TYPE equipment_status;
