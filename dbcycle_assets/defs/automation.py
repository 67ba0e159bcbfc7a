"""Jobs, the nightly schedule, the staleness sensor and the failure hook."""

import subprocess
from typing import Any

import dagster as dg

from ..artifacts import read_catalog
from ..config.model import Project
from ..cycle.nodes import asset_nodes
from ..cycle.session import Cycle
from ..errors import DbCycleError
from ..model.digest import digest_of
from .assets import DOWNLOAD_TAG
from .runs import PROJECT_TAG, RUNNING, TRIGGER_TAG, end_dead_runs
from .specs import Specs

Job = Any  # what `define_asset_job` gives has no public name in Dagster 1.13


def build_jobs(specs: Specs, executor: dg.ExecutorDefinition) -> list[Job]:
    """Return the refresh job and the nightly one, which downloads a fresh dump first."""
    project = specs.project
    everything = dg.AssetSelection.assets(*specs.keys)
    tags = {PROJECT_TAG: project.name}
    return [
        dg.define_asset_job(
            f"{project.name}_refresh",
            everything,
            description="Run the whole cycle; what is fresh is not done again.",
            tags=tags,
            executor_def=executor,
        ),
        dg.define_asset_job(
            f"{project.name}_nightly",
            everything,
            description="Download a fresh dump, then run the whole cycle.",
            tags=tags | {DOWNLOAD_TAG: "true", TRIGGER_TAG: "nightly"},
            executor_def=executor,
        ),
    ]


def build_schedule(project: Project, jobs: list[Job]) -> dg.ScheduleDefinition:
    """Return the nightly schedule; switch it on in the UI."""
    return dg.ScheduleDefinition(
        name=f"{project.name}_nightly",
        job=jobs[1],
        cron_schedule=project.config.schedule.nightly,
        execution_timezone=project.config.schedule.timezone,
    )


def build_sensor(specs: Specs) -> dg.SensorDefinition:
    """Return the sensor that requests what is stale, judged anew at every tick."""
    project = specs.project
    loaded = {node.asset: node.code_version for node in specs.nodes}

    @dg.sensor(
        name=f"{project.name}_stale",
        target=dg.AssetSelection.assets(*specs.keys),
        minimum_interval_seconds=30,
        description="Requests the stale assets when the config, a migration, a golden file, a seed "
        "or the dump changed.",
    )
    def stale(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if _code_versions(project) != loaded:
            return dg.SkipReason("files differ from the loaded definitions: reload them")
        filters = dg.RunsFilter(tags={PROJECT_TAG: project.name}, statuses=RUNNING)
        try:
            end_dead_runs(project, context.instance)
            if context.instance.get_runs(filters, limit=1):
                return dg.SkipReason("a run of this project is under way")
            found = Cycle(project).stale()
        except DbCycleError as error:
            return dg.SkipReason(str(error))
        if not found:
            return dg.SkipReason("everything is fresh")
        state = digest_of([[entry.asset, entry.reasons] for entry in found] + [loaded])
        if state == context.cursor:
            return dg.SkipReason("these assets were requested before and are still stale")
        request = dg.RunRequest(
            asset_selection=[specs.key(entry.asset) for entry in found],
            tags={PROJECT_TAG: project.name, TRIGGER_TAG: "stale"},
        )
        return dg.SensorResult(run_requests=[request], cursor=state)

    return stale


def build_failure_hook(project: Project) -> dg.SensorDefinition:
    """Return the sensor that runs the config's ``on_failure`` command after a failed run."""
    command = project.config.on_failure

    @dg.run_failure_sensor(
        name=f"{project.name}_failure",
        description="Runs `on_failure` of dbcycle.yaml when a run of this project fails.",
        default_status=(
            dg.DefaultSensorStatus.RUNNING if command else dg.DefaultSensorStatus.STOPPED
        ),
    )
    def failure(context: dg.RunFailureSensorContext) -> None:
        run = context.dagster_run
        if not command or run.tags.get(PROJECT_TAG) != project.name:
            return
        subprocess.run([*command, run.run_id], cwd=project.root, check=False, timeout=300)

    return failure


def _code_versions(project: Project) -> dict[str, str]:
    nodes = asset_nodes(project, read_catalog(project.records))
    return {node.asset: node.code_version for node in nodes}
