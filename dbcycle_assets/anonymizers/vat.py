"""Value-added-tax numbers, by the country that stands before them."""

import re
from typing import Literal

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .checked import Checked, Scheme, around, ending, masked
from .checksum import ELEVEN, luhn, mod11_10, mod97, weighted

Country = Literal["AT", "BE", "DE", "DK", "FI", "FR", "GB", "IT", "LU", "NL", "PL", "PT", "SE"]
_NINE = 9
_ITALIAN = "[0-9]{7}(?!000)(?:0[0-9]{2}|100|120|121|888|999)[0-9]"
"""Seven digits, the tax office, and one to check."""


def _austria(text: str) -> str:
    doubled = (int(char) * (1 + place % 2) for place, char in enumerate(text[1:]))
    return str((6 - sum(value // 10 + value % 10 for value in doubled)) % 10)


def _portugal(digits: str) -> str | None:
    found = ELEVEN - weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % ELEVEN
    return None if digits[0] == "0" else "0" if found > _NINE else str(found)


def _finland(digits: str) -> str | None:
    rest = weighted(digits, (7, 9, 10, 5, 8, 4, 2)) % ELEVEN
    return None if rest == 1 else str((ELEVEN - rest) % ELEVEN)


def _poland(digits: str) -> str | None:
    rest = weighted(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % ELEVEN
    return None if rest > _NINE else str(rest)


def _britain(digits: str) -> str:
    return f"{97 - weighted(digits, (8, 7, 6, 5, 4, 3, 2)) % 97:02d}"


def _britain_2010(digits: str) -> str | None:
    """The newer scheme differs by 55, and begins at 100 0000."""
    if digits < "1":
        return None
    return f"{97 - (weighted(digits, (8, 7, 6, 5, 4, 3, 2)) + 55) % 97:02d}"


def _denmark() -> Scheme:
    """The first digit is the one that makes the weighted sum a multiple of eleven."""

    def complete(payload: str) -> str | None:
        rest = weighted(payload, (7, 6, 5, 4, 3, 2, 1)) % ELEVEN
        first = next((d for d in range(1, 10) if (2 * d + rest) % ELEVEN == 0), None)
        return None if first is None else f"{first}{payload}"

    return Scheme("vat DK", re.compile("[1-9][0-9]{7}"), lambda text: text[1:], complete)


def _france() -> Scheme:
    """Two check digits before the company's nine, which pass Luhn's test themselves."""

    def complete(payload: str) -> str:
        siren = payload + luhn(payload)
        return f"{int(siren + '12') % 97:02d}{siren}"

    return Scheme("vat FR", re.compile("[0-9]{11}"), lambda text: text[2:-1], complete)


_DUTCH = re.compile("[0-9]{9}B[0-9]{2}")


def _company(digits: str) -> str | None:
    rest = weighted(digits, range(9, 1, -1)) % ELEVEN
    return None if rest > _NINE else str(rest)


def _dutch_company() -> Scheme:
    """Companies keep the older numbers, whose ninth digit checks; their branch stays."""

    def complete(payload: str) -> str | None:
        check = _company(payload[:8])
        return None if check is None else f"{payload[:8]}{check}{payload[8:]}"

    made = Scheme("vat NL company", _DUTCH, lambda text: text[:8] + text[9:], complete)
    return around(made, 0, 8)


def _dutch_person() -> Scheme:
    """Persons have newer numbers, with two check digits at the end."""

    def complete(payload: str) -> str | None:
        if _company(payload[:8]) == payload[8]:  # one that would pass as a company's
            return None
        return f"{payload}{98 - mod97('NL' + payload + '00'):02d}"

    return around(Scheme("vat NL", _DUTCH, lambda text: text[:10], complete), 0, 9)


def _sweden() -> Scheme:
    def complete(payload: str) -> str:
        return f"{payload}{luhn(payload)}01"

    return Scheme("vat SE", re.compile("[0-9]{10}01"), lambda text: text[:9], complete)


def _belgium(digits: str) -> str | None:
    return f"{97 - int(digits) % 97:02d}" if digits[0] in "01" else None


def _germany(digits: str) -> str | None:
    return None if digits[0] == "0" else mod11_10(digits)


SCHEMES: dict[str, tuple[Scheme, ...]] = {
    "AT": (around(ending("vat AT", "U[0-9]{8}", _austria), 1),),
    "BE": (ending("vat BE", "[01][0-9]{9}", _belgium, 2),),
    "DE": (ending("vat DE", "[1-9][0-9]{8}", _germany),),
    "DK": (_denmark(),),
    "FI": (ending("vat FI", "[0-9]{8}", _finland),),
    "FR": (_france(),),
    "GB": (
        ending("vat GB", "[0-9]{9}", _britain, 2),
        ending("vat GB 2010", "[0-9]{9}", _britain_2010, 2),
    ),
    "IT": (around(ending("vat IT", _ITALIAN, luhn), 0, 7),),
    "LU": (ending("vat LU", "[0-9]{8}", lambda text: f"{int(text) % 89:02d}", 2),),
    "NL": (_dutch_company(), _dutch_person()),
    "PL": (ending("vat PL", "[0-9]{10}", _poland),),
    "PT": (ending("vat PT", "[0-9]{9}", _portugal),),
    "SE": (_sweden(),),
}


class Vat(Checked):
    """How a VAT number is read."""

    country: Country | None = pydantic.Field(
        default=None, description="the country of numbers that stand without their prefix"
    )


def _vat(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Vat)  # noqa: S101 - the registry pairs them
    changes = {
        scheme.name: scheme.changed(key) for schemes in SCHEMES.values() for scheme in schemes
    }

    def parts(number: str) -> tuple[str, str, str]:
        prefix = number[:2] if number[:2] in SCHEMES else ""
        return prefix, prefix or parameters.country or "", number[len(prefix) :]

    def valid(number: str) -> bool:
        _prefix, country, rest = parts(number)
        return any(scheme.valid(rest) for scheme in SCHEMES.get(country, ()))

    def change(number: str) -> str:
        prefix, country, rest = parts(number)
        scheme = next(scheme for scheme in SCHEMES[country] if scheme.valid(rest))
        return prefix + changes[scheme.name](rest)

    return masked(key, "vat", parameters.invalid, valid, change)


DEFINITIONS = (
    Definition(
        name="vat_number",
        summary="Another valid VAT number of the same country; unique.",
        accepts=frozenset({Kind.TEXT}),
        build=_vat,
        parameters=Vat,
        unique=True,
        searchable=False,
        length_preserving=True,
        reversible=True,
    ),
)
