"""The pipeline: restore, migrate, plan, extract, merge, seed, verify, publish."""
