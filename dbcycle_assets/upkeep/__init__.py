"""One database, looked after directly: migrated, rolled back, backed up, guarded and audited.

The cycle's migrate stage applies its steps with the same engine.
"""
