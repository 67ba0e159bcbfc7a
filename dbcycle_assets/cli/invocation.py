"""One invocation: its global options, the project it is about, and how it reports."""

import functools
import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from ..config import credentials, load_project
from ..config.locate import find_project
from ..config.model import Project
from ..errors import BadInput, Findings
from .progress import Progress, reporting

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.session import Cycle

Document = dict[str, object]


@dataclass
class Invocation:
    """The options that every command shares."""

    hint: str | None = None
    json: bool = False
    verbose: bool = False
    yes: bool = False
    debug: bool = False

    @functools.cached_property
    def project(self) -> Project:
        """The project that ``--project``, the environment or the working directory names."""
        hint = self.hint or credentials.project_hint()
        return load_project(find_project(hint, Path.cwd()))

    @property
    def chosen(self) -> str:
        """The words that a command needs to be about the same project, where it was chosen."""
        return f" --project {shlex.quote(self.hint)}" if self.hint else ""

    @property
    def interactive(self) -> bool:
        """Whether questions can be asked: a terminal on both ends, and no ``--yes``."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        return terminal and not self.yes and not self.json

    @contextmanager
    def progress(self, *, quick: bool = False) -> Iterator[Progress]:
        """Report progress on stderr while the block runs."""
        with reporting(verbose=self.verbose, quick=quick) as progress:
            yield progress

    @contextmanager
    def reading(self, *, quick: bool = False) -> Iterator["Cycle"]:
        """Give a session that changes nothing, and report its progress."""
        from ..cycle.session import Cycle

        with self.progress(quick=quick) as progress:
            yield Cycle(self.project, progress=progress)

    @contextmanager
    def writing(self, action: str, *, force: bool = False) -> Iterator["Cycle"]:
        """Give a session that holds the project's lock, and report its progress.

        Raises:
            Locked: another run holds the project.
        """
        from ..cycle.lock import holding
        from ..cycle.session import Cycle

        with holding(self.project, action), self.progress() as progress:
            yield Cycle(self.project, progress=progress, force=force)

    def show(self, document: Document, for_people: Callable[[], None]) -> None:
        """Print the result on stdout: the JSON document if asked for, else the readable form."""
        if self.json:
            typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))
        else:
            for_people()


def of(context: typer.Context) -> Invocation:
    """Return the invocation of a command."""
    found = context.find_object(Invocation)
    return found if found is not None else Invocation()


def note(message: str) -> None:
    """Say something on stderr that is neither a result nor an error."""
    typer.echo(message, err=True)


def findings_exit() -> NoReturn:
    """End with the exit code for findings, when the result has been printed already."""
    raise typer.Exit(Findings.exit_code)


def require_database(cycle: "Cycle", role: str, remedy: str) -> str:
    """Return the name of the database that plays a role.

    Raises:
        BadInput: there is none of ours.
    """
    name = cycle.database(role)
    if cycle.server.stamp(name) is None:
        raise BadInput(
            f"there is no {role} database yet",
            where=cycle.project.name,
            remedy=f"run `{remedy}`",
        )
    return name
