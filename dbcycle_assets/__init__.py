"""Turn a production database dump into a safe, realistic, seeded test database."""

from typing import Any

from .config.load import load_project
from .config.model import Project
from .errors import DbCycleError

__all__ = ["DbCycleError", "Project", "build_definitions", "load_project", "read_extract"]

_LAZY = {"build_definitions": "defs", "read_extract": "cycle.frames"}


def __getattr__(name: str) -> Any:
    """Import Dagster and pandas only for those who use them."""
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
