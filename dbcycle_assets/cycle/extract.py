"""Extract: every table's rows out of the migrated database, anonymized on the way.

Raw rows exist only here and in the scratch databases. What leaves is whole, or not there at all.
"""

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

import polars as pl

from ..anonymizers import build_mask, definition
from ..anonymizers.base import Mask
from ..artifacts import Extracts
from ..databases.port import Database, ElementCodec
from ..errors import (
    AnonymizeError,
    BadInput,
    Cancelled,
    DbCycleError,
    GuardRefused,
    VerificationFailed,
)
from ..model.digest import digest_of
from ..model.ledger import Check, Record
from ..model.plan import ColumnPlan, TablePlan
from ..model.survivors import Originals, leaves_of, words
from . import blocks, originals
from .plan import current_plan
from .session import Cycle, Outcome

PREVIEW_ROWS = 5
CACHE = 200_000


@dataclass(frozen=True)
class Failure:
    """One table that could not be extracted; the others go on."""

    asset: str
    error: DbCycleError


@dataclass
class _Masked:
    """One column being masked: the mask with its memory, and what it has seen."""

    plan: ColumnPlan
    mask: Callable[[str], str | None]
    leaves: Callable[[str], list[str]]
    originals: Originals | None
    partial: bool
    echoes: int = 0
    known: dict[str, str | None] = field(default_factory=dict)


def extract(  # noqa: C901 - hits first, then the pool
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

    def one(table: str) -> Outcome | Failure:
        cycle.progress(f"extracting {table}")
        try:
            with server.open(name, read_only=True) as database:
                return _extract(cycle, database, plan.tables[table], anonymize=anonymize)
        except DbCycleError as error:
            return Failure(f"extracts/{table}", error)

    with ThreadPoolExecutor(cycle.project.config.execution.workers) as pool:
        futures = [pool.submit(one, table) for table in stale]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            cycle.stopping.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


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


def _masks(
    cycle: Cycle, database: Database, plan: TablePlan, *, anonymize: bool
) -> dict[int, _Masked]:
    if not anonymize:
        return {}
    found = {}
    for index, column in enumerate(plan.columns):
        if not column.masked:
            continue
        rule = definition(column.rule)
        mask: Mask = build_mask(column.rule, column.options, column.facts, cycle.key)
        codec = database.element_codec(column.column)
        kept = Originals(cycle.key, column.rule) if rule.searchable else None
        leaves = leaves_of
        if codec is not None:
            mask = functools.partial(_elements, codec, mask)
            leaves = functools.partial(_element_leaves, codec)
        found[index] = _Masked(column, mask, leaves, kept, rule.partial)
    return found


def _elements(codec: ElementCodec, mask: Mask, value: str) -> str:
    return codec.map(value, mask)


def _element_leaves(codec: ElementCodec, value: str) -> list[str]:
    return [leaf for element in codec.leaves(value) for leaf in leaves_of(element)]


def _extract(cycle: Cycle, database: Database, plan: TablePlan, *, anonymize: bool) -> Outcome:
    started = time.monotonic()
    table = plan.table
    columns = [item.column for item in plan.columns]
    masks = _masks(cycle, database, plan, anonymize=anonymize)
    store = cycle.extracts if anonymize else raw_store(cycle)
    header = tuple((column.name, column.type) for column in columns)
    rules = {item.column.name: (item.rule if anonymize else "raw") for item in plan.columns}
    source = database.read(table, columns) if plan.rows and columns else iter(())
    preview = ""
    with store.write(table.id, header, rules) as writer:
        for block in source:
            if cycle.stopping.is_set():
                raise Cancelled("stopped; the former extract is untouched", where=table.id)
            frame = _mask_block(plan, blocks.parse(block, len(columns)), masks, writer.rows)
            writer.write(blocks.render(frame), frame.height)
            preview = preview or blocks.preview(frame, [c.name for c in columns], PREVIEW_ROWS)
        checks = _checks(database, plan, masks, writer.rows)
    facts = {
        "rows": writer.rows,
        "size_bytes": store.rows_path(table.id).stat().st_size,
        "digest": writer.digest,
        "preview": preview if anonymize else "",
        "columns": _column_facts(plan),
    }
    if not anonymize:
        return Outcome(
            Record(f"raw/{table.id}", "", {}, writer.digest, "", facts=facts), memoized=False
        )
    originals.keep(
        cycle.project.state,
        table.id,
        {
            masked.plan.column.name: masked.originals
            for masked in masks.values()
            if masked.originals is not None
        },
    )
    version = digest_of([writer.digest, table.shape])
    return cycle.record(
        f"extracts/{table.id}", version, started=started, facts=facts, checks=checks
    )


def _mask_block(
    plan: TablePlan, frame: pl.DataFrame, masks: dict[int, _Masked], before: int
) -> pl.DataFrame:
    changed = []
    for index, masked in masks.items():
        column = frame.to_series(index)
        try:
            changed.append(
                blocks.rewrite(column, functools.partial(_apply, masked)).alias(column.name)
            )
        except _Unfit as unfit:
            position = (column == blocks.escape(unfit.value)).arg_max() or 0
            raise AnonymizeError(
                f"row {before + position + 1} of the extract: the value does not fit "
                f"{masked.plan.rule} ({unfit.reason})",
                where=f"{plan.table.id}.{masked.plan.column.name}",
                remedy="choose another rule for the column, or repair the value in a migration",
            ) from None
    return frame.with_columns(changed) if changed else frame


class _Unfit(Exception):
    """A mask could not read a value; the value stays inside this module."""

    def __init__(self, value: str, reason: str) -> None:
        super().__init__()
        self.value = value
        self.reason = reason


def _apply(masked: _Masked, value: str) -> str | None:
    try:
        return masked.known[value]
    except KeyError:
        pass
    try:
        result = masked.mask(value)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise _Unfit(value, type(error).__name__) from None
    if masked.originals is not None:
        leaves = masked.leaves(value)
        for leaf in leaves:
            masked.originals.add(leaf)
        masked.echoes += result == value and not masked.partial and any(map(words, leaves))
    if len(masked.known) >= CACHE:
        masked.known.clear()
    masked.known[value] = result
    return result


def _checks(
    database: Database, plan: TablePlan, masks: dict[int, _Masked], rows: int
) -> tuple[Check, ...]:
    """Return the blocking checks, all passed.

    Raises:
        VerificationFailed: a value came through unchanged, or a row got lost; carries the checks.
    """
    echoes = {m.plan.column.name: m.echoes for m in masks.values() if m.echoes}
    expected = database.count(plan.table) if plan.rows else 0
    checks = (
        Check("no_raw_values", not echoes, {"columns_masked": len(masks), "echoes": echoes}),
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


def _column_facts(plan: TablePlan) -> list[dict[str, str]]:
    return [
        {
            "name": item.column.name,
            "type": item.column.type,
            "rule": item.rule,
            "follows": item.follows or "",
        }
        for item in plan.columns
    ]
