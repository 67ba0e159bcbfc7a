"""Names of persons and accounts."""

from .base import Definition, Facts, Key, Kind, Mask, Parameters
from .vocabulary import emitted, fold, invented, pick, styled

TEXT = frozenset({Kind.TEXT})
SUFFIX = 12
"""Hex digits that make a name unique: 48 bits beside the name's own 25."""


def fit(text: str, facts: Facts) -> str:
    """Return a text cut to its column."""
    return text if facts.max_length is None else text[: facts.max_length].rstrip()


def first(key: Key, value: str) -> str:
    """Return the invented first name of a folded value."""
    return pick(invented("first"), key, "first name", value)


def last(key: Key, value: str) -> str:
    """Return the invented last name of a folded value."""
    return pick(invented("last"), key, "last name", value)


def _name(part: str) -> "Definition":
    def build(_parameters: Parameters, facts: Facts, key: Key) -> Mask:
        def mask(value: str) -> str:
            folded = fold(value)
            if not folded:
                return value
            made = {
                "first": lambda: first(key, folded),
                "last": lambda: last(key, folded),
                "full": lambda: f"{first(key, folded)} {last(key, folded)}",
            }[part]()
            return fit(styled(made, value), facts)

        return mask

    return Definition(
        name=f"{part}_name",
        summary=f"An invented {part} name; the same person, the same name.",
        accepts=TEXT,
        build=build,
        misfit=not_unique,
        vocabulary=words,
    )


def words(_parameters: Parameters) -> frozenset[str]:
    """Return the words that a rule may emit whatever it reads."""
    return emitted()


def not_unique(_parameters: Parameters, facts: Facts) -> str | None:
    """Say why a rule that may repeat itself cannot serve a unique column."""
    return "may give two people the same value, but the column is unique" if facts.unique else None


def needs(length: int) -> "object":
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
        suffix = key.digest("username", folded).hex()[:SUFFIX]
        name = f"{first(key, folded)}_{suffix}".lower()
        if facts.max_length is not None and len(name) > facts.max_length:
            name = f"u{suffix}"
        return fit(name, facts)

    return mask


DEFINITIONS = (
    _name("first"),
    _name("last"),
    _name("full"),
    Definition(
        name="username",
        summary="An invented account name with a keyed suffix; unique.",
        accepts=TEXT,
        build=_username,
        unique=True,
        folds=True,
        vocabulary=words,
        misfit=needs(SUFFIX + 1),  # type: ignore[arg-type]
    ),
)
