"""Extract: every table's rows out of the migrated database, anonymized on the way.

Raw rows exist only here and in the scratch databases. What leaves is whole, or not there at all.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import polars as pl

from ..anonymizers.base import Replace
from ..artifacts import RAW, Extracts, ExtractWriter
from ..databases import stopping
from ..databases.port import WHOLE, Database, Part
from ..errors import (
    BadInput,
    Cancelled,
    DbCycleError,
    GuardRefused,
    VerificationFailed,
)
from ..model.catalog import Catalog
from ..model.digest import digest_of
from ..model.ledger import Check, Record
from ..model.plan import Plan, TablePlan
from ..model.privacy import privacy_of
from . import blocks, originals
from .masking import Masking
from .pace import Pace, peak_memory_mb
from .people import people_of
from .plan import current_plan
from .profile import Profiler
from .session import Cycle, Outcome

PREVIEW_ROWS = 5
_LOOK = 0.2


@dataclass(frozen=True)
class Failure:
    """One table that could not be extracted; the others go on."""

    asset: str
    error: DbCycleError


def extract(
    cycle: Cycle, tables: Iterable[str], *, anonymize: bool = True
) -> Iterator[Outcome | Failure]:
    """Extract tables, a few at a time, and yield each outcome as it comes.

    With ``anonymize`` false the rows go raw into a private folder that nothing loads from, and no
    asset is recorded.

    Raises:
        PlanError: something is unjudged; nothing was extracted.
    """
    stale = []
    for name in tables:
        asset = f"extracts/{name}"
        hit = cycle.fresh(asset, missing=cycle.missing_extract(asset, name)) if anonymize else None
        if hit is not None:
            yield hit
        else:
            stale.append(name)
    if not stale:
        return
    plan = current_plan(cycle)
    plan.require()
    unknown = sorted(set(stale) - set(plan.tables))
    if unknown:
        raise BadInput(f"no such table: {', '.join(unknown)}")
    cycle.extracts.remove_leftovers()
    server, name = cycle.server, cycle.database("migrated")
    people = people_of(cycle, plan, stale) if anonymize else None
    run = Run(cycle, plan, people, anonymize)

    def one(table: str) -> Outcome | Failure:
        cycle.progress(f"extracting {table}")
        try:
            with server.open(name, read_only=True) as database:
                return _extract(run, database, plan.tables[table])
        except DbCycleError as error:
            return Failure(f"extracts/{table}", error)

    yield from together(cycle, stale, one)


def together(
    cycle: Cycle,
    tables: Iterable[str],
    work: Callable[[str], Outcome | Failure],
    *,
    writes: bool = False,
) -> Iterator[Outcome | Failure]:
    """Do the same work for tables, a few at a time, and yield each outcome as it comes.

    Of those that write to one SQLite database, only one can at a time.
    """
    alone = writes and cycle.server.engine == "sqlite"
    with ThreadPoolExecutor(1 if alone else cycle.project.config.execution.workers) as pool:
        # A queue, since Ctrl-C can leave no lock of it behind.
        ended: SimpleQueue[Future[Outcome | Failure]] = SimpleQueue()
        futures = [pool.submit(work, table) for table in tables]
        for future in futures:
            future.add_done_callback(ended.put)
        try:
            for _ in futures:
                yield _next_of(ended).result()
        except BaseException:
            cycle.stopping.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _next_of(ended: "SimpleQueue[Future[Outcome | Failure]]") -> "Future[Outcome | Failure]":
    while True:
        with suppress(Empty):
            return ended.get(timeout=_LOOK)
        stopping.point()


def raw_store(cycle: Cycle) -> Extracts:
    """Return the private folder of raw extracts, for debugging in development only."""
    return Extracts(cycle.project.state / "raw", private=True)


def refuse_raw(environment: str) -> None:
    """Refuse raw extracts anywhere but in development.

    Raises:
        GuardRefused: the environment is another one.
    """
    if environment != "development":
        raise GuardRefused(
            f"raw extracts are refused in the {environment} environment",
            remedy="leave --no-anonymize away; it is for a developer's own machine",
        )


@dataclass(frozen=True)
class Run:
    """What the extracts of one run share."""

    cycle: Cycle
    plan: Plan
    people: Replace | None
    anonymize: bool


def _extract(run: Run, database: Database, plan: TablePlan) -> Outcome:
    started = time.monotonic()
    cycle, table = run.cycle, plan.table
    masking = None
    if run.anonymize:
        masking = Masking(cycle.key, database, plan, run.people, originals.Spill)
    store = cycle.extracts if masking is not None else raw_store(cycle)
    rules = {item.column.name: (RAW if masking is None else item.rule) for item in plan.columns}
    profiler = Profiler(plan)
    with store.write(table.id, header_of(plan), rules) as writer:
        preview = pour(run, database, plan, writer, (masking, profiler))
        checks = _checks(cycle, database, plan, masking, writer.rows)
    facts = {
        **made_facts(cycle, store, plan, writer, started),
        "preview": "" if masking is None else preview,
        "peak_memory_mb": peak_memory_mb(),
        "column_seconds": masking.seconds if masking is not None else {},
    }
    if masking is None:
        return Outcome(
            Record(f"raw/{table.id}", "", {}, writer.digest, "", facts=facts), memoized=False
        )
    originals.keep(cycle.project.records, table.id, masking.originals, cycle.key)
    facts["profile"], shape = profiler.results()
    version = digest_of([writer.digest, table.shape])
    return cycle.record(
        f"extracts/{table.id}", version, started=started, facts=facts, checks=(*checks, shape)
    )


def header_of(plan: TablePlan) -> tuple[tuple[str, str], ...]:
    """Return the columns of an extract, each with its type."""
    return tuple((item.column.name, item.column.type) for item in plan.columns)


def pour(
    run: Run,
    database: Database,
    plan: TablePlan,
    writer: ExtractWriter,
    through: tuple[Masking | None, Profiler],
    *,
    part: Part = WHOLE,
) -> str:
    """Write a table's rows, or a part of them, through its masks; return a preview of them.

    Without masks the rows stay raw, and nothing profiles them.

    Raises:
        AnonymizeError: a value does not fit its rule.
        Cancelled: the run is stopping.
    """
    (masking, profiler), cycle = through, run.cycle
    columns = [item.column for item in plan.columns]
    extras = masking.extras if masking is not None else []
    source: Iterator[bytes] = iter(())
    if plan.rows and columns:
        parents = {name: found.table for name, found in run.plan.tables.items()}
        subset = cycle.config.sampled
        source = database.read(
            plan.table, columns, beside=extras, parents=parents, part=part, subset=subset
        )
    doing, expected = f"extracting {plan.table.id}", _rows_of(cycle, plan.table.id)
    pace = Pace(cycle.progress, doing, expected if part == WHOLE else None)
    preview = ""
    if plan.rows and not columns and part[0] == 0:  # of such rows there is nothing but how many
        rows = database.count(plan.table, subset=cycle.config.sampled)
        writer.write(b"\n" * rows, rows)
    with closing(blocks.ahead(masked(source, len(columns) + len(extras), masking))) as made:
        for raw, frame in made:
            if cycle.stopping.is_set():
                raise Cancelled("stopped; the former extract is untouched", where=plan.table.id)
            if masking is not None:
                profiler.add(raw, frame)
            writer.write(blocks.render(frame), frame.height)
            pace.at(writer.rows)
            preview = preview or blocks.preview(frame, [c.name for c in columns], PREVIEW_ROWS)
    return preview


def made_facts(
    cycle: Cycle, store: Extracts, plan: TablePlan, writer: ExtractWriter, started: float
) -> dict[str, Any]:
    """Return what every extract records of itself, however it was made."""
    return {
        "rows": writer.rows,
        "size_bytes": store.rows_path(plan.table.id).stat().st_size,
        "digest": writer.digest,
        "rows_per_second": round(writer.rows / max(0.001, time.monotonic() - started)),
        "columns": column_facts(plan, cycle.catalog),
    }


def _rows_of(cycle: Cycle, table: str) -> int | None:
    """Return how many rows a table has, as the last migration counted them."""
    record = cycle.ledger.get(f"migrated/{table}")
    return record.facts.get("rows") if record is not None else None


def masked(
    source: Iterable[bytes], width: int, masking: Masking | None
) -> Generator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the rows of each block as they were and as they are to be."""
    done = 0
    for block in source:
        raw = blocks.parse(block, width)
        yield raw, raw if masking is None else masking.apply(raw, done)
        done += raw.height


