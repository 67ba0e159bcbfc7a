"""The pytest side of the product; its fixtures come with the testing plugin."""

from importlib import import_module
from typing import Any

from ..errors import UsageError

__all__ = [
    "Made",
    "TableFactory",
    "assert_factories",
    "assert_models_match",
    "check_seeds",
    "django_database",
    "factories",
]

_LAZY = {
    "Made": "table_factories",
    "TableFactory": "table_factories",
    "assert_factories": "table_factories",
    "assert_models_match": "models",
    "check_seeds": "seeds",
    "django_database": "django",
    "factories": "table_factories",
}


def __getattr__(name: str) -> Any:
    """Import what costs time only for those who use it: pytest loads this room at every start."""
    if name not in _LAZY:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    except ModuleNotFoundError as error:
        if error.name != "factory":
            raise
        raise UsageError(
            "factories need factory_boy", remedy="install dbcycle-assets[testing]"
        ) from None
