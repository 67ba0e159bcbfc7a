"""What killed runs left behind, and nobody would look for again: some of it holds raw rows."""

from pathlib import Path

from ..artifacts import remove_parts
from .session import Cycle

SCRATCH = ("restoring", "migrating", "staging", "replaced")
"""The roles of databases that are there only while a stage works."""


def remove_leftovers(cycle: Cycle) -> None:
    """Remove the scratch databases and part files of runs that are dead; call it with the project
    held, before anything works.

    Raises:
        ServerUnavailable: the server cannot be reached.
    """
    for role in SCRATCH:
        cycle.server.drop(cycle.database(role), cycle.project.name)
    project = cycle.project
    remove_parts(project.state)
    for place in (project.records, project.extracts):
        if isinstance(place, Path):
            for folder in (place, *(entry for entry in place.rglob("*") if entry.is_dir())):
                remove_parts(folder)
    for table in project.config.tables.values():
        for name in table.export:
            path = project.path(name)
            remove_parts(path.parent, path.name)
