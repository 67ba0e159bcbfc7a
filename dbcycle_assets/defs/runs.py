"""Dagster's runs of a project: which are under way, and which died without a word."""

from collections.abc import Mapping

import dagster as dg

from ..config.model import Project
from ..cycle.lock import holding
from ..errors import Locked
from ..model.digest import digest_of

PROJECT_TAG = "dbcycle/project"
TRIGGER_TAG = "dbcycle/trigger"
PLACE_TAG = "dbcycle/place"
RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def own_tags(project: Project) -> Mapping[str, str]:
    """Return the tags of a run that works in the process which holds the project's lock."""
    place = digest_of(str(project.state.resolve()))
    return {PROJECT_TAG: project.name, TRIGGER_TAG: "cli", PLACE_TAG: place}


def end_dead_runs(project: Project, instance: dg.DagsterInstance) -> frozenset[dg.AssetKey]:
    """Report as failed the runs of killed processes, which Dagster takes for alive for ever, and
    return what they were to make. Each held the project's lock: all are dead once it can be had.

    Raises:
        ServerUnavailable: the server that has the lock too cannot be reached.
    """
    filters = dg.RunsFilter(tags=dict(own_tags(project)), statuses=RUNNING)
    if not instance.get_runs(filters, limit=1):
        return frozenset()
    chosen: set[dg.AssetKey] = set()
    try:
        with holding(project, "looking for dead runs"):
            for run in instance.get_runs(filters):
                instance.report_run_failed(run, "The process of this run was killed.")
                chosen |= run.asset_selection or set()
    except Locked:
        pass
    return frozenset(chosen)