def _checks(
    cycle: Cycle, database: Database, plan: TablePlan, masking: Masking | None, rows: int
) -> tuple[Check, ...]:
    echoed = (masking.masked, masking.echoes) if masking is not None else (0, {})
    return require_safe(cycle, database, plan, echoed, rows)


def require_safe(
    cycle: Cycle,
    database: Database,
    plan: TablePlan,
    echoed: tuple[int, Mapping[str, int]],
    rows: int,
) -> tuple[Check, ...]:
    """Return the blocking checks, all passed; ``echoed`` is how many columns were masked, and how
    many values of each came through unchanged.

    Raises:
        VerificationFailed: a value came through unchanged, or a row got lost; carries the checks.
    """
    masked, echoes = echoed
    expected = database.count(plan.table, subset=cycle.config.sampled) if plan.rows else 0
    checks = (
        Check("no_raw_values", not echoes, {"columns_masked": masked, "echoes": echoes}),
        Check("no_row_lost", rows == expected, {"rows": rows, "expected": expected}),
    )
    findings = [
        f"{plan.table.id}.{name}: {n} values came through unchanged" for name, n in echoes.items()
    ]
    if rows != expected:
        findings.append(f"{plan.table.id}: {rows} rows extracted of {expected}")
    if findings:
        error = VerificationFailed("the extract is not safe to keep:", findings)
        error.checks = checks
        raise error
    return checks


def column_facts(plan: TablePlan, catalog: Catalog | None) -> list[dict[str, str]]:
    """Return what is recorded of each column: its type, class and rule."""
    classes = privacy_of(plan.table, catalog)
    return [
        {
            "name": item.column.name,
            "type": item.column.type,
            "class": classes[item.column.name].klass,
            "rule": item.rule,
            "follows": item.follows or "",
        }
        for item in plan.columns
    ]
