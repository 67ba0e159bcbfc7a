"""Where something is: coordinates and countries."""

import functools
import importlib
import math
import re
from decimal import Decimal
from typing import Literal

import pydantic

from .amount import read
from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .code import repeats
from .permutation import blank
from .vocabulary import fold

DEGREE = 111_320
"""Metres of a degree of latitude."""
_POLE, _HALF_TURN = 90, 180


class Nearby(Parameters):
    """How far a place moves, and how it is written."""

    min_metres: int = pydantic.Field(default=500, ge=1, description="the shortest move")
    max_metres: int = pydantic.Field(default=2000, ge=1, le=500_000, description="the longest move")
    axis: Literal["pair", "latitude", "longitude"] = pydantic.Field(
        default="pair", description="what one value holds: both numbers, or one of them"
    )
    order: Literal["written", "lat_lon", "lon_lat"] = pydantic.Field(
        default="written",
        description="the number of a pair that comes first: with `written`, the longitude in (x,y) "
        "and POINT(x y), else the latitude",
    )

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "Nearby":
        if self.min_metres > self.max_metres:
            message = "min_metres is above max_metres"
            raise ValueError(message)
        return self


_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
_PAIR = re.compile(
    rf"(\s*(?:SRID=[0-9]+;)?(?:POINT\s*)?\(?\s*)({_NUMBER})(\s*[,;\s]\s*)({_NUMBER})(\s*\)?\s*)"
)


def _moved(text: str, degrees: float, reach: int) -> str:
    """Return a coordinate moved by degrees, at least one unit of its last place."""
    number = read(text)
    if number is None or abs(number) > reach:
        message = "no coordinate"
        raise ValueError(message)
    step = Decimal(1).scaleb(min(0, max(-15, int(number.as_tuple().exponent))))
    away = round(Decimal(degrees) / step) or (1 if degrees > 0 else -1)
    made = number + away * step
    if abs(made) > reach:
        made = number - away * step
    return f"{made:f}"


def _coordinates(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Nearby)  # noqa: S101 - the registry pairs them
    spread = parameters.max_metres - parameters.min_metres

    def drawn(text: str) -> tuple[float, float]:
        number = key.number("coordinates", " ".join(text.split()))
        share = (number >> 64 & 0xFFFFFFFF) / 0xFFFFFFFF
        return parameters.min_metres + spread * share, math.tau * (number & 0xFFFFFFFF) / 2**32

    def one(value: str) -> str:
        metres, angle = drawn(value)
        reach = _POLE if parameters.axis == "latitude" else _HALF_TURN
        return _moved(value.strip(), math.copysign(metres / DEGREE, math.cos(angle)), reach)

    def pair(value: str, match: re.Match[str]) -> str:
        before, first, between, second, after = match.groups()
        turned = parameters.order == "lon_lat" or (parameters.order == "written" and "(" in before)
        latitude, longitude = (second, first) if turned else (first, second)
        metres, angle = drawn(value)
        north, east = metres * math.cos(angle) / DEGREE, metres * math.sin(angle) / DEGREE
        width = max(0.01, math.cos(math.radians(float(latitude))))
        moved = [_moved(latitude, north, _POLE), _moved(longitude, east / width, _HALF_TURN)]
        first, second = moved[::-1] if turned else moved
        return f"{before}{first}{between}{second}{after}"

    def mask(value: str) -> str:
        if not value.strip():
            return value
        if parameters.axis != "pair":
            return one(value)
        match = _PAIR.fullmatch(value)
        return pair(value, match) if match else blank(value)

    return mask


class Place(Parameters):
    """How much of a country stays."""

    to: Literal["country", "continent"] = pydantic.Field(
        default="country", description="`country` gives another country; `continent` where it lies"
    )


@functools.cache
def _countries() -> dict[str, dict[str, str]]:
    """Return every country by each of its names and codes, folded."""
    listed = importlib.import_module("faker.providers.date_time").Provider.countries
    found = {}
    for country in listed:
        forms = {
            "name": country.name,
            "alpha2": country.alpha_2_code,
            "alpha3": country.alpha_3_code,
            "continent": country.continent,
        }
        for form in ("name", "alpha2", "alpha3"):
            found[fold(forms[form])] = {**forms, "form": form}
    return found


_FORMS = {2: "alpha2", 3: "alpha3"}


def _country(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Place)  # noqa: S101 - the registry pairs them
    countries = _countries()
    names = sorted(fold(country["name"]) for country in countries.values())

    def mask(value: str) -> str:
        folded = fold(value)
        if not folded:
            return value
        found = countries.get(folded)
        if parameters.to == "continent":
            return blank(value) if found is None else found["continent"][: facts.max_length]
        form = found["form"] if found else _FORMS.get(len(folded), "name")
        start = key.number("country", found["name"] if found else folded) % len(names)
        for name in (*names[start:], *names[:start]):
            made = countries[name][form]
            if fold(made) != folded and len(made) <= (facts.max_length or len(made)):
                break
        else:
            message = "no country fits the column"
            raise ValueError(message)
        return made.lower() if value.islower() else made

    return mask


def _country_words(_parameters: Parameters) -> frozenset[str]:
    names = {text for country in _countries().values() for text in country.values()}
    return frozenset(word for name in names for word in re.findall(r"[^\W_]+", name.casefold()))


DEFINITIONS = (
    Definition(
        name="coordinates",
        summary="A place nearby, by a keyed distance that is never zero.",
        accepts=frozenset({Kind.TEXT, Kind.NUMERIC, Kind.FLOAT, Kind.OTHER}),
        build=_coordinates,
        parameters=Nearby,
        searchable=False,
        misfit=repeats,
    ),
    Definition(
        name="country",
        summary="Another country in the same form: name, two letters or three.",
        accepts=frozenset({Kind.TEXT}),
        build=_country,
        parameters=Place,
        searchable=False,
        vocabulary=_country_words,
        misfit=repeats,
    ),
)
