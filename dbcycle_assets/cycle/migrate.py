"""The migrations: a clone of the restored database with every version's steps applied."""

import runpy
import time
from dataclasses import dataclass
from pathlib import Path

from ..databases.port import Database, Fingerprint, Progress
from ..errors import DbCycleError, MigrationError
from ..model.catalog import Catalog, Table
from ..model.digest import digest_of, digest_of_text
from .nodes import migration_steps
from .session import Cycle, Outcome


@dataclass(frozen=True)
class Step:
    """What a Python migration step may know besides its connection.

    ``secrets_file`` is the project's protected file of plain texts, or None.
    """

    secrets_file: Path | None
    report: Progress


def migrate(cycle: Cycle, *, sql_only: bool = False, only_step: str | None = None) -> list[Outcome]:
    """Apply all migrations to a clone of the restored database and record every table's version.

    With ``sql_only`` or ``only_step`` nothing is recorded, so that the next full run repeats it.

    Raises:
        MigrationError: a step failed; the former migrated database is untouched.
    """
    missing = cycle.missing_database("migrated_schema", "migrated")
    if not (sql_only or only_step):
        known = cycle.fresh("migrated_schema", missing=missing)
        tables = [cycle.fresh(asset, missing={}) for asset in _table_assets(cycle)]
        if known is not None and all(tables):
            return [known, *(outcome for outcome in tables if outcome is not None)]
    started = time.monotonic()
    server = cycle.server
    fresh, live = cycle.database("migrating"), cycle.database("migrated")
    cycle.progress("cloning the restored database")
    server.clone(cycle.database("restored"), fresh, cycle.stamp("migrating", ""))
    try:
        with server.open(fresh) as database:
            applied = _apply(cycle, database, sql_only=sql_only, only_step=only_step)
            catalog = database.catalog()
            cycle.progress(f"fingerprinting {len(catalog.tables)} tables")
            prints = database.fingerprints(catalog.tables.values())
    except BaseException:
        server.drop(fresh, cycle.project.name)
        raise
    content = "" if sql_only or only_step else catalog.schema_digest
    server.set_stamp(fresh, cycle.stamp("migrated", content))
    server.switch(fresh, live, cycle.database("replaced"), cycle.project.name)
    server.drop(cycle.database("replaced"), cycle.project.name)
    cycle.keep_catalog(catalog)
    if not content:
        return []
    return _record(cycle, catalog, prints, applied, started)


def _table_assets(cycle: Cycle) -> list[str]:
    return [asset for asset in cycle.nodes() if asset.startswith("migrated/")]


def table_version(table: Table, rows: Fingerprint) -> str:
    """Return the data version of one migrated table: its shape and its rows."""
    return digest_of([table.shape, rows.rows, rows.digest])


def _record(
    cycle: Cycle,
    catalog: Catalog,
    prints: dict[str, Fingerprint],
    applied: list[str],
    started: float,
) -> list[Outcome]:
    facts = {"tables": len(catalog.tables), "steps": applied, "head": applied[-1:] or ["none"]}
    outcomes = [
        cycle.record("migrated_schema", catalog.schema_digest, started=started, facts=facts)
    ]
    for asset in _table_assets(cycle):
        name = asset.split("/", 1)[1]
        table = catalog.tables.get(name)
        if table is None:  # the plan reports it by name
            cycle.ledger.forget(asset)
            continue
        version = table_version(table, prints[name])
        known = cycle.ledger.get(asset)
        made = cycle.record(asset, version, started=started, facts={"rows": prints[name].rows})
        same = known is not None and known.data_version == version
        outcomes.append(Outcome(made.record, memoized=same))
    return outcomes


def _apply(cycle: Cycle, database: Database, *, sql_only: bool, only_step: str | None) -> list[str]:
    done = {step for step, _ in database.applied()}
    secrets = cycle.project.config.passwords
    context = Step(cycle.project.path(secrets) if secrets else None, cycle.progress)
    names = []
    steps = [
        (name, path)
        for name, path in migration_steps(cycle.project)
        if not (sql_only and path.suffix == ".py")
        and (only_step is None or only_step in (name, name.split("/", 1)[1]))
    ]
    if only_step is not None and not steps:
        raise MigrationError(
            f"no migration step is called {only_step}",
            remedy="the steps are listed under `migrations` in dbcycle.yaml",
        )
    for name, path in steps:
        if name in done:
            continue
        started = time.monotonic()
        cycle.progress(f"migration {name}")
        content = path.read_bytes()
        if path.suffix == ".py":
            _run_python(database, path, context)
        else:
            database.run_sql(content.decode("utf-8-sig"), path)
        database.record_step(name, digest_of_text(content), time.monotonic() - started)
        names.append(name)
    return names


def _run_python(database: Database, path: Path, context: Step) -> None:
    """Run one Python step's ``run(connection, step)`` in one transaction."""
    try:
        run = runpy.run_path(str(path)).get("run")
        if run is None:
            raise MigrationError(  # noqa: TRY301 - told apart from the step's own errors
                "has no function `run(connection, step)`",
                where=str(path),
                remedy="define it; the connection is SQLAlchemy's, inside a transaction",
            )
        with database.sqlalchemy() as connection:
            result = run(connection, context)
    except DbCycleError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a step is the user's own code
        line = _line_in(error, path)
        raise MigrationError(
            f"the step raised {type(error).__name__} and was rolled back",
            where=f"{path}:{line}" if line else str(path),
            remedy="the message is withheld, since it may hold a row's values; "
            "run the step alone in a debugger",
        ) from None
    if isinstance(result, str) and result:
        context.report(f"{path.name}: {result}")


def _line_in(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
