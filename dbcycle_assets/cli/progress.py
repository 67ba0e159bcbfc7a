"""Progress on stderr: one live line on a terminal, plain timed lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..config import credentials
from .text import one_line

Progress = Callable[[str], None]


@contextmanager
def reporting(*, verbose: bool, quick: bool = False) -> Iterator[Progress]:
    """Give a function that reports progress; safe to call from several threads.

    A ``quick`` command says nothing where lines would stay.
    """
    if sys.stderr.isatty() and not verbose:
        with _live() as progress:
            yield progress
    elif quick and not verbose:
        yield lambda _message: None
    else:
        yield _plain()


@contextmanager
def _live() -> Iterator[Progress]:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    started = time.monotonic()
    with console.status(Text("starting"), spinner="dots") as status:

        def progress(message: str) -> None:
            seconds = f"{time.monotonic() - started:6.1f} s  "
            status.update(Text(seconds + one_line(credentials.redact(message))))

        yield progress


def _plain() -> Progress:
    started = time.monotonic()

    def progress(message: str) -> None:
        text = one_line(credentials.redact(message))
        sys.stderr.write(f"{time.monotonic() - started:7.1f} s  {text}\n")
        sys.stderr.flush()

    return progress
