"""Numbers that stay meaningful: with noise, rounded, or put into ranges."""

from collections.abc import Callable
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Literal

import pydantic

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .number import LIMITS

NUMBERS = frozenset({Kind.INTEGER, Kind.NUMERIC, Kind.FLOAT})
_EXACT = Context(prec=400)
"""More digits than any double needs; a longer number is an error, never a rough one."""


def read(value: str) -> Decimal | None:
    """Return a number, or ``None`` for those that are none: NaN and the infinities.

    Raises:
        ValueError: it is no number.
    """
    try:
        number = Decimal(value.strip())
    except ArithmeticError:
        message = "not a number"
        raise ValueError(message) from None
    if len(number.as_tuple().digits) > _EXACT.prec // 2:
        message = "a number of too many digits"
        raise ValueError(message)
    return number if number.is_finite() else None


def exactly(change: Callable[[str, Decimal], str]) -> Mask:
    """Return the mask of a change of numbers; blanks, NaN and the infinities stay."""

    def mask(value: str) -> str:
        if not value.strip() or (number := read(value)) is None:
            return value
        with localcontext(_EXACT):
            return change(value, number)

    return mask


def _written(number: Decimal, like: str) -> str:
    if "e" in like.lower():
        return f"{number:e}"
    return f"{number:f}"


class Noise(Parameters):
    """How far a number moves, and what it may not leave."""

    relative: float = pydantic.Field(
        default=0.1, gt=0, le=1, description="the largest part of itself by which a number moves"
    )
    absolute: Decimal | None = pydantic.Field(
        default=None, gt=0, description="the largest distance instead, the same for all numbers"
    )
    minimum: Decimal | None = pydantic.Field(default=None, description="nothing comes out below")
    maximum: Decimal | None = pydantic.Field(default=None, description="nothing comes out above")

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> "Noise":
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            message = "minimum is above maximum"
            raise ValueError(message)
        return self


def _bound(number: Decimal, step: Decimal) -> Decimal:
    """Return the largest number of as many digits that fits what ``number`` fits."""
    whole = int(abs(number))
    digits = Decimal(10) ** len(str(whole))
    limits = (Decimal(limit + (number < 0)) for limit in LIMITS)  # there is one more below zero
    limit = next((limit for limit in limits if whole <= limit), digits)
    return min(digits - step, limit) if step == 1 else digits - step


def _noise(parameters: Parameters, _facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Noise)  # noqa: S101 - the registry pairs them

    def clamped(number: Decimal) -> Decimal:
        if parameters.minimum is not None:
            number = max(number, parameters.minimum)
        return number if parameters.maximum is None else min(number, parameters.maximum)

    def change(value: str, number: Decimal) -> str:
        step = Decimal(1).scaleb(min(0, int(number.as_tuple().exponent)))
        if "e" in value.lower():
            step = Decimal(1).scaleb(int(number.as_tuple().exponent))
        reach = parameters.absolute or abs(number) * Decimal(str(parameters.relative))
        drawn = key.number("noise", str(number))
        share = Decimal((drawn >> 64) + 1) / Decimal(1 << 64)
        away = max(step, (share * reach).quantize(step, ROUND_HALF_EVEN))
        made = number + away if drawn & 1 else number - away
        if parameters.absolute is None and made * (number or 1) < 0:  # what was no debt is none
            made = number + away * (-1 if number < 0 else 1)
        if abs(made) > _bound(number, step):
            made = 2 * number - made
        return _written(clamped(made), value)

    return exactly(change)


class Rounding(Parameters):
    """What a number is rounded to."""

    to: Decimal = pydantic.Field(gt=0, description="the step, such as 10, 1000 or 0.5")


def _round(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Rounding)  # noqa: S101 - the registry pairs them
    step = parameters.to

    def change(_value: str, number: Decimal) -> str:
        steps = (number / step).to_integral_value(ROUND_HALF_EVEN)
        made = steps * step
        if abs(made) > _bound(number, Decimal(1)):  # 32 767 rounded up is no smallint
            made = (abs(steps) - 1) * step * (1 if number > 0 else -1)
        return _written(made, "")

    return exactly(change)


class Bucket(Parameters):
    """The ranges, and what stands for one."""

    width: Decimal | None = pydantic.Field(
        default=None, gt=0, description="the width of ranges that start at 0; or give `edges`"
    )
    edges: tuple[Decimal, ...] = pydantic.Field(
        default=(), description="where ranges start; what lies below the first one is one range"
    )
    give: Literal["lower", "label"] = pydantic.Field(
        default="lower",
        description="`lower` is where the range starts; `label` is a text such as 20-30, for text "
        "columns",
    )

    @pydantic.model_validator(mode="after")
    def _ranges(self) -> "Bucket":
        if (self.width is None) == (not self.edges):
            message = "give either width or edges"
            raise ValueError(message)
        if list(self.edges) != sorted(set(self.edges)):
            message = "edges must rise"
            raise ValueError(message)
        return self


def _edges(parameters: Bucket, number: Decimal) -> tuple[Decimal | None, Decimal | None]:
    if parameters.width is not None:
        lower = (number / parameters.width).to_integral_value(ROUND_FLOOR) * parameters.width
        return lower, lower + parameters.width
    below = [edge for edge in parameters.edges if edge <= number]
    above = [edge for edge in parameters.edges if edge > number]
    return (below[-1] if below else None), (above[0] if above else None)


def _bucket(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Bucket)  # noqa: S101 - the registry pairs them

    def change(_value: str, number: Decimal) -> str:
        lower, upper = _edges(parameters, number)
        if parameters.give == "label" and None in {lower, upper}:
            return f"<{upper}" if lower is None else f"{lower}+"
        if parameters.give == "label":
            return f"{lower}-{upper}"
        if lower is None:
            lower = parameters.edges[0] - 1
        return _written(lower, "")

    return exactly(change)


def _bucket_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Bucket)  # noqa: S101 - the registry pairs them
    if parameters.give == "label" and facts.kind is not Kind.TEXT:
        return f"gives a label, but the column is {facts.kind}"
    return _repeats(parameters, facts)


def _repeats(_parameters: Parameters, facts: Facts) -> str | None:
    return "may give two rows the same number, but the column is unique" if facts.unique else None


DEFINITIONS = (
    Definition(
        name="noise",
        summary="A number nearby, by a keyed distance that is never zero.",
        accepts=NUMBERS | {Kind.TEXT},
        build=_noise,
        parameters=Noise,
        searchable=False,
        misfit=_repeats,
    ),
    Definition(
        name="round",
        summary="A number rounded to a step.",
        accepts=NUMBERS | {Kind.TEXT},
        build=_round,
        parameters=Rounding,
        keyed=False,
        searchable=False,
        misfit=_repeats,
    ),
    Definition(
        name="bucket",
        summary="The range in which a number lies, by its lower end or a label.",
        accepts=NUMBERS | {Kind.TEXT},
        build=_bucket,
        parameters=Bucket,
        keyed=False,
        searchable=False,
        misfit=_bucket_misfit,
    ),
)
