"""``url`` and ``shell``: ways into a project's databases."""

import enum
import os
import signal
import subprocess
from typing import Annotated

import typer

from ..databases import server_version
from .invocation import of, require_database

WAYS = {"test": "dbcycle refresh", "migrated": "dbcycle migrate", "restored": "dbcycle restore"}


class Role(enum.StrEnum):
    """The databases that can be asked for."""

    TEST = "test"
    MIGRATED = "migrated"
    RESTORED = "restored"
    SEEDED = "seeded"
    PREVIOUS = "previous"


RoleOption = Annotated[Role, typer.Option("--role", help="Which of the project's databases.")]


def url(ctx: typer.Context, *, role: RoleOption = Role.TEST) -> None:
    """Print the URL of the test database.

    It holds everything that a client needs to connect.
    """
    invocation = of(ctx)
    with invocation.reading(quick=True) as cycle:
        name = require_database(cycle, role, WAYS.get(role, "dbcycle refresh"))
        address = cycle.server.url(name)
        version = server_version(cycle.server) or cycle.server.describe()
        engine = cycle.server.engine
    invocation.show(
        {
            "role": str(role),
            "url": address,
            "engine": engine,
            "version": version,
        },
        lambda: typer.echo(address),
    )


def shell(ctx: typer.Context, *, role: RoleOption = Role.TEST) -> None:
    """Open psql or sqlite3 on the test database.

    Words after -- go to the client.
    """
    invocation = of(ctx)
    with invocation.reading(quick=True) as cycle:
        name = require_database(cycle, role, WAYS.get(role, "dbcycle refresh"))
        command, secrets = cycle.server.shell_command(name)
    run_client(command, secrets, ctx.args)


def run_client(command: list[str], secrets: dict[str, str], words: list[str]) -> None:
    """Run an interactive client with some words more; end as it ends."""
    os.environ.update(secrets)  # inherited by the client; never on its command line
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C belongs to the client
    try:
        done = subprocess.run([*command, *words], check=False)
    finally:
        signal.signal(signal.SIGINT, former)
    if done.returncode:
        raise typer.Exit(done.returncode)
