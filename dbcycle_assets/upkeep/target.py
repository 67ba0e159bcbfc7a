"""Which database is meant, of all the places that may name one: the one order of precedence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..artifacts import require_folder
from ..config import credentials
from ..config.model import Project
from ..config.settings import Settings
from ..databases import locate
from ..databases.port import Database, Progress, Server, Stamp
from ..errors import BadInput
from .hosting import own_server

EVERYDAY = credentials.EVERYDAY
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
    project: Project,
    environment: str,
    *,
    url: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Target:
    """Return the database that the first of several places names.

    1. ``url`` (``--db-url``), or the ``settings`` that a caller gives;
    2. for SQLite, in development and test, the path in DB_PATH;
    3. the variable of ``targets.‹environment›``;
    4. DATABASE_URL, where there is a ``config.‹environment›.toml``;
    5. that file;
    6. in development and test, a database of our own.

    The test target's variable names a server, on which the cycle publishes; the database beside
    what it publishes is ours to look after.

    Raises:
        BadInput: nothing says where the environment's database is, or a URL names none, or a file
            in a folder that is not there.
        ConfigError: the settings have mistakes.
    """
    engine = project.config.engine
    own = f"dbcycle_{project.name}_db_{environment}"
    if settings is not None and settings.url is not None and url is None:
        return Target(project, environment, *locate(engine, settings.url, settings.base))
    path = credentials.database_path(project, environment)
    variable = credentials.target_url(project, environment)
    if url is None and path is None and environment == "test" and variable is not None:
        return Target(project, environment, own_server(project), own)
    if (address := url or path or variable) is not None:
        named_by = "--db-url" if url else "DB_PATH" if path else f"targets.{environment}"
        return _at(project, environment, address, named_by)
    known = credentials.settings(project, environment)
    if known.url is not None:
        return Target(project, environment, *locate(engine, known.url, known.base))
    named = project.config.targets.get(environment)
    if environment not in EVERYDAY and named is not None and named.url_env is not None:
        raise BadInput(
            f"the variable {named.url_env} is not set",
            where=f"targets.{environment}",
            remedy=f"export it with the URL of the {environment} database, or give --db-url",
        )
    if environment not in EVERYDAY:
        raise BadInput(
            f"nothing says where the {environment} database is",
            where=f"targets.{environment}",
            remedy=f"write `{environment}: {{url_env: DATABASE_URL}}` under `targets` in "
            f"dbcycle.yaml and export the variable, or a config.{environment}.toml with `url` in "
            "its section `[database]`, or give --db-url",
        )
    if progress is not None:
        progress("connecting to the server")
    return Target(project, environment, own_server(project), own)


def _at(project: Project, environment: str, address: str, named_by: str) -> Target:
    server, name = locate(project.config.engine, address)
    if (file := server.file(name)) is not None:
        require_folder(file, project.state, named_by)
    return Target(project, environment, server, name)
