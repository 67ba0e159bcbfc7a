"""PostgreSQL behind the protocol of ``databases.port``."""
