"""``key``: the anonymization key, known by its id alone."""

from typing import Annotated

import typer

from ..config import credentials
from ..errors import GuardRefused
from .invocation import note, of
from .text import count, say

key = typer.Typer(
    help="Look after the anonymization key of the project.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@key.command()
def show(ctx: typer.Context) -> None:
    """Print the id of the key, where the key lies, and what uses it; never the key."""
    invocation = of(ctx)
    project = invocation.project
    with invocation.reading(quick=True) as cycle:
        found = cycle.key.id
        users = [node.asset for node in cycle.nodes().values() if "anonymization_key" in node.deps]
    env = credentials.key_from_environment(project)
    place = project.config.key_env if env else str(credentials.key_file(project))
    invocation.show(
        {"id": found, "from": place, "used_by": users},
        lambda: say(f"key {found}, from {place}, used by {count(len(users), 'asset')}"),
    )


@key.command()
def new() -> None:
    """Print a new key, for a secret store; nothing is changed."""
    typer.echo(credentials.new_key())


@key.command()
def rotate(
    ctx: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made anew.")
    ] = False,
) -> None:
    """Replace the key by a new one.

    Every fake changes. The former key is kept beside the new one. What used it is stale, and
    nothing else.
    """
    invocation = of(ctx)
    project = invocation.project
    with invocation.writing("key rotate") as cycle:
        users = [node.asset for node in cycle.nodes().values() if "anonymization_key" in node.deps]
        told = f"{count(len(users), 'asset')} and what follows from them will be made anew"
        if dry_run:
            invocation.show({"rotated": False, "stale": users}, lambda: say(told))
            return
        agreed = invocation.yes or (
            invocation.interactive
            and typer.confirm(f"Replace the key? Every fake changes; {told}.", err=True)
        )
        if not agreed:
            raise GuardRefused("nothing was changed", remedy="give --yes to rotate the key")
        former = credentials.rotate_key(project)
    note(f"the former key is kept: {former}")
    invocation.show({"rotated": True, "stale": users}, lambda: say(told))
