"""The subset: draw in the migrated database which rows of each table are kept, before any leaves.

What was drawn stays in that database, so that extracts only join it; each table's set is an asset
of its own, and an extract is stale only if the set of its own table changed.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ..databases.port import Drawing
from ..errors import BadInput
from ..model.digest import digest_of
from ..model.subset import Kept, Program, Reason, make_program
from .plan import current_plan, require_catalog
from .session import Cycle, Outcome

EVERYTHING = "every row"
"""The data version of a table that loses none."""


@dataclass(frozen=True)
class Explanation:
    """Why a row is in: that row first, a chosen one last; empty if it is left out. Keys that are
    personal are left out of it, all but the first, which the user gave.
    """

    reasons: tuple[Reason, ...]


def draw(cycle: Cycle) -> list[Outcome]:
    """Draw the subset and record every table's set; nothing at all where the config asks for none.

    Raises:
        PlanError: something is unjudged, or the subset cannot be as it is asked for.
        BadInput: the database refuses a predicate.
        Findings: nothing would be kept, or rows of other tenants would be.
    """
    assets = [asset for asset, node in cycle.nodes().items() if node.stage == "subset"]
    if not assets:
        return []
    missing = cycle.missing_subset()
    hits = [cycle.fresh(asset, missing=missing) for asset in assets]
    if all(hits):
        return [hit for hit in hits if hit is not None]
    started = time.monotonic()
    current_plan(cycle).require()
    program = program_of(cycle)
    with _drawing(cycle, program, keep=True) as drawing:
        found = {kept.table: kept for kept in drawing.draw(_counted(cycle))}
    drawn = drawing_id(cycle, program)
    server, name = cycle.server, cycle.database("migrated")
    if (stamp := server.stamp(name)) is not None:
        server.set_stamp(name, replace(stamp, facts={**stamp.facts, "subset": drawn}))
    return [_record(cycle, found[asset.split("/", 1)[1]], drawn, started) for asset in assets]


def sizes(cycle: Cycle) -> list[Kept]:
    """Return what the subset would keep of every table; changes nothing.

    Raises:
        BadInput: the config asks for no subset, or the database refuses a predicate.
    """
    with _drawing(cycle, program_of(cycle), keep=False) as drawing:
        return drawing.draw()


def explain(cycle: Cycle, table: str, key: Sequence[str]) -> Explanation:
    """Return why the row of a primary key is in; changes nothing.

    Raises:
        BadInput: there is no such table or row, or the config asks for no subset.
    """
    program = program_of(cycle)
    stamp = cycle.server.stamp(cycle.database("migrated"))
    known = stamp is not None and stamp.facts.get("subset") == drawing_id(cycle, program)
    with _drawing(cycle, program, keep=False) as drawing:
        if not known:
            drawing.draw()
        reasons = drawing.explain(table, key)
    plan = current_plan(cycle)
    kept = {
        (name, item.column.name)
        for name, entry in plan.tables.items()
        for item in entry.columns
        if not item.masked
    }
    return Explanation(
        tuple(
            reason if number == 0 else replace(reason, key=_shown(reason, kept))
            for number, reason in enumerate(reasons)
        )
    )


def _shown(reason: Reason, kept: set[tuple[str, str]]) -> tuple[tuple[str, str | None], ...]:
    if all((reason.table, name) in kept for name, _ in reason.key):
        return reason.key
    return tuple((name, None) for name, _ in reason.key)


def program_of(cycle: Cycle) -> Program:
    """Return the decided subset of the present config.

    Raises:
        BadInput: the config asks for none, or nothing was migrated yet.
    """
    catalog = require_catalog(cycle)
    if not cycle.config.sampled:
        raise BadInput(
            "the config asks for no subset: every row of every table is kept",
            where=cycle.project.name,
            remedy="give a table a `sample`, or write `subset`, in dbcycle.yaml",
        )
    return make_program(cycle.config, catalog)


def drawing_id(cycle: Cycle, program: Program) -> str:
    """Return what tells one drawing from another in the same migrated database."""
    keyed = any(program.keyed(name) for name in program.choices)
    return digest_of([program.digest, cycle.key.id if keyed else ""])


@contextmanager
def _drawing(cycle: Cycle, program: Program, *, keep: bool) -> Iterator[Drawing]:
    salts: Mapping[str, str] = {
        name: cycle.key.digest("subset", name, 32).hex()
        for name, choice in program.choices.items()
        if choice.sample is not None and choice.sample.keyed
    }
    with (
        cycle.server.open(cycle.database("migrated")) as database,
        database.drawing(program, salts, cycle.progress, keep=keep) as drawing,
    ):
        yield drawing


def _counted(cycle: Cycle) -> dict[str, int]:
    """Return the rows of each migrated table, as the migration counted them."""
    records = cycle.records({a: n for a, n in cycle.nodes().items() if n.stage == "migrated"})
    return {asset.split("/", 1)[1]: int(r.facts["rows"]) for asset, r in records.items()}


def _record(cycle: Cycle, kept: Kept, drawn: str, started: float) -> Outcome:
    asset = f"subset/{kept.table}"
    version = EVERYTHING if kept.mode == "whole" else kept.digest
    facts = {
        "rows": kept.kept,
        "of": kept.total,
        "chosen": kept.chosen,
        "brought": dict(kept.by),
        "drawn": drawn,
    }
    known = cycle.ledger.get(asset)
    made = cycle.record(asset, version, started=started, facts=facts)
    same = known is not None and known.data_version == version
    return Outcome(made.record, memoized=same)
