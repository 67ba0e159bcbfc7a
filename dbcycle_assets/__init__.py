"""Turn a production database dump into a safe, realistic, seeded test database."""

from typing import Any

from .config.load import load_project
from .config.model import Project
from .config.settings import Settings
from .errors import DbCycleError

__all__ = [
    "DbCycleComponent",
    "DbCycleError",
    "DbCycleTranslator",
    "Project",
    "Settings",
    "build_definitions",
    "load_project",
    "load_settings",
    "open_engine",
    "read_extract",
    "temporary_database",
]

_LAZY = {
    "DbCycleComponent": "defs.component",
    "DbCycleTranslator": "defs.specs",
    "build_definitions": "defs",
    "load_settings": "upkeep.connecting",
    "open_engine": "upkeep.connecting",
    "read_extract": "cycle.frames",
    "temporary_database": "upkeep.temporary",
}


def __getattr__(name: str) -> Any:
    """Import Dagster, pandas and the engines only for those who use them."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the lazy names too: `dg` finds the component among them."""
    return sorted({*globals(), *__all__})
