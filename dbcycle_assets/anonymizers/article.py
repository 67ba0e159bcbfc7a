"""Numbers of things: articles, books, devices and vehicles."""

import re
import string

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .checked import Change, Checked, Scheme, around, ending, masked
from .checksum import ELEVEN, ean, luhn, weighted
from .permutation import Codes

TEXT = frozenset({Kind.TEXT})
_VIN = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VIN_VALUES = dict(
    zip(_VIN, [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _isbn10(digits: str) -> str:
    rest = -weighted(digits, range(10, 1, -1)) % ELEVEN
    return "X" if rest == 10 else str(rest)  # noqa: PLR2004 - the scheme's own


def _vin() -> Scheme:
    """The ninth character checks the others (49 CFR 565); maker and model year stay."""

    def complete(text: str) -> str:
        whole = f"{text[:8]}0{text[8:]}"
        total = sum(_VIN_VALUES[c] * w for c, w in zip(whole, _VIN_WEIGHTS, strict=True))
        check = "X" if total % ELEVEN == 10 else str(total % ELEVEN)  # noqa: PLR2004 - the scheme's own
        return f"{text[:8]}{check}{text[8:]}"

    letters = _VIN[10:]

    def permute(key: Key, domain: str) -> Change:
        codes = Codes(key, domain, (string.digits, letters))

        def change(text: str) -> str:
            made = codes(text[3:8] + text[9:])
            return text[:3] + made[:5] + text[8] + made[5:]

        return change

    shape = re.compile(f"[{_VIN}]{{8}}[0-9X][{_VIN}]{{8}}")
    return Scheme("vin", shape, lambda text: text[:8] + text[9:], complete, permute)


_SCHEMES: dict[str, tuple[str, tuple[Scheme, ...]]] = {
    "barcode": (
        "Another valid EAN-8, UPC, EAN-13 or GTIN-14; unique.",
        tuple(ending(f"gtin {size}", f"[0-9]{{{size}}}", ean) for size in (8, 12, 13, 14)),
    ),
    "isbn": (
        "Another valid ISBN of ten or thirteen digits; unique.",
        (
            ending("isbn 10", "[0-9]{9}[0-9X]", _isbn10),
            around(ending("isbn 13", "97[89][0-9]{10}", ean), 3),
        ),
    ),
    "imei": (
        "Another valid device number of the same type; unique.",
        (around(ending("imei", "[0-9]{15}", luhn), 8),),
    ),
    "vin": ("Another valid vehicle number of the same maker and year; unique.", (_vin(),)),
}


def _definition(name: str, summary: str, schemes: tuple[Scheme, ...]) -> Definition:
    def build(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
        assert isinstance(parameters, Checked)  # noqa: S101 - the registry pairs them
        changes = [(scheme, scheme.changed(key)) for scheme in schemes]

        def change(number: str) -> str:
            return next(made for scheme, made in changes if scheme.valid(number))(number)

        def valid(number: str) -> bool:
            return any(scheme.valid(number) for scheme in schemes)

        return masked(key, name, parameters.invalid, valid, change)

    return Definition(
        name=name,
        summary=summary,
        accepts=TEXT,
        build=build,
        parameters=Checked,
        unique=True,
        searchable=False,
        length_preserving=True,
        reversible=True,
    )


DEFINITIONS = tuple(_definition(name, *rest) for name, rest in _SCHEMES.items())
