"""Seeding: extracts and golden records merged into the ``seeded`` database, a table at a time.

Each table is replaced alone and whole, without its indexes and keys, and gets them back once all
are there: tables that did not change keep theirs. That database has no triggers; what fires is
added when the test database is built from a clone.
"""

import functools
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..artifacts import Place, file_name, read_bytes, write_json
from ..databases.port import Database, Row, Server
from ..errors import BadInput, DbCycleError, Dirty, GoldenError
from ..model.catalog import Catalog, ForeignKey
from ..model.digest import digest_of
from ..model.ledger import Check
from .blocks import ahead
from .completion import Completion
from .extract import Failure, together
from .golden import golden_files, parse_golden
from .lock import one_at_a_time
from .pace import Pace
from .plan import require_catalog
from .session import Cycle, Outcome

Displaced = list[tuple[tuple[str, ...], tuple[str, ...]]]


def take_golden(cycle: Cycle, tables: Iterable[str] | None = None) -> Iterator[Outcome | Failure]:
    """Read the golden records of tables (default: all) and record them.

    They are held against their table when they are seeded, since only then is it known.
    """
    for name, path in sorted(golden_files(cycle.project).items()):
        if tables is not None and name not in tables:
            continue
        asset = f"golden/{name}"
        if (hit := cycle.fresh(asset, missing={})) is not None:
            yield hit
            continue
        started = time.monotonic()
        try:
            rows = parse_golden(path)
        except DbCycleError as error:
            yield Failure(asset, error)
            continue
        facts = {"rows": len(rows)}
        yield cycle.record(asset, digest_of(list(rows)), started=started, facts=facts)


def golden_rows(cycle: Cycle, catalog: Catalog, name: str) -> tuple[list[Row], dict[str, int]]:
    """Return the golden records of one table, or none, and how often each column was completed.

    Raises:
        GoldenError: a record does not fit its table, or cannot be completed.
    """
    path = golden_files(cycle.project).get(name)
    if path is None:
        return [], {}
    if name not in catalog.tables:
        raise GoldenError("the database has no such table", where=str(path))
    return Completion(cycle.project, catalog).records(name, path)


def seed(cycle: Cycle, tables: Iterable[str]) -> Iterator[Outcome | Failure]:
    """Load tables into the seeded database and yield each outcome as it comes."""
    catalog = require_catalog(cycle)
    stale = []
    for name in tables:
        if (hit := cycle.fresh(f"seeded/{name}", missing={})) is not None:
            yield hit
        else:
            stale.append(name)
    if stale:
        prepare(cycle, catalog)
        release(cycle, catalog, stale)
        largest = sorted(stale, key=lambda name: -_size(cycle, name))
        yield from together(cycle, largest, functools.partial(_seed, cycle), writes=True)


def _size(cycle: Cycle, name: str) -> int:
    manifest = cycle.extracts.manifest(name)
    return manifest.size if manifest is not None else 0


def prepare(cycle: Cycle, catalog: Catalog) -> dict[str, str]:
    """Make sure that the seeded database has the present schema; return what it has loaded."""
    server, name = cycle.server, cycle.database("seeded")
    with one_at_a_time(cycle.project, "seeded"):
        _build(cycle, catalog, server, name)
    with server.open(name) as database:
        return database.loaded_content()


def _build(cycle: Cycle, catalog: Catalog, server: Server, name: str) -> None:
    stamp = server.stamp(name)
    if stamp is None or stamp.content != catalog.schema_digest:
        cycle.progress("building the tables of the seeded database")
        server.create(name, cycle.stamp("seeded", ""))
        server.copy_schema(cycle.database("migrated"), name, "pre-data", cycle.progress)
        server.set_stamp(name, cycle.stamp("seeded", catalog.schema_digest))


def release(cycle: Cycle, catalog: Catalog, names: Iterable[str]) -> None:
    """Drop the foreign keys that touch tables, before these are loaded side by side."""
    name = cycle.database("seeded")
    with one_at_a_time(cycle.project, "seeded"), cycle.server.open(name) as database:
        database.release([catalog.tables[name] for name in names if name in catalog.tables])


@dataclass(frozen=True)
class Completed:
    """How many references followed displaced rows, and what identifies each table's rows now."""

    repaired: int
    contents: dict[str, str]


def complete(cycle: Cycle, catalog: Catalog) -> Completed:
    """Make the seeded database whole: load every table that it lacks although its asset is fresh,
    let references follow what golden records displaced, add the indexes and keys that are missing,
    and gather statistics.

    Tables are missing after the schema changed elsewhere, or when the server was lost; indexes and
    keys are, of tables that were loaded and of those that refer to them.

    Raises:
        BadInput: rows refer to rows that do not exist.
    """
    loaded, server, name = prepare(cycle, catalog), cycle.server, cycle.database("seeded")
    displaced = {
        parent: displaced_of(cycle, parent) for parent in {k.parent for k in catalog.foreign_keys}
    }
    followed = {
        name: _followed(catalog.tables[name].foreign_keys, displaced)
        for name in sorted(catalog.tables)
    }
    wanted = {table: content_of(cycle, table) for table in followed}
    # A table that was repaired after other golden records than now begins from its extract again.
    lacking = [
        table
        for table, suffix in followed.items()
        if loaded.get(table) not in {wanted[table] + suffix, wanted[table]}
    ]
    repaired = 0
    if lacking:
        release(cycle, catalog, lacking)
    with server.open(name) as database:
        for table in lacking:
            cycle.progress(f"loading {table}")
            load(cycle, database, catalog, table)
        for table, suffix in followed.items():
            if suffix and (table in lacking or loaded.get(table) != wanted[table] + suffix):
                for key in catalog.tables[table].foreign_keys:
                    repaired += database.repoint(key, displaced[key.parent])
                database.note_content(catalog.tables[table], wanted[table] + suffix)
    cycle.progress("adding indexes and keys")
    try:
        server.copy_schema(cycle.database("migrated"), name, "keys", cycle.progress)
    except DbCycleError:
        _refuse_orphans(cycle, catalog)
        raise
    if server.engine == "sqlite":  # it takes keys unproven
        _refuse_orphans(cycle, catalog)
    with server.open(name) as database:
        database.analyze([])
    return Completed(
        repaired, {table: wanted[table] + suffix for table, suffix in followed.items()}
    )


