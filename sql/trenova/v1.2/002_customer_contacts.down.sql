-- The first contact goes back to its customer; v1.1 has no place for the others.

ALTER TABLE customers
    ADD COLUMN contact_name varchar(120),
    ADD COLUMN contact_email citext,
    ADD COLUMN contact_phone phone_number;
ALTER TABLE customers DISABLE TRIGGER customers_touch;
UPDATE customers c
SET contact_name = k.name, contact_email = k.email, contact_phone = k.phone
FROM customer_contacts k
WHERE k.customer_id = c.id AND k.is_primary;
ALTER TABLE customers ENABLE TRIGGER customers_touch;
DROP TABLE customer_contacts;
DROP TYPE contact_duty;
