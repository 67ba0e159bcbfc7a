"""The migrations: a clone of the restored database with every version's steps applied."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..databases import server_version
from ..databases.port import Database, Fingerprint
from ..errors import DbCycleError, MigrationError
from ..mapping.check import compare_models, models_digest
from ..model.catalog import Ancestor, Catalog, Table
from ..model.descent import Descent
from ..model.digest import digest_of
from ..model.ledger import Check
from ..model.migration import Step, pending
from ..upkeep.engine import engine_for
from ..upkeep.linting import NO_LINTER, lint
from ..upkeep.sources import migration_steps
from .session import Cycle, Outcome, made_of


@dataclass(frozen=True)
class Applied:
    """The seconds of each step in order, where columns come from, and the linter's check."""

    seconds: Mapping[str, float]
    ancestors: tuple[Ancestor, ...]
    check: Check | None


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
            known = _looked_again(cycle, known)
            return [known, *(outcome for outcome in tables if outcome is not None)]
    started = time.monotonic()
    server = cycle.server
    fresh, live = cycle.database("migrating"), cycle.database("migrated")
    cycle.progress("cloning the restored database")
    server.clone(cycle.database("restored"), fresh, cycle.stamp("migrating", ""))
    try:
        with server.open(fresh) as database:
            applied = _apply(cycle, database, sql_only=sql_only, only_step=only_step)
            catalog = replace(database.catalog(), ancestors=applied.ancestors)
            cycle.progress(f"fingerprinting {len(catalog.tables)} tables")
            prints = database.fingerprints(catalog.tables.values())
    except BaseException:
        server.drop(fresh, cycle.project.name)
        raise
    content = "" if sql_only or only_step else catalog.version
    made = made_of(cycle.nodes()["migrated_schema"].code_version, cycle.inputs("migrated_schema"))
    server.set_stamp(fresh, cycle.stamp("migrated", content, made=made))
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
    applied: Applied,
    started: float,
) -> list[Outcome]:
    names = list(applied.seconds)
    facts = {
        "tables": len(catalog.tables),
        "steps": names,
        "step_seconds": applied.seconds,
        "head": names[-1:] or ["none"],
    }
    found = (applied.check, _in_step(cycle))
    checks = tuple(check for check in found if check is not None)
    outcomes = [
        cycle.record(
            "migrated_schema", catalog.version, started=started, facts=facts, checks=checks
        )
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


def _apply(cycle: Cycle, database: Database, *, sql_only: bool, only_step: str | None) -> Applied:
    told: list[str] = []
    everything = migration_steps(cycle.project)
    engine = replace(
        engine_for(
            cycle.project,
            database,
            report=cycle.progress,
            url=cycle.server.url(database.name),
            alone=True,
        ),
        witness=told.append,
        discreet=True,
    )
    engine.migrations.prepare()
    steps = [
        step
        for step in pending(everything, engine.migrations.entries())
        if not (sql_only and step.kind == "python")
        and (only_step is None or step.is_called(only_step))
    ]
    if only_step is not None and not any(step.is_called(only_step) for step in everything):
        raise MigrationError(
            f"no migration step is called {only_step}",
            remedy="the steps are listed under `migrations` in dbcycle.yaml",
        )
    names: dict[str, float] = {}
    descent, columns = Descent(cycle.project.config.engine), engine.migrations.columns()
    for step in steps:
        cycle.progress(f"migration {step.name}")
        engine.apply([step], lambda done, seconds: names.update({done.name: round(seconds, 3)}))
        before, columns = columns, engine.migrations.columns()
        descent.follow(step.name, [*engine.statements(step), *dict.fromkeys(told)], before, columns)
        told.clear()
    return Applied(names, descent.ancestors, _linted(cycle, steps))


def _in_step(cycle: Cycle) -> Check | None:
    """Return whether the application's models say what the schema says: a warning, and only where
    the config names them. Models that do not import are no reason to stop a migration.
    """
    if cycle.project.config.models is None:
        return None
    facts: dict[str, object] = {"models": models_digest(cycle.project)}
    try:
        url = cycle.server.url(cycle.database("migrated"))
        found = compare_models(cycle.project, url, cycle.progress)
    except DbCycleError as error:
        facts |= {"tables": 0, "findings": [str(error)]}
        return Check("models_in_step", passed=False, facts=facts, blocking=False)
    facts |= {"tables": found.tables, "columns": found.columns}
    facts |= {"findings": [str(each) for each in found.findings]}
    return Check("models_in_step", passed=found.passed, facts=facts, blocking=False)


def _looked_again(cycle: Cycle, known: Outcome) -> Outcome:
    """Return a memoized outcome with its check made again if the models were edited since; without
    it where the config no longer names them.
    """
    name, named = "models_in_step", cycle.project.config.models is not None
    former = next((check for check in known.record.checks if check.name == name), None)
    told = former.facts.get("models") if former is not None else None
    if told == (models_digest(cycle.project) if named else None):
        return known
    fresh = _in_step(cycle)
    others = tuple(check for check in known.record.checks if check.name != name)
    record = replace(known.record, checks=(*others, *([fresh] if fresh else [])))
    cycle.ledger.put(record)
    return Outcome(record, memoized=True)


def _linted(cycle: Cycle, steps: Sequence[Step]) -> Check | None:
    """Return whether a step would hold up production: a warning, and only for PostgreSQL."""
    if cycle.project.config.engine != "postgresql":
        return None
    found = lint(cycle.project, steps, server_version(cycle.server))
    facts = {
        "steps": len(steps),
        "warnings": [NO_LINTER] if found is None else [str(each) for each in found],
    }
    return Check("no_long_locks", passed=found == [], facts=facts, blocking=False)
