"""Which database ``dbcycle db`` looks after: that of a URL, or that of the environment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..config import credentials
from ..config.model import Project
from ..databases import locate, open_server
from ..databases.port import Database, Progress, Server, Stamp
from ..errors import BadInput

EVERYDAY = frozenset({"development", "test"})
"""The environments whose databases we may make, and drop again."""


@dataclass(frozen=True)
class Target:
    """One database of a project in one environment; nothing has connected to it yet."""

    project: Project
    environment: str
    server: Server
    name: str

    @property
    def stamp(self) -> Stamp:
        """The stamp of a database that we make here."""
        return Stamp(self.project.name, "db", "", {"environment": self.environment})

    def ensure(self) -> bool:
        """Make the database if it is missing and may be made here; tell whether it was made.

        Raises:
            BadInput: it is missing, and only a person makes one in this environment.
        """
        if self.environment in EVERYDAY:
            return self.server.ensure(self.name, self.stamp)
        self.require()
        return False

    def require(self) -> None:
        """Refuse a database that is not there.

        Raises:
            BadInput: it is not.
        """
        if not self.server.exists(self.name):
            made = self.environment in EVERYDAY
            raise BadInput(
                f"there is no database `{self.name}`",
                where=self.environment,
                remedy="`dbcycle db migrate` makes it" if made else "create it first",
            )

    @contextmanager
    def open(self) -> Iterator[Database]:
        """Open a session.

        Raises:
            BadInput: there is no such database.
            ServerUnavailable: cannot connect.
        """
        self.require()
        with self.server.open(self.name) as database:
            yield database


def resolve(
    project: Project, environment: str, *, url: str | None = None, progress: Progress | None = None
) -> Target:
    """Return the database that a URL names, else the environment's: the one in the variable of
    ``targets.<environment>``; in development and test, without one, a database of our own.

    The test target's variable names a server, on which the cycle publishes; the database beside
    what it publishes is ours to look after.

    Raises:
        BadInput: nothing says where the environment's database is.
    """
    engine = project.config.engine
    own = f"dbcycle_{project.name}_db_{environment}"
    address = url or credentials.target_url(project, environment)
    if url is None and environment == "test" and address is not None:
        server = open_server(engine, url=address, state=project.state)
        return Target(project, environment, server, own)
    if address is not None:
        server, name = locate(engine, address)
        return Target(project, environment, server, name)
    if environment not in EVERYDAY:
        raise BadInput(
            f"nothing says where the {environment} database is",
            where=f"targets.{environment}",
            remedy=f"write `{environment}: {{url_env: DATABASE_URL}}` under `targets` in "
            "dbcycle.yaml and export the variable, or give --db-url",
        )
    if progress is not None:
        progress("connecting to the server")
    shared = credentials.target_url(project, "test")
    server = open_server(engine, url=shared, state=project.state)
    return Target(project, environment, server, own)
