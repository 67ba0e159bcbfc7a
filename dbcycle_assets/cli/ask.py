"""Questions on a terminal: where the database is, and one proposal at a time; any answer can be
changed in the file later.
"""

from collections.abc import Sequence
from pathlib import Path

import typer

from ..anonymizers import definition
from ..config.edit import Judgement
from ..errors import DbCycleError
from ..model.detect import Proposal
from .text import one_line

HELP = "a accept · k keep as it is · o other rule · s skip · A accept this and the rest · q stop"


def judgement_of(proposal: Proposal) -> Judgement:
    """Return a proposal as the judgement that accepts it."""
    return Judgement(
        proposal.table, proposal.column, proposal.rule, dict(proposal.options), proposal.reason
    )


DUMPS = frozenset({".dump", ".sql", ".gz", ".backup", ".sqlite", ".sqlite3", ".db", ".tar"})
MOST = 8


def source(folder: Path) -> str:
    """Ask where the database is; dumps that lie in a folder, newest first, are offered."""
    typer.echo(
        "Where is the database? A dump of pg_dump, a SQLite file, or a postgresql:// URL, which "
        "is only read.",
        err=True,
    )
    found = dumps_in(folder)
    for number, path in enumerate(found, 1):
        size = path.stat().st_size / 1e6
        typer.echo(f"  {number}  {one_line(path.name)} ({size:,.1f} MB)", err=True)
    while True:
        default = "1" if found else None
        answer: str = typer.prompt("number, path or URL", default=default, err=True).strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(found):
            return str(found[int(answer) - 1])
        if answer:
            return answer


def dumps_in(folder: Path) -> list[Path]:
    """Return the files of a folder that may be dumps by their names, newest first."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in DUMPS and path.is_file()]
    return sorted(found, key=lambda path: -path.stat().st_mtime)[:MOST]


def project_name(proposed: str) -> str:
    """Ask for the project's name."""
    answer: str = typer.prompt("name of the project", default=proposed, err=True)
    return answer.strip()


def ask(proposals: Sequence[Proposal]) -> list[Judgement]:
    """Ask about every proposal in turn, and return what was decided."""
    typer.echo(f"{len(proposals)} proposals. {HELP}", err=True)
    decided: list[Judgement] = []
    for number, proposal in enumerate(proposals, 1):
        answer = _answer(number, len(proposals), proposal)
        if answer == "q":
            break
        if answer == "A":
            decided += [judgement_of(rest) for rest in proposals[number - 1 :]]
            break
        if answer == "a":
            decided.append(judgement_of(proposal))
        elif answer == "k":
            decided.append(Judgement(proposal.table, proposal.column, "keep"))
        elif answer == "o":
            rule = _other_rule()
            if rule is not None:
                decided.append(Judgement(proposal.table, proposal.column, rule))
    return decided


def _answer(number: int, of: int, proposal: Proposal) -> str:
    name = one_line(f"{proposal.table}.{proposal.column}")
    why = one_line(proposal.reason)
    question = f"[{number}/{of}] {name} → {proposal.rule} ({proposal.confidence:.0%}: {why})"
    while True:
        answer: str = typer.prompt(question, default="a", err=True).strip()
        if answer in {"a", "k", "o", "s", "A", "q"}:
            return answer
        typer.echo(HELP, err=True)


def _other_rule() -> str | None:
    while True:
        name: str = typer.prompt("rule (empty: skip)", default="", show_default=False, err=True)
        if not name.strip():
            return None
        if name.strip() == "keep":
            return "keep"
        try:
            return definition(name.strip()).name
        except DbCycleError as error:
            typer.echo(str(error), err=True)
