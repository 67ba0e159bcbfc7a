"""What ``dbcycle db`` does with migrations, as functions of a target; the library's API too.

Each asks the guards on the live connection, holds the database's lock while it writes, and leaves
a line in the audit log, however it ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..config.model import Project
from ..databases import server_version
from ..databases.migrating import Holder
from ..databases.port import Database, Progress
from ..errors import BadInput, Drift, UsageError, did_you_mean
from ..model.migration import (
    BASELINE,
    REVERTING,
    RUNNING,
    SKIPPED,
    Entry,
    Step,
    drift,
    pending,
    to_roll_back,
    up_to,
)
from . import audit, backups, guards
from .custody import WAIT
from .engine import Engine, engine_for
from .guards import Consent
from .linting import Lint, lint
from .rehearsal import Change, changes, scratch_copy
from .seeds import SeedRunner, Warned
from .sources import migration_steps
from .target import Target


@dataclass(frozen=True)
class Wish:
    """Which of the pending steps are meant, and how patiently they run."""

    target: str | None = None
    sql_only: bool = False
    step: str | None = None
    wait: float = WAIT
    patience: float = 10.0


@dataclass(frozen=True)
class Done:
    """What was applied or undone: step and seconds each, in order; and the head afterwards.

    A rehearsal also tells what changes in the schema, whether it had the rows, and the linter's
    ``warnings``: None where no linter looked; and how many statements each step has that runs
    ``alone``, a statement at a time.
    """

    steps: tuple[tuple[str, float], ...] = ()
    head: str = ""
    backup: str = ""
    changes: tuple[Change, ...] = ()
    rows: bool = True
    left: tuple[str, ...] = ()
    warnings: tuple[Lint, ...] | None = ()
    alone: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Status:
    """Where a database stands; reading it writes nothing."""

    database: str
    environment: str | None
    head: str | None = None
    pending: tuple[str, ...] = ()
    applied: tuple[Entry, ...] = ()
    dirty: str | None = None
    lock: Holder | None = None
    drift: tuple[str, ...] = ()
    seeds: tuple[Any, ...] = field(default=())
    warnings: tuple[Warned, ...] = ()


def status(target: Target) -> Status:
    """Return where a database stands; one that is not there has everything pending."""
    steps = migration_steps(target.project)
    if not target.server.exists(target.name):
        return Status(target.name, None, pending=tuple(step.name for step in steps))
    with target.open() as database:
        migrations = database.migrations()
        entries = migrations.entries()
        done = {entry.step: entry for entry in entries if entry.done}
        half = [entry.step for entry in entries if entry.state in {RUNNING, REVERTING}]
        waiting = [
            step.name
            for step in steps
            if step.name not in done
            or (step.repeatable and done[step.name].checksum != step.checksum)
        ]
        seeds, warnings = _seeds(target)
        return Status(
            target.name,
            guards.standing(target, database).environment,
            head=_head(entries),
            pending=tuple(waiting),
            applied=tuple(entries),
            dirty=half[0] if half else None,
            lock=migrations.holder(),
            drift=tuple(drift(steps, entries)),
            seeds=seeds,
            warnings=warnings,
        )


def _seeds(target: Target) -> tuple[tuple[dict[str, str], ...], tuple[Warned, ...]]:
    """Return where each seed of the environment stands, and what their own checks find."""
    runner = SeedRunner(
        target.project, target.server, target.name, target.environment, progress=lambda _told: None
    )
    states = {"apply": "pending", "upgrade": "pending", "skip": "applied", "drift": "edited"}
    stand = tuple(
        {
            "seed": action.seed.name,
            "version": action.seed.version,
            "state": states[action.kind],
            "applied_at": action.former.applied_at if action.former is not None else "",
        }
        for action in (runner.plan() if runner.files else ())
    )
    return stand, tuple(runner.warnings() if runner.files else ())


def _head(entries: Sequence[Entry]) -> str | None:
    done = [entry.step for entry in entries if entry.done]
    return done[-1] if done else None


def migrate(target: Target, wish: Wish, consent: Consent, progress: Progress) -> Done:
    """Apply the pending steps.

    Raises:
        GuardRefused, Locked, Drift, Dirty, MigrationError: nothing of the step that failed stays,
            unless the message says so.
    """
    steps = migration_steps(target.project)
    made = target.ensure()
    with target.open() as database, audit.recorded(target, database, "migrate") as line:
        found = guards.allow(target, database, "migration", consent, destructive=False)
        if not made and not _chosen(steps, database, wish)[0]:
            line.result = "already at head"
            return Done(head=_head(database.migrations().entries()) or "")
        with database.migrations().locked(audit.me(), wait=wish.wait):
            if found.claim is None:
                empty = not database.catalog().tables
                guards.claim(target, database, disposable=empty or found.stamp is not None)
            begin(target.project, database)
            chosen, skipped = _chosen(steps, database, wish)
            engine = _engine(target, database, wish, progress)
            done = _apply(engine, chosen, progress)
            engine.skip(skipped)
            line.facts["steps"] = [name for name, _ in done]
            entries = database.migrations().entries()
    return Done(tuple(done), _head(entries) or "", left=tuple(step.name for step in skipped))


def begin(project: Project, database: Database) -> None:
    """Make, in a database that is empty, the schema that the migrations begin with, if any.

    Raises:
        BadInput: the config names a file that is not there; MigrationError: it does not run.
    """
    path = baseline_file(project)
    if path is None or database.migrations().entries() or database.catalog().tables:
        return
    try:
        script = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "there is no such file" if isinstance(error, OSError) else "the file is not UTF-8",
            where=str(path),
            remedy="correct `baseline` in dbcycle.yaml, or save the file as UTF-8",
        ) from None
    database.run_sql(script, path)


def baseline_file(project: Project) -> Path | None:
    """Return the file with the schema that the migrations begin with, or None."""
    return project.path(project.config.baseline) if project.config.baseline else None


def _chosen(steps: Sequence[Step], database: Database, wish: Wish) -> tuple[list[Step], list[Step]]:
    """Return the steps to apply, and those that are left out on purpose."""
    entries = database.migrations().entries()
    waiting = pending(steps, entries)
    if wish.target is not None:
        waiting = up_to(waiting, wish.target, steps)
    if wish.step is not None:
        return _one(wish.step, waiting, steps, entries), []
    if wish.sql_only:
        last = max((n for n, step in enumerate(waiting) if step.kind != "python"), default=-1)
        late = [step for step in waiting[: last + 1] if step.kind == "python"]
        return [step for step in waiting if step.kind != "python"], late
    return waiting, []


def _one(
    word: str, waiting: Sequence[Step], steps: Sequence[Step], entries: Sequence[Entry]
) -> list[Step]:
    """Return the one pending step that is meant, unless another has to come before it.

    Raises:
        UsageError: there is no such step, it is applied, or it is not its turn.
    """
    found = [step for step in steps if step.is_called(word)]
    if not found:
        near = did_you_mean(word, [step.name.rpartition("/")[2] for step in steps])
        raise UsageError(f"no migration step is called {word}{near}", where="--step")
    if found[0] not in waiting:
        raise UsageError(f"{found[0].name} is applied already", where="--step")
    late = {entry.step for entry in entries if entry.state == SKIPPED}
    first = next((step for step in waiting if step.name not in late), None)
    if found[0].name not in late and first is not None and first != found[0]:
        raise UsageError(
            f"{found[0].name} is not next: {first.name} comes before it",
            where="--step",
            remedy=f"`dbcycle db migrate --target {word}` applies all up to it",
        )
    return found[:1]


def _engine(target: Target, database: Database, wish: Wish, progress: Progress) -> Engine:
    engine = engine_for(
        target.project,
        database,
        report=progress,
        url=target.server.url(database.name),
        patience=wish.patience,
        alone=database.name != target.name,
    )
    engine.migrations.prepare()
    return engine


def _apply(engine: Engine, steps: Sequence[Step], progress: Progress) -> list[tuple[str, float]]:
    done: list[tuple[str, float]] = []

    def told(step: Step, seconds: float) -> None:
        done.append((step.name, round(seconds, 3)))
        progress(f"{step.name} ({seconds:.2f} s)")

    engine.apply(steps, told)
    return done


def rehearse(target: Target, wish: Wish, progress: Progress) -> Done:
    """Apply the pending steps to a copy, and tell what they change; the database stays as it is."""
    steps = migration_steps(target.project)
    if not target.server.exists(target.name):
        from ..databases.port import Stamp

        name = f"{target.name[:40]}_rehearsal"
        target.server.create(name, Stamp(target.project.name, "rehearsal"))
        try:
            with target.server.open(name) as database:
                begin(target.project, database)
                return _rehearsed(target, database, steps, wish, progress)
        finally:
            target.server.drop(name, target.project.name)
    with scratch_copy(target, progress) as (database, whole):
        return replace(_rehearsed(target, database, steps, wish, progress), rows=whole)


def _rehearsed(
    target: Target, database: Database, steps: Sequence[Step], wish: Wish, progress: Progress
) -> Done:
    before = database.catalog()
    chosen, _late = _chosen(steps, database, wish)
    engine = _engine(target, database, wish, progress)
    alone = tuple((s.name, len(engine.statements(s))) for s in chosen if engine.runs_alone(s))
    done = _apply(engine, chosen, progress)
    head = _head(database.migrations().entries()) or ""
    found = lint(target.project, chosen, server_version(target.server))
    return Done(
        tuple(done),
        head,
        changes=tuple(changes(before, database.catalog())),
        warnings=None if found is None else tuple(found),
        alone=alone,
    )


def roll_back(
    target: Target, count: int, consent: Consent, progress: Progress, *, wish: Wish | None = None
) -> Done:
    """Undo the newest ``count`` steps through their ways down, after a backup.

    Raises:
        GuardRefused, UsageError, Locked, MigrationError: as for :func:`migrate`.
    """
    steps, wish = migration_steps(target.project), wish or Wish()
    with target.open() as database, audit.refusals(target, database, "rollback"):
        guards.allow(target, database, "rollback", consent, destructive=True)
        before = [entry.step for entry in to_entries(database) if entry.done]
        to_roll_back(steps, to_entries(database), count)
    progress("making a backup")
    backup = backups.make_backup(target, "rollback")
    with target.open() as database, audit.recorded(target, database, "rollback") as line:
        line.facts["backup"] = backup.name
        with database.migrations().locked(audit.me(), wait=wish.wait):
            if [entry.step for entry in to_entries(database) if entry.done] != before:
                raise Drift("another run changed the database meanwhile", remedy="run again")
            chosen = to_roll_back(steps, to_entries(database), count)
            done: list[tuple[str, float]] = []

            def told(step: Step, seconds: float) -> None:
                done.append((step.name, round(seconds, 3)))
                progress(f"undone: {step.name} ({seconds:.2f} s)")

            _engine(target, database, wish, progress).roll_back(chosen, told)
            line.facts["steps"] = [name for name, _ in done]
            return Done(tuple(done), _head(to_entries(database)) or "", backup.name)


def to_entries(database: Database) -> list[Entry]:
    """Return the history of a database."""
    return database.migrations().entries()


def rehearse_rollback(target: Target, count: int, progress: Progress) -> Done:
    """Undo steps on a copy, and tell what that changes; the database stays as it is."""
    steps = migration_steps(target.project)
    with target.open() as database:
        to_roll_back(steps, to_entries(database), count)
    with scratch_copy(target, progress) as (database, whole):
        before = database.catalog()
        chosen = to_roll_back(steps, to_entries(database), count)
        engine = _engine(target, database, Wish(), progress)
        done: list[tuple[str, float]] = []
        engine.roll_back(chosen, lambda step, seconds: done.append((step.name, round(seconds, 3))))
        found = tuple(changes(before, database.catalog()))
        return Done(tuple(done), _head(to_entries(database)) or "", changes=found, rows=whole)


def baseline(
    target: Target,
    consent: Consent,
    *,
    up_to_step: str | None = None,
    step: str | None = None,
    forget: bool = False,
) -> list[str]:
    """Record steps as applied without running them: all, those up to one, or one (whose checksum
    is taken anew). With ``forget`` that one is taken out of the history instead.

    Raises:
        UsageError: there is no such step.
    """
    steps = migration_steps(target.project)
    chosen = up_to(steps, up_to_step, steps) if up_to_step else steps
    if step is not None:
        chosen = [each for each in steps if each.is_called(step)]
    if not chosen or (forget and step is None):
        near = did_you_mean(step or "", [each.name for each in steps])
        raise UsageError(f"no migration step is called {step}{near}", where="--step")
    with target.open() as database, audit.recorded(target, database, "baseline") as line:
        found = guards.allow(target, database, "baseline", consent, destructive=False)
        migrations = database.migrations()
        with migrations.locked(audit.me(), wait=WAIT):
            if found.claim is None:
                guards.claim(target, database, disposable=found.stamp is not None)
            migrations.prepare()
            known = {entry.step: entry for entry in migrations.entries() if entry.done}
            recorded = []
            for each in chosen:
                if step is None and each.name in known:
                    continue
                migrations.clear_marks(each.name)
                migrations.clear_marks(f"{each.name} (down)")
                if forget:
                    migrations.remove(each.name)
                else:
                    migrations.write(Entry(each.name, each.checksum, BASELINE, 0.0, audit.actor()))
                recorded.append(each.name)
            line.facts["steps"] = recorded
            line.facts["forget"] = forget
    return recorded
