DROP VIEW customer_balances;
DROP TABLE audit_log;
DROP TABLE invoices;
DROP TYPE audit_action;
DROP TYPE invoice_status;
