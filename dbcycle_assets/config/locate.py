"""Find the project that a command means."""

import tomllib
from pathlib import Path
from typing import Any

from ..errors import ConfigError, UsageError, did_you_mean
from .load import FILE


def bundled_projects(start: Path) -> tuple[dict[str, Path], str | None]:
    """Return the projects that the nearest pyproject.toml upwards names, and its default."""
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if not file.is_file():
            continue
        try:
            settings = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            continue
        if "dbcycle" in settings:
            return _bundled(settings["dbcycle"], file)
    return {}, None


def _bundled(own: Any, file: Path) -> tuple[dict[str, Path], str | None]:
    projects = own.get("projects", {}) if isinstance(own, dict) else None
    if not isinstance(projects, dict) or not all(isinstance(at, str) for at in projects.values()):
        raise ConfigError(
            '[tool.dbcycle] must be as in `projects = {shop = "data/shop"}`', where=str(file)
        )
    default = own.get("default")
    if default is not None and default not in projects:
        raise ConfigError(
            f"[tool.dbcycle] default names no project{did_you_mean(str(default), projects)}",
            where=str(file),
        )
    return {name: file.parent / at for name, at in projects.items()}, default


def find_project(hint: str | None, start: Path) -> Path:
    """Return the folder of the project that ``hint`` (a folder or a name) means from ``start``.

    Without a hint: the nearest ``dbcycle.yaml`` upwards, else the default of pyproject.toml.

    Raises:
        UsageError: nothing fits; the message lists what there is.
    """
    start = start.resolve()
    named, default = bundled_projects(start)
    if hint is not None:
        folder = start / Path(hint).expanduser()
        if folder.name == FILE:
            folder = folder.parent
        if (folder / FILE).is_file():
            return folder.resolve()
        if hint in named:
            return named[hint].resolve()
        known = f"; known projects: {', '.join(sorted(named))}" if named else ""
        raise UsageError(
            f"no project `{hint}`{did_you_mean(hint, named)}{known}",
            where="--project",
            remedy=f"give a folder that holds a {FILE}, or a name from [tool.dbcycle]",
        )
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    if default is not None:
        return named[default].resolve()
    raise UsageError(
        "there is no project here",
        where=str(start),
        remedy="go to a project's folder, name one with --project, or make one with `dbcycle init`",
    )
