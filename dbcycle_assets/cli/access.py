"""``url`` and ``shell``: ways into a project's databases."""

import enum
import signal
import subprocess
from typing import TYPE_CHECKING, Annotated

import typer

from ..config import credentials
from ..databases import server_version
from .invocation import of, require_database

if TYPE_CHECKING:
    from ..cycle.session import Cycle
    from ..databases.port import Server

WAYS = {"test": "dbcycle refresh", "migrated": "dbcycle migrate", "restored": "dbcycle restore"}


class Role(enum.StrEnum):
    """The databases that can be asked for."""

    TEST = "test"
    MIGRATED = "migrated"
    RESTORED = "restored"
    SEEDED = "seeded"
    PREVIOUS = "previous"


RoleOption = Annotated[Role, typer.Option("--role", help="Which of the project's databases.")]


NameOption = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="A copy that `dbcycle clone` or a test made."),
]


def url(ctx: typer.Context, *, role: RoleOption = Role.TEST, name: NameOption = None) -> None:
    """Print the URL of the test database.

    It holds everything that a client needs to connect.
    """
    invocation = of(ctx)
    with invocation.reading(quick=True) as cycle:
        server, found = _place(cycle, role, name)
        address = server.url(found)
        version = server_version(server) or server.describe()
    invocation.show(
        {"role": str(role), "url": address, "engine": server.engine, "version": version},
        lambda: typer.echo(address),
    )


def shell(ctx: typer.Context, *, role: RoleOption = Role.TEST, name: NameOption = None) -> None:
    """Open psql or sqlite3 on the test database.

    Words after -- go to the client.
    """
    with of(ctx).reading(quick=True) as cycle:
        server, found = _place(cycle, role, name)
        command, secrets = server.shell_command(found)
    run_client(command, secrets, ctx.args)


def _place(cycle: "Cycle", role: Role, name: str | None) -> "tuple[Server, str]":
    if name is None:
        return cycle.server, require_database(cycle, role, WAYS.get(role, "dbcycle refresh"))
    from ..upkeep.temporary import find_copy

    copy = find_copy(cycle.project, name)
    return copy.server, copy.name


def run_client(command: list[str], secrets: dict[str, str], words: list[str]) -> None:
    """Run an interactive client with some words more; end as it ends."""
    from ..databases.postgres.clients import hidden

    former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the client
    try:
        with hidden(credentials.handed_over(secrets)) as (found, files):
            done = subprocess.run([*command, *words], check=False, env=found, pass_fds=files)
    finally:
        signal.signal(signal.SIGINT, former)
    if done.returncode:
        raise typer.Exit(done.returncode)
