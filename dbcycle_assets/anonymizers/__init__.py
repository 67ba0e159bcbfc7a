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
    row,
    scrub,
    secret,
    simple,
    vat,
)
from .base import FUNCTION, Definition, Facts, Key, Kind, Mask, Parameters, RowMask
from .document import json_definition
from .markup import hstore_definition, xml_definition

__all__ = [
    "Definition",
    "Facts",
    "Key",
    "Kind",
    "Mask",
    "RowMask",
    "build_mask",
    "build_row_mask",
    "definition",
    "definition_of",
    "parameters_of",
    "registry",
    "rule_digest",
]


@functools.cache
def registry() -> Mapping[str, Definition]:
    """Return every anonymizer by name."""
    people = (person, contact, phone, national, place, geography, catalogue)
    things = (network, bank, vat, article, code, secret, password, picture)
    values = (moment, period, prose, number, amount, simple, row, scrub)
    found = [entry for module in (*people, *things, *values) for entry in module.DEFINITIONS]
    found += [make(build_mask) for make in (json_definition, xml_definition, hstore_definition)]
    found.append(row.composed_definition(build_mask, definition_of))
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


def definition_of(name: str, options: Mapping[str, Any]) -> Definition:
    """Return one anonymizer with the properties that it has under these parameters.

    Raises:
        ConfigError: an unknown anonymizer or a wrong parameter.
    """
    found = definition(name)
    if found.specialise is None:
        return found
    return found.specialise(parameters_of(name, options))


def build_mask(name: str, options: Mapping[str, Any], facts: Facts, key: Key) -> Mask:
    """Return the mask of a rule for one column; what it could read beside the value is left out.

    Raises:
        ConfigError: an unknown anonymizer, a wrong parameter, or a column it does not serve.
    """
    parameters = _served(name, options, facts)
    return definition(name).build(parameters, facts, key)


def build_row_mask(name: str, options: Mapping[str, Any], facts: Facts, key: Key) -> RowMask:
    """Return the mask of a rule that reads beside its value.

    Raises:
        ConfigError: as :func:`build_mask`; also a rule that reads nothing beside its value.
    """
    parameters = _served(name, options, facts)
    build = definition(name).build_row
    if build is None:
        raise ConfigError(f"{name} reads nothing beside its value")
    return build(parameters, facts, key)


def _served(name: str, options: Mapping[str, Any], facts: Facts) -> Parameters:
    parameters = parameters_of(name, options)
    if facts.kind not in definition(name).accepts:
        raise ConfigError(f"{name} does not serve {facts.kind} columns")
    return parameters


def rule_digest(name: str, options: Mapping[str, Any]) -> str:
    """Return what identifies a rule: its name, the version of its mapping, its parameters, and
    the user's code behind it.
    """
    parameters = parameters_of(name, options)
    found = definition_of(name, options)
    content = [name, FUNCTION, found.version, parameters.model_dump(mode="json")]
    if code := found.source_digest(parameters):
        content.append(code)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
