"""Choosing ways through several checks at once, and putting columns in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from ..catalog import Table
from .checks import Demand, Way
from .limits import gather
from .patterns import matches
from .values import later

MOST_STEPS = 4000

Given = Mapping[str, str | None]
"""Values that are decided already, in text form."""


@dataclass(frozen=True)
class Order:
    """``column`` must stand in that comparison to ``other``, of the same row."""

    column: str
    sign: str
    other: str


def fitting(
    found: Sequence[Way], given: Given, never_null: frozenset[str], table: Table
) -> list[Way]:
    """Return the ways that what is given allows."""
    return [
        way
        for way in found
        if not any(d.what == "null" and d.column in never_null for d in way)
        and all(holds(d, given[d.column], table) for d in way if d.column in given)
    ]


def solve(checks: Sequence[Sequence[Way]]) -> list[Way] | None:
    """Return one way of each check, so that no demands contradict each other."""
    steps = 0

    def search(chosen: list[Way]) -> list[Way] | None:
        nonlocal steps
        if len(chosen) == len(checks):
            return chosen
        for way in checks[len(chosen)]:
            steps += 1
            if steps > MOST_STEPS:
                return None
            if gather(d for w in (*chosen, way) for d in w) is not None and (
                found := search([*chosen, way])
            ):
                return found
        return None

    return search([]) if checks else []


def holds(demand: Demand, text: str | None, table: Table) -> bool:
    """Tell whether a value satisfies a demand; what cannot be told holds."""
    if demand.what in {"null", "set"}:
        return (text is None) is (demand.what == "null")
    if text is None:
        return True
    if demand.what in {"in", "out"}:
        return (text in demand.value) is (demand.what == "in")
    if demand.what in {"<", "<=", ">", ">="}:
        order = compare(text, demand.value[0])
        return order is None or _agrees(order, demand.what)
    if demand.what == "length" and (column := table.column(demand.column)) is not None:
        length = len(text)
        return bool(column.dimensions) or _agrees(
            (length > int(demand.value[1])) - (length < int(demand.value[1])), demand.value[0]
        )
    return demand.what != "like" or matches(demand.value[0], text)


def _agrees(order: int, sign: str) -> bool:
    return {
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
        "=": order == 0,
        "<>": order != 0,
    }[sign]


def compare(left: str, right: str) -> int | None:
    """Return -1, 0 or 1 as numbers, moments or texts compare; None if they cannot be compared."""
    for read in (Decimal, _moment):
        try:
            a, b = read(left), read(right)
        except (InvalidOperation, ValueError):
            continue
        return (a > b) - (a < b)
    return (left > right) - (left < right)


def _moment(text: str) -> float:
    found = datetime.fromisoformat(text.strip())
    return found.timestamp()


def ordered(
    row: dict[str, str | None], orders: Sequence[Order], table: Table, fixed: frozenset[str]
) -> dict[str, str | None]:
    """Return a row whose columns stand in their order; what is ``fixed`` stays."""
    made = dict(row)
    for _ in range(len(orders) + 1):
        for order in orders:
            _put(made, order, table, fixed)
    return made


def _put(made: dict[str, str | None], order: Order, table: Table, fixed: frozenset[str]) -> None:
    left, right = made.get(order.column), made.get(order.other)
    if left is None or right is None:
        return
    found = compare(left, right)
    if found is None or _agrees(found, order.sign):
        return
    moved, anchor, sign = order.other, left, _TURNED[order.sign]
    if moved in fixed:
        moved, anchor, sign = order.column, right, order.sign
    column = table.column(moved)
    if moved in fixed or column is None:
        return
    step = {"<": -1, "<=": -1, ">": 1, ">=": 1, "=": 0, "<>": 1}[sign]
    made[moved] = anchor if step == 0 else later(column, anchor, step)


_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
