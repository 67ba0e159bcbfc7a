"""The Dagster face of a project: assets, checks, jobs, the schedule and the sensors."""

import dagster as dg

from ..artifacts import read_catalog
from ..config.model import Project
from ..cycle.nodes import asset_nodes
from .assets import build_assets
from .automation import build_failure_hook, build_jobs, build_schedule, build_sensor
from .specs import DbCycleTranslator, Specs

__all__ = ["build_definitions"]


def build_definitions(
    project: Project,
    *,
    executor: dg.ExecutorDefinition | None = None,
    translator: DbCycleTranslator | None = None,
) -> dg.Definitions:
    """Return the definitions of one project. Touches no database and no environment variable; the
    catalog of a project with ``storage`` is read there.

    ``executor`` is any of Dagster's, by default the one that works in its own process; one that
    spreads steps over processes or machines wants ``execution: {steps: per_table}`` in the config.
    ``translator`` gives the assets other keys and attributes.

    Raises:
        ConfigError, MigrationError, GoldenError: a file that the config names is missing or wrong.
        UsageError: the translator makes one asset of two, or what the cycle cannot make.
    """
    executor = executor or dg.in_process_executor
    own = build_parts(project, executor, translator)
    return dg.Definitions.merge(own, dg.Definitions(executor=executor))


def build_parts(
    project: Project,
    executor: dg.ExecutorDefinition,
    translator: DbCycleTranslator | None = None,
) -> dg.Definitions:
    """Return the definitions of one project among others; the executor is that of its own jobs."""
    specs = Specs(project, asset_nodes(project, read_catalog(project.records)), translator)
    jobs = build_jobs(specs, executor)
    return dg.Definitions(
        assets=build_assets(specs),
        jobs=jobs,
        schedules=[build_schedule(project, jobs)],
        sensors=[build_sensor(specs), build_failure_hook(project)],
    )
