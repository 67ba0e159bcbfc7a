"""Ways to reach somebody: e-mail, phone, web and network addresses."""

import ipaddress
import re

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .permutation import Digits
from .person import SUFFIX, first, fit, last, needs, words
from .vocabulary import fold, invented, pick

TEXT = frozenset({Kind.TEXT})
DOMAINS = ("example.com", "example.org", "example.net")
"""Reserved for documentation (RFC 2606): mail to them reaches nobody."""


def _email(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        folded = fold(value)
        if not folded:
            return value
        suffix = key.digest("email", folded).hex()[:SUFFIX]
        domain = DOMAINS[key.number("email domain", folded) % len(DOMAINS)]
        local = f"{first(key, folded)}.{last(key, folded)}.{suffix}".lower()
        made = f"{local}@{domain}"
        if facts.max_length is not None and len(made) > facts.max_length:
            made = f"{suffix}@{domain}"
        return made

    return mask


def _phone(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    permute = Digits(key, "phone")

    def mask(value: str) -> str:
        prefix = re.match(r"\s*(\+\d\d|00\d\d)", value)
        kept = prefix.group() if prefix else ""
        rest = value[len(kept) :]
        digits = iter(permute("".join(char for char in rest if char in "0123456789")))
        changed = "".join(next(digits) if char in "0123456789" else char for char in rest)
        if changed == rest and rest.strip():  # no digits at all: not a number, so no shape to keep
            return fit(key.digest("phone", fold(value)).hex()[: len(value)], facts)
        return kept + changed

    return mask


def _url(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        if not value.strip():
            return value
        token = key.digest("url", value.strip()).hex()[:SUFFIX]
        host = pick(invented("last"), key, "url host", fold(value)).lower()
        made = f"https://{host}.example.com/{token}"
        return made if facts.max_length is None or len(made) <= facts.max_length else token

    return mask


def _ip_address(_parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        address, slash, prefix = value.strip().partition("/")
        number = key.number("ip address", address)
        if ipaddress.ip_address(address).version == 6:  # noqa: PLR2004
            made: object = ipaddress.IPv6Address((0x20010DB8 << 96) | number % (1 << 64))
        else:  # 198.18.0.0/15 is reserved for tests (RFC 2544)
            made = ipaddress.IPv4Address((198 << 24 | 18 << 16) + number % (1 << 17))
        return f"{made}{slash}{prefix}" if not slash or int(prefix) in {32, 128} else f"{made}"

    return mask


DEFINITIONS = (
    Definition(
        name="email",
        summary="An address at a domain that reaches nobody; unique, whatever the case.",
        accepts=TEXT,
        build=_email,
        unique=True,
        folds=True,
        vocabulary=words,
        misfit=needs(SUFFIX + 12),  # type: ignore[arg-type]
    ),
    Definition(
        name="phone",
        summary="Other digits in the same punctuation, country prefix kept; unique.",
        accepts=TEXT,
        build=_phone,
        unique=True,
    ),
    Definition(
        name="url",
        summary="An address under example.com; unique.",
        accepts=TEXT,
        build=_url,
        unique=True,
        vocabulary=words,
        misfit=needs(SUFFIX),  # type: ignore[arg-type]
    ),
    Definition(
        name="ip_address",
        summary="An address from a range reserved for tests, version kept.",
        accepts=frozenset({Kind.TEXT, Kind.NETWORK}),
        build=_ip_address,
    ),
)
