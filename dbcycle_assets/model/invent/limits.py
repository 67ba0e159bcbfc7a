"""What the chosen ways of all checks ask of one column, put together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .checks import Demand

LONGEST = 10**9


@dataclass(frozen=True)
class Limits:
    """The demands on one column; bounds are (text of a constant, whether it is allowed itself)."""

    null: bool | None = None
    allowed: tuple[str, ...] | None = None
    refused: frozenset[str] = frozenset()
    low: tuple[tuple[str, bool], ...] = ()
    high: tuple[tuple[str, bool], ...] = ()
    shortest: int = 0
    longest: int = LONGEST
    patterns: tuple[str, ...] = ()
    case: str = ""
    json: str = ""
    beside: tuple[tuple[str, str], ...] = ()

    @property
    def possible(self) -> bool:
        """Whether anything can satisfy them, as far as can be told without a value."""
        return self.allowed != () and self.shortest <= self.longest


def gather(demands: Iterable[Demand]) -> dict[str, Limits] | None:
    """Return the limits of each column, or None if the demands contradict each other."""
    found: dict[str, Limits] = {}
    for demand in sorted(demands, key=lambda d: (d.column, d.what, d.value)):
        merged = _merged(found.get(demand.column, Limits()), demand)
        if merged is None or not merged.possible:
            return None
        found[demand.column] = merged
    return found


def _merged(limits: Limits, demand: Demand) -> Limits | None:
    what, value = demand.what, demand.value
    if what in {"null", "set"}:
        wanted = what == "null"
        return None if limits.null is (not wanted) else replace(limits, null=wanted)
    if what == "in":
        own = [text for text in value if text not in limits.refused]
        if limits.allowed is not None:
            own = [text for text in own if text in limits.allowed]
        return replace(limits, allowed=tuple(dict.fromkeys(own)))
    if what == "out":
        refused = limits.refused | set(value)
        allowed = limits.allowed
        if allowed is not None:
            allowed = tuple(text for text in allowed if text not in refused)
        return replace(limits, refused=refused, allowed=allowed)
    if what in {"<", "<="}:
        return replace(limits, high=(*limits.high, (value[0], what == "<=")))
    if what in {">", ">="}:
        return replace(limits, low=(*limits.low, (value[0], what == ">=")))
    return _of_text(limits, demand)


def _of_text(limits: Limits, demand: Demand) -> Limits | None:
    what, value = demand.what, demand.value
    if what == "length":
        return _long(limits, value[0], int(value[1]))
    if what == "like":
        return replace(limits, patterns=(*limits.patterns, value[0]))
    if what in {"lower", "upper"}:
        return None if limits.case not in {"", what} else replace(limits, case=what)
    if what == "json":
        return None if limits.json not in {"", value[0]} else replace(limits, json=value[0])
    return replace(limits, beside=(*limits.beside, (value[0], value[1])))


def _long(limits: Limits, sign: str, number: int) -> Limits:
    low, high = limits.shortest, limits.longest
    if sign in {"=", ">", ">="}:
        low = max(low, number + (sign == ">"))
    if sign in {"=", "<", "<="}:
        high = min(high, number - (sign == "<"))
    if sign == "<>" and number == low:
        low += 1
    return replace(limits, shortest=low, longest=high)
