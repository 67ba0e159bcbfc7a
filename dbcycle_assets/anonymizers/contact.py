"""E-mail addresses."""

from typing import Literal

import pydantic

from .base import WIDTH, ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .person import FIRST, LAST, SUFFIX, needs, words
from .vocabulary import fold, invented, pick

DOMAINS = ("example.com", "example.org", "example.net")
"""Reserved for documentation (RFC 2606): mail to them reaches nobody."""


class Email(Parameters):
    """What of an address may be recognised."""

    domain: Literal["safe", "keep", "map"] = pydantic.Field(
        default="safe",
        description="`safe` uses a domain that reaches nobody; `map` gives each original domain "
        "one of its own under example.com, so that colleagues still share one; `keep` keeps the "
        "original domain, and mail to it may reach somebody",
    )
    plus_tags: Literal["drop", "keep"] = pydantic.Field(
        default="drop",
        description="`keep` turns name+tag into the fake of name with another tag",
    )


def _domain(parameters: Email, key: Key, folded: str) -> str:
    if parameters.domain == "safe":
        return DOMAINS[key.word("email", folded, 3) % len(DOMAINS)]
    local, _at, domain = folded.rpartition("@")
    if not (local and domain):
        message = "an address without a domain"
        raise ValueError(message)
    if parameters.domain == "keep":
        return domain
    number = key.number("email host", domain)
    return f"{pick(invented('last'), number, domain).lower()}.example.com"


def _email(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Email)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        folded = fold(value)
        if not folded:
            return value
        domain, person, tag = _domain(parameters, key, folded), folded, ""
        local, plus, rest = folded.partition("+")
        if plus and local and "@" in rest and parameters.plus_tags == "keep":
            person = f"{local}@{rest.rpartition('@')[2]}"
            tag = "+" + key.digest("email tag", folded).hex()[:SUFFIX]
        suffix = key.digest("email", person, WIDTH)[16:].hex()[:SUFFIX]
        chosen = [
            pick(invented(kind), key.word("email", person, place), person)
            for kind, place in (("first", FIRST), ("last", LAST))
        ]
        name = f"{'.'.join(chosen)}.{suffix}".lower()
        made = f"{name}{tag}@{domain}"
        if facts.max_length is not None and len(made) > facts.max_length:
            made = f"{suffix}{tag}@{domain}"
        if facts.max_length is not None and len(made) > facts.max_length:
            message = "its fake does not fit the column"
            raise ValueError(message)
        return made

    return mask


def _column(parameters: Parameters, facts: Facts, key: Key) -> ColumnMask | None:
    from . import columns

    assert isinstance(parameters, Email)  # noqa: S101 - the registry pairs them
    if parameters.domain != "safe":
        return None
    pools = invented("first"), invented("last")
    return columns.emails(pools, DOMAINS, facts, key, tagged=parameters.plus_tags == "keep")


def _misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Email)  # noqa: S101 - the registry pairs them
    longest = SUFFIX + 12 + (parameters.plus_tags == "keep") * (SUFFIX + 1)
    return needs(longest + (parameters.domain == "map") * SUFFIX)(parameters, facts)


DEFINITIONS = (
    Definition(
        name="email",
        summary="An address at a domain that reaches nobody; unique, whatever the case.",
        accepts=frozenset({Kind.TEXT}),
        build=_email,
        build_column=_column,
        parameters=Email,
        unique=True,
        folds=True,
        vocabulary=words,
        misfit=_misfit,
    ),
)
