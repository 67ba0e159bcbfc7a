"""``init``, ``judge`` and ``detect``: from an unknown database to a judged config."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..artifacts import project_lock
from ..config import load_project
from ..config.edit import Judgement, apply_judgements, apply_moves
from ..config.load import FILE
from ..config.model import Project
from ..errors import UsageError
from .invocation import Document, Invocation, findings_exit, note, of
from .text import count, heading, say, table

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..model.detect import Proposal
    from ..model.head import Head

Accept = Annotated[
    bool, typer.Option("--accept-all", help="Accept every proposal; read them before you share.")
]


def init(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="The project's name, as in `shop`; else that of the dump.")
    ] = None,
    *,
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="DUMP|URL", help="A dump, a SQLite file, or a PostgreSQL URL."
        ),
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--directory", metavar="DIR", help="Default: ./NAME.")
    ] = None,
    accept_all: Accept = False,
) -> None:
    """Make a project from a real database.

    The dump is restored into a scratch database, every column is looked at, and a rule is proposed
    for each. Nothing is kept or anonymized before you accept. On a terminal it asks for what is
    not given.
    """
    from . import ask, scaffold

    invocation = of(ctx)
    if source is None:
        if not invocation.interactive:
            raise UsageError(
                "nothing says which database",
                where="--from",
                remedy="as in `dbcycle init shop --from shop.dump`; on a terminal it asks",
            )
        source = ask.source(Path.cwd())
        name = name or ask.project_name(scaffold.name_of(source))
    name = name or scaffold.name_of(source)
    with invocation.progress() as progress:
        project, found = scaffold.make(name, source, directory, progress)
    invocation.hint = str(project.root)
    decided = _decide(invocation, found, accept_all=accept_all)
    if decided:
        with project_lock(project.state, "init"):
            apply_judgements(project.root / FILE, decided)
    left = _remaining(project.root)
    document = _judged_document(decided, found) | {"project": str(project.root), "findings": left}
    invocation.show(document, lambda: _created(project, decided, found, left))
    if left and decided:
        findings_exit()


def judge(ctx: typer.Context, *, accept_all: Accept = False) -> None:
    """Propose a rule for every column that nobody has judged.

    On a terminal it asks about each; what you accept is written into dbcycle.yaml, whose comments
    and order stay. Elsewhere it prints the proposals and ends with exit code 8. Names that a
    migration changed are written down too.
    """
    from ..cycle.plan import current_plan, proposals
    from ..model.head import at_head

    invocation = of(ctx)
    with invocation.reading() as cycle:
        unjudged = current_plan(cycle).unjudged
        found = proposals(cycle, unjudged) if unjudged else []
        head = at_head(invocation.project.config, cycle.catalog)
    agreed = _agreed(invocation, head, accept_all=accept_all)
    moved = _Moved(head.notes if agreed else (), () if agreed else head.notes)
    decided = _decide(invocation, found, accept_all=accept_all)
    root = invocation.project.root
    if decided or moved.written:
        with project_lock(invocation.project.state, "judge"):
            if moved.written:
                apply_moves(root / FILE, head.moves)
            apply_judgements(root / FILE, decided)
    left = _remaining(root)
    document = _judged_document(decided, found) | {
        "moved": list(moved.written),
        "not_moved": list(moved.open),
        "findings": left,
    }
    invocation.show(document, lambda: _judged(decided, found, left, invocation, moved))
    if left:
        findings_exit()


def detect(
    ctx: typer.Context,
    *,
    db_url: Annotated[
        str | None,
        typer.Option("--db-url", metavar="URL", help="Look at this database, read only."),
    ] = None,
) -> None:
    """Show what the detector sees in every column.

    It decides nothing and writes nothing.
    """
    from ..cycle.elsewhere import elsewhere
    from ..cycle.plan import proposals, require_catalog

    invocation = of(ctx)
    with invocation.reading() as cycle:
        if db_url is None:
            require_catalog(cycle)
            found = proposals(cycle)
        else:
            found = proposals(elsewhere(cycle, db_url))
    columns: list[dict[str, object]] = [
        {
            "table": entry.table,
            "column": entry.column,
            "class": entry.klass,
            "personal": entry.personal,
            "confidence": entry.confidence,
            "reason": entry.reason,
        }
        for entry in found
    ]

    def for_people() -> None:
        personal = sum(entry.personal for entry in found)
        table(
            ["column", "class", "personal", "sure", "because"],
            [
                (
                    f"{entry.table}.{entry.column}",
                    entry.klass,
                    "yes" if entry.personal else "",
                    f"{entry.confidence:.0%}",
                    entry.reason,
                )
                for entry in found
            ],
        )
        say(f"{personal} of {count(len(found), 'column')} look personal")

    invocation.show({"columns": columns}, for_people)


@dataclass(frozen=True)
class _Moved:
    """Names that a migration changed: those that were written into the config, and the others."""

    written: tuple[str, ...]
    open: tuple[str, ...]


def _agreed(invocation: Invocation, head: "Head", *, accept_all: bool) -> bool:
    """Ask whether names that a migration changed shall be changed in the config too."""
    if not head.moves or not invocation.interactive or accept_all or invocation.yes:
        return bool(head.moves) and (accept_all or invocation.yes)
    for line in head.notes:
        say(f"  {line}")
    return typer.confirm("Write these names into dbcycle.yaml?", default=True)


def _decide(
    invocation: Invocation, found: Sequence["Proposal"], *, accept_all: bool
) -> list[Judgement]:
    from .ask import ask, judgement_of

    if accept_all or invocation.yes:
        return [judgement_of(proposal) for proposal in found]
    if found and invocation.interactive:
        return ask(found)
    return []


def _remaining(root: Path) -> list[str]:
    """Return what still stops the plan after the config was written."""
    from ..cycle.plan import current_plan
    from ..cycle.session import Cycle

    plan = current_plan(Cycle(load_project(root)))
    unjudged = [f"{name}.{column}: unjudged" for name, column in plan.unjudged]
    return [*unjudged, *plan.findings]


def _judged_document(decided: Sequence[Judgement], found: Sequence["Proposal"]) -> Document:
    known = {(entry.table, entry.column): entry for entry in found}
    taken = {(entry.table, entry.column) for entry in decided}
    return {
        "judged": [
            {
                "table": entry.table,
                "column": entry.column,
                "rule": entry.rule,
                "confidence": known[entry.table, entry.column].confidence,
                "reason": known[entry.table, entry.column].reason,
            }
            for entry in decided
        ],
        "proposed": [
            {
                "table": entry.table,
                "column": entry.column,
                "rule": entry.rule,
                "confidence": entry.confidence,
                "reason": entry.reason,
            }
            for entry in found
            if (entry.table, entry.column) not in taken
        ],
    }


def _proposal_table(found: Sequence["Proposal"]) -> None:
    table(
        ["column", "proposed", "sure", "because"],
        [(f"{e.table}.{e.column}", e.rule, f"{e.confidence:.0%}", e.reason) for e in found],
    )


def _judged(
    decided: Sequence[Judgement],
    found: Sequence["Proposal"],
    left: Sequence[str],
    invocation: Invocation,
    moved: "_Moved",
) -> None:
    for line in moved.written:
        say(f"written down: {line}")
    for line in moved.open:
        say(f"not written down yet: {line}", style="yellow")
    if moved.open:
        note("→ write the new names with `dbcycle judge --accept-all`, or edit dbcycle.yaml")
    if not found and not left and not moved.open:
        say("every column is judged", style="green")
        return
    if not decided:
        _proposal_table(found)
    else:
        say(f"{count(len(decided), 'judgement')} written to {invocation.project.root / FILE}")
    _still_open(left)
    if found and not decided:
        note("→ accept them all with `dbcycle judge --accept-all`, or edit dbcycle.yaml")


def _created(
    project: Project, decided: Sequence[Judgement], found: Sequence["Proposal"], left: Sequence[str]
) -> None:
    path = Path(_short(project.root)) / FILE
    if decided:
        kept = sum(entry.rule == "keep" for entry in decided)
        say(f"{path}: {count(len(decided), 'column')} judged", style="bold")
        say(f"{len(decided) - kept} anonymized, {kept} kept, as proposed; read them before use")
    else:
        _proposal_table(found)
        say()
        say(f"{path}: no column is judged yet", style="bold")
    if decided:
        _still_open(left)
    heading("next")
    here = f"dbcycle --project {_short(project.root)}"
    if left:
        say(f"{here} judge                 decide about each column")
        say(f"{here} judge --accept-all    or accept every proposal")
    else:
        say(f"{here} refresh")


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) and path != here else str(path)


def _still_open(left: Sequence[str]) -> None:
    if left:
        heading(f"{count(len(left), 'finding')} left")
        for line in left:
            say(f"  - {line}")
