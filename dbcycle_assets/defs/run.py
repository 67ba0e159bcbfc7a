"""Run what is stale through Dagster, in this process: the door behind ``dbcycle refresh``."""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterExecutionInterruptedError
from dagster._core.utils import make_new_run_id
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy.exc import DBAPIError

from ..artifacts import write_atomically
from ..config import credentials
from ..config.model import Project
from ..config.state import make_state
from ..cycle.extract import Failure
from ..cycle.leftovers import remove_leftovers
from ..cycle.lock import holding
from ..cycle.session import Cycle, Outcome, silent
from ..databases import stopping
from ..databases.port import Progress
from ..errors import Cancelled, DbCycleError, DiskUnavailable, ServerUnavailable, UsageError
from .assets import build_assets
from .runs import end_dead_runs, own_tags
from .specs import Specs

INSTANCE = b"""# Written by dbcycle; edit freely.
telemetry:
  enabled: false
nux:
  enabled: false
"""


_FULL = re.compile(
    r"^(OperationalError|sqlite3\.OperationalError|OSError): .*"
    r"(database or disk is full|disk I/O error|readonly database|unable to open database file|"
    r"No space left on device|Read-only file system)",
    re.DOTALL,
)
_LOST = re.compile(
    r"^psycopg\.(OperationalError|errors\.(AdminShutdown|CrashShutdown|CannotConnectNow|"
    r"IdleSessionTimeout|TooManyConnections|OutOfMemory|Connection\w+)):"
)


@dataclass
class Refreshed:
    """What a refresh did; ``error`` is the first failure, whose exit code is the command's."""

    run_id: str = ""
    ok: bool = True
    materialized: list[str] = field(default_factory=list)
    memoized: list[str] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    published: bool = False
    url: str | None = None
    error: DbCycleError | None = None


def dagster_home(project: Project) -> Path:
    """Return the folder of the Dagster instance: DAGSTER_HOME, or one that all projects of the
    same workspace share, or the project's own. It gets a ``dagster.yaml`` without telemetry.
    """
    home = credentials.dagster_home()
    if home is None:
        workspace = next(
            (up for up in project.root.parents if (up / "workspace.yaml").is_file()), None
        )
        home = workspace / ".dagster" if workspace else project.state / "dagster"
    return _without_telemetry(home)


def _without_telemetry(home: Path) -> Path:
    """Return the folder, private if we make it, with a ``dagster.yaml`` that turns telemetry off
    if it had none.
    """
    config = home / "dagster.yaml"
    if not config.exists():
        if not home.exists():
            make_state(home)
        with write_atomically(config) as file:
            file.write(INSTANCE)
    return home


def refresh(
    project: Project,
    *,
    select: Sequence[str] | None = None,
    force: bool = False,
    progress: Progress = silent,
    instance_home: Path | None = None,
) -> Refreshed:
    """Run every stale asset (or ``select``, a Dagster selection each) end to end.

    With nothing stale, nothing runs. With ``force`` everything selected works again.

    Raises:
        Locked: another run holds the project.
        Cancelled: the user stopped it; nothing half-made was kept.
        UsageError: the selection names nothing.
        DiskUnavailable: Dagster's storage cannot be written.
    """
    started = time.monotonic()
    result = Refreshed()
    cycle = Cycle(project, progress=progress, force=force)

    def watch(outcome: Outcome | Failure) -> None:
        name = f"{project.name}/{outcome.asset}"
        if isinstance(outcome, Failure):
            result.failed.append({"asset": name, "error": str(outcome.error)})
            result.error = result.error or outcome.error
        else:
            (result.memoized if outcome.memoized else result.materialized).append(name)

    with holding(project, "refresh"):
        remove_leftovers(cycle)
        specs = Specs(project, cycle.nodes().values())
        selection = _selection(cycle, specs, select)
        home = _without_telemetry(instance_home) if instance_home else dagster_home(project)
        with _storage_errors(home), dg.DagsterInstance.from_config(str(home)) as instance:
            # What they made before they died has its record, and Dagster may not know of it.
            untold = end_dead_runs(project, instance)
            if selection or untold:
                _execute(cycle, specs, (selection, untold), instance, watch, result)
        result.published = any(name.endswith("/test_db") for name in result.materialized)
        name = cycle.database("test")
        if result.ok and cycle.server.stamp(name) is not None:
            result.url = cycle.server.url(name)
    result.seconds = round(time.monotonic() - started, 3)
    return result


@contextmanager
def _storage_errors(home: Path) -> Iterator[None]:
    """Turn a failure of Dagster's own storage into an error that says so."""
    try:
        yield
    except DBAPIError as error:
        raise _no_storage(type(error.orig).__name__, str(home)) from error


def _no_storage(why: str, home: str) -> DiskUnavailable:
    return DiskUnavailable(
        f"Dagster's storage cannot be read or written ({why})",
        where=home,
        remedy="see that its disk has room and that the folder is yours, then run again: "
        "the published test database is untouched",
    )


