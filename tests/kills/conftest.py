"""Migrated databases, as the tests of the upkeep have them."""

from ..upkeep.conftest import place_on  # noqa: F401
