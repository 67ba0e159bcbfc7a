"""Seeds held against their laws, for pytest: ``check_seeds("data/shop")`` in a test."""

from ..upkeep.seed_trial import LAWS, Trial, Verdict, check_seeds

__all__ = ["LAWS", "Trial", "Verdict", "check_seeds"]
