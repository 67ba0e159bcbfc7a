"""``db url``, ``db shell`` and ``db sweep``: ways into one database, and out of temporary ones."""

from typing import Annotated

import typer

from .access import run_client
from .consent import Prod, Url
from .database import target_of
from .invocation import of
from .seeding import db
from .text import count, say

__all__ = ["db"]


@db.command()
def url(ctx: typer.Context, *, prod: Prod = False, db_url: Url = None) -> None:
    """Print the URL of the database; it holds everything that a client needs to connect."""
    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    place.require()
    address = place.server.url(place.name)
    file = place.server.file(place.name)
    invocation.show(
        {
            "database": place.name,
            "environment": place.environment,
            "url": address,
            "file": None if file is None else str(file),
        },
        lambda: typer.echo(address),
    )


@db.command(context_settings={"allow_extra_args": True})
def shell(ctx: typer.Context, *, prod: Prod = False, db_url: Url = None) -> None:
    """Open psql or sqlite3 on the database.

    Words after -- go to the client.
    """
    place = target_of(of(ctx), db_url, prod=prod)
    place.require()
    run_client(*place.server.shell_command(place.name), ctx.args)


@db.command()
def sweep(
    ctx: typer.Context,
    *,
    kept: Annotated[bool, typer.Option("--kept", help="Those kept on purpose, too.")] = False,
) -> None:
    """Drop the temporary databases whose owner is dead; nothing that we did not make."""
    from ..upkeep.temporary import sweep as swept

    invocation = of(ctx)
    gone = swept(invocation.project, kept=kept)
    invocation.show(
        {"dropped": gone}, lambda: say(f"{count(len(gone), 'temporary database')} dropped")
    )
