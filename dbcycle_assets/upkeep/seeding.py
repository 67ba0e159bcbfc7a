"""What ``dbcycle db`` does with versioned seeds, as functions of a target.

Each asks the guards on the live connection, holds the database's lock while it writes, and leaves
a line in the audit log, however it ends.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..artifacts import write_json
from ..config.model import Project
from ..databases.port import Progress
from ..errors import DbCycleError, GuardRefused, SeedError
from ..model.seeds import Action, Orphan, in_order
from . import audit, backups, guards, operations
from .custody import WAIT
from .guards import Consent
from .operations import Wish
from .python import listening
from .seed_files import FOLDER, seed_files
from .seeds import Done, Seeding, SeedRunner
from .target import EVERYDAY, Target

REGISTRY = "registry.json"
QUIET = 0.6
"""How many seconds the folder of seeds must rest before a change counts: the last save wins."""


def runner_of(target: Target, progress: Progress, *, workers: int = 1) -> SeedRunner:
    """Return what applies the project's seeds to the target."""
    return SeedRunner(
        target.project,
        target.server,
        target.name,
        target.environment,
        progress=progress,
        workers=workers,
    )


def plan(target: Target, progress: Progress, *, force: bool = False) -> list[Action]:
    """Return what :func:`seed` would do; changes nothing.

    Raises:
        BadInput: there is no such database.
    """
    target.require()
    return runner_of(target, progress).plan(force=force)


def seed(
    target: Target, consent: Consent, progress: Progress, *, force: bool = False, workers: int = 1
) -> Seeding:
    """Apply the pending seeds of the target's environment, each whole with its row of the history.

    Raises:
        GuardRefused, Locked, Drift, SeedError: nothing of the seed that failed stays.
    """
    with _writing(target, "seed", consent, destructive=False) as line:
        runner = runner_of(target, progress, workers=workers)
        with listening(progress):
            result = runner.run(force=force)
        line.facts["seeds"] = [f"{done.seed} {done.kind}" for done in result.done]
        if result.failed is not None:
            raise result.failed
        result.warnings = runner.warnings()
        return result


def take_back(target: Target, name: str, consent: Consent, progress: Progress) -> Done:
    """Roll an applied seed back, after a backup.

    Raises:
        GuardRefused, Locked, SeedError: nothing was changed.
    """
    with target.open() as database, audit.refusals(target, database, "seed rollback"):
        guards.allow(target, database, "seed rollback", consent, destructive=True)
    backup = backups.make_backup(target, "seed rollback")
    with _writing(target, "seed rollback", consent, destructive=True) as line:
        line.facts |= {"backup": backup.name, "seed": name}
        with listening(progress):
            return runner_of(target, progress).rollback(name)


def orphans(target: Target, progress: Progress) -> list[Orphan]:
    """Return the applied seeds of this environment whose files are gone; changes nothing."""
    target.require()
    return runner_of(target, progress).orphans()


def clean(target: Target, consent: Consent, progress: Progress) -> list[Orphan]:
    """Mark the orphans as such in the history; no row of theirs is touched.

    Raises:
        GuardRefused, Locked: nothing was changed.
    """
    with _writing(target, "seed clean", consent, destructive=False) as line:
        found = runner_of(target, progress).clean()
        line.facts["orphans"] = [orphan.row.name for orphan in found]
        return found


def setup(target: Target, consent: Consent, progress: Progress) -> tuple[operations.Done, Seeding]:
    """Apply the pending migrations, then the pending seeds.

    Raises:
        DbCycleError: as for the two.
    """
    done = operations.migrate(target, Wish(), consent, progress)
    return done, seed(target, consent, progress)


