"""What the commands that change a database ask of the user: production, a name, a yes."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..config import credentials
from ..errors import GuardRefused, UsageError
from .invocation import Invocation

if TYPE_CHECKING:
    from ..upkeep.guards import Consent
    from ..upkeep.target import Target

Prod = Annotated[
    bool, typer.Option("--prod", help="The production database; its name must be confirmed.")
]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="The database's name, where none can be typed."),
]
Url = Annotated[str | None, typer.Option("--db-url", metavar="URL", help="This database instead.")]


def environment(*, prod: bool) -> str:
    """Return the environment of a command; ``--prod`` is production where nothing else is said.

    Raises:
        UsageError: --prod, and another environment is named.
    """
    if not prod:
        return credentials.environment()
    named = credentials.named_environment()
    if named not in (None, "production"):
        raise UsageError(
            f"--prod and the environment {named} contradict each other",
            remedy="leave one of them away",
        )
    return "production"


def target_of(invocation: Invocation, url: str | None = None, *, prod: bool = False) -> "Target":
    """Return the database that a command is about."""
    from ..upkeep.target import resolve

    return resolve(invocation.project, environment(prod=prod), url=url)


def consent(
    invocation: Invocation,
    place: "Target",
    *,
    prod: bool,
    confirm: str | None,
    always: bool = False,
) -> "Consent":
    """Return what the user gave; on a terminal the name is asked for where it is needed."""
    from ..upkeep.guards import Consent

    needed = always or place.environment in {"production", "staging"}
    if confirm is None and needed and invocation.interactive:
        confirm = typer.prompt(
            f"This is {place.environment}. Type the name of the database to go on", err=True
        )
    return Consent(prod, confirm)


def agree(invocation: Invocation, question: str, *, force: bool) -> None:
    """Ask a question before something is lost.

    Raises:
        GuardRefused: the answer is no, or nobody can be asked.
    """
    if force or invocation.yes:
        return
    if not (invocation.interactive and typer.confirm(question, err=True)):
        raise GuardRefused("nothing was changed", remedy="give --yes or --force to go on")
