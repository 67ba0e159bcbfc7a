"""``plan`` and ``refresh``: what is stale and why, and running exactly that."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..config import credentials
from ..config.model import Project
from ..errors import UsageError
from ..model.ledger import Stale
from .invocation import Document, Invocation, findings_exit, note, of
from .text import count, heading, names, say, table

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.pace import Forecast
    from ..cycle.plan import PlanReport
    from ..cycle.session import Cycle
    from ..defs.run import Refreshed
    from ..model.plan import Plan

TOP_TABLES = 8


def plan(
    ctx: typer.Context,
    *,
    select: Annotated[
        bool, typer.Option("--select", help="Print only the Dagster selection of what is stale.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="End with exit code 8 if anything is stale.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a comment for a pull request.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="REVISION",
            help="With --markdown: which columns entered or left judgement since this revision "
            "of git.",
        ),
    ] = None,
) -> None:
    """Show what is stale and why, and what each column becomes.

    Changes nothing. Ends with exit code 8 if a column is unjudged or a rule does not fit.
    """
    from ..cycle.plan import report
    from ..model.detect import propose

    invocation = of(ctx)
    if against is not None and not markdown:
        raise UsageError(
            "--against needs --markdown", remedy="`dbcycle plan --markdown --against REVISION`"
        )
    with invocation.reading() as cycle:
        if select:
            _print_selection(invocation, cycle)
            return
        found = report(cycle)
    catalog = cycle.catalog
    classes = {(p.table, p.column): p.klass for p in propose(catalog, {})} if catalog else {}
    if markdown:
        typer.echo(_comment(invocation, found, against), nl=False)
    else:
        document = _plan_document(invocation.project.name, found, classes)
        invocation.show(document, lambda: _plan_for_people(invocation, found))
    open_findings = found.plan is not None and (found.plan.unjudged or found.plan.findings)
    if open_findings or (check and found.stale):
        findings_exit()


def _comment(invocation: Invocation, found: "PlanReport", against: str | None) -> str:
    from . import markdown

    project = invocation.project
    before = None
    if against is not None:
        before = against, markdown.judgements(markdown.config_at(project.root, against))
    now = markdown.judgements(project.config)
    groups = _grouped(found.stale, everything=invocation.verbose)
    return markdown.comment(project.name, found, groups, now, before)


def _print_selection(invocation: Invocation, cycle: "Cycle") -> None:
    from ..defs.specs import Specs

    specs = Specs(invocation.project, cycle.nodes().values())
    keys = [specs.key(entry.asset).to_user_string() for entry in cycle.stale()]
    selection = " or ".join(f'key:"{key}"' for key in keys)
    if not keys:
        note("nothing is stale")
    if invocation.json:
        invocation.show({"selection": selection, "assets": keys}, lambda: None)
    elif keys:
        typer.echo(selection)


def _plan_document(
    project: str, found: "PlanReport", classes: Mapping[tuple[str, str], str]
) -> Document:
    """Return the document; a column's class is what its name and type say, as in ``detect``."""
    proposed = {(entry.table, entry.column): entry for entry in found.proposals}
    plan = found.plan
    return {
        "stale": [
            {"asset": f"{project}/{entry.asset}", "reasons": list(entry.reasons)}
            for entry in found.stale
        ],
        "fresh": found.fresh,
        "forecast": asdict(found.forecast),
        "unjudged": [
            {
                "table": name,
                "column": column,
                "proposed": known.rule if (known := proposed.get((name, column))) else None,
                "confidence": known.confidence if known else 0.0,
            }
            for name, column in (plan.unjudged if plan else ())
        ],
        "findings": list(plan.findings) if plan else [],
        "notes": list(plan.notes) if plan else [],
        "constraints": [asdict(proof) for proof in plan.proofs()] if plan else [],
        "columns": [
            {
                "table": name,
                "column": item.column.name,
                "rule": item.rule,
                "class": classes.get((name, item.column.name), ""),
                "state": _state(item.rule, item.follows),
                "follows": item.follows,
            }
            for name, entry in sorted(plan.tables.items() if plan else ())
            for item in entry.columns
        ],
    }


def _state(rule: str, follows: str | None) -> str:
    if follows is not None:
        return "inherited"
    return "kept" if rule == "keep" else "anonymized"


