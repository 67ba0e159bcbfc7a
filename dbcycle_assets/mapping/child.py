"""The process that imports the application's models: ours never does.

A request comes on standard input and the answer goes to what was standard output; whatever the
application prints goes nowhere, since it may be a value.
"""

import enum
import importlib
import json
import os
import sys
import traceback
import warnings
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import DbCycleError


class _Unusable(Exception):
    """The models cannot be used; the text has no value in it."""


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    warnings.simplefilter("ignore")
    with answer:
        try:
            json.dump(_compared(request), answer)
        except _Unusable as error:
            json.dump({"unusable": str(error)}, answer)
        except DbCycleError as error:
            json.dump({"refused": [error.what, error.where, error.remedy]}, answer)
        except Exception as error:  # noqa: BLE001 - its text may hold a value
            place = _described(error, str(Path(__file__).parents[1]))
            json.dump({"failed": place}, answer)


def _compared(request: dict[str, Any]) -> dict[str, Any]:
    path = request["path"]
    if path not in sys.path:
        sys.path.insert(0, path)
    module = _imported(request["module"], path)
    enums = _imported(request["enums"], path) if request["enums"] else None
    base = getattr(module, request["base"], None)
    metadata = getattr(base, "metadata", None) or base
    from sqlalchemy import MetaData
    from sqlalchemy.orm import configure_mappers

    if not isinstance(metadata, MetaData):
        message = f"`{request['base']}` of {request['module']} has no `metadata`"
        raise _Unusable(message)
    try:
        configure_mappers()
    except Exception as error:  # noqa: BLE001 - the application's own code
        message = f"the mappers do not configure: {_described(error, path)}"
        raise _Unusable(message) from None
    registry = getattr(base, "registry", None)
    return _against(request, metadata, registry.mappers if registry else (), _classes(enums))


def _against(
    request: dict[str, Any], metadata: Any, mappers: Any, classes: list[type[enum.Enum]] | None
) -> dict[str, Any]:
    from ..databases import locate
    from .diffs import Members
    from .likeness import Likeness

    server, name = locate(request["engine"], request["url"])
    with server.open(name) as database, database.inspecting() as (connection, schema):
        members = Members(mappers, connection.dialect.default_schema_name)
        likeness = Likeness(connection, schema, metadata, members)
        found = likeness.find(classes) if metadata.tables else []
        return {
            "mapped": len(metadata.tables),
            "tables": len(likeness.common),
            "columns": sum(len(table.columns) for table, _ in likeness.common),
            "enums": len(schema.info["enums"]),
            "findings": [asdict(each) for each in found],
        }


def _imported(name: str, path: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the application's own code
        message = f"the module {name} does not import: {_described(error, path)}"
        raise _Unusable(message) from None


def _described(error: BaseException, path: str) -> str:
    """Return the class of an error and its place; its text may hold a value."""
    told = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name:
        told += f" of `{error.name}`"
    if isinstance(error, SyntaxError) and error.filename:
        return f"{told} in {Path(error.filename).name}:{error.lineno}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(path) and "site-packages" not in frame.filename
    ]
    return f"{told} in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else told


def _classes(module: ModuleType | None) -> list[type[enum.Enum]] | None:
    """Return the enums with members that a module defines or imports, by name."""
    if module is None:
        return None
    found = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, enum.Enum) and value.__members__
    }
    return [value for _, value in sorted(found.items())]
