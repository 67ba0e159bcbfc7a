"""Seeding: extracts and golden records merged into the ``seeded`` database, a table at a time.

That database has tables but no indexes, keys or triggers: each table is replaced alone and whole,
and everything that checks or fires is added once, when the test database is built from a clone.
"""

import json
import time
from collections.abc import Iterable, Iterator

from ..artifacts import Place, file_name, read_bytes, write_json
from ..databases.port import Database, Row, Server
from ..errors import DbCycleError, GoldenError
from ..model.catalog import Catalog
from ..model.digest import digest_of
from ..model.ledger import Check
from .completion import Completion
from .extract import Failure
from .golden import golden_files, parse_golden
from .lock import one_at_a_time
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
    loaded: dict[str, str] | None = None
    for name in tables:
        asset = f"seeded/{name}"
        if (hit := cycle.fresh(asset, missing={})) is not None:
            yield hit
            continue
        if loaded is None:
            loaded = prepare(cycle, catalog)
        try:
            yield _seed(cycle, catalog, name)
        except DbCycleError as error:
            yield Failure(asset, error)


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


def complete(cycle: Cycle, catalog: Catalog) -> None:
    """Load every table that the seeded database lacks although its asset is fresh.

    That is so after the schema changed elsewhere, or when the server was lost.
    """
    loaded = prepare(cycle, catalog)
    with cycle.server.open(cycle.database("seeded")) as database:
        for name in sorted(catalog.tables):
            if loaded.get(name) != content_of(cycle, name):
                cycle.progress(f"loading {name}")
                load(cycle, database, catalog, name)


def content_of(cycle: Cycle, name: str) -> str:
    """Return what identifies the merged rows of a table: its inputs' data versions."""
    return digest_of(cycle.inputs(f"seeded/{name}"))


def load(cycle: Cycle, database: Database, catalog: Catalog, name: str) -> Outcome | None:
    """Replace one table by its extract with its golden records merged over it.

    Raises:
        GoldenError: a golden record does not fit.
        BadInput: the extract is not whole.
    """
    started = time.monotonic()
    table = catalog.tables[name]
    golden, completed = golden_rows(cycle, catalog, name)
    manifest = cycle.extracts.manifest(name)
    rows = manifest.rows if manifest is not None else 0
    path = golden_files(cycle.project).get(name)
    try:
        done = database.replace_rows(
            table, table.stored_columns, cycle.extracts.read(name), golden, content_of(cycle, name)
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
    extracted = cycle.ledger.get(f"extracts/{name}")
    facts = {
        "columns": extracted.facts.get("columns", []) if extracted is not None else [],
        "rows": done.rows,
        "golden": done.golden,
        "replaced_by_golden": done.replaced,
        "displaced_by_unique_key": len(done.displaced),
        **({"golden_completed": completed} if completed else {}),
    }
    check = Check("no_row_lost", passed=True, facts={"rows": done.rows, "expected": expected})
    version = digest_of([table.shape, done.fingerprint.rows, done.fingerprint.digest])
    return cycle.record(f"seeded/{name}", version, started=started, facts=facts, checks=(check,))


def _seed(cycle: Cycle, catalog: Catalog, name: str) -> Outcome | Failure:
    asset = f"seeded/{name}"
    cycle.progress(f"seeding {name}")
    with cycle.server.open(cycle.database("seeded")) as database:
        outcome = load(cycle, database, catalog, name)
    return outcome or Failure(asset, DbCycleError("nothing was loaded"))


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
