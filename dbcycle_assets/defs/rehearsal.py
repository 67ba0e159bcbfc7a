"""A rehearsal: the real pipeline over a copy with planted people, and what was seen of them."""

import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..config.model import Project
from ..cycle import canary, migrate, restore
from ..cycle.canary import Planted, Sighting, Watch
from ..cycle.session import Cycle
from ..databases import embedded
from ..databases.port import Progress
from .run import Refreshed, refresh

ROLES = ("restored", "migrated", "seeded", "staging", "test", "previous")


@dataclass
class Rehearsal:
    """What was planted, what the run did, and where canaries were seen. It passes only if
    somebody was planted, the run published, much was looked at, and nobody was seen.
    """

    planted: Planted
    run: Refreshed
    sightings: list[Sighting] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the pipeline is proven to hold back every canary."""
        enough = bool(self.planted.places) and bool(self.looked_at.get("values"))
        return enough and self.run.published and not self.sightings


def rehearse(
    project: Project, progress: Progress, also: Callable[[Cycle], None] | None = None
) -> Rehearsal:
    """Run the whole cycle on a copy with planted people and look for them everywhere.

    Nothing of the project's own is touched: the copy has databases, state, extracts and a Dagster
    instance of its own, all removed afterwards. ``also`` may write more artefacts to look at.

    Raises:
        DbCycleError: the copy cannot be restored or migrated.
    """
    name = f"{project.name[:30]}_canary"
    config = project.config.unsampled.model_copy(update={"name": name})
    place = Path(tempfile.mkdtemp(prefix="dbcycle-canary-"))
    copy = Project(root=project.root, config=config, place=place)
    told: list[str] = []

    def tell(message: str) -> None:
        told.append(message)
        progress(message)

    cycle = Cycle(copy, progress=tell)
    try:
        for stage in (restore.take_dump, restore.take_key, restore.restore, migrate.migrate):
            stage(cycle)
        progress("planting people")
        planted = canary.plant(cycle, random.SystemRandom())
        for asset in list(cycle.nodes()):
            if asset.startswith("migrated"):
                cycle.ledger.forget(asset)  # made before the people came
        run = refresh(copy, progress=tell, instance_home=place / "dagster")
        if also is not None and run.ok:
            also(cycle)
        return _look(cycle, planted, run, told, place)
    finally:
        _remove(cycle, place)


def _look(
    cycle: Cycle, planted: Planted, run: Refreshed, told: list[str], place: Path
) -> Rehearsal:
    if not planted.places:
        return Rehearsal(planted, run)
    watch = Watch(planted)
    cycle.progress("looking for the people everywhere")
    canary.watch_databases(cycle, watch)
    canary.watch_files(cycle, watch, [place])
    for text in (*told, *(failure["error"] for failure in run.failed)):
        watch.text("progress and errors", "messages", text)
    return Rehearsal(planted, run, watch.sightings, watch.looked_at)


def _remove(cycle: Cycle, place: Path) -> None:
    for role in ROLES:
        cycle.server.drop(cycle.database(role), cycle.project.name)
    embedded.remove(cycle.project.state)
    shutil.rmtree(place, ignore_errors=True)
