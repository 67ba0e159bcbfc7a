"""The pytest side of the product; its fixtures come with the testing plugin."""

from importlib import import_module
from typing import Any

__all__ = ["assert_models_match", "check_seeds"]

_LAZY = {"assert_models_match": "models", "check_seeds": "seeds"}


def __getattr__(name: str) -> Any:
    """Import what costs time only for those who use it: pytest loads this room at every start."""
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
