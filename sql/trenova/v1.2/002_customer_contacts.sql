-- A customer has as many contacts as it likes, one of them the first to call.

CREATE TYPE contact_duty AS ENUM ('dispatch', 'billing', 'claims');

CREATE TABLE customer_contacts (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL,
    name varchar(120) NOT NULL,
    email citext,
    phone phone_number,
    duties contact_duty[] NOT NULL DEFAULT '{dispatch}',
    is_primary boolean NOT NULL DEFAULT false,
    CONSTRAINT customer_contacts_pkey PRIMARY KEY (id),
    CONSTRAINT customer_contacts_customer_id_fkey
        FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
    CONSTRAINT customer_contacts_reachable_check CHECK (email IS NOT NULL OR phone IS NOT NULL)
);
CREATE UNIQUE INDEX customer_contacts_one_primary_idx ON customer_contacts (customer_id)
    WHERE is_primary;

-- Ids from the customers' own: the same rows each time.
INSERT INTO customer_contacts (id, customer_id, name, email, phone, is_primary)
SELECT encode(substring(sha256(convert_to('contact:' || id, 'UTF8')) FOR 16), 'hex')::uuid,
       id, coalesce(contact_name, name), contact_email, contact_phone, true
FROM customers
WHERE contact_email IS NOT NULL OR contact_phone IS NOT NULL;

INSERT INTO customer_contacts (id, customer_id, name, email, duties)
SELECT encode(substring(sha256(convert_to('billing:' || id, 'UTF8')) FOR 16), 'hex')::uuid,
       id, billing #>> '{attention}', (billing #>> '{email}')::citext, '{billing}'
FROM customers
WHERE billing ? 'attention' AND billing ? 'email';

ALTER TABLE customers
    DROP COLUMN contact_name,
    DROP COLUMN contact_email,
    DROP COLUMN contact_phone;
