"""One big table's extract as several steps: a step for each part, and one that joins them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from ..cycle import chunks
from ..cycle.session import Cycle
from ..errors import DbCycleError
from ..model.ledger import Node
from .results import failed_checks, materialized
from .specs import Specs, key_part

Session = Callable[[dg.OpExecutionContext, str], AbstractContextManager[Cycle]]
Failed = Callable[[Node, DbCycleError], dg.Failure]
"""Tells whoever watches of an error, and returns Dagster's failure for it."""

ROWS = "rows"
"""The output of the joining step that is the asset; the others are its checks."""


@dataclass(frozen=True)
class ChunkedExtract:
    """The extract of one table, made in ``parts`` steps that executors may spread."""

    specs: Specs
    node: Node
    parts: int
    session: Session
    failed: Failed
    retries: dg.RetryPolicy | None

    @property
    def table(self) -> str:
        """The table's id."""
        return self.node.table or ""

    @property
    def name(self) -> str:
        """The name of the steps, before the part's."""
        return f"{self.specs.project.name}_extracts_{key_part(self.table)}"

    def asset(self) -> dg.AssetsDefinition:
        """Return the asset: parts, then the joining step."""
        spec = self.specs.spec(self.node)
        inputs = {f"input_{number}": dep.asset_key for number, dep in enumerate(spec.deps)}
        checks = {each.name: each for each in self.specs.checks(self.node)}
        outputs = {name: each.get_python_identifier() for name, each in checks.items()}
        joined = self._join(outputs)
        parts = [self._part(number, inputs) for number in range(self.parts)]

        @dg.graph(
            name=self.name,
            ins={each: dg.GraphIn() for each in inputs},
            out={each: dg.GraphOut() for each in (ROWS, *outputs.values())},
        )
        def whole(**given: Any) -> dict[str, Any]:
            made = joined([part(**given) for part in parts])
            return {each: getattr(made, each) for each in (ROWS, *outputs.values())}

        asset = dg.AssetsDefinition.from_graph(
            whole,
            keys_by_input_name=inputs,
            keys_by_output_name={ROWS: spec.key},
            check_specs=list(checks.values()),
        )
        return asset.map_asset_specs(
            lambda known: known.replace_attributes(
                code_version=spec.code_version,
                group_name=spec.group_name,
                description=spec.description,
                kinds=spec.kinds,
                owners=spec.owners,
                tags=spec.tags,
                metadata={**known.metadata, **spec.metadata},
                automation_condition=spec.automation_condition,
                freshness_policy=spec.freshness_policy,
            )
        )

    def _part(self, number: int, inputs: dict[str, dg.AssetKey]) -> dg.OpDefinition:
        @dg.op(
            name=f"{self.name}_part_{number + 1}",
            ins={each: dg.In(dg.Nothing) for each in inputs},
            out=dg.Out(dg.Nothing),
            pool=f"dbcycle_{self.specs.project.name}",
            retry_policy=self.retries,
        )
        def part(context: dg.OpExecutionContext) -> None:
            try:
                with self.session(context, f"extracts_{self.table}_part_{number + 1}") as cycle:
                    chunks.make_part(cycle, self.table, (number, self.parts))
            except DbCycleError as error:
                raise self.failed(self.node, error) from None

        return part

    def _join(self, outputs: dict[str, str]) -> dg.OpDefinition:
        @dg.op(
            name=f"{self.name}_join",
            ins={"parts": dg.In(dg.Nothing)},
            out={ROWS: dg.Out(dg.Nothing), **{each: dg.Out() for each in outputs.values()}},
            pool=f"dbcycle_{self.specs.project.name}",
            retry_policy=self.retries,
        )
        def join(context: dg.OpExecutionContext) -> Iterator[Any]:
            try:
                with self.session(context, f"extracts_{self.table}_join") as cycle:
                    outcome = chunks.join(cycle, self.table, self.parts)
            except DbCycleError as error:
                for result in failed_checks(self.specs, self.node.asset, error):
                    yield dg.Output(result, outputs[result.check_name or ""])
                raise self.failed(self.node, error) from None
            made = materialized(self.specs, outcome)
            yield dg.Output(
                None, ROWS, metadata=dict(made.metadata or {}), data_version=made.data_version
            )
            for result in made.check_results or ():
                yield dg.Output(result, outputs[result.check_name or ""])

        return join
