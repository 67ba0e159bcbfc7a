"""Results for people: tables, sections and counts, plain wherever stdout is no terminal.

Names come from databases that others made, so nothing unprintable reaches a terminal.
"""

import functools
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 160
NUMBERS = frozenset({"rows", "tables", "columns", "sure", "golden", "seconds"})
"""The headings whose column is aligned to the right."""


def one_line(text: str) -> str:
    """Return a text without line breaks and control characters."""
    return "".join(char if char.isprintable() else " " for char in text)


def count(number: int, noun: str) -> str:
    """Return ``1 table`` or ``2 tables``; thousands are set apart."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def names(found: Sequence[str], most: int = 4) -> str:
    """Return the first few names, and how many more there are."""
    shown = ", ".join(found[:most])
    rest = len(found) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


@functools.cache
def _console_for(stream: object) -> Console:
    _ = stream
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=PLAIN_WIDTH, color_system=None)


def say(text: str = "", style: str = "") -> None:
    """Print one line of the result on stdout."""
    _console_for(sys.stdout).print(Text("\n".join(map(one_line, text.split("\n"))), style=style))


def heading(text: str) -> None:
    """Print a section's title, set apart from what came before."""
    say()
    say(text, style="bold")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings on stdout; without rows nothing is printed."""
    found = [[one_line(str(cell)) for cell in row] for row in rows]
    if not found:
        return
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in headings:
        right = name in NUMBERS
        grid.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in found:
        grid.add_row(*(Text(cell) for cell in row))
    _console_for(sys.stdout).print(grid)
