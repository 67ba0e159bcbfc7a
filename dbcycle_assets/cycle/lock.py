"""Who may change a project: one command, or one Dagster run, on one machine or on several."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from ..artifacts import exclusive, project_lock
from ..config import credentials
from ..config.model import Project
from ..databases import claim, taking_turns
from ..upkeep.hosting import require_no_production


def holding(project: Project, action: str, run: str = "") -> AbstractContextManager[None]:
    """Hold a project for a command, or for a step of a Dagster ``run`` whose other steps may hold
    it as well; where a URL names its server, there too.

    Raises:
        Locked: another command or run holds it; the message says who and since when.
        GuardRefused: that server is production's.
    """

    def on_server() -> AbstractContextManager[None]:
        require_no_production(project)
        url = credentials.target_url(project, "test")
        return claim(project.config.engine, url, project.name, action, run)

    return project_lock(project.state, action, run, on_server)


@contextmanager
def one_at_a_time(project: Project, what: str) -> Iterator[None]:
    """Do what only one step of a run may do at once, waiting for whichever does."""
    url = credentials.target_url(project, "test")
    with (
        exclusive(project.state / f"{what}.turn"),
        taking_turns(project.config.engine, url, project.name, what),
    ):
        yield
