"""``db backup``: backups of one database."""

from typing import Annotated

import typer

from .consent import Confirm, Prod, Url, agree, consent, target_of
from .invocation import of
from .text import say, table

backup = typer.Typer(help="Make, list and restore backups.", rich_markup_mode=None)


@backup.callback(invoke_without_command=True)
def back_up(
    ctx: typer.Context,
    *,
    keep: Annotated[
        int, typer.Option("--keep", min=1, help="How many backups of the database stay.")
    ] = 10,
    prod: Prod = False,
    db_url: Url = None,
) -> None:
    """Make a backup of the whole database; or list and restore them."""
    if ctx.invoked_subcommand is not None:
        return
    from ..upkeep import custody

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    made = custody.back_up(place, keep=keep)
    invocation.show(vars(made), lambda: say(made.name))


@backup.command("list")
def list_backups(ctx: typer.Context, *, prod: Prod = False, db_url: Url = None) -> None:
    """List the backups of the database, the newest first."""
    from ..upkeep.backups import list_backups as found_for

    invocation = of(ctx)
    found = found_for(target_of(invocation, db_url, prod=prod))
    invocation.show(
        {"backups": [vars(each) for each in found]},
        lambda: table(
            ("backup", "taken at", "before", "head"),
            [(each.name, each.taken_at, each.reason, each.head) for each in found],
        ),
    )


@backup.command("restore")
def restore(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which; default: the newest.")] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Ask no question; guards still hold.")
    ] = False,
    prod: Prod = False,
    confirm: Confirm = None,
    db_url: Url = None,
) -> None:
    """Put a backup in the database's place, after a backup of what is there now."""
    from ..upkeep import custody

    invocation = of(ctx)
    place = target_of(invocation, db_url, prod=prod)
    given = consent(invocation, place, prod=prod, confirm=confirm)
    agree(invocation, f"Replace {place.name} by a backup?", force=force)
    restored, before = custody.restore(place, name, given)
    invocation.show(
        {"database": place.name, "restored": restored, "backup": before},
        lambda: say(f"{place.name} is what {restored} was; what it had been is {before}"),
    )