def _followed(keys: Iterable[ForeignKey], displaced: Mapping[str, Displaced]) -> str:
    """Return what tells which displaced rows the references of a table have to follow; nothing if
    there are none.
    """
    found = {key.parent: displaced[key.parent] for key in keys if displaced[key.parent]}
    return f" {digest_of(found)}" if found else ""


def _refuse_orphans(cycle: Cycle, catalog: Catalog) -> None:
    """Say which rows refer to nothing.

    Raises:
        BadInput: some do.
    """
    with cycle.server.open(cycle.database("seeded")) as database:
        dangling = [
            f"{key.table}: {count} rows refer through {key.name} to no row of {key.parent}"
            for key in catalog.foreign_keys
            if not key.unproven and (count := database.orphans(key))
        ]
    if dangling:
        raise BadInput(
            "rows refer to rows that do not exist:\n  - " + "\n  - ".join(dangling),
            remedy="golden records must bring their parents along; a reference that was broken in "
            "production needs a repair in a migration",
        )


def content_of(cycle: Cycle, name: str) -> str:
    """Return what identifies the merged rows of a table: its inputs' data versions."""
    return digest_of(cycle.inputs(f"seeded/{name}"))


def load(cycle: Cycle, database: Database, catalog: Catalog, name: str) -> Outcome:
    """Replace one table by its extract with its golden records merged over it.

    Raises:
        GoldenError: a golden record does not fit.
        BadInput: the extract is not whole.
        Dirty: a run that made the extract anew was killed before it was recorded.
    """
    started = time.monotonic()
    table = catalog.tables[name]
    golden, completed = golden_rows(cycle, catalog, name)
    manifest, extracted = cycle.extracts.manifest(name), cycle.ledger.get(f"extracts/{name}")
    recorded = extracted.facts.get("digest") if extracted else None
    if manifest and not manifest.raw and recorded not in {None, manifest.digest}:
        # Its rows would be taken for those of the record whenever these come back.
        raise Dirty(
            "the extract is another than the recorded one: a run stopped in between",
            where=name,
            remedy="run `dbcycle refresh`: it makes the extract again",
        )
    rows = manifest.rows if manifest is not None else 0
    path = golden_files(cycle.project).get(name)
    pace = Pace(cycle.progress, f"seeding {name}", rows)
    try:
        done = database.replace_rows(
            table,
            table.stored_columns,
            pace.counted(ahead(cycle.extracts.read(name))),
            golden,
            content_of(cycle, name),
        )
    except GoldenError as error:
        where = f"{path}: {error.where}" if error.where else str(path)
        raise GoldenError(error.what, where=where, remedy=error.remedy) from None
    _keep_displaced(cycle, name, list(done.displaced))
    expected = rows - done.replaced + done.golden
    if done.rows != expected:
        lost = f"{name}: {done.rows} rows loaded, {expected} expected"
        raise DbCycleError(
            f"seeding lost rows: {lost}", remedy="this is a defect; please report it"
        )
    facts = {
        "columns": extracted.facts.get("columns", []) if extracted is not None else [],
        "rows": done.rows,
        "rows_per_second": round(done.rows / max(0.001, time.monotonic() - started)),
        "golden": done.golden,
        "replaced_by_golden": done.replaced,
        "displaced_by_unique_key": len(done.displaced),
        **({"golden_completed": completed} if completed else {}),
    }
    check = Check("no_row_lost", passed=True, facts={"rows": done.rows, "expected": expected})
    # Without golden records the rows are the extract's, and so is what tells them from others.
    merged = done.fingerprint.digest if done.fingerprint is not None else ""
    content = merged or (manifest.digest if manifest is not None else "")
    version = digest_of([table.shape, done.rows, content])
    return cycle.record(f"seeded/{name}", version, started=started, facts=facts, checks=(check,))


def _seed(cycle: Cycle, name: str) -> Outcome | Failure:
    cycle.progress(f"seeding {name}")
    try:
        with cycle.server.open(cycle.database("seeded")) as database:
            return load(cycle, database, require_catalog(cycle), name)
    except DbCycleError as error:
        return Failure(f"seeded/{name}", error)


def _displaced_path(cycle: Cycle, name: str) -> Place:
    return cycle.project.records / "displaced" / f"{file_name(name)}.json"


def _keep_displaced(cycle: Cycle, name: str, displaced: Displaced) -> None:
    """Keep the keys that golden records displaced; the test database repairs references with it."""
    write_json(_displaced_path(cycle, name), displaced, 0o600)


def displaced_of(cycle: Cycle, name: str) -> Displaced:
    """Return (old key, golden key) of the rows of a table that golden records displaced."""
    try:
        document = json.loads(read_bytes(_displaced_path(cycle, name)))
    except FileNotFoundError:
        return []
    return [(tuple(old), tuple(new)) for old, new in document]
