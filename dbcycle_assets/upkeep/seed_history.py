"""The seed history: a table of our own in the database that the seeds are applied to."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from ..model.seeds import ACTIVE, INACTIVE, ORPHANED, Row, Seed
from . import audit


def history_table(schema: str | None, name: str) -> sa.Table:
    """Return the table of the history; it may not exist yet."""
    metadata = sa.MetaData(schema=schema)
    status = sa.Enum(ACTIVE, INACTIVE, ORPHANED, name="seed_status_enum", metadata=metadata)
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("checksum", sa.Text, nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Text, nullable=False),
        sa.Column("status", status, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("details", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    )


def facts_of(
    seed: Seed, environment: str, status: str, notes: str, details: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a new row of the history for a seed that was just applied, or failed."""
    return {
        "id": uuid.uuid4().hex,
        "name": seed.name,
        "version": seed.version,
        "environment": environment,
        "checksum": seed.checksum,
        "applied_at": datetime.now(UTC),
        "applied_by": audit.actor(),
        "status": status,
        "notes": notes,
        "error": "",
        "details": dict(details),
    }


def row_of(row: Mapping[str, Any]) -> Row:
    """Return a row of the table as a value."""
    at = row["applied_at"]
    return replace(Row(**row), applied_at=at.isoformat(timespec="seconds"))
