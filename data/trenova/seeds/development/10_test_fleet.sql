-- version: 1.0.0
-- description: Two drivers with licences, two tractors and a trailer of the test carrier
-- depends: development/00_test_organizations
INSERT INTO workers (id, organization_id, code, first_name, last_name, date_of_birth, ssn, phone,
                     address_line, city, state, postal_code, pay_per_mile, hired_on)
VALUES
    ('00000000-0000-4000-8000-00000000d001', '00000000-0000-4000-8000-00000000c001', 'TEST-1',
     'Test', 'Driver One', '1985-04-12', '900-00-0001', '(404) 555-0101',
     '1 Test Street', 'Atlanta', 'GA', '30303', 0.620, '2020-01-06'),
    ('00000000-0000-4000-8000-00000000d002', '00000000-0000-4000-8000-00000000c001', 'TEST-2',
     'Test', 'Driver Two', '1991-11-30', '900-00-0002', '(404) 555-0102',
     '2 Test Street', 'Atlanta', 'GA', '30303', 0.580, '2022-06-01')
ON CONFLICT DO NOTHING;

INSERT INTO worker_licenses (worker_id, state, number, class, endorsements, issued_on, expires_on)
VALUES
    ('00000000-0000-4000-8000-00000000d001', 'GA', 'TEST000001', 'A', '{hazmat,tanker}',
     '2022-01-01', '2030-01-01'),
    ('00000000-0000-4000-8000-00000000d002', 'GA', 'TEST000002', 'A', '{}',
     '2023-01-01', '2031-01-01')
ON CONFLICT DO NOTHING;

INSERT INTO tractors (id, organization_id, primary_worker_id, unit_number, make, model_year, vin,
                      plate, plate_state)
VALUES
    ('00000000-0000-4000-8000-00000000e001', '00000000-0000-4000-8000-00000000c001',
     '00000000-0000-4000-8000-00000000d001', 'T-1', 'Kenworth', 2022, '11111111111111111',
     'TEST001', 'GA'),
    ('00000000-0000-4000-8000-00000000e002', '00000000-0000-4000-8000-00000000c001',
     '00000000-0000-4000-8000-00000000d002', 'T-2', 'Volvo', 2023, '22222222222222222',
     'TEST002', 'GA')
ON CONFLICT DO NOTHING;

INSERT INTO trailers (id, organization_id, unit_number, kind, vin, plate, plate_state)
VALUES ('00000000-0000-4000-8000-00000000e101', '00000000-0000-4000-8000-00000000c001', 'R-1',
        'reefer', '33333333333333333', 'TEST101', 'GA')
ON CONFLICT DO NOTHING;

-- dbcycle: rollback
DELETE FROM trailers WHERE id = '00000000-0000-4000-8000-00000000e101';
DELETE FROM tractors WHERE id::text LIKE '00000000-0000-4000-8000-00000000e00_';
DELETE FROM workers WHERE id::text LIKE '00000000-0000-4000-8000-00000000d00_';
