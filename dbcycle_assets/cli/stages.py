"""The single stages, each usable after the one before it."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..config import credentials
from ..errors import BadInput, UsageError, did_you_mean
from .invocation import Document, Invocation, findings_exit, note, of, require_database
from .text import count, heading, names, say, table
from .text import table as table_of

if TYPE_CHECKING:  # these cost a third of a second, and help needs none of them
    from ..cycle.session import Cycle, Outcome

Force = Annotated[bool, typer.Option("--force", help="Work even where everything is fresh.")]
Download = Annotated[
    bool, typer.Option("--download-recent", help="Fetch a fresh dump from `source.download` first.")
]


def restore(ctx: typer.Context, *, download_recent: Download = False, force: Force = False) -> None:
    """Restore the dump into a scratch database.

    The former one stays until the new one is whole.
    """
    from ..cycle import restore as stage

    invocation, started = of(ctx), time.monotonic()
    with invocation.writing("restore", force=force) as cycle:
        if download_recent:
            from ..cycle.download import download

            download(cycle)
        outcomes = [stage.take_dump(cycle), stage.take_key(cycle), stage.restore(cycle)]
    _report(invocation, outcomes, started)


def migrate(
    ctx: typer.Context,
    *,
    sql_only: Annotated[
        bool, typer.Option("--sql-only", help="Leave the Python steps out; nothing is recorded.")
    ] = False,
    step: Annotated[
        str | None,
        typer.Option("--step", metavar="NAME", help="Only this step; nothing is recorded."),
    ] = None,
    force: Force = False,
) -> None:
    """Apply every migration to a clone of the restored database."""
    from ..cycle.migrate import migrate as stage

    invocation, started = of(ctx), time.monotonic()
    with invocation.writing("migrate", force=force) as cycle:
        require_database(cycle, "restored", "dbcycle restore")
        outcomes = stage(cycle, sql_only=sql_only, only_step=step)
    if not outcomes:
        note("a part of the migrations was applied; the next full run repeats all of them")
    _report(invocation, outcomes, started)


def extract(
    ctx: typer.Context,
    *,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="T", help="Only this table; may be given several times."),
    ] = None,
    no_anonymize: Annotated[
        bool,
        typer.Option(
            "--no-anonymize",
            help="Raw rows into a private folder, in development only; nothing loads from it.",
        ),
    ] = False,
    db_url: Annotated[
        str | None,
        typer.Option(
            "--db-url", metavar="URL", help="Read this database instead of the migrated one."
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Extract tables with personal data anonymized on the way.

    A table that fails keeps its former extract, and the others go on.
    """
    from ..cycle.elsewhere import elsewhere
    from ..cycle.extract import extract as stage
    from ..cycle.extract import refuse_raw
    from ..cycle.plan import decide, require_catalog
    from ..cycle.restore import take_key
    from ..cycle.subset import draw

    invocation, started = of(ctx), time.monotonic()
    if no_anonymize:
        refuse_raw(credentials.environment())
    with invocation.writing("extract", force=force) as cycle:
        require_catalog(cycle)
        found: list[object] = []
        if not no_anonymize:
            found += [take_key(cycle), decide(cycle)]
        if db_url is None:
            found += draw(cycle)
        source = cycle if db_url is None else elsewhere(cycle, db_url)
        found += list(stage(source, _tables(cycle, table), anonymize=not no_anonymize))
    if no_anonymize:
        note(f"RAW rows, not anonymized: {invocation.project.state / 'raw'} (nothing loads them)")
    _report(invocation, found, started)


