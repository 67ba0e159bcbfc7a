"""Names of persons and accounts."""

from collections.abc import Callable
from typing import Literal

import pydantic

from .base import WIDTH, ColumnMask, Definition, Facts, Key, Kind, Mask, Parameters
from .locales import LAST_FIRST, blended
from .vocabulary import emitted, fold, invented, pick, styled

TEXT = frozenset({Kind.TEXT})
Misfit = Callable[[Parameters, Facts], str | None]
SUFFIX = 12
"""Hex digits that make a name unique: 48 bits beside the name's own 25."""
FIRST, LAST = 0, 1
"""Which of a name's numbers decide its first and its last name."""


def fit(text: str, facts: Facts) -> str:
    """Return a text cut to its column."""
    return text if facts.max_length is None else text[: facts.max_length].rstrip()


class Names(Parameters):
    """What kind of name comes out."""

    locale: str | None = pydantic.Field(
        default=None,
        description="the language whose sounds and script the invented names have, such as de_DE, "
        "ru_RU or ja_JP; any for which Faker knows names",
    )
    gender: Literal["female", "male"] | None = pydantic.Field(
        default=None, description="blends names of women or men only; none makes no difference"
    )

    @pydantic.model_validator(mode="after")
    def _known(self) -> "Names":
        for kind in ("first", "last"):
            self.pool(kind)
        return self

    def pool(self, kind: str) -> tuple[str, ...]:
        """Return the invented ``first`` or ``last`` names."""
        if self.locale is None and (self.gender is None or kind == "last"):
            return invented(kind)
        return blended(self.locale or "en_US", kind, self.gender)


def _pools(parameters: Parameters, part: str) -> list[tuple[tuple[str, ...], int]]:
    """Return the names that a ``part`` is made of, in order, each with the place of its number."""
    assert isinstance(parameters, Names)  # noqa: S101 - the registry pairs them
    kinds = ("first", "last") if part == "full" else (part,)
    if (parameters.locale or "").split("_")[0] in LAST_FIRST:
        kinds = kinds[::-1]
    return [(parameters.pool(kind), FIRST if kind == "first" else LAST) for kind in kinds]


def _name(part: str) -> "Definition":
    def build(parameters: Parameters, facts: Facts, key: Key) -> Mask:
        pools = _pools(parameters, part)

        def mask(value: str) -> str:
            folded = fold(value)
            if not folded:
                return value
            chosen = (pick(pool, key.word("name", folded, place), folded) for pool, place in pools)
            return fit(styled(" ".join(chosen), value), facts)

        return mask

    def build_column(parameters: Parameters, facts: Facts, key: Key) -> ColumnMask:
        from . import columns

        return columns.names(_pools(parameters, part), facts, key)

    return Definition(
        name=f"{part}_name",
        summary=f"An invented {part} name; the same person, the same name.",
        accepts=TEXT,
        build=build,
        build_column=build_column,
        parameters=Names,
        misfit=not_unique,
        vocabulary=_name_words,
    )


def _name_words(parameters: Parameters) -> frozenset[str]:
    assert isinstance(parameters, Names)  # noqa: S101 - the registry pairs them
    names = (*parameters.pool("first"), *parameters.pool("last"))
    return emitted() | frozenset(name.casefold() for name in names)


def words(_parameters: Parameters) -> frozenset[str]:
    """Return the words that a rule may emit whatever it reads."""
    return emitted()


def not_unique(_parameters: Parameters, facts: Facts) -> str | None:
    """Say why a rule that may repeat itself cannot serve a unique column."""
    return "may give two people the same value, but the column is unique" if facts.unique else None


def needs(length: int) -> Misfit:
    """Return a misfit that asks for room for ``length`` characters."""

    def misfit(_parameters: Parameters, facts: Facts) -> str | None:
        if facts.max_length is not None and facts.max_length < length:
            return f"needs {length} characters, but the column has {facts.max_length}"
        return None

    return misfit


def _username(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
    def mask(value: str) -> str:
        folded = fold(value)
        if not folded:
            return value
        chosen = pick(invented("first"), key.word("username", folded, FIRST), folded)
        suffix = key.digest("username", folded, WIDTH)[8:].hex()[:SUFFIX]
        name = f"{chosen}_{suffix}".lower()
        if facts.max_length is not None and len(name) > facts.max_length:
            name = f"u{suffix}"
        return fit(name, facts)

    return mask


def _username_column(_parameters: Parameters, facts: Facts, key: Key) -> ColumnMask:
    from . import columns

    return columns.usernames(invented("first"), facts, key)


DEFINITIONS = (
    _name("first"),
    _name("last"),
    _name("full"),
    Definition(
        name="username",
        summary="An invented account name with a keyed suffix; unique.",
        accepts=TEXT,
        build=_username,
        build_column=_username_column,
        unique=True,
        folds=True,
        vocabulary=words,
        misfit=needs(SUFFIX + 1),
    ),
)
