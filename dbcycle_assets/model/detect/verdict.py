"""What is made of one column, before a rule is chosen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What a column holds; ``personal`` is a judgement of content, whatever rule is proposed."""

    klass: str
    personal: bool
    confidence: float
    reason: str


def personal(klass: str, confidence: float, reason: str) -> Verdict:
    """Return the verdict that a column holds personal data of a class."""
    return Verdict(klass, personal=True, confidence=confidence, reason=reason)


def harmless(klass: str, confidence: float, reason: str) -> Verdict:
    """Return the verdict that a column is understood and not personal."""
    return Verdict(klass, personal=False, confidence=confidence, reason=reason)
