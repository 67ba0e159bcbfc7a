"""``canary``: a rehearsal of the whole cycle with planted people."""

from typing import TYPE_CHECKING

import typer

from ..config import credentials
from .invocation import Document, findings_exit, note, of
from .report import write_report
from .text import count, heading, say, table

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.session import Cycle
    from ..defs.rehearsal import Rehearsal


def canary(ctx: typer.Context) -> None:
    """Plant synthetic people in a copy, run the real pipeline, and look for them everywhere.

    The dump is restored into databases of its own. A person goes into every column that a rule
    rewrites, and into kept ones that name people; then the whole cycle runs, and every extract,
    value, file, message and record is searched for them. Nothing of the project's own is touched.
    Ends with exit code 8 if anybody was seen, or if nobody could be planted.
    """
    from ..defs.rehearsal import rehearse

    invocation = of(ctx)

    def report(cycle: "Cycle") -> None:
        write_report(cycle, cycle.project.state / "report.html")

    with invocation.progress() as progress:
        found = rehearse(invocation.project, progress, report)
    invocation.show(_document(found), lambda: _for_people(found, everything=invocation.verbose))
    for failure in found.run.failed:
        note(f"dbcycle: {failure['asset']}: {credentials.redact(failure['error'])}")
    if not found.passed:
        findings_exit()


def _document(found: "Rehearsal") -> Document:
    return {
        "passed": found.passed,
        "published": found.run.published,
        "planted": sorted(found.planted.places),
        "passed_over": dict(sorted(found.planted.passed_over.items())),
        "looked_at": found.looked_at,
        "sightings": [
            {"where": sighting.where, "planted_in": sighting.planted_in}
            for sighting in found.sightings
        ],
    }


def _for_people(found: "Rehearsal", *, everything: bool) -> None:
    planted = found.planted
    say(f"{count(len(planted.places), 'column')} got a planted person", style="bold")
    reasons: dict[str, int] = {}
    for reason in planted.passed_over.values():
        reasons[reason] = reasons.get(reason, 0) + 1
    for reason, number in sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0])):
        say(f"  {count(number, 'column')} passed over: {reason}", style="dim")
    if everything:
        table(["passed over", "because"], sorted(planted.passed_over.items()))
    looked = ", ".join(f"{number:,} {what}" for what, number in sorted(found.looked_at.items()))
    say(f"looked at {looked or 'nothing'}")
    if found.sightings:
        heading(f"{count(len(found.sightings), 'sighting')}")
        table(["seen in", "planted in"], [(s.where, s.planted_in) for s in found.sightings])
    say()
    if found.passed:
        say("PASSED: nobody was seen.", style="green")
    elif not planted.places:
        say("FAILED: nobody could be planted, so nothing is proven.", style="bold red")
    elif not found.run.published:
        say("FAILED: the run published nothing, so nothing is proven.", style="bold red")
    else:
        say("FAILED: planted people reached the output.", style="bold red")
