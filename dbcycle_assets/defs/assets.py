"""The assets: each a thin door over one stage of the cycle."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

from ..artifacts import project_lock, read_catalog
from ..config.model import Project
from ..cycle import download, export, extract, migrate, plan, publish, restore, seed
from ..cycle.extract import Failure
from ..cycle.nodes import asset_nodes
from ..cycle.session import Cycle, Outcome
from ..errors import DbCycleError
from ..model.ledger import Node
from .results import failed_checks, materialized
from .specs import asset_key, asset_spec, check_specs

FORCE_TAG = "dbcycle/force"
DOWNLOAD_TAG = "dbcycle/download"

Watcher = Callable[[Outcome | Failure], None]
"""Told of every outcome as it happens; the command line listens here."""

Stage = Callable[[Cycle, list[str]], Iterable[Outcome | Failure]]
Results = Iterator[Any]


def _ignore(_outcome: Outcome | Failure) -> None:
    return


def build_assets(
    project: Project,
    *,
    cycle: Cycle | None = None,
    watch: Watcher = _ignore,
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the project's assets. Touches no database and no environment variable.

    With ``cycle`` every step uses that one session; otherwise each step opens its own.
    """
    nodes = list(asset_nodes(project, read_catalog(project.state)))
    by_stage: dict[str, list[Node]] = {}
    for node in nodes:
        by_stage.setdefault(node.stage, []).append(node)
    build = _Builder(project, cycle, watch)
    source = project.config.source.download
    external = ("prod_database",) if source is not None and source.url_env else ()
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    if external:
        assets.append(
            dg.AssetSpec(
                asset_key(project.name, "prod_database"),
                group_name="dump",
                description="The production database; read only, and only to dump it.",
                kinds={"postgres"},
            )
        )
    assets.append(build.assets("prod_dump", by_stage["prod_dump"], _dump, external=external))
    assets += [
        build.assets("anonymization_key", by_stage["anonymization_key"], _key),
        build.assets("restored_db", by_stage["restored_db"], _restore),
        build.assets(
            "migrated", [*by_stage["migrated_schema"], *by_stage.get("migrated", [])], _migrate
        ),
        build.assets("plan", by_stage["plan"], _plan),
    ]
    for stage, run in (
        ("extracts", extract.extract),
        ("exports", export.export),
        ("golden", seed.take_golden),
        ("seeded", seed.seed),
    ):
        if found := by_stage.get(stage):
            if project.config.execution.steps == "per_table" and stage == "extracts":
                assets += [build.assets(f"{stage}_{n.table}", [n], run) for n in found]
            else:
                assets.append(build.assets(stage, found, run, subset=True))
    assets.append(build.assets("test_db", by_stage["test_db"], _publish))
    return assets


def _dump(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield restore.take_dump(cycle)


def _key(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield restore.take_key(cycle)


def _restore(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield restore.restore(cycle)


def _migrate(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield from migrate.migrate(cycle)


def _plan(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield plan.decide(cycle)


def _publish(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield publish.publish(cycle)


class _Builder:
    """Makes one Dagster step for the nodes of a stage."""

    def __init__(self, project: Project, cycle: Cycle | None, watch: Watcher) -> None:
        self._project = project
        self._cycle = cycle
        self._watch = watch

    def assets(
        self,
        name: str,
        nodes: list[Node],
        stage: Stage,
        *,
        external: tuple[str, ...] = (),
        subset: bool = False,
    ) -> dg.AssetsDefinition:
        """Return one step that runs ``stage`` for the selected nodes and reports every outcome."""
        project = self._project
        specs = [asset_spec(project, node, external) for node in nodes]
        if subset:
            specs = [spec.replace_attributes(skippable=True) for spec in specs]

        @dg.multi_asset(
            name=f"{project.name}_{_op_name(name)}",
            specs=specs,
            check_specs=[check for node in nodes for check in check_specs(project, node)],
            can_subset=subset,
            pool=f"dbcycle_{project.name}",
        )
        def step(context: dg.AssetExecutionContext) -> Results:
            chosen = [
                node
                for node in nodes
                if asset_key(project.name, node.asset) in context.selected_asset_keys
            ]
            with self._session(context, name) as cycle:
                tables = [node.table for node in chosen if node.table is not None]
                yield from self._report(chosen, stage(cycle, tables))

        return step

    def _report(self, chosen: list[Node], outcomes: Iterable[Outcome | Failure]) -> Results:
        failures: list[DbCycleError] = []
        try:
            for outcome in outcomes:
                self._watch(outcome)
                if isinstance(outcome, Failure):
                    failures.append(outcome.error)
                    yield from failed_checks(self._project, outcome.asset, outcome.error)
                else:
                    yield materialized(self._project, outcome)
        except DbCycleError as error:
            asset = chosen[0].asset
            self._watch(Failure(asset, error))
            if len(chosen) == 1:
                yield from failed_checks(self._project, asset, error)
            failures.append(error)
        if failures:
            message = "\n".join(str(error) for error in failures)
            raise dg.Failure(message, allow_retries=False) from None

    @contextmanager
    def _session(self, context: dg.AssetExecutionContext, action: str) -> Iterator[Cycle]:
        cycle = self._cycle or Cycle(
            self._project,
            progress=context.log.info,
            force=context.run.tags.get(FORCE_TAG) == "true",
        )
        with project_lock(self._project.state, action):
            if action == "prod_dump" and context.run.tags.get(DOWNLOAD_TAG) == "true":
                download.download(cycle)
            yield cycle


def _op_name(name: str) -> str:
    return "".join(char if char.isalnum() or char == "_" else "_" for char in name)
