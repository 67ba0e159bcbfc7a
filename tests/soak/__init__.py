"""Many refreshes in a row, each held against a run from scratch."""
