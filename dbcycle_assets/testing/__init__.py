"""The pytest side of the product; its fixtures come with the testing plugin."""

from .models import assert_models_match

__all__ = ["assert_models_match"]
