"""Value → safe value: pure, keyed, engine-blind definitions in one registry."""

import functools
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pydantic

from ..errors import ConfigError, did_you_mean
from . import (
    amount,
    article,
    bank,
    catalogue,
    code,
    contact,
    geography,
    moment,
    national,
    network,
    number,
    password,
    period,
    person,
    phone,
    picture,
    place,
    prose,
    secret,
    simple,
    vat,
)
from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .document import json_definition
from .markup import hstore_definition, xml_definition

__all__ = [
    "Definition",
    "Facts",
    "Key",
    "Kind",
    "Mask",
    "build_mask",
    "definition",
    "parameters_of",
    "registry",
    "rule_digest",
]


@functools.cache
def registry() -> Mapping[str, Definition]:
    """Return every anonymizer by name."""
    people = (person, contact, phone, national, place, geography, catalogue)
    things = (network, bank, vat, article, code, secret, password, picture)
    values = (moment, period, prose, number, amount, simple)
    found = [entry for module in (*people, *things, *values) for entry in module.DEFINITIONS]
    found += [make(build_mask) for make in (json_definition, xml_definition, hstore_definition)]
    return MappingProxyType({entry.name: entry for entry in sorted(found, key=lambda d: d.name)})


def definition(name: str) -> Definition:
    """Return one anonymizer.

    Raises:
        ConfigError: there is none of that name.
    """
    found = registry().get(name)
    if found is None:
        raise ConfigError(f"there is no anonymizer `{name}`{did_you_mean(name, registry())}")
    return found


def parameters_of(name: str, options: Mapping[str, Any]) -> Parameters:
    """Return the checked parameters of a rule.

    Raises:
        ConfigError: an unknown anonymizer or a parameter that it does not take.
    """
    found = definition(name)
    try:
        return found.parameters.model_validate(dict(options))
    except pydantic.ValidationError as error:
        problems = [
            f"{'.'.join(map(str, detail['loc'])) or 'parameters'}: {detail['msg']}"
            for detail in error.errors(include_url=False, include_input=False)
        ]
        known = ", ".join(sorted(found.parameters.model_fields)) or "none"
        raise ConfigError(
            f"{name}: {'; '.join(problems)}", remedy=f"its parameters are: {known}"
        ) from None


def build_mask(name: str, options: Mapping[str, Any], facts: Facts, key: Key) -> Mask:
    """Return the mask of a rule for one column.

    Raises:
        ConfigError: an unknown anonymizer, a wrong parameter, or a column it does not serve.
    """
    found = definition(name)
    parameters = parameters_of(name, options)
    if facts.kind not in found.accepts:
        raise ConfigError(f"{name} does not serve {facts.kind} columns")
    return found.build(parameters, facts, key)


def rule_digest(name: str, options: Mapping[str, Any]) -> str:
    """Return what identifies a rule: its name, the version of its mapping, and its parameters."""
    parameters = parameters_of(name, options).model_dump(mode="json")
    text = json.dumps([name, definition(name).version, parameters], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
