"""Dates made coarser, times of day, spans and ranges of time."""

import re
from decimal import Decimal
from typing import Literal

import pydantic

from .amount import read
from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .moment import DATE, KINDS, endless, shifted
from .permutation import blank


class Coarse(Parameters):
    """What a date is rounded down to."""

    to: Literal["day", "month", "quarter", "year", "decade"] = pydantic.Field(
        default="month", description="the first moment of it is what comes out"
    )


def _date_round(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Coarse)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        if endless(value):
            return value
        match = DATE.fullmatch(value.strip())
        if match is None:
            return blank(value)
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        if parameters.to != "day":
            day = 1
        if parameters.to == "quarter":
            month = (month - 1) // 3 * 3 + 1
        if parameters.to in {"year", "decade"}:
            month = 1
        if parameters.to == "decade":
            year = max(1, year // 10 * 10)  # there is no year 0
        zone = "" if match["zone"] is None else match["zone"]
        time = f"{match['rest'][0]}00:00:00{zone}" if match["rest"] else ""
        return f"{year:04d}-{month:02d}-{day:02d}{time}{match['era'] or ''}"

    return mask


class Clock(Parameters):
    """What of a time stays."""

    keep: Literal["hour", "nothing"] = pydantic.Field(
        default="hour", description="`hour` changes minutes and seconds only"
    )


_TIME = re.compile(
    r"(?P<hour>[01][0-9]|2[0-4]):(?P<minute>[0-5][0-9])(?P<second>:[0-5][0-9])?"
    r"(?P<part>\.[0-9]{1,6})?(?P<zone> ?(?:Z|[+-][0-9:]+))?"
)


def _time(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Clock)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        match = _TIME.fullmatch(value.strip())
        if match is None:
            return blank(value)
        number = key.number("time", value.strip())
        hour = int(match["hour"]) % 24
        if parameters.keep == "nothing":
            hour = number % 24
        minute = (int(match["minute"]) + 1 + (number >> 16) % 59) % 60
        second = f":{(number >> 32) % 60:02d}" if match["second"] else ""
        part = match["part"] or ""
        if part:
            part = f".{(number >> 48) % 10 ** (len(part) - 1):0{len(part) - 1}d}"
        return f"{hour:02d}:{minute:02d}{second}{part}{match['zone'] or ''}"

    return mask


class Span(Parameters):
    """How far a span changes."""

    relative: float = pydantic.Field(
        default=0.25, gt=0, lt=1, description="the largest part of itself by which each part moves"
    )


_UNIT = re.compile(r"([+-]?[0-9]+) (years?|mons?|days?)")
_CLOCK = re.compile(r"([+-]?)([0-9]+):([0-9]{2}):([0-9]{2})(\.[0-9]+)?")


def _interval(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Span)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        text = value.strip()
        if _CLOCK.sub("", _UNIT.sub("", text)).strip():
            return blank(value)
        drawn = key.number("interval", text)

        def moved(amount: int) -> int:
            reach = max(1, int(amount * parameters.relative))
            away = 1 + (drawn >> 8) % reach
            return amount + (away if drawn & 1 or amount <= 1 else -away) if amount else 0

        def unit(match: re.Match[str]) -> str:
            number = int(match[1])
            sign = "-" if number < 0 else "+" if match[1][0] == "+" else ""
            return f"{sign}{moved(abs(number))} {match[2].rstrip('s')}s"

        def clock(match: re.Match[str]) -> str:
            total = moved(int(match[2]) * 3600 + int(match[3]) * 60 + int(match[4]))
            part = "" if match[5] is None else f".{drawn >> 64 & 0xFFFF:06d}"[: len(match[5])]
            hours, rest = divmod(total, 3600)
            return f"{match[1]}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}{part}"

        return _CLOCK.sub(clock, _UNIT.sub(unit, text))

    return mask


class Ranges(Parameters):
    """How far a range moves."""

    max_days: int = pydantic.Field(
        default=180, ge=1, le=36_500, description="the largest shift of dates, in days"
    )
    max_steps: int = pydantic.Field(
        default=1000, ge=1, description="the largest shift of numbers, in units of the last place"
    )
    together: bool = pydantic.Field(
        default=False,
        description="moves the ranges of all rows by the same distance, so that those which did "
        "not overlap still do not",
    )


_RANGE = re.compile(r'([\[(])("[^"]*"|[^,"]*),("[^"]*"|[^,"\])]*)([\])])')


def _range(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Ranges)  # noqa: S101 - the registry pairs them

    def mask(value: str) -> str:
        text = value.strip()
        if text in {"", "empty", "{}"}:
            return value
        if re.sub(r"[{},\s]", "", _RANGE.sub("", text)):
            return blank(value)
        drawn = key.number("range", "" if parameters.together else text)

        def end(bound: str) -> str:
            quoted = bound.startswith('"')
            inside = bound.strip('"')
            if endless(inside):
                return bound
            if DATE.fullmatch(inside):
                made = shifted(inside, _distance(drawn, parameters.max_days))
            else:
                number = read(inside)
                step = Decimal(1).scaleb(min(0, int((number or Decimal(0)).as_tuple().exponent)))
                made = f"{(number or 0) + step * _distance(drawn, parameters.max_steps):f}"
            return f'"{made}"' if quoted else made

        def both(match: re.Match[str]) -> str:
            return f"{match[1]}{end(match[2])},{end(match[3])}{match[4]}"

        return _RANGE.sub(both, text)

    return mask


def _distance(drawn: int, reach: int) -> int:
    return (1 + (drawn >> 8) % reach) * (1 if drawn & 1 else -1)


def _repeats(_parameters: Parameters, facts: Facts) -> str | None:
    return "may give two rows the same value, but the column is unique" if facts.unique else None


DEFINITIONS = (
    Definition(
        name="date_round",
        summary="The first day of the month, quarter, year or decade.",
        accepts=KINDS,
        build=_date_round,
        parameters=Coarse,
        keyed=False,
        searchable=False,
        misfit=_repeats,
    ),
    Definition(
        name="time",
        summary="Another time of the same hour.",
        accepts=frozenset({Kind.TIME, Kind.TEXT}),
        build=_time,
        parameters=Clock,
        searchable=False,
        length_preserving=True,
        misfit=_repeats,
    ),
    Definition(
        name="interval",
        summary="A span of about the same length.",
        accepts=frozenset({Kind.INTERVAL, Kind.TEXT}),
        build=_interval,
        parameters=Span,
        searchable=False,
        misfit=_repeats,
    ),
    Definition(
        name="range",
        summary="A range of dates or numbers as long as before, moved by a keyed distance.",
        accepts=frozenset({Kind.RANGE, Kind.TEXT}),
        build=_range,
        parameters=Ranges,
        searchable=False,
        misfit=_repeats,
    ),
)
