"""National identity and tax numbers, by country."""

import calendar
import re
import string
from collections.abc import Callable
from typing import Literal

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .checked import Change, Checked, Scheme, around, ending, masked
from .checksum import ELEVEN, ean, italian, luhn, mod11_10, weighted
from .permutation import Codes, Mixed

TEN = 10
_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_MONTHS = "ABCDEHLMPRST"
_FEMALE = 40
_DEPARTMENTS = [f"{n:02d}" for n in range(1, 100) if n != 20] + ["2A", "2B"]  # noqa: PLR2004 - Corsica was 20


def _eleven(weights: tuple[int, ...], *, ten: str | None) -> Callable[[str], str | None]:
    """Return the check digit of a weighted sum modulo 11; ``ten`` stands for a rest of ten."""

    def check(digits: str) -> str | None:
        rest = weighted(digits, weights) % ELEVEN
        return ten if rest == TEN else str(rest)

    return check


def _cpf(digits: str) -> str:
    made = digits
    for _ in range(2):
        if len(digits) == 9:  # noqa: PLR2004 - a person's; a company's has twelve
            weights = tuple(range(len(made) + 1, 1, -1))
        else:
            weights = tuple((place - 2) % 8 + 2 for place in range(len(made) + 1, 1, -1))
        rest = weighted(made, weights) % ELEVEN
        made += "0" if rest < 2 else str(ELEVEN - rest)  # noqa: PLR2004 - the scheme's own
    return made[-2:]


def _spanish() -> Scheme:
    def number(payload: str) -> int:
        return int(payload.replace("X", "0").replace("Y", "1").replace("Z", "2"))

    return Scheme(
        "national_id ES",
        re.compile("[0-9XYZ][0-9]{7}[A-Z]"),
        lambda text: text[:-1],
        lambda payload: payload + _SPANISH[number(payload) % 23],
        lambda key, domain: Codes(key, domain, (string.digits, "XYZ")),
    )


def _day(year: int, month: int, day: int) -> int:
    """Return the day of the year, from 0.

    Raises:
        ValueError: there is no such day.
    """
    if not (1 <= month <= 12 and 1 <= day <= _length(year, month)):  # noqa: PLR2004 - months
        message = "no date"
        raise ValueError(message)
    return sum(_length(year, before) for before in range(1, month)) + day - 1


def _date(year: int, number: int) -> tuple[int, int]:
    """Return the month and day of a day of the year."""
    month = 1
    while number >= _length(year, month):
        number -= _length(year, month)
        month += 1
    return month, number + 1


def _length(year: int, month: int) -> int:
    return calendar.monthrange(2000 + year % 4, month)[1]


def _dated(
    split: Callable[[str], tuple[int, int, int, str, str]],
    join: Callable[[str, int, int, str], str],
) -> Callable[[Key, str], Change]:
    """Return the permutation of payloads with a birth date: another day of the same year.

    ``split`` gives year, month, day, the serial to permute, and what stays.
    """

    def permute(key: Key, domain: str) -> Change:
        known: dict[tuple[int, ...], Mixed] = {}

        def change(payload: str) -> str:
            year, month, day, serial, stays = split(payload)
            alphabets = [string.digits if c.isdigit() else string.ascii_uppercase for c in serial]
            days = 366 if year % 4 == 0 else 365
            radices = (days, *map(len, alphabets))
            mixed = known.setdefault(radices, Mixed(key, domain, radices))
            places = [alphabet.index(c) for alphabet, c in zip(alphabets, serial, strict=True)]
            number, *fresh = mixed([_day(year, month, day), *places])
            made = "".join(alphabet[p] for alphabet, p in zip(alphabets, fresh, strict=True))
            return join(stays, *_date(year, number), made)

        return change

    return permute


