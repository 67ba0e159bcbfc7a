-- New enum values and types. PostgreSQL refuses to use a value in the transaction that added it,
-- so the mapping that uses them is a step of its own (003).

ALTER TYPE log_status ADD VALUE IF NOT EXISTS 'CORRECTED' AFTER 'ACTIVE';
ALTER TYPE tuition_status ADD VALUE IF NOT EXISTS 'archived' AFTER 'ended';
ALTER TYPE payment_status ADD VALUE IF NOT EXISTS 'refunded' BEFORE 'failed';

CREATE TYPE student_status AS ENUM ('prospect', 'active', 'paused', 'alumni', 'unknown');
CREATE TYPE payment_method AS ENUM ('bank_transfer', 'card', 'cash', 'other');
CREATE TYPE note_visibility AS ENUM ('staff', 'family', 'private');
CREATE TYPE weekday AS ENUM ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun');
CREATE TYPE availability_kind AS ENUM ('available', 'preferred', 'busy');
