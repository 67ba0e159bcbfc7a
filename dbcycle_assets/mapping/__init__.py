"""The application's SQLAlchemy models: written from the schema, and held against it."""
