"""Questions on a terminal: one proposal at a time, any answer can be changed in the file later."""

from collections.abc import Sequence

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