def _plan_for_people(invocation: Invocation, found: "PlanReport") -> None:
    fresh = count(found.fresh, "asset")
    if found.stale:
        say(f"{count(len(found.stale), 'asset')} stale, {found.fresh:,} fresh", style="bold")
        table(["stale", "because"], _grouped(found.stale, everything=invocation.verbose))
        _cost(found.forecast)
    else:
        say(f"nothing is stale: {fresh} fresh", style="green")
    plan = found.plan
    if plan is None:
        say()
        say("What each column becomes is known after the first `dbcycle refresh`.", style="dim")
        return
    heading("what each column becomes")
    kept = "kept columns" if invocation.verbose else "kept"
    table(["table", "anonymized", kept], _becomes(plan, everything=invocation.verbose))
    _constraints(plan, everything=invocation.verbose)
    if plan.unjudged:
        heading(f"{count(len(plan.unjudged), 'column')} unjudged: the plan stops here")
        proposed = {(entry.table, entry.column): entry for entry in found.proposals}
        lines = [
            (f"{name}.{column}", entry.rule, f"{entry.confidence:.0%}", entry.reason)
            for name, column in plan.unjudged
            if (entry := proposed.get((name, column))) is not None
        ]
        table(["column", "proposed", "sure", "because"], lines)
        note("→ accept or change them with `dbcycle judge`")
    if plan.notes:
        heading(f"{count(len(plan.notes), 'note')}")
        for line in plan.notes:
            say(f"  - {line}")
    if plan.findings:
        heading(f"{count(len(plan.findings), 'finding')}")
        for line in plan.findings:
            say(f"  - {line}", style="red")


def _cost(forecast: "Forecast") -> None:
    """Say how long it will take, by past runs, and what takes long."""
    from ..cycle.pace import duration

    if forecast.seconds or forecast.size_bytes:
        parts = [f"about {duration(forecast.seconds)}"]
        if forecast.size_bytes:
            parts.append(f"{forecast.size_bytes / 1e6:,.1f} MB of extracts")
        if forecast.unknown:
            parts.append(f"and {count(forecast.unknown, 'asset')} that never ran")
        say(f"by past runs: {', '.join(parts)}")
    for line in forecast.slow:
        say(f"  - {line}", style="dim")


def _constraints(plan: "Plan", *, everything: bool) -> None:
    """Say how many constraints are proven, and which ones only the run can check."""
    proofs = plan.proofs()
    open_ones = [proof for proof in proofs if proof.verdict != "proven"]
    say()
    proven = len(proofs) - len(open_ones)
    total = count(len(proofs), "constraint")
    say(f"{total}: {proven:,} proven, {len(open_ones):,} to be checked at run", style="bold")
    shown = proofs if everything else open_ones
    table(
        ["table", "constraint", "verdict", "because"],
        [(proof.table, proof.constraint, proof.verdict, proof.reason) for proof in shown],
    )


def _becomes(plan: "Plan", *, everything: bool) -> list[tuple[str, str, str]]:
    """Return a line for each table: its rules, and what it keeps."""
    rows = []
    for name, entry in sorted(plan.tables.items()):
        rules = [f"{item.column.name} → {item.rule}" for item in entry.masked]
        kept = [item.column.name for item in entry.columns if not item.masked]
        if not entry.rows:
            rows.append((name, "structure only", ""))
        elif everything:
            rows.append((name, ", ".join(rules), ", ".join(kept)))
        else:
            rows.append((name, ", ".join(rules), str(len(kept)) if kept else ""))
    return rows


def _grouped(stale: Sequence[Stale], *, everything: bool) -> list[tuple[str, str]]:
    """Return (assets, reasons); tables of one stage that share their reasons share a line."""
    if everything:
        return [(entry.asset, "; ".join(entry.reasons)) for entry in stale]
    groups: dict[tuple[str, str], list[str]] = {}
    for entry in stale:
        stage, _, name = entry.asset.partition("/")
        because = "; ".join(entry.reasons)
        if name:  # "extracts/users is to be rebuilt" says the same of every table
            because = because.replace(f"/{name} ", "/… ")
        groups.setdefault((stage, because), []).append(name)
    return [
        (f"{stage}/ {names(tables)}" if tables[0] else stage, because)
        for (stage, because), tables in groups.items()
    ]


def refresh(
    ctx: typer.Context,
    *,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", metavar="S", help="A Dagster selection instead of what is stale."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Work again even where everything is fresh.")
    ] = False,
    download_recent: Annotated[
        bool,
        typer.Option("--download-recent", help="Fetch a fresh dump from `source.download` first."),
    ] = False,
) -> None:
    """Run what is stale, from the dump to the test database.

    Everything goes through Dagster, so that its UI shows each run. What is fresh is not done again;
    the published test database stays up until the new one has passed every check.
    """
    from ..cycle.lock import holding
    from ..cycle.session import Cycle
    from ..databases.stopping import stoppable
    from ..defs.run import refresh as run

    invocation = of(ctx)
    project = invocation.project
    with holding(project, "refresh"), invocation.progress() as progress:

        def work() -> "Refreshed":
            if download_recent:
                from ..cycle.download import download

                download(Cycle(project, progress=progress))
            return run(project, select=select, force=everything, progress=progress)

        done = stoppable(work)
        cycle = Cycle(project)
        server = cycle.server.describe()
    invocation.show(
        _refresh_document(done, project), lambda: _summary(invocation, cycle, server, done)
    )
    for failure in done.failed:
        where = f"{failure['asset']}: " if failure["asset"] else ""
        note(f"dbcycle: {where}{credentials.redact(failure['error'])}")
    if not done.ok:
        raise typer.Exit(done.error.exit_code if done.error is not None else 1)


