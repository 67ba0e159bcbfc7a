"""The migrations of a project, as its config lists them and its files hold them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..config.model import Project, Version
from ..errors import MigrationError
from ..model.digest import digest_of, digest_of_text
from ..model.migration import Script, Step
from .layouts import read_layout, step_of
from .tools import tool_digest


def migration_steps(project: Project) -> list[Step]:
    """Return every step in the order of application.

    Raises:
        MigrationError: a step or directory that the config lists does not exist, is malformed, or
            has a number twice.
    """
    steps: list[Step] = []
    for version in project.config.migrations:
        steps += _steps(project, version)
    _named_once(steps)
    return steps


def tools(project: Project) -> Mapping[str, Version]:
    """Return what the config says of each tool, by the name of its step."""
    return {_tool_name(each): each for each in project.config.migrations if each.tool is not None}


def _tool_name(version: Version) -> str:
    return f"{version.version}/{version.tool}" if version.version else str(version.tool)


def _steps(project: Project, version: Version) -> Iterator[Step]:
    if version.tool is not None:
        digest = tool_digest(project, version)
        path = project.path(version.config) if version.config else project.root
        script = Script(path, b"")
        name = _tool_name(version)
        yield Step(name, version.version, script, "tool", repeatable=True, checksum=digest)
        return
    folder = project.path(version.directory or ".")
    if version.steps is None:
        yield from read_layout(version.layout or "plain", folder, version.version)
        return
    for name in version.steps:
        path = folder / name
        if not path.is_file():
            raise MigrationError(
                "the config lists this migration step, but there is no such file",
                where=str(path),
                remedy=f"create it, or remove it from version {version.version}",
            )
        step = step_of(f"{version.version}/{name}", path)
        yield Step(step.name, version.version, step.script, step.kind, step.down)


def _named_once(steps: list[Step]) -> None:
    seen: set[str] = set()
    for step in steps:
        if step.name in seen:
            raise MigrationError(
                f"two migration steps are called {step.name}",
                where=str(step.script.path),
                remedy="give each directory a `version` of its own",
            )
        seen.add(step.name)


def migrations_digest(project: Project) -> str:
    """Return one digest of every step's content, in order, and of what Python steps may read."""
    steps = [(step.name, step.checksum) for step in migration_steps(project)]
    secrets = secrets_file(project)
    known = digest_of_text(secrets.read_bytes()) if secrets and secrets.is_file() else None
    return digest_of([steps, known])


def secrets_file(project: Project) -> Path | None:
    """Return where the project's protected plain texts lie, if it has any."""
    return project.path(project.config.passwords) if project.config.passwords else None
