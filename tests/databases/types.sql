-- One of everything that is easily bent on its way through a driver.
CREATE EXTENSION citext;
CREATE EXTENSION "uuid-ossp";
CREATE SCHEMA sales;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE place AS (street text, number integer);
CREATE DOMAIN short_code AS varchar(12) CHECK (VALUE ~ '^[a-z]+$');
CREATE DOMAIN tags AS text[];

CREATE TABLE everything (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email citext UNIQUE,
    code short_code,
    mood mood DEFAULT 'ok',
    moods mood[],
    grid integer[][],
    labels tags,
    codes varchar(5)[],
    address place,
    amount numeric(12, 2) CHECK (amount IN (0, 1.50, 99)),
    ratio double precision,
    day date,
    moment timestamptz,
    span interval,
    clock time,
    token uuid DEFAULT uuid_generate_v4(),
    document jsonb,
    markup xml,
    content bytea,
    words tsvector,
    host inet,
    period tstzrange,
    boxes box[],
    letters text GENERATED ALWAYS AS (lower(code::text)) STORED
);
INSERT INTO everything (email, code, moods, grid, labels, codes, address, amount, ratio, day,
                        moment, span, clock, document, markup, content, words, host, period, boxes)
VALUES
    ('A@x.org', 'abc', '{sad,happy}', '[0:1][2:3]={{1,2},{3,NULL}}', '{"a,b","c\"d","",NULL,"NULL"}',
     '{ab,cd}', ROW('Rue "X", 1', 3), 1.50, 'Infinity', '0044-03-15 BC',
     '2024-02-29 12:00:00.123456+05:30', '1 year -3 days 04:05:06', '24:00:00',
     '{"a": [1, {"b": "x\ny"}]}', '<a>1</a>', '\x00ff5c0a', to_tsvector('simple', 'fat ''cats'''),
     '10.0.0.1/8', '[2024-01-01,)', '{(1,1),(0,0);(2,2),(1,1)}'),
    ('tab' || chr(9) || '@x.org', NULL, '{}', NULL, NULL, NULL, NULL, NULL, 'NaN', 'infinity',
     '-infinity', '-00:00:01', '00:00', 'null', NULL, '', '', '::1', 'empty', NULL),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, 99, 0.1, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL);

CREATE TABLE parts (id integer, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_2023 PARTITION OF parts FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO parts SELECT n, date '2023-06-01' + n, 'back\slash' FROM generate_series(1, 400) AS n;

CREATE TABLE animals (name text);
CREATE TABLE dogs (breed text) INHERITS (animals);
INSERT INTO animals VALUES ('generic'), ('generic');
INSERT INTO dogs VALUES ('rex', 'boxer');

CREATE TABLE sales."Order Items" (
    "the ""id""" serial PRIMARY KEY,
    "100%" text,
    everything_id bigint REFERENCES public.everything (id)
);
INSERT INTO sales."Order Items" ("100%", everything_id) VALUES ('é', 1), (E'line\nbreak', NULL);
CREATE TABLE nothing ();
CREATE VIEW seen AS SELECT id, email FROM everything;
CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM seen;
CREATE MATERIALIZED VIEW a_kept_again AS SELECT n + 1 AS n FROM kept;
