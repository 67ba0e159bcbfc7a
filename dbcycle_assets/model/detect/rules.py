"""The rule that reads a column's values best: a narrow one only where it reads all of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...anonymizers import build_mask
from ...anonymizers.base import Facts, Key, Kind
from ...errors import DbCycleError
from ..catalog import Column, Table
from .names import words_of
from .values import iban, ip_address, user_agent

_TRIAL = Key(b"a key that only tries whether a rule reads")
"""Its fakes are thrown away at once."""

_FEWEST_PROOFS = 8
"""So many valid check digits are no accident."""

_COUNTRIES = ("AU", "BR", "CA", "CH", "DE", "ES", "FR", "IT", "NL", "PL", "SE")
"""Countries whose numbers carry check digits."""

_AXES = {
    "latitude": re.compile(r"(?:^|_)lat(?:$|_|itud)|latitude|breitengrad|latitud", re.IGNORECASE),
    "longitude": re.compile(r"(?:^|_)(?:lon|lng|long)(?:$|_)|longitud|langengrad", re.IGNORECASE),
}
_LENIENT: Mapping[str, Any] = {"invalid": "permute"}
"""A wrong check digit that was not sampled shall not stop the extract."""

Rule = tuple[str, Mapping[str, Any]]


def readable(rule: str, options: Mapping[str, Any], facts: Facts, values: Sequence[str]) -> bool:
    """Tell whether a rule masks every sampled value of a text column without an error."""
    try:
        mask = build_mask(rule, options, facts, _TRIAL)
        for value in values:
            mask(value)
    except (DbCycleError, ValueError):
        return False
    return True


def narrow(table: Table, column: Column, klass: str, values: Sequence[str]) -> Rule | None:
    """Return the rule made for what the values are, or None where the class's own rule serves."""
    facts = table.facts(column)
    return next(
        (
            (rule, options)
            for rule, options in _candidates(table, column, klass, values)
            if column.kind is not Kind.TEXT or readable(rule, options, facts, values)
        ),
        None,
    )


def _candidates(table: Table, column: Column, klass: str, values: Sequence[str]) -> Iterator[Rule]:
    if klass == "location":
        yield from _places(table, column, values)
    if column.kind is not Kind.TEXT or not values:
        return
    if klass == "account":
        yield from ((rule, _LENIENT) for rule in _accounts(values))
    elif klass == "identifier" and len(values) >= _FEWEST_PROOFS:
        yield from _identifiers(table, column, values)
    elif klass == "network" and not any(map(ip_address, values)):
        yield "mac_address", {}
        yield "hostname", {}
    elif klass == "device" and all(map(user_agent, values)):
        yield "user_agent", {}


def _places(table: Table, column: Column, values: Sequence[str]) -> Iterator[Rule]:
    """Yield rules that move a place a little; where a CHECK reads the column, none of digits."""
    checked = any(re.search(rf"\b{re.escape(column.name)}\b", check) for check in table.checks)
    if checked and column.nullable and column.kind is not Kind.TEXT:
        yield "null", {}
    for axis, named in _AXES.items():
        if named.search(column.name) or axis in words_of(column.name):
            yield "coordinates", {"axis": axis}
    if column.kind is Kind.TEXT and values:
        yield "coordinates", {}
    if column.kind is not Kind.TEXT and column.nullable:
        yield "null", {}


def _accounts(values: Sequence[str]) -> Iterator[str]:
    if all(map(iban, values)):
        yield "iban"
    yield "card_number"


def _identifiers(table: Table, column: Column, values: Sequence[str]) -> Iterator[Rule]:
    """Yield the one country whose check digits every value carries."""
    facts = table.facts(column)
    proven = [c for c in _COUNTRIES if readable("national_id", {"country": c}, facts, values)]
    if len(proven) == 1:
        yield "national_id", {"country": proven[0], **_LENIENT}
    if readable("vat_number", {}, facts, values):
        yield "vat_number", _LENIENT
