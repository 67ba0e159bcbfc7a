"""The pytest side of the product; its fixtures come with the testing plugin."""

from typing import Any

__all__ = ["check_seeds"]


def __getattr__(name: str) -> Any:
    """Import the engines only for those who use them: the plugin is part of every pytest run."""
    if name == "check_seeds":
        from .seeds import check_seeds

        return check_seeds
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
