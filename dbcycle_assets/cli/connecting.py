"""``db url`` and ``db shell``: ways into one database."""

import typer

from .access import run_client
from .consent import Prod, Url, target_of
from .invocation import of
from .seeding import db

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