def _selection(
    cycle: Cycle, specs: Specs, select: Sequence[str] | None
) -> dg.AssetSelection | None:
    name = cycle.project.name
    if select:
        try:
            return dg.AssetSelection.from_string(" or ".join(f"({part})" for part in select))
        except dg.DagsterError:
            raise UsageError(
                f"Dagster does not understand {' '.join(select)}",
                where="--select",
                remedy=f"write it as in 'key:\"{name}/extracts/users\"+', where + means all "
                "that lies downstream; `dbcycle plan --select` prints what is stale",
            ) from None
    if cycle.force:
        return dg.AssetSelection.assets(*specs.keys)
    stale = cycle.stale()
    if not stale:
        return None
    return dg.AssetSelection.assets(*(specs.key(entry.asset) for entry in stale))


def _execute(
    cycle: Cycle,
    specs: Specs,
    wanted: tuple[dg.AssetSelection | None, frozenset[dg.AssetKey]],
    instance: dg.DagsterInstance,
    watch: object,
    result: Refreshed,
) -> None:
    quiet = dg.LoggerDefinition(lambda _init: logging.getLogger("dbcycle.quiet"))
    logging.getLogger("dbcycle.quiet").addHandler(logging.NullHandler())
    logging.getLogger("dbcycle.quiet").propagate = False
    # A storage's connection that Ctrl-C interrupts while it closes is no news to anybody.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    defs = dg.Definitions(
        assets=build_assets(specs, cycle=cycle, watch=watch),  # type: ignore[arg-type]
        executor=dg.in_process_executor,
    )
    graph = defs.resolve_asset_graph()
    selection, untold = wanted
    known = graph.materializable_asset_keys
    again = dg.AssetSelection.assets(*(key for key in untold if key in known))
    chosen = (selection | again if selection else again).required_multi_asset_neighbors()
    keys = sorted(key for key in chosen.resolve(graph) if key in known)
    if not keys:
        if selection is None:  # what dead runs were to make is no longer there
            return
        raise UsageError(
            "the selection names no asset of this project",
            remedy="`dbcycle plan` lists them",
        )
    job = defs.resolve_implicit_global_asset_job_def().with_logger_defs({"console": quiet})
    run_id = make_new_run_id()
    try:
        run = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            asset_selection=keys,
            # A logger that the run config does not name is passed over for Dagster's own.
            run_config={"loggers": {"console": {}}},
            raise_on_error=False,
            tags=own_tags(cycle.project),
        )
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        # Interrupted before its first event, a run would stay "not started" for ever.
        begun = instance.get_run_by_id(run_id)
        if begun is not None and not begun.is_finished:
            instance.report_run_canceled(begun)
        raise _stopped(cycle) from None
    if (stopping.asked() and not run.success) or any(map(_is_interrupt, run.all_events)):
        raise _stopped(cycle)
    result.run_id = run.run_id
    result.ok = run.success and not result.failed
    if not run.success and result.error is None:
        result.error = _unknown(run, instance)
        result.failed.append({"asset": "", "error": str(result.error)})


def _unknown(run: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> DbCycleError:
    """Return the error of a run that failed outside of what our own errors tell of."""
    if any(map(_is_lost, run.all_events)):
        return ServerUnavailable(
            "the server went away or is full",
            remedy="run the command again; nothing half-made was kept",
        )
    if any(map(_is_storage, run.all_events)):
        return _no_storage("it is full or read-only", instance.root_directory)
    return DbCycleError(
        "a step failed in a way that this product does not know",
        where=f"run {run.run_id}",
        remedy="see the run's log in `dbcycle ui`",
    )


def _stopped(cycle: Cycle) -> Cancelled:
    cycle.stopping.set()
    return Cancelled(
        "stopped; nothing half-made was kept, and the published test database is as it was",
        remedy="run `dbcycle refresh` again: it goes on from what is done",
    )


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    """Tell whether a step or a run ended because the user stopped it; Dagster calls that a failure,
    and its error may be the cause of another one.
    """
    names = {error.cls_name for error in _errors(event)}
    interrupted = not names.isdisjoint({"DagsterExecutionInterruptedError", "KeyboardInterrupt"})
    return interrupted or event.event_type is dg.DagsterEventType.RUN_CANCELED


def _is_storage(event: dg.DagsterEvent) -> bool:
    """Tell whether a step or a run failed because Dagster could not write down how it went; our own
    errors are told by their name, and never come here as a driver's.
    """
    return any(_FULL.search(f"{error.cls_name}: {error.message}") for error in _errors(event))


def _is_lost(event: dg.DagsterEvent) -> bool:
    """Tell whether a step failed because its session ended, wherever in the step that showed."""
    return any(_LOST.search(error.message) for error in _errors(event))


def _errors(event: dg.DagsterEvent) -> Iterator[SerializableErrorInfo]:
    """Yield the error that an event tells of, and those behind it."""
    data: Any = event.step_failure_data if event.is_step_failure else None
    if event.event_type is dg.DagsterEventType.RUN_FAILURE:
        data = event.job_failure_data
    error = data.error if data is not None else None
    while error is not None:
        yield error
        error = error.cause or error.context
