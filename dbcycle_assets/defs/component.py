"""A project as a component of Dagster's: ``type: dbcycle_assets.DbCycleComponent`` in YAML."""

from dataclasses import dataclass
from functools import cached_property
from os.path import relpath
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
from dagster.components import scaffold_component
from dagster.components.utils.translation import TranslationFn, TranslationFnResolver
from pydantic import BaseModel, Field

from ..config.load import FILE, load_project
from ..config.locate import find_project
from ..config.model import Project
from ..errors import UsageError, did_you_mean
from ..model.ledger import Node
from . import build_parts
from .specs import DESCRIPTIONS, FIXED, DbCycleTranslator

EXECUTORS: dict[str, dg.ExecutorDefinition] = {
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor,
}


def _resolve_project(context: dg.ResolutionContext, given: str) -> Project:
    path = context.resolve_source_relative_path(str(context.resolve_value(given)))
    return load_project(path)


def _resolve_executor(context: dg.ResolutionContext, given: str) -> dg.ExecutorDefinition:
    named = context.resolve_value(given)
    if isinstance(named, dg.ExecutorDefinition):
        return named
    if str(named) not in EXECUTORS:
        raise UsageError(
            f"`{named}` is no executor{did_you_mean(str(named), EXECUTORS)}",
            where="executor",
            remedy=f"write {' or '.join(EXECUTORS)}, or a template variable that gives another",
        )
    return EXECUTORS[str(named)]


Translation = Annotated[
    TranslationFn[Node], TranslationFnResolver[Node](lambda node: {"node": node})
]


ATTRIBUTES: dict[str, Any] = {
    "anyOf": [{}],
    "type": ["object", "string", "null"],
    "properties": {
        name: schema
        for name, schema in dg.AssetAttributesModel.model_json_schema()["properties"].items()
        if name not in FIXED
    },
    "additionalProperties": False,
}
"""The schema of an asset's attributes; written so, and not as a union with templates, because a
schema's union never says which key is the misspelt one.
"""


class ScaffoldParams(BaseModel):
    """What ``dg scaffold defs`` may be told."""

    project_path: str | None = Field(
        default=None, description=f"The folder of the project, which holds {FILE}."
    )


class DbCycleScaffolder(dg.Scaffolder[ScaffoldParams]):
    """Writes the component's YAML for a project that is there or will be."""

    @classmethod
    def get_scaffold_params(cls) -> type[ScaffoldParams]:
        """Return what can be told."""
        return ScaffoldParams

    def scaffold(self, request: dg.ScaffoldRequest[ScaffoldParams]) -> None:
        """Write the component's file.

        Raises:
            UsageError: the path that was given holds no project.
        """
        root = (request.project_root or request.target_path).resolve()
        given = request.params.project_path
        found = root / request.target_path.name if given is None else find_project(given, Path())
        scaffold_component(request, {"project": _reference(found, root, request.target_path)})


def _reference(project: Path, root: Path, place: Path) -> str:
    """Return how the YAML in a folder names a project."""
    if project.is_relative_to(root):
        return f"{{{{ context.project_root }}}}/{project.relative_to(root)}"
    return relpath(project, place)


@dg.scaffold_with(DbCycleScaffolder)
@dataclass
class DbCycleComponent(dg.Component, dg.Resolvable):
    """Turn a production database dump into a safe, realistic, seeded test database: the assets,
    checks, jobs, schedule and sensors of one project.

    Subclass it and override ``get_asset_spec`` for what attributes in YAML cannot say.
    """

    project: Annotated[
        Path | Project,
        dg.Resolver(
            _resolve_project,
            model_field_type=str,
            description=f"The folder that holds {FILE}, relative to this file.",
            examples=["{{ context.project_root }}/shop"],
            inject_before_resolve=False,
        ),
    ]
    translation: Annotated[
        Translation | None,
        dg.Resolver.default(
            description="Attributes of every asset; `node.stage` and `node.table` say which one it "
            "is, and `spec` is what it would be.",
            examples=[{"key_prefix": "test_data", "owners": ["team:data"]}],
            json_schema_extra=ATTRIBUTES,
        ),
    ] = None
    stages: Annotated[
        dict[str, Translation] | None,
        dg.Resolver.default(
            description="Attributes of the assets of single stages, over those of `translation`.",
            examples=[{"test_db": {"group_name": "published"}}],
            json_schema_extra={
                "anyOf": [{}],
                "type": ["object", "null"],
                "properties": dict.fromkeys(DESCRIPTIONS, ATTRIBUTES),
                "additionalProperties": False,
            },
        ),
    ] = None
    executor: Annotated[
        dg.ExecutorDefinition | None,
        dg.Resolver(
            _resolve_executor,
            model_field_type=str,
            description="The executor of this component's jobs: `in_process` (the default), "
            "`multiprocess`, or a template variable that gives any other.",
            examples=["multiprocess", "{{ my_executor }}"],
            inject_before_resolve=False,
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuse a stage that is none."""
        for name in self.stages or ():
            if name not in DESCRIPTIONS:
                raise UsageError(
                    f"there is no stage `{name}`{did_you_mean(name, DESCRIPTIONS)}",
                    where="stages",
                    remedy=f"stages are {', '.join(DESCRIPTIONS)}",
                )

    @cached_property
    def loaded(self) -> Project:
        """The project, read once.

        Raises:
            ConfigError: there is none, or every mistake in its config with its line.
        """
        return self.project if isinstance(self.project, Project) else load_project(self.project)

    def get_asset_spec(self, node: Node) -> dg.AssetSpec:
        """Return the key and the attributes of one asset, before those of the YAML."""
        return DbCycleTranslator().get_asset_spec(self.loaded, node)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:  # noqa: ARG002
        """Return the definitions of the project."""
        executor = self.executor or dg.in_process_executor
        return build_parts(self.loaded, executor, _ComponentTranslator(self))


class _ComponentTranslator(DbCycleTranslator):
    """What the component's class says, then `translation`, then the stage's own attributes."""

    def __init__(self, component: DbCycleComponent) -> None:
        self._component = component

    def get_asset_spec(self, project: Project, node: Node) -> dg.AssetSpec:  # noqa: ARG002
        spec = self._component.get_asset_spec(node)
        stages = self._component.stages or {}
        for change in (self._component.translation, stages.get(node.stage)):
            if change is not None:
                spec = change(spec, node)
        return spec