def reset(
    target: Target, consent: Consent, progress: Progress, *, seeds: bool
) -> tuple[backups.Backup | None, operations.Done, Seeding | None]:
    """Make the database anew from the migrations, after a backup; with ``seeds`` seed it too.

    Raises:
        GuardRefused: outside development and test, or a database that we did not make.
    """
    if target.environment not in EVERYDAY:
        with audit.recorded(target, None, "reset"):
            raise GuardRefused(
                f"a {target.environment} database is never reset",
                where=target.name,
                remedy="restore a backup with `dbcycle db backup restore` instead",
            )
    backup = None
    if not target.ensure():  # a kill may have left it half-made, and without its mark
        with target.open() as database, audit.refusals(target, database, "reset"):
            guards.allow(target, database, "reset", consent, destructive=True)
            if (holder := database.migrations().holder()) is not None:
                raise guards.locked_by(holder)
        progress("making a backup")
        backup = backups.make_backup(target, "reset")
        target.server.create(target.name, target.stamp)
    done = operations.migrate(target, Wish(), consent, progress)
    seeded = seed(target, consent, progress) if seeds else None
    with target.open() as database, audit.recorded(target, database, "reset") as line:
        line.facts["backup"] = backup.name if backup is not None else None
    return backup, done, seeded


@contextmanager
def _writing(
    target: Target, action: str, consent: Consent, *, destructive: bool
) -> Iterator[audit.Line]:
    with target.open() as database, audit.recorded(target, database, action) as line:
        guards.allow(target, database, action, consent, destructive=destructive)
        with database.migrations().locked(audit.me(), wait=WAIT):
            yield line


# --- the registry: a list of the seeds, to commit and to review -----------------------------------


def registry_path(project: Project) -> Path:
    """Return where the registry lies."""
    return project.path(project.config.seeds or FOLDER) / REGISTRY


def registry_of(project: Project) -> list[dict[str, object]]:
    """Return what the registry should say: every seed in order, with its version and content.

    Raises:
        SeedError: a seed is malformed, or their order is impossible.
    """
    return [
        {
            "name": found.name,
            "version": found.version,
            "description": found.description,
            "depends": None if found.depends is None else list(found.depends),
            "checksum": found.checksum,
        }
        for found in in_order(seed_files(project))
    ]


def changed(project: Project) -> list[str]:
    """Return the seeds whose entry in the registry is missing, outdated or left over.

    Raises:
        SeedError: a seed is malformed, or the registry is unreadable.
    """
    path = registry_path(project)
    try:
        held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        known = {entry["name"]: entry for entry in held}
    except (ValueError, KeyError, TypeError):
        raise SeedError(
            "is unreadable", where=str(path), remedy="`dbcycle db seed-sync` writes it anew"
        ) from None
    present = {str(entry["name"]): entry for entry in registry_of(project)}
    return sorted(name for name in {*known, *present} if known.get(name) != present.get(name))


def sync(project: Project) -> list[str]:
    """Write the registry and return what was changed in it.

    Raises:
        SeedError: a seed is malformed; the registry stays as it was.
    """
    entries = registry_of(project)
    try:
        found = changed(project)
    except SeedError:
        found = [str(entry["name"]) for entry in entries]
    write_json(registry_path(project), entries)
    return found


def watch(
    project: Project, told: Callable[[str], None], *, stop: Callable[[], bool] = lambda: False
) -> None:
    """Keep the registry in step with the folder until ``stop``; a half-written seed is told, and
    the registry stays as it was until it is whole.
    """
    before: tuple[tuple[str, int, int], ...] = ()
    rested = False
    while not stop():
        present = _snapshot(project)
        if present == before and not rested:
            rested = True
            try:
                if found := sync(project):
                    told(f"registry: {', '.join(found)}")
            except DbCycleError as error:
                told(str(error))
        elif present != before:
            rested = False
        before = present
        time.sleep(QUIET)


def _snapshot(project: Project) -> tuple[tuple[str, int, int], ...]:
    folder = project.path(project.config.seeds or FOLDER)
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            seen = path.stat()
        except OSError:  # renamed meanwhile
            continue
        if path.is_file() and path.name != REGISTRY:
            found.append((str(path), seen.st_mtime_ns, seen.st_size))
    return tuple(found)
