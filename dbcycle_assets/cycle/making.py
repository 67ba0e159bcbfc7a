"""Hand-written factories that the config names, and what is unknown of every table's factory."""

import importlib
import sys
from collections.abc import Iterable
from typing import Any

from ..config.model import Project
from ..errors import ConfigError
from ..model.invent import Recipes, Source

MARK = "_of_dbcycle"
"""What tells our factories, and classes that subclass them, from others."""


def hand_written(project: Project, table: str) -> type[Any] | None:
    """Return the class that the config names as the factory of a table, or None.

    Raises:
        ConfigError: there is no such class, or it subclasses none of our factories.
    """
    settings = project.config.tables.get(table)
    if settings is None or settings.factory is None:
        return None
    module, colon, name = settings.factory.partition(":")
    where = f"dbcycle.yaml: tables.{table}.factory"
    if not colon:
        raise ConfigError(
            f"`{settings.factory}` names no class",
            where=where,
            remedy="write it as package.module:Class",
        )
    found = getattr(_imported(project, module, where), name, None)
    if not isinstance(found, type) or not hasattr(found, MARK):
        raise ConfigError(
            f"{module} has no class `{name}` that is a TableFactory",
            where=where,
            remedy="let it subclass dbcycle_assets.testing.TableFactory",
        )
    return found


def _imported(project: Project, module: str, where: str) -> Any:
    former = list(sys.path)
    sys.path.insert(0, str(project.root))
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"cannot import {module}: there is no {error.name}",
            where=where,
            remedy="modules are looked for in the project's folder and on Python's path",
        ) from None
    finally:
        sys.path[:] = former


def unknown(project: Project, recipes: Recipes, tables: Iterable[str]) -> dict[str, list[str]]:
    """Return what is not known of the factory of each table; those of which all is known are left
    out. Where one is written by hand, its author has seen to the checks and to what it declares.
    """
    found: dict[str, list[str]] = {}
    for name in tables:
        findings = list(recipes.of(name).findings)
        try:
            hand: Any = hand_written(project, name)
        except ConfigError as error:
            findings.append(f"{name}: {error.what}")
        else:
            own = set(hand._meta.base_declarations) if hand is not None else set()  # noqa: SLF001
            if hand is not None:
                lost = [
                    f.column.name for f in recipes.of(name).fields if f.source is Source.UNKNOWN
                ]
                findings = [f"{name}.{column}: no value is known" for column in lost]
            findings = [
                text for text in findings if text.partition(":")[0][len(name) + 1 :] not in own
            ]
        if findings:
            found[name] = findings
    return found
