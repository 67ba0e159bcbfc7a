"""Whether a database's schema is the one that the migrations make."""

from ..databases.port import Progress
from .operations import status
from .rehearsal import Change, changes
from .target import Target
from .temporary import temporary_database


def schema_drift(target: Target, progress: Progress) -> list[Change] | None:
    """Return what a database has besides the schema of its migrations (``+``) and what it lacks
    (``-``), by comparing it with a temporary database; None while migrations are pending.

    Raises:
        MigrationError: the migrations do not make a schema from nothing.
    """
    if status(target).pending:
        return None
    with (
        temporary_database(target.project, keep=False, progress=progress) as made,
        made.server.open(made.name) as fresh,
        target.open() as database,
    ):
        return changes(fresh.catalog(), database.catalog())