def _refresh_document(done: "Refreshed", project: Project) -> Document:
    return {
        "run_id": done.run_id,
        "ok": done.ok,
        "materialized": done.materialized,
        "memoized": done.memoized,
        "failed": [
            {"asset": entry["asset"], "error": credentials.redact(entry["error"])}
            for entry in done.failed
        ],
        "seconds": done.seconds,
        "published": done.published,
        "url": _printable(done.url, project),
    }


def _summary(invocation: Invocation, cycle: "Cycle", server: str, done: "Refreshed") -> None:
    """Print what ran and what the test database holds; a failure is never dressed up."""
    fresh = len(cycle.nodes()) - len(done.materialized) - len(done.failed)
    if done.materialized:
        say(f"{count(len(done.materialized), 'asset')} made, {fresh:,} already fresh", style="bold")
        table(["stage", "made"], _by_stage(cycle, done.materialized))
    elif done.ok:
        say(f"Everything is fresh: nothing had to run ({count(fresh, 'asset')}).", style="green")
    if not done.ok:
        say()
        say(
            f"FAILED after {done.seconds:.1f} s: {count(len(done.failed), 'asset')}; "
            "nothing was published, and what was published before is as it was.",
            style="bold red",
        )
        return
    record = cycle.ledger.get("test_db")
    if record is None or done.url is None:
        say(f"Done in {done.seconds:.1f} s; nothing is published yet.")
        return
    by_table: dict[str, int] = dict(record.facts.get("rows_by_table", {}))
    largest = sorted(by_table.items(), key=lambda entry: (-entry[1], entry[0]))
    heading(f"{count(sum(by_table.values()), 'row')} in {count(len(by_table), 'table')}")
    shown = largest if invocation.verbose else largest[:TOP_TABLES]
    table(["table", "rows", "golden"], [_row_line(cycle, name, rows) for name, rows in shown])
    if len(shown) < len(largest):
        say(f"… and {count(len(largest) - len(shown), 'smaller table')}", style="dim")
    state = "Published" if done.published else "Up to date"
    heading(f"{state} in {done.seconds:.1f} s on {server}")
    given = credentials.target_url(invocation.project, "test")
    typer.echo(_printable(done.url, invocation.project))
    if given is not None:  # its password is somebody's, and what is printed here ends in logs
        say(f"`dbcycle{invocation.chosen} url` prints it with its password", style="dim")
    say()
    hint = invocation.chosen
    table(
        ["next", ""],
        [
            (f"dbcycle{hint} shell", "a prompt on the test database"),
            (f"dbcycle{hint} report", "every column's judgement and every check, as one page"),
            (f"dbcycle{hint} ui", "the asset graph in Dagster"),
        ],
    )
    if shutil.which("dbcycle") is None:
        activate = Path(sys.prefix, "bin", "activate")
        inside = activate.is_relative_to(Path.cwd())
        script = activate.relative_to(Path.cwd()) if inside else activate
        say(f"`source {script}` puts dbcycle on your path.", style="dim")


def _printable(url: str | None, project: Project) -> str | None:
    """Return a URL fit for a log: the embedded server's password opens nothing elsewhere."""
    given = credentials.target_url(project, "test")
    return url if url is None or given is None else credentials.redact(url)


def _row_line(cycle: "Cycle", name: str, rows: int) -> tuple[str, str, str]:
    seeded = cycle.ledger.get(f"seeded/{name}")
    golden = int(seeded.facts.get("golden", 0)) if seeded is not None else 0
    return name, f"{rows:,}", f"{golden:,}" if golden else ""


def _by_stage(cycle: "Cycle", made: Sequence[str]) -> list[tuple[str, str]]:
    """Return each stage in the order of the cycle, with the tables that were made in it."""
    found: dict[str, list[str]] = {}
    for asset in cycle.nodes():
        if f"{cycle.project.name}/{asset}" in made:
            stage, _, name = asset.partition("/")
            found.setdefault(stage, []).append(name)
    return [
        (stage, f"{count(len(tables), 'table')}: {names(tables)}" if tables[0] else "yes")
        for stage, tables in found.items()
    ]
