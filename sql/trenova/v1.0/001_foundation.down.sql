DROP TABLE organizations;
DROP TABLE business_units;
DROP TABLE us_states;
DROP FUNCTION touch_updated_at();
DROP DOMAIN money_amount;
DROP DOMAIN phone_number;
DROP TYPE organization_kind;
DROP EXTENSION citext;
