"""The pytest side of the product; its fixtures come with the testing plugin."""

from typing import Any

__all__ = ["assert_models_match"]


def __getattr__(name: str) -> Any:
    """Import the comparison only for those who use it: pytest loads this room at every start."""
    if name == "assert_models_match":
        from .models import assert_models_match

        return assert_models_match
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