def _pesel() -> Scheme:
    """The month also tells the century (+20 a century), the tenth digit the sex; both stay."""

    def split(text: str) -> tuple[int, int, int, str, str]:
        month = int(text[2:4])
        stays = f"{text[:2]}{month // 20}{int(text[9]) % 2}"
        return int(text[:2]), month % 20, int(text[4:6]), text[6:9] + str(int(text[9]) // 2), stays

    def join(stays: str, month: int, day: int, serial: str) -> str:
        sex = int(serial[3]) * 2 + int(stays[3])
        return f"{stays[:2]}{int(stays[2]) * 20 + month:02d}{day:02d}{serial[:3]}{sex}"

    return Scheme(
        "national_id PL",
        re.compile("[0-9]{11}"),
        lambda text: text[:-1],
        lambda text: text + str(-weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % TEN),
        _halved(split, join),
    )


def _halved(
    split: Callable[[str], tuple[int, int, int, str, str]],
    join: Callable[[str, int, int, str], str],
) -> Callable[[Key, str], Change]:
    """Return a dated permutation whose serial ends in a halved digit, which is below five."""

    def permute(key: Key, domain: str) -> Change:
        known: dict[int, Mixed] = {}

        def change(payload: str) -> str:
            year, month, day, serial, stays = split(payload)
            days = 366 if year % 4 == 0 else 365
            size = 10 ** (len(serial) - 1)
            mixed = known.setdefault(days, Mixed(key, domain, (days, size, 5)))
            place, head, half = mixed([_day(year, month, day), int(serial[:-1]), int(serial[-1])])
            return join(stays, *_date(year, place), f"{head:0{len(serial) - 1}d}{half}")

        return change

    return permute


def _personnummer() -> Scheme:
    """The last digit of the serial tells the sex, a day above 60 a coordination number."""

    def split(text: str) -> tuple[int, int, int, str, str]:
        born, serial = text[:-3], text[-3:]
        day, odd = int(born[-2:]), int(serial[2]) % 2
        stays = f"{odd}{day // 60}{born[:-4]}"
        half = str(int(serial[2]) // 2)
        return int(born[-6:-4]), int(born[-4:-2]), day % 60, serial[:2] + half, stays

    def join(stays: str, month: int, day: int, serial: str) -> str:
        sex = int(serial[2]) * 2 + int(stays[0])
        return f"{stays[2:]}{month:02d}{day + 60 * int(stays[1]):02d}{serial[:2]}{sex}"

    return Scheme(
        "national_id SE",
        re.compile("(?:[0-9]{2})?[0-9]{10}"),
        lambda text: text[:-1],
        lambda text: text + luhn(text[-9:]),
        _halved(split, join),
    )


def _codice_fiscale() -> Scheme:
    def split(text: str) -> tuple[int, int, int, str, str]:
        day = int(text[9:11])
        stays = text[6:8] + str(day // _FEMALE) + text[11]
        month = _MONTHS.find(text[8]) + 1
        return int(text[6:8]), month, day % _FEMALE, text[:6] + text[12:15], stays

    def join(stays: str, month: int, day: int, serial: str) -> str:
        born = f"{stays[:2]}{_MONTHS[month - 1]}{day + _FEMALE * int(stays[2]):02d}"
        return serial[:6] + born + stays[3] + serial[6:]

    return Scheme(
        "national_id IT",
        re.compile("[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]"),
        lambda text: text[:-1],
        lambda text: text + italian(text),
        _dated(split, join),
    )


def _nir() -> Scheme:
    """Sex and year stay; the month, the department and the two serials change."""

    def permute(key: Key, domain: str) -> Change:
        mixed = Mixed(key, domain, (12, len(_DEPARTMENTS), 1000, 1000))

        def change(text: str) -> str:
            department = _DEPARTMENTS.index(text[5:7])
            month, place, town, order = mixed(
                [_twelfth(text[3:5]), department, int(text[7:10]), int(text[10:])]
            )
            return f"{text[:3]}{month + 1:02d}{_DEPARTMENTS[place]}{town:03d}{order:03d}"

        return change

    def complete(text: str) -> str:
        _twelfth(text[3:5])
        _DEPARTMENTS.index(text[5:7])
        number = int(text[:5] + text[5:7].replace("2A", "19").replace("2B", "18") + text[7:])
        return f"{text}{97 - number % 97:02d}"

    shape = re.compile("[12][0-9]{4}(?:[0-9]{2}|2A|2B)[0-9]{8}")
    return Scheme("national_id FR", shape, lambda text: text[:-2], complete, permute)


def _twelfth(month: str) -> int:
    if not 1 <= int(month) <= 12:  # noqa: PLR2004 - months
        message = "no month"
        raise ValueError(message)
    return int(month) - 1


def _steuer_id() -> Scheme:
    """Ten digits of which one occurs twice or three times, and no other twice."""

    def complete(text: str) -> str | None:
        counts = sorted(text.count(digit) for digit in set(text))
        fits = text[0] != "0" and counts[-1] in {2, 3} and counts[-2] == 1 and "000" not in text
        return text + mod11_10(text) if fits and not _run(text) else None

    shape = re.compile("[1-9][0-9]{10}")
    return Scheme("national_id DE", shape, lambda text: text[:-1], complete)


def _run(text: str) -> bool:
    return any(digit * 3 in text for digit in set(text))


SCHEMES = {
    "AU": ending("national_id AU", "[0-9]{9}", _eleven((1, 4, 3, 7, 5, 8, 6, 9), ten=None)),
    "BR": ending("national_id BR", "(?:[0-9]{3})?[0-9]{11}", _cpf, 2),
    "CA": around(ending("national_id CA", "[1-79][0-9]{8}", luhn), 1),
    "CH": around(ending("national_id CH", "756[0-9]{10}", ean), 3),
    "DE": _steuer_id(),
    "ES": _spanish(),
    "FR": _nir(),
    "IT": _codice_fiscale(),
    "NL": ending("national_id NL", "[0-9]{9}", _eleven((9, 8, 7, 6, 5, 4, 3, 2), ten=None)),
    "PL": _pesel(),
    "SE": _personnummer(),
}
"""Schemes with check digits."""

PLAIN = {
    "US": re.compile("(?!000|666|9)[0-9]{3}(?!00)[0-9]{2}(?!0000)[0-9]{4}"),
    "GB": re.compile("[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]"),
}
"""Schemes without check digits, in which some numbers are never given out."""


class NationalId(Checked):
    """Which number, and how it is masked."""

    country: Literal[
        "AU", "BR", "CA", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "PL", "SE", "US"
    ] = pydantic.Field(
        description="AU tax file number, BR CPF and CNPJ, CA SIN, CH AHV, DE Steuer-ID, ES DNI and "
        "NIE, FR NIR, GB National Insurance number, IT codice fiscale, NL BSN, PL PESEL, SE "
        "personnummer, US Social Security number",
    )
    numbers: Literal["unissued", "permuted"] = pydantic.Field(
        default="unissued",
        description="for GB and US: `unissued` gives numbers that nobody ever got; `permuted` "
        "keeps unique unique, but may hit a number in use",
    )


def _national_id(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, NationalId)  # noqa: S101 - the registry pairs them
    country = parameters.country
    domain = f"national_id {country}"
    if (scheme := SCHEMES.get(country)) is not None:
        return masked(key, domain, parameters.invalid, scheme.valid, scheme.changed(key))
    codes, shape = Codes(key, domain), PLAIN[country]

    def valid(number: str) -> bool:
        return shape.fullmatch(number) is not None

    def change(number: str) -> str:
        made = codes(number)
        if parameters.numbers == "permuted":
            while not valid(made):
                made = codes(made)
            return made
        # Areas from 900 are no Social Security numbers, groups 00 no taxpayer numbers either; QQ
        # is the prefix that HMRC keeps for examples.
        return f"9{made[1:3]}00{made[5:]}" if country == "US" else f"QQ{made[2:8]}{number[8]}"

    return masked(key, domain, parameters.invalid, valid, change)


def _misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, NationalId)  # noqa: S101 - the registry pairs them
    if facts.unique and parameters.country in PLAIN and parameters.numbers == "unissued":
        return "may give two people the same number; `numbers: permuted` does not"
    return None


DEFINITIONS = (
    Definition(
        name="national_id",
        summary="Another valid identity or tax number of the same country.",
        accepts=frozenset({Kind.TEXT}),
        build=_national_id,
        parameters=NationalId,
        misfit=_misfit,
        searchable=False,
        length_preserving=True,
    ),
)
