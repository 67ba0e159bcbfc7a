"""Plausible words of business: jobs, departments, products and colours."""

import math
import re
from collections.abc import Callable

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .person import fit, not_unique
from .vocabulary import fold, invented, pick, styled

Parts = tuple[tuple[str, ...], ...]


def _listed(text: str) -> Parts:
    return tuple(tuple(words.split()) for words in text.split("/"))


_JOBS: Parts = _listed(
    """
    Junior Senior Lead Principal Assistant Deputy Chief Associate /
    Accounting Billing Campaign Catering Claims Client Content Data Delivery Design Export
    Facility Finance Insurance Inventory Legal Logistics Maintenance Media Network Office
    Payroll Product Quality Research Safety Sales Security Software Supply Training Travel /
    Adviser Analyst Clerk Coordinator Engineer Manager Officer Planner Specialist Supervisor
    Technician Trainer
    """
)
_DEPARTMENTS: Parts = _listed(
    """
    Accounts Analytics Billing Compliance Customer Data Design Engineering Facilities
    Finance Fleet Legal Logistics Marketing Operations Payroll People Procurement Quality
    Research Safety /
    Services Group Office Unit Team Support
    """
)
_THINGS: Parts = _listed(
    """
    Backpack Bench Blender Bottle Bowl Cable Camera Chair Charger Clock Desk Drill Fan Glove
    Headset Heater Jacket Kettle Keyboard Lamp Monitor Mug Notebook Pan Pen Router Shelf
    Speaker Stool Table Tent Toaster Tripod Wallet Watch /
    Basic Plus Pro Mini Max One Air Classic
    """
)
_COLOURS: Parts = _listed(
    """
    amber aqua beige black blue bronze brown coral crimson cyan gold green grey indigo ivory
    khaki lime magenta maroon navy olive orange pink plum purple red salmon silver teal
    white
    """
)
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)


def _one(parts: Parts, key: Key, domain: str, value: str) -> str:
    """Return one combination of words for a value; never the value itself."""
    count = math.prod(map(len, parts))
    number = key.number(domain, value)
    made = _combination(parts, number % count)
    return made if fold(made) != value else _combination(parts, (number + 1) % count)


def _combination(parts: Parts, place: int) -> str:
    words = []
    for pool in parts:
        place, index = divmod(place, len(pool))
        words.append(pool[index])
    return " ".join(words)


def _product(key: Key, value: str) -> str:
    maker = pick(invented("last"), key.number("product maker", value), value)
    return f"{maker} {_one(_THINGS, key, 'product', value)}"


def _colour(key: Key, value: str) -> str:
    if _HEX.fullmatch(value):
        width = len(value) - 1
        made = key.digest("colour", value).hex()[:width]
        return f"#{made if f'#{made}' != value else key.digest('colour', made).hex()[:width]}"
    return _one(_COLOURS, key, "colour", value)


def _pool(*parts: Parts) -> frozenset[str]:
    return frozenset(word.casefold() for part in parts for pool in part for word in pool)


def _product_words() -> frozenset[str]:
    return _pool(_THINGS) | frozenset(name.casefold() for name in invented("last"))


def _definition(
    name: str,
    summary: str,
    make: Callable[[Key, str], str],
    vocabulary: Callable[[], frozenset[str]],
) -> Definition:
    def build(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
        def mask(value: str) -> str:
            folded = fold(value)
            return fit(styled(make(key, folded), value), facts) if folded else value

        return mask

    return Definition(
        name=name,
        summary=summary,
        accepts=frozenset({Kind.TEXT}),
        build=build,
        misfit=not_unique,
        searchable=False,
        vocabulary=lambda _parameters: vocabulary(),
    )


DEFINITIONS = (
    _definition(
        "job_title",
        "A plausible job.",
        lambda key, value: _one(_JOBS, key, "job", value),
        lambda: _pool(_JOBS),
    ),
    _definition(
        "department",
        "A plausible department.",
        lambda key, value: _one(_DEPARTMENTS, key, "department", value),
        lambda: _pool(_DEPARTMENTS),
    ),
    _definition("product_name", "A product of an invented maker.", _product, _product_words),
    _definition(
        "colour", "Another colour, by name or as hex digits.", _colour, lambda: _pool(_COLOURS)
    ),
)
