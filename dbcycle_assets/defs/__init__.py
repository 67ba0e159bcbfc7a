"""The Dagster face of a project: assets, checks, jobs, the schedule and the sensors."""

import dagster as dg

from ..config.model import Project
from .assets import build_assets
from .automation import build_failure_hook, build_jobs, build_schedule, build_sensor

__all__ = ["build_definitions"]


def build_definitions(
    project: Project, *, executor: dg.ExecutorDefinition | None = None
) -> dg.Definitions:
    """Return the definitions of one project. Touches no database and no environment variable; the
    catalog of a project with ``storage`` is read there.

    ``executor`` is any of Dagster's, by default the one that works in its own process; one that
    spreads steps over processes or machines wants ``execution: {steps: per_table}`` in the config.

    Raises:
        ConfigError, MigrationError, GoldenError: a file that the config names is missing or wrong.
    """
    jobs = build_jobs(project)
    return dg.Definitions(
        assets=build_assets(project),
        jobs=jobs,
        schedules=[build_schedule(project, jobs)],
        sensors=[build_sensor(project), build_failure_hook(project)],
        executor=executor or dg.in_process_executor,
    )
