"""Results for people: tables, sections and counts, plain wherever stdout is no terminal.

Names come from databases that others made, so nothing unprintable reaches a terminal.
"""

import io
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

UNBROKEN = 1_000_000
"""The width where stdout is no terminal: what reads it wants a row, and a name, on one line."""
NUMBERS = frozenset({"rows", "sure", "golden", "seconds", "kept"})
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


def say(text: str = "", style: str = "") -> None:
    """Print a line of the result on stdout, or several."""
    _show(Text("\n".join(map(one_line, text.split("\n"))), style=style))


def heading(text: str) -> None:
    """Print a section's title, set apart from what came before."""
    say()
    say(text, style="bold")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings on stdout; without rows nothing is printed, nor a column that is
    empty in all of them.
    """
    found = [[one_line(str(cell)) for cell in row] for row in rows]
    wanted = [index for index in range(len(headings)) if any(row[index] for row in found)]
    if not wanted:
        return
    titled = any(headings[index] for index in wanted)
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=titled)
    grid.header_style = "dim"
    for index in wanted:
        right = headings[index] in NUMBERS
        grid.add_column(headings[index], justify="right" if right else "left", overflow="fold")
    for row in found:
        grid.add_row(*(Text(row[index]) for index in wanted))
    _show(grid)


def _show(content: RenderableType) -> None:
    """Print on stdout; plain and without trailing blanks where that is no terminal."""
    if sys.stdout.isatty():
        Console(highlight=False).print(content)
        return
    plain = io.StringIO()
    Console(file=plain, highlight=False, width=UNBROKEN, color_system=None).print(content)
    for line in plain.getvalue().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
