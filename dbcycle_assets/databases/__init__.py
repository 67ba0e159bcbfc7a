"""The engines behind one small protocol, and how to get one."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ..config.state import make_state
from ..errors import BadInput, UsageError
from .migrating import Signs
from .port import Progress, Server
from .postgres.dumps import dump_digest as _archive_digest

__all__ = [
    "claim",
    "dump_database",
    "dump_digest",
    "facts_at",
    "identity_of",
    "locate",
    "open_server",
    "server_version",
    "taking_turns",
]


def dump_digest(path: Path) -> str:
    """Return 24 hex digits for what a dump of either engine holds, told by its content; when it
    was made does not count.

    Raises:
        DumpError: it is missing, empty or no dump.
    """
    from .sqlite.dumps import MAGIC
    from .sqlite.dumps import dump_digest as sqlite_digest

    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return sqlite_digest(path)
    return _archive_digest(path)


def claim(
    engine: str, url: str | None, project: str, action: str, run: str
) -> AbstractContextManager[None]:
    """Return the lock of a project on its server, where that serves several machines.

    SQLite's files and the embedded server are used from one machine, whose own lock suffices.

    Raises:
        Locked: another machine, command or run holds it (raised when it is entered).
    """
    if engine != "postgresql" or url is None:
        return nullcontext()
    from .postgres.claims import claimed

    return claimed(url, project, action, run)


def taking_turns(
    engine: str, url: str | None, project: str, what: str
) -> AbstractContextManager[None]:
    """Return what lets one step of a project at a time do something, where several machines do."""
    if engine != "postgresql" or url is None:
        return nullcontext()
    from .postgres.claims import turn

    return turn(url, project, what)


def dump_database(url: str, path: Path, progress: Progress) -> None:
    """Write a dump of the PostgreSQL database at ``url``; see the postgres room.

    Raises:
        ServerUnavailable: cannot connect, or no pg_dump fits.
        DumpError: pg_dump failed.
    """
    from .postgres.dumping import dump_database as dump

    dump(url, path, progress)


def identity_of(url: str) -> str:
    """Return what tells the PostgreSQL database at ``url`` from every copy of it.

    Raises:
        ServerUnavailable: cannot connect.
    """
    return facts_at(url)[0].identity


def facts_at(url: str) -> tuple[Signs, Mapping[str, Any] | None]:
    """Return what the PostgreSQL database at ``url`` tells about itself, and what it claims to be;
    writes nothing.

    Raises:
        ServerUnavailable: cannot connect.
        GuardRefused: its claim cannot be read.
    """
    from .postgres.history import PostgresHistory
    from .postgres.session import connect

    connection = connect(url)
    try:
        history = PostgresHistory("", connection)
        signs, claimed = history.signs(), history.claim()
    finally:
        connection.close()
    own = claimed is not None and claimed.get("identity") == signs.identity
    return signs, claimed if own else None


def open_server(engine: str, *, url: str | None, state: Path) -> Server:
    """Return the server of a project: the one at ``url``, else the engine's own under ``state``.

    Raises:
        ServerUnavailable: the embedded server cannot be started.
        UsageError: there is no such engine.
    """
    # Each engine costs time to load, and only one is needed.
    if engine == "sqlite":
        from .sqlite import SqliteServer

        if url is None:
            make_state(state)
        return SqliteServer(_folder(url, state))
    if engine != "postgresql":
        raise UsageError(f"unknown engine `{engine}`", remedy="use postgresql or sqlite")
    from . import embedded
    from .postgres.server import PostgresServer

    if url is not None:
        return PostgresServer(url, programs=embedded.programs)
    make_state(state)
    ours = embedded.ensure(state)
    return PostgresServer(
        ours.url(),
        admin_url=ours.url(embedded.ADMIN),
        programs=lambda: ours.programs,
        embedded=True,
        on_stop=lambda: embedded.stop(state),
    )


def locate(engine: str, url: str, base: Path | None = None) -> tuple[Server, str]:
    """Return the server and the name of the one database that a URL means; nothing connects yet.
    A relative path in it begins in ``base``, else in the working directory.

    Raises:
        BadInput: the URL names no database of this engine.
    """
    if engine == "sqlite":
        from .sqlite import SqliteServer
        from .sqlite.addresses import file_of

        path, mode = file_of(url, base or Path.cwd())
        return SqliteServer(path.parent, path.suffix, mode), path.name.removesuffix(path.suffix)
    from . import embedded
    from .postgres.server import PostgresServer
    from .postgres.session import connection_facts, with_database

    if not re.match(r"postgres(ql)?(\+\w+)?://", url) or not (
        name := connection_facts(url).get("dbname")
    ):
        raise BadInput(
            "the URL names no PostgreSQL database",
            remedy="write it as postgresql://user@host/name; see where it comes from: --db-url, "
            "the variable of `targets`, DATABASE_URL, or config.‹environment›.toml",
        )
    # Databases are made, copied and renamed from a session on another one.
    return PostgresServer(with_database(url, "postgres"), programs=embedded.programs), name


def server_version(server: Server) -> str:
    """Return the version number of a server, as in ``16.4``; empty if it tells none."""
    found = re.search(r"\d+(\.\d+)*", server.describe())
    return found.group() if found else ""


def _folder(url: str | None, state: Path) -> Path:
    """Return the folder of SQLite's databases."""
    if url is None:
        return state / "sqlite"
    return Path(url.removeprefix("sqlite:///")).resolve()