def export(
    ctx: typer.Context,
    *,
    table: Annotated[
        list[str] | None, typer.Option("--table", metavar="T", help="Only this table; repeatable.")
    ] = None,
    to: Annotated[
        list[Path] | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help="Write one table there instead: .py, .csv, .jsonl or .parquet; repeatable.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write extracts as files: Python modules, CSV, JSON lines or Parquet.

    Without --to those that `export` of a table's config names.
    """
    from ..artifacts import require_folder
    from ..cycle.export import export as stage
    from ..cycle.export import write
    from ..cycle.plan import require_catalog

    invocation, started = of(ctx), time.monotonic()
    with invocation.writing("export", force=force) as cycle:
        catalog = require_catalog(cycle)
        chosen = _tables(cycle, table)
        if to is None:
            wanted = [name for name in chosen if cycle.project.config.tables[name].export]
            _require_exports(cycle, wanted)
            _report(invocation, stage(cycle, wanted), started)
            return
        if len(chosen) != 1:
            raise UsageError("--to writes one table", remedy="give --table NAME once")
        for path in to:
            require_folder(path, invocation.project.state, "--to")
        rows = {str(path): write(cycle, catalog.tables[chosen[0]], path) for path in to}
    invocation.show(
        {"table": chosen[0], "files": rows},
        lambda: table_of(["file", "rows"], [(name, f"{n:,}") for name, n in rows.items()]),
    )


def _require_exports(cycle: "Cycle", wanted: list[str]) -> None:
    if not wanted:
        raise BadInput(
            "no table has an `export`",
            where=cycle.project.name,
            remedy="write `export: auto_users.py` under a table in dbcycle.yaml, or give --to",
        )


def seed_test_db(ctx: typer.Context, *, force: Force = False) -> None:
    """Load the extracts with the golden records merged over them.

    Only the tables whose extract or golden records changed are loaded again.
    """
    from ..cycle.plan import require_catalog
    from ..cycle.seed import seed, take_golden

    invocation, started = of(ctx), time.monotonic()
    with invocation.writing("seed-test-db", force=force) as cycle:
        require_catalog(cycle)
        _require_extracts(cycle)
        outcomes: list[object] = list(take_golden(cycle))
        outcomes += list(seed(cycle, _tables(cycle, None)))
    _report(invocation, outcomes, started)


def publish(
    ctx: typer.Context,
    *,
    previous: Annotated[
        bool, typer.Option("--previous", help="Bring the former test database back instead.")
    ] = False,
    force: Force = False,
) -> None:
    """Build and verify the test database, then switch to it.

    The live one stays up until every check has passed, and can be brought back afterwards.
    """
    from ..cycle.plan import require_catalog
    from ..cycle.publish import bring_back
    from ..cycle.publish import publish as stage

    invocation, started = of(ctx), time.monotonic()
    with invocation.writing("publish", force=force) as cycle:
        if previous:
            bring_back(cycle)
            outcomes = []
        else:
            require_catalog(cycle)
            _require_extracts(cycle)
            _require_seeded(cycle)
            outcomes = [stage(cycle)]
        url = cycle.server.url(cycle.database("test"))
    _report(invocation, outcomes, started, url=url)
    if previous:
        note("the former test database is live again; `dbcycle refresh` builds a new one")


def verify(ctx: typer.Context) -> None:
    """Prove again that nothing leaked, dangles or drifted.

    Every value of every extract is searched for originals; keys, row counts and the schema of the
    published test database are compared. Ends with exit code 8 if anything was found.
    """
    from ..cycle.verify import verify as stage

    invocation = of(ctx)
    with invocation.writing("verify") as cycle:
        found = stage(cycle, require_database(cycle, "test", "dbcycle refresh"))
    coverage = found.coverage

    def for_people() -> None:
        say(
            f"compared {count(coverage.leaves_compared, 'value')} in {count(coverage.rows, 'row')}"
            f" of {count(coverage.tables, 'table')} ({count(coverage.columns, 'column')})"
        )
        places = [f"{number:,} in {place}" for place, number in coverage.by_place.items()]
        say(f"  {', '.join(places)}", style="dim")
        skipped = sorted(coverage.skipped_reasons.items())
        table(["skipped", "why"], [(f"{number:,}", reason) for reason, number in skipped])
        if coverage.coincidences:
            say(f"{count(coverage.coincidences, 'value')} excused as coincidences by dbcycle.yaml")
        for line in found.findings():
            say(f"  - {line}", style="red")
        if found.passed:
            say("passed: no survivor, no orphan, no lost row, no drift", style="green")
        else:
            say("FAILED", style="bold red")

    invocation.show(found.to_json(), for_people)
    if not found.passed:
        findings_exit()


def _tables(cycle: "Cycle", wanted: list[str] | None) -> list[str]:
    """Return the tables to work on, all of them by default.

    Raises:
        UsageError: one of them is not in the config.
    """
    known = sorted(cycle.project.config.tables)
    for name in wanted or ():
        if name not in known:
            raise UsageError(
                f"no table `{name}` in dbcycle.yaml{did_you_mean(name, known)}",
                remedy="`dbcycle plan` lists the tables",
            )
    return list(dict.fromkeys(wanted)) if wanted else known


def _require_extracts(cycle: "Cycle") -> None:
    missing = [name for name in _tables(cycle, None) if cycle.extracts.manifest(name) is None]
    if missing:
        raise _earlier(cycle, f"there is no extract of {names(missing)} yet", "dbcycle extract")


def _require_seeded(cycle: "Cycle") -> None:
    every = _tables(cycle, None)
    missing = [name for name in every if cycle.ledger.get(f"seeded/{name}") is None]
    if missing:
        raise _earlier(cycle, f"{names(missing)} not loaded yet", "dbcycle seed-test-db")


def _earlier(cycle: "Cycle", what: str, command: str) -> BadInput:
    return BadInput(what, where=cycle.project.name, remedy=f"run `{command}` first")


def _report(
    invocation: Invocation, outcomes: Iterable[object], started: float, *, url: str | None = None
) -> None:
    """Print what a stage made; end with the exit code of its first failure, if any."""
    from ..cycle.extract import Failure
    from ..cycle.session import Outcome

    found = list(outcomes)
    done = [entry for entry in found if isinstance(entry, Outcome)]
    failures = [entry for entry in found if isinstance(entry, Failure)]
    project = invocation.project.name
    document: Document = {
        "ok": not failures,
        "materialized": [f"{project}/{entry.asset}" for entry in done if not entry.memoized],
        "memoized": [f"{project}/{entry.asset}" for entry in done if entry.memoized],
        "failed": [
            {
                "asset": f"{project}/{entry.asset}",
                "error": credentials.redact(str(entry.error)),
            }
            for entry in failures
        ],
        "seconds": round(time.monotonic() - started, 3),
    }
    if url is not None:
        document["url"] = url

    def for_people() -> None:
        table(["asset", "", "rows", "seconds"], [_line(entry) for entry in done])
        if url is not None and not failures:
            heading("test database")
            typer.echo(url)

    invocation.show(document, for_people)
    for entry in failures:
        note(f"dbcycle: {entry.asset}: {credentials.redact(str(entry.error))}")
    if failures:
        raise typer.Exit(failures[0].error.exit_code)


def _line(outcome: "Outcome") -> tuple[str, str, str, str]:
    record = outcome.record
    rows = record.facts.get("rows")
    state = "fresh" if outcome.memoized else "made"
    seconds = "" if outcome.memoized else f"{record.seconds:.1f}"
    return outcome.asset, state, f"{rows:,}" if isinstance(rows, int) else "", seconds
