"""Dates and times, shifted in their text form: no calendar library bounds them."""

import bisect
import datetime
import re
from typing import Literal

import pydantic

from .base import ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters, RowMask

DATE = re.compile(
    r"(?P<year>[0-9]{4,})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?P<rest>(?:[T ][0-9:.,]+(?: ?[AaPp][Mm])?(?P<zone> ?(?:Z|UTC|[+-][0-9:]+))?)?)(?P<era> BC)?"
)
"""A date, and nothing after it but a time: a word in a text column must not slip through."""
CYCLE = 400
"""The Gregorian calendar repeats after as many years."""


AGES = (-4712, 1, 10_000, 294_277, 5_874_898)
"""The years (0 is 1 BC) before which something ends: what PostgreSQL, people, most programs, a
PostgreSQL timestamp and a PostgreSQL date can tell."""


class Shift(Parameters):
    """How far a date moves."""

    max_days: int = pydantic.Field(
        default=180, ge=1, le=36_500, description="the largest shift in days, in either direction"
    )


def endless(value: str) -> bool:
    """Say whether a value is no date at all: blank, or one of the infinities."""
    return value.strip().lower() in {"", "infinity", "-infinity"}


def shifted(value: str, days: int) -> str:
    """Return a date or timestamp so many days later; earlier instead where it would leave its age,
    so that 9999-12-31 stays a date that every program can read.

    Raises:
        ValueError: it is neither.
    """
    match = DATE.fullmatch(value.strip())
    if match is None:
        message = "not a date"
        raise ValueError(message)
    year = int(match["year"])
    year = 1 - year if match["era"] else year
    base = 2000 + year % CYCLE
    known = datetime.date(base, int(match["month"]), int(match["day"]))
    moved = known + datetime.timedelta(days)
    if bisect.bisect_right(AGES, year) != bisect.bisect_right(AGES, year + moved.year - base):
        moved = known - datetime.timedelta(days)
    year += moved.year - base
    era = " BC" if year < 1 else ""
    year = 1 - year if year < 1 else year
    return f"{year:04d}-{moved.month:02d}-{moved.day:02d}{match['rest']}{era}"


def _shift(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Shift)  # noqa: S101 - the registry pairs them
    reach = parameters.max_days

    def mask(value: str) -> str:
        if endless(value):
            return value
        day = value.strip()[:10]
        days = 1 + key.word("moment", day, 0) % reach
        return shifted(value, days if key.word("moment", day, 1) & 1 else -days)

    return mask


def _shift_column(parameters: Parameters, _facts: Facts, key: Key) -> ColumnMask:
    from . import columns

    assert isinstance(parameters, Shift)  # noqa: S101 - the registry pairs them
    return columns.shifted(parameters.max_days, key)


def _shift_per(parameters: Parameters, _facts: Facts, key: Key) -> RowMask:
    """Shift by a number of days that belongs to a person (the values beside), so that what lies
    between two of the person's dates stays as long as it was.
    """
    assert isinstance(parameters, Shift)  # noqa: S101 - the registry pairs them
    reach = parameters.max_days

    def mask(value: str, beside: tuple[str | None, ...]) -> str:
        if endless(value):
            return value
        number = key.number("moment per person", "\t".join(part or "" for part in beside))
        days = 1 + number % reach
        return shifted(value, days if number >> 64 & 1 else -days)

    return mask


class Birth(Parameters):
    """What of a birth date stays."""

    keep: Literal["year", "age_band"] = pydantic.Field(
        default="year",
        description="`year` gives another day of the year; `age_band` another year of its band too",
    )
    band: int = pydantic.Field(default=5, ge=2, le=50, description="the years of an age band")


def _birth_date(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Birth)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        if endless(value):
            return value
        match = DATE.fullmatch(value.strip())
        if match is None:
            message = "not a date"
            raise ValueError(message)
        number = key.number("birth date", value.strip()[:10])
        month, day = number % 12 + 1, (number >> 32) % 28 + 1
        if (month, day) == (int(match["month"]), int(match["day"])):
            day = day % 28 + 1
        year = match["year"]
        if parameters.keep == "age_band":
            start = int(year) // parameters.band * parameters.band
            year = f"{max(1, start + (number >> 64) % parameters.band):04d}"
        return f"{year}-{month:02d}-{day:02d}{match['rest']}{match['era'] or ''}"

    return mask


KINDS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TEXT})
DEFINITIONS = (
    Definition(
        name="date",
        summary="Another day nearby, by a keyed shift that is never zero.",
        accepts=KINDS,
        build=_shift,
        build_column=_shift_column,
        build_row=_shift_per,
        per=True,
        parameters=Shift,
        version=2,
        searchable=False,
    ),
    Definition(
        name="timestamp",
        summary="The same time of another day nearby.",
        accepts=KINDS,
        build=_shift,
        build_column=_shift_column,
        build_row=_shift_per,
        per=True,
        parameters=Shift,
        version=2,
        searchable=False,
    ),
    Definition(
        name="birth_date",
        summary="Another day of the same year, so that ages stay.",
        accepts=KINDS,
        build=_birth_date,
        parameters=Birth,
        searchable=False,
    ),
)
