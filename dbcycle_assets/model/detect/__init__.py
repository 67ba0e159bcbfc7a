"""The detector: proposes a rule for every column, with a reason. It decides nothing."""

from .propose import Proposal, propose

__all__ = ["Proposal", "propose"]
