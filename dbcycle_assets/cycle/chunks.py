"""A big table's extract in parts: each made alone, by whichever process, then joined into one.

A part is a run of the table's rows in their order, so that the parts one after another are byte for
byte the extract that one process makes. What checks and verification need of a part lies beside it,
in the private records, until the parts are joined.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from ..artifacts import Extracts, exists, file_name, read_bytes, remove, write_json
from ..databases.port import Part
from ..errors import BadInput
from ..model.digest import digest_of
from ..model.plan import TablePlan
from ..model.survivors import Originals
from . import originals
from .extract import Run, header_of, made_facts, pour, require_safe
from .masking import Masking
from .pace import peak_memory_mb
from .people import people_of
from .plan import current_plan
from .profile import Profiler
from .session import Cycle, Outcome, made_of


def make_part(cycle: Cycle, table: str, part: Part) -> bool:
    """Extract one part of a table; return whether there was anything to do. A part that an earlier
    run made of the same inputs is kept.

    Raises:
        PlanError: something is unjudged.
        AnonymizeError: a value does not fit its rule.
    """
    if _fresh(cycle, table) is not None:
        return False
    if not cycle.force and _found(cycle, table, part) is not None:
        return False
    plan = current_plan(cycle)
    plan.require()
    if table not in plan.tables:
        raise BadInput(f"no such table: {table}")
    cycle.progress(f"extracting {table}, part {part[0] + 1} of {part[1]}")
    run = Run(cycle, plan, people_of(cycle, plan, [table]), anonymize=True)
    item = plan.tables[table]
    store, name = _store(cycle), _name(table, part)
    with cycle.server.open(cycle.database("migrated"), read_only=True) as database:
        masking = Masking(cycle.key, database, item, run.people, originals.Spill)
        profiler = Profiler(item)
        with store.write(name, header_of(item), {}) as writer:
            preview = pour(run, database, item, writer, (masking, profiler), part=part)
    originals.keep(cycle.project.records, name, masking.originals, cycle.key)
    found = {
        "made_of": _made_of(cycle, table),
        "digest": writer.digest,
        "preview": preview,
        "masked": masking.masked,
        "echoes": masking.echoes,
        "values": {column: kept.values for column, kept in masking.originals.items()},
        "profile": profiler.to_json(),
        "column_seconds": masking.seconds,
        "peak_memory_mb": peak_memory_mb(),
    }
    write_json(_facts_path(cycle, table, part), found, 0o600)
    return True


def join(cycle: Cycle, table: str, parts: int) -> Outcome:
    """Make a table's extract of its parts, check it whole and record it; the parts are removed.

    Raises:
        VerificationFailed: a value came through unchanged, or a row got lost.
        BadInput: a part is missing, or of other inputs.
    """
    if (hit := _fresh(cycle, table)) is not None:
        return hit
    started = time.monotonic()
    plan = current_plan(cycle)
    plan.require()
    item = plan.tables[table]
    rules = {found.column.name: found.rule for found in item.columns}
    store, profiler = _store(cycle), Profiler(item)
    merged = _Merged(cycle, item)
    with cycle.extracts.write(table, header_of(item), rules) as writer:
        for number in range(parts):
            part = (number, parts)
            known = _found(cycle, table, part)
            if known is None:
                raise BadInput(
                    f"part {number + 1} of {parts} is missing, or was made of other inputs",
                    where=table,
                    remedy="run the table's parts again",
                )
            for block in store.read(_name(table, part)):
                writer.write(block, block.count(b"\n"))
            profiler.take(known["profile"])
            merged.take(known, _name(table, part))
        with cycle.server.open(cycle.database("migrated"), read_only=True) as database:
            echoed = (merged.masked, merged.echoes)
            checks = require_safe(cycle, database, item, echoed, writer.rows)
    originals.keep(cycle.project.records, table, merged.originals, cycle.key)
    profile, shape = profiler.results()
    facts = {
        **made_facts(cycle, cycle.extracts, item, writer, started),
        "preview": merged.preview,
        "peak_memory_mb": merged.peak,
        "column_seconds": merged.seconds,
        "profile": profile,
        "parts": parts,
    }
    version = digest_of([writer.digest, item.table.shape])
    outcome = cycle.record(
        f"extracts/{table}", version, started=started, facts=facts, checks=(*checks, shape)
    )
    for number in range(parts):
        _remove(cycle, table, (number, parts))
    return outcome


@dataclass
class _Merged:
    """What the parts found, added up."""

    cycle: Cycle
    plan: TablePlan
    preview: str = ""
    masked: int = 0

    def __post_init__(self) -> None:
        self.echoes: dict[str, int] = {}
        self.originals: dict[str, Originals] = {}
        self.seconds: dict[str, float] = {}
        self.peak = 0.0

    def take(self, known: dict[str, Any], name: str) -> None:
        """Add one part.

        Raises:
            BadInput: the digests of its originals are gone.
        """
        self.preview = self.preview or known["preview"]
        self.masked = known["masked"]
        self.peak = max(self.peak, known["peak_memory_mb"])
        for column, seconds in known["column_seconds"].items():
            self.seconds[column] = round(self.seconds.get(column, 0) + seconds, 2)
        for column, times in known["echoes"].items():
            self.echoes[column] = self.echoes.get(column, 0) + times
        kept = originals.read(self.cycle.project.records, name, self.cycle.key)
        if kept is None:
            raise BadInput(
                "the digests of a part's originals are gone",
                where=self.plan.table.id,
                remedy="run the table's parts again with force",
            )
        for column, found in kept.items():
            into = self.originals.setdefault(column, Originals(self.cycle.key, originals.Spill()))
            into.take(found.digests, found.kinds)
            into.kept.update(found.excused)
            into.values += known["values"][column]
            into.unsearchable += found.unsearchable


def _fresh(cycle: Cycle, table: str) -> Outcome | None:
    asset = f"extracts/{table}"
    return cycle.fresh(asset, missing=cycle.missing_extract(asset, table))


def _found(cycle: Cycle, table: str, part: Part) -> dict[str, Any] | None:
    """Return what a part found, if it is whole and of the present inputs."""
    try:
        known: dict[str, Any] = json.loads(read_bytes(_facts_path(cycle, table, part)))
    except (FileNotFoundError, ValueError):
        return None
    manifest = _store(cycle).manifest(_name(table, part))
    whole = manifest is not None and manifest.digest == known.get("digest")
    return known if whole and known.get("made_of") == _made_of(cycle, table) else None


def _made_of(cycle: Cycle, table: str) -> str:
    asset = f"extracts/{table}"
    return made_of(cycle.nodes()[asset].code_version, cycle.inputs(asset))


def _store(cycle: Cycle) -> Extracts:
    return Extracts(cycle.project.records / "parts", private=True)


def _name(table: str, part: Part) -> str:
    return f"{table} part {part[0]} of {part[1]}"


def _facts_path(cycle: Cycle, table: str, part: Part) -> Any:
    return cycle.project.records / "parts" / f"{file_name(_name(table, part))}.found.json"


def _remove(cycle: Cycle, table: str, part: Part) -> None:
    store, name = _store(cycle), _name(table, part)
    for place in (
        _facts_path(cycle, table, part),
        store.manifest_path(name),
        store.rows_path(name),
        originals.path_of(cycle.project.records, name),
    ):
        if exists(place):
            remove(place)
