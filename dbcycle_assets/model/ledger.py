"""What was made from what: the record of each asset, and which assets are stale.

Staleness here is Dagster's, made transitive: an asset is stale when it was never made, when its
code version or an input's data version differs from what its record holds, when its artifact is
gone, or when something upstream of it will be rebuilt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

HISTORY = 20
"""How many times an asset's record remembers."""


@dataclass(frozen=True)
class Check:
    """The result of one check; ``facts`` hold counts and names, never values.

    A check that is not ``blocking`` warns: what it found may be published.
    """

    name: str
    passed: bool
    facts: Mapping[str, Any] = field(default_factory=dict)
    blocking: bool = True


@dataclass(frozen=True)
class Record:
    """What is known of the last time an asset was made; times are ISO 8601 in UTC.

    ``history`` tells of the times before, the latest first: when, how many rows, and which checks
    passed.
    """

    asset: str
    code_version: str
    inputs: Mapping[str, str]
    data_version: str
    made_at: str
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()

    @property
    def past(self) -> tuple[Mapping[str, Any], ...]:
        """This time and the times before, as a next record keeps them."""
        this = {
            "at": self.made_at,
            "rows": self.facts.get("rows"),
            "checks": {check.name: check.passed for check in self.checks},
        }
        return (this, *self.history)[:HISTORY]

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Record":
        """Return the record that :meth:`to_json` described."""
        checks = tuple(Check(**check) for check in document["checks"])
        history = tuple(document.get("history", ()))
        return cls(**{**document, "checks": checks, "history": history})


@dataclass(frozen=True)
class Node:
    """One asset of the graph: its name, what it depends on, and its code version."""

    asset: str
    deps: tuple[str, ...]
    code_version: str

    @property
    def stage(self) -> str:
        """The first part of the name."""
        return self.asset.split("/", 1)[0]

    @property
    def table(self) -> str | None:
        """The table id for assets that exist per table."""
        return self.asset.split("/", 1)[1] if "/" in self.asset else None


@dataclass(frozen=True)
class Stale:
    """One stale asset and why; ``direct`` is false when only something upstream is stale."""

    asset: str
    reasons: tuple[str, ...]
    direct: bool


def find_stale(
    nodes: Iterable[Node],
    records: Mapping[str, Record],
    *,
    roots: Mapping[str, str],
    missing: Mapping[str, str],
) -> list[Stale]:
    """Walk the nodes (parents first) and return the stale ones, in that order.

    ``roots`` gives the present data version of assets that have no inputs; ``missing`` names
    assets whose artifact is gone, with the reason.
    """
    stale: dict[str, Stale] = {}
    for node in nodes:
        reasons = direct_reasons(node, records, roots=roots, missing=missing)
        upstream = [dep for dep in node.deps if dep in stale]
        if reasons or upstream:
            because = [f"{dep} is to be rebuilt" for dep in upstream[:3]]
            if len(upstream) > len(because):
                because.append(f"and {len(upstream) - len(because)} more upstream")
            stale[node.asset] = Stale(node.asset, (*reasons, *because), bool(reasons))
    return list(stale.values())


def direct_reasons(
    node: Node,
    records: Mapping[str, Record],
    *,
    roots: Mapping[str, str],
    missing: Mapping[str, str],
) -> list[str]:
    """Return why a node is stale in itself, whatever happens upstream."""
    record = records.get(node.asset)
    if record is None:
        return ["never made"]
    reasons = []
    if record.code_version != node.code_version:
        reasons.append("its config or code changed")
    if node.asset in roots and roots[node.asset] != record.data_version:
        reasons.append("its content changed")
    if node.asset in missing:
        reasons.append(missing[node.asset])
    for dep in node.deps:
        known = records.get(dep)
        if known is not None and record.inputs.get(dep) != known.data_version:
            reasons.append(f"{dep} changed")
    if removed := sorted(set(record.inputs) - set(node.deps)):
        reasons.append(f"no longer depends on {', '.join(removed)}")
    return reasons
