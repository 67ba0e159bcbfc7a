"""The database layer: models and enums."""
