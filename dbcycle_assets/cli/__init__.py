"""The command line: parse, call, print. Nothing heavy is imported before a command needs it."""

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``arguments`` default to the process's own."""
    try:
        from .edge import run  # the rest of the command line, typer included
    except KeyboardInterrupt:
        return 130
    return run(arguments)
