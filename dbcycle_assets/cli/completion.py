"""``completion``: the words of commands and options, completed by the user's shell."""

from typing import Annotated, Literal

import typer
from typer.completion import completion_init, get_completion_script  # type: ignore[attr-defined]

PROGRAM = "dbcycle"
VARIABLE = "_DBCYCLE_COMPLETE"

Shell = Literal["bash", "zsh", "fish"]

completion_init()  # else answers come in another form than the scripts expect


def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell that you work in.")],
) -> None:
    """Print the script that completes commands and options in your shell."""
    typer.echo(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell))
