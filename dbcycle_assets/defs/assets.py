"""The assets: each a thin door over one stage of the cycle."""

import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from ..cycle import download, export, extract, migrate, plan, publish, restore, seed, subset
from ..cycle.extract import Failure
from ..cycle.lock import holding
from ..cycle.session import Cycle, Outcome
from ..errors import DbCycleError, Unavailable
from ..model.ledger import Node
from .chunked import ChunkedExtract
from .results import failed_checks, materialized
from .specs import Specs

FORCE_TAG = "dbcycle/force"
DOWNLOAD_TAG = "dbcycle/download"
RETRIES = dg.RetryPolicy(
    max_retries=3, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
"""How often a step in a process of its own tries again to reach a server or a store."""

Watcher = Callable[[Outcome | Failure], None]
"""Told of every outcome as it happens; the command line listens here."""

Stage = Callable[[Cycle, list[str]], Iterable[Outcome | Failure]]
Results = Iterator[Any]


def _ignore(_outcome: Outcome | Failure) -> None:
    return


def build_assets(
    specs: Specs,
    *,
    cycle: Cycle | None = None,
    watch: Watcher = _ignore,
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the project's assets. Touches no database and no environment variable.

    With ``cycle`` every step uses that one session, and the tables of a stage are one step;
    otherwise each step opens its own, and the config says whether each table is a step.
    """
    project = specs.project
    by_stage: dict[str, list[Node]] = {}
    for node in specs.nodes:
        by_stage.setdefault(node.stage, []).append(node)
    apart = cycle is None and project.config.execution.steps == "per_table"
    build = _Builder(specs, cycle, watch, RETRIES if apart else None)
    source = project.config.source.download
    external = ("prod_database",) if source is not None and source.url_env else ()
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    assets += [specs.external(asset) for asset in external]
    assets.append(build.assets("prod_dump", by_stage["prod_dump"], _dump, external=external))
    assets += [
        build.assets("anonymization_key", by_stage["anonymization_key"], _key),
        build.assets("restored_db", by_stage["restored_db"], _restore),
        build.assets(
            "migrated", [*by_stage["migrated_schema"], *by_stage.get("migrated", [])], _migrate
        ),
        build.assets("plan", by_stage["plan"], _plan),
    ]
    if found := by_stage.get("subset"):
        assets.append(build.assets("subset", found, _subset))
    for stage, run in (
        ("extracts", extract.extract),
        ("exports", export.export),
        ("golden", seed.take_golden),
        ("seeded", seed.seed),
    ):
        if found := by_stage.get(stage):
            if apart and stage == "extracts":
                assets += [build.extract(node) for node in found]
            elif apart:
                assets += [build.assets(f"{stage}_{n.table}", [n], run) for n in found]
            else:
                assets.append(build.assets(stage, found, run, partly=True))
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


def _subset(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield from subset.draw(cycle)


def _publish(cycle: Cycle, _tables: list[str]) -> Iterator[Outcome]:
    yield publish.publish(cycle)


class _Builder:
    """Makes one Dagster step for the nodes of a stage."""

    def __init__(
        self,
        specs: Specs,
        cycle: Cycle | None,
        watch: Watcher,
        retries: dg.RetryPolicy | None,
    ) -> None:
        self._specs = specs
        self._project = specs.project
        self._cycle = cycle
        self._watch = watch
        self._retries = retries

    def assets(
        self,
        name: str,
        nodes: list[Node],
        stage: Stage,
        *,
        external: tuple[str, ...] = (),
        partly: bool = False,
    ) -> dg.AssetsDefinition:
        """Return one step that runs ``stage`` for the selected nodes and reports every outcome."""
        project = self._project
        specs = self._specs
        found = [specs.spec(node, external) for node in nodes]
        if partly:
            found = [spec.replace_attributes(skippable=True) for spec in found]

        @dg.multi_asset(
            name=f"{project.name}_{_op_name(name)}",
            specs=found,
            check_specs=[check for node in nodes for check in specs.checks(node)],
            can_subset=partly,
            pool=f"dbcycle_{project.name}{'_production' if external else ''}",
            retry_policy=self._retries,
        )
        def step(context: dg.AssetExecutionContext) -> Results:
            selected = context.selected_asset_keys
            chosen = [node for node in nodes if specs.key(node.asset) in selected]
            with self._session(context, name) as cycle:
                tables = [node.table for node in chosen if node.table is not None]
                yield from self._report(chosen, stage(cycle, tables))

        return step

    def extract(self, node: Node) -> dg.AssetsDefinition:
        """Return one table's extract, as one step or as several."""
        parts = self._project.config.execution.chunks.get(node.table or "", 1)
        if parts == 1:
            return self.assets(f"extracts_{node.table}", [node], extract.extract)
        steps = ChunkedExtract(self._specs, node, parts, self._session, self._failed, self._retries)
        return steps.asset()

    def _failed(self, node: Node, error: DbCycleError) -> dg.Failure:
        self._watch(Failure(node.asset, error))
        return _failed([error])

    def _report(self, chosen: list[Node], outcomes: Iterable[Outcome | Failure]) -> Results:
        failures: list[DbCycleError] = []
        try:
            for outcome in outcomes:
                self._watch(outcome)
                if isinstance(outcome, Failure):
                    failures.append(outcome.error)
                    yield from failed_checks(self._specs, outcome.asset, outcome.error)
                else:
                    yield materialized(self._specs, outcome)
        except DbCycleError as error:
            asset = chosen[0].asset
            self._watch(Failure(asset, error))
            if len(chosen) == 1:
                yield from failed_checks(self._specs, asset, error)
            failures.append(error)
        except Exception as error:  # noqa: BLE001 - Dagster would keep its message, and its causes'
            raise _unknown(error) from None
        if failures:
            raise _failed(failures) from None

    @contextmanager
    def _session(
        self, context: dg.AssetExecutionContext | dg.OpExecutionContext, action: str
    ) -> Iterator[Cycle]:
        cycle = self._cycle or Cycle(
            self._project,
            progress=context.log.info,
            force=context.run.tags.get(FORCE_TAG) == "true",
        )
        with holding(self._project, action, context.run.run_id):
            if action == "prod_dump" and context.run.tags.get(DOWNLOAD_TAG) == "true":
                download.download(cycle)
            yield cycle


def _failed(errors: list[DbCycleError]) -> dg.Failure:
    """Return what tells Dagster of errors; only what may be better soon is tried again."""
    passing = all(isinstance(error, Unavailable) for error in errors)
    return dg.Failure("\n".join(str(error) for error in errors), allow_retries=passing)


def _unknown(error: Exception) -> Exception:
    """Return what tells Dagster of a fault of ours: where it was, without the text of a foreign
    exception, which may hold a row or a password.
    """
    if isinstance(error, dg.Failure | dg.DagsterError):
        return error  # in Dagster's own words
    frames = traceback.extract_tb(error.__traceback__)
    where = "".join(f"\n  at {Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames)
    return dg.Failure(f"unexpected {type(error).__name__}{where}", allow_retries=False)


def _op_name(name: str) -> str:
    return "".join(char if char.isalnum() or char == "_" else "_" for char in name)
