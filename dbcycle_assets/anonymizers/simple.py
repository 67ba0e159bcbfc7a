"""Null, constants, choices, and any Faker provider by name."""

import functools
import re

import pydantic

from .base import ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .vocabulary import fold

ANY = frozenset(Kind)


def _null(_parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    return lambda _value: None


def _null_misfit(_parameters: Parameters, facts: Facts) -> str | None:
    return None if facts.nullable else "the column is NOT NULL"


class Constant(Parameters):
    """What every value becomes."""

    value: str = pydantic.Field(description="the text that every value becomes")


def _constant(parameters: Parameters, _facts: Facts, _key: Key) -> Mask:
    assert isinstance(parameters, Constant)  # noqa: S101 - the registry pairs them
    return lambda _value: parameters.value


def _one_for_all(_parameters: Parameters, facts: Facts) -> str | None:
    return "gives rows the same value, but the column is unique" if facts.unique else None


class Choice(Parameters):
    """What is chosen from."""

    values: tuple[str, ...] = pydantic.Field(
        default=(), description="what to choose from; an enum's labels by default"
    )
    weights: tuple[int, ...] = pydantic.Field(
        default=(), description="how often each value is chosen, relative to the others"
    )

    @pydantic.model_validator(mode="after")
    def _paired(self) -> "Choice":
        if self.weights and len(self.weights) != len(self.values):
            message = "give as many weights as values"
            raise ValueError(message)
        return self


def _weighted(parameters: Choice, facts: Facts) -> tuple[str, ...]:
    values = parameters.values or facts.labels
    weights = parameters.weights or (1,) * len(values)
    return tuple(v for v, weight in zip(values, weights, strict=True) for _ in range(weight))


def _choice(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Choice)  # noqa: S101 - the registry pairs them
    pool = _weighted(parameters, facts)
    return lambda value: pool[key.word("choice", value, 0) % len(pool)]


def _choice_column(parameters: Parameters, facts: Facts, key: Key) -> ColumnMask:
    from . import columns

    assert isinstance(parameters, Choice)  # noqa: S101 - the registry pairs them
    return columns.drawn("choice", _weighted(parameters, facts), key, folds=False)


def _choice_misfit(parameters: Parameters, facts: Facts) -> str | None:
    assert isinstance(parameters, Choice)  # noqa: S101 - the registry pairs them
    if not (parameters.values or facts.labels):
        return "has no `values` to choose from"
    return _one_for_all(parameters, facts)


class Provider(Parameters):
    """The pool that is drawn."""

    provider: str = pydantic.Field(
        pattern=r"^[a-z][a-z0-9_]*$", description="the name of a Faker provider, such as `job`"
    )
    locale: str = pydantic.Field(default="en_US", description="Faker's locale")
    size: int = pydantic.Field(
        default=500, ge=2, le=100_000, description="how many values are drawn for the pool"
    )

    @pydantic.model_validator(mode="after")
    def _known(self) -> "Provider":
        from faker import Faker

        try:
            maker = Faker(self.locale)
        except (AttributeError, ImportError):
            message = f"Faker has no locale {self.locale}"
            raise ValueError(message) from None
        if not callable(getattr(maker, self.provider, None)):
            message = f"Faker has no provider {self.provider} for {self.locale}"
            raise ValueError(message)  # noqa: TRY004 - pydantic turns it into a finding
        return self


@functools.cache
def _pool(provider: str, locale: str, size: int) -> tuple[str, ...]:
    """Return Faker's vocabulary: drawn once, always the same, sorted, without duplicates."""
    from faker import Faker

    maker = Faker(locale)
    maker.seed_instance(0)
    return tuple(sorted({str(getattr(maker, provider)()) for _ in range(size)}))


def _fitting(parameters: Provider, facts: Facts) -> tuple[str, ...]:
    """Return the pool that fits the column.

    Raises:
        ValueError: nothing of it does.
    """
    found = _pool(parameters.provider, parameters.locale, parameters.size)
    pool = tuple(v for v in found if facts.max_length is None or len(v) <= facts.max_length)
    if not pool:
        message = "no value of the provider fits the column"
        raise ValueError(message)
    return pool


def _faker(parameters: Parameters, facts: Facts, key: Key) -> Mask:
    assert isinstance(parameters, Provider)  # noqa: S101 - the registry pairs them
    pool = _fitting(parameters, facts)

    def mask(value: str) -> str:
        index = key.word(f"faker {parameters.provider}", fold(value), 0) % len(pool)
        found = pool[index]
        return pool[(index + 1) % len(pool)] if found == value else found

    return mask


def _faker_column(parameters: Parameters, facts: Facts, key: Key) -> ColumnMask:
    from . import columns

    assert isinstance(parameters, Provider)  # noqa: S101 - the registry pairs them
    domain = f"faker {parameters.provider}"
    return columns.drawn(domain, _fitting(parameters, facts), key, folds=True)


def _constant_column(parameters: Parameters, _facts: Facts, _key: Key) -> ColumnMask:
    from . import columns

    return columns.alike(parameters.value if isinstance(parameters, Constant) else None)


def _faker_words(parameters: Parameters) -> frozenset[str]:
    assert isinstance(parameters, Provider)  # noqa: S101 - the registry pairs them
    drawn = _pool(parameters.provider, parameters.locale, parameters.size)
    return frozenset(word for value in drawn for word in re.findall(r"[^\W_]+", value.casefold()))


DEFINITIONS = (
    Definition(
        name="null",
        summary="Nothing at all.",
        accepts=ANY,
        build=_null,
        build_column=_constant_column,
        keyed=False,
        misfit=_null_misfit,
    ),
    Definition(
        name="constant",
        summary="The same value for every row.",
        accepts=ANY,
        build=_constant,
        build_column=_constant_column,
        parameters=Constant,
        keyed=False,
        searchable=False,
        misfit=_one_for_all,
    ),
    Definition(
        name="choice",
        summary="One of some values, with weights; of an enum's labels by default.",
        accepts=ANY,
        build=_choice,
        build_column=_choice_column,
        parameters=Choice,
        searchable=False,
        misfit=_choice_misfit,
    ),
    Definition(
        name="faker",
        summary="A value of any Faker provider, from a pool that is drawn once.",
        accepts=ANY - {Kind.JSON, Kind.TSVECTOR, Kind.BYTES, Kind.COMPOSITE},
        build=_faker,
        build_column=_faker_column,
        parameters=Provider,
        vocabulary=_faker_words,
        searchable=False,
        misfit=_one_for_all,
    ),
)
