"""Find the project that a command means."""

import tomllib
from pathlib import Path

from ..errors import UsageError, did_you_mean
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
            own = settings["dbcycle"]
            named = {name: folder / path for name, path in own.get("projects", {}).items()}
            return named, own.get("default")
    return {}, None


def find_project(hint: str | None, start: Path) -> Path:
    """Return the folder of the project that ``hint`` (a folder or a name) means from ``start``.

    Without a hint: the nearest ``dbcycle.yaml`` upwards, else the default of pyproject.toml.

    Raises:
        UsageError: nothing fits; the message lists what there is.
    """
    start = start.resolve()
    named, default = bundled_projects(start)
    if hint is not None:
        folder = (start / hint).expanduser()
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
    if default is not None and default in named:
        return named[default].resolve()
    raise UsageError(
        "there is no project here",
        where=str(start),
        remedy="go to a project's folder, name one with --project, or make one with `dbcycle init`",
    )
