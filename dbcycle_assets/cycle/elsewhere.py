"""A session whose rows come from another database than the migrated one; it is only read."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..databases import open_server
from ..databases.port import Progress, Server
from ..errors import BadInput
from .session import Cycle


def elsewhere(cycle: Cycle, url: str) -> Cycle:
    """Return a session like ``cycle`` that reads the database at ``url``.

    Raises:
        BadInput: the URL names no database.
    """
    return _Elsewhere(cycle, url, cycle.progress)


class _Elsewhere(Cycle):
    """Every role is the one database at the URL, and every extract is made again.

    What it records says that the rows came from elsewhere, so that the next plan calls it stale
    and rows of another database never pass for those of the dump.
    """

    def __init__(self, cycle: Cycle, url: str, progress: Progress) -> None:
        super().__init__(cycle.project, progress=progress, force=True)
        server, self._name = _parts_of(url)
        engine = cycle.project.config.engine
        self._server = open_server(engine, url=server, state=cycle.project.state)

    @property
    def server(self) -> Server:
        """The server at the URL."""
        return self._server

    def database(self, role: str) -> str:
        """Return the name of the one database."""
        _ = role
        return self._name

    def inputs(self, asset: str) -> dict[str, str]:
        """Return inputs that no asset of this project has."""
        return dict.fromkeys(super().inputs(asset), "another database")


def _parts_of(url: str) -> tuple[str, str]:
    """Return the URL of the server and the name of the database on it; SQLite's is a file."""
    parts = urlsplit(url)
    if parts.scheme in {"postgresql", "postgres"}:
        if name := unquote(parts.path).strip("/"):
            return url, name
        raise BadInput(
            "the URL names no database",
            where="--db-url",
            remedy="end it with the database's name, as in postgresql://user@host/shop",
        )
    path = Path(url.removeprefix("sqlite:///")).expanduser().resolve()
    if path.suffix != ".db" or not path.is_file():
        raise BadInput(
            "there is no SQLite file of that name that ends with .db",
            where="--db-url",
            remedy="give its path, as in sqlite:////srv/shop.db",
        )
    return f"sqlite:///{path.parent}", path.stem
